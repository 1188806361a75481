// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
)

// kept in memory what origins came to.
type memory struct {
	mu    sync.Mutex
	saved map[string][]byte
}

func (m *memory) Load(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saved[name], nil
}

func (m *memory) Save(name string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saved == nil {
		m.saved = map[string][]byte{}
	}
	m.saved[name] = slices.Clone(b)
	return nil
}

// counted counts the fits of a candidate and stops the run at one of them.
func counted(c Candidate, fits *int, stopAt int, stop context.CancelFunc) Candidate {
	fit := c.Fit
	c.Fit = func(ctx context.Context, f *features.Frame) (Predictor, error) {
		if *fits++; *fits == stopAt {
			stop()
			return nil, ctx.Err()
		}
		return fit(ctx, f)
	}
	return c
}

// A backtest that is stopped goes on where it was and ends in the same report.
func TestBacktestGoesOnAfterAStop(t *testing.T) {
	f := history(300, 12, 1)
	failing := Candidate{Name: "fails", Fit: func(context.Context, *features.Frame) (Predictor, error) { return nil, errors.New("no") }}
	whole := backtest(t, f, Options{}, byLevel(), failing)
	tested := whole.Report.Design.Tested

	store, fits := new(memory), 0
	o := Options{Finished: store, Bootstrap: quick, Origins: OriginOptions{First: day(t, "2022-06-01")}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if _, err := Backtest(ctx, f, []Candidate{counted(byLevel(), &fits, 3, stop), failing}, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if len(store.saved) != 2 {
		t.Fatalf("%d origins were kept, want 2", len(store.saved))
	}
	for name, b := range store.saved { // one of them is damaged, and so done again
		store.saved[name] = b[:len(b)/2]
		break
	}
	fits = 0
	again, err := Backtest(context.Background(), f, []Candidate{counted(byLevel(), &fits, -1, nil), failing}, o)
	if err != nil {
		t.Fatal(err)
	}
	if fits != tested-1 {
		t.Errorf("%d fits of %d origins, one of them kept", fits, tested)
	}
	if diff := cmp.Diff(whole.Report, again.Report, undefinedAlike); diff != "" {
		t.Error(diff)
	}
	// Other data, or a candidate of another key, begin anew.
	for name, change := range map[string]func(*Options, *Candidate){
		"data":  func(o *Options, _ *Candidate) { o.Data = "others" },
		"build": func(o *Options, _ *Candidate) { o.Build = "later" },
		"key":   func(_ *Options, c *Candidate) { c.Key = "other" },
		"seed":  func(o *Options, _ *Candidate) { o.Seed++ },
	} {
		fits = 0
		other, c := o, counted(byLevel(), &fits, -1, nil)
		change(&other, &c)
		if _, err := Backtest(context.Background(), f, []Candidate{c, failing}, other); err != nil || fits != tested {
			t.Errorf("other %s: %d fits, %v", name, fits, err)
		}
	}
}

// A fit that failed is not kept: a repaired one is asked again, and it alone.
func TestBacktestTriesFailuresAgain(t *testing.T) {
	f := history(300, 12, 1)
	o := Options{Finished: new(memory), Bootstrap: quick, Origins: OriginOptions{First: day(t, "2022-06-01")}}
	broken, ours, repaired := BaseRate(), 0, 0
	broken.Name = "repaired"
	fit := broken.Fit
	broken.Fit = func(context.Context, *features.Frame) (Predictor, error) { return nil, errors.New("broken") }
	for _, fails := range []bool{true, false} {
		if !fails {
			broken.Fit, ours = fit, 0
		}
		r, err := Backtest(context.Background(), f, []Candidate{counted(byLevel(), &ours, -1, nil), counted(broken, &repaired, -1, nil)}, o)
		if err != nil || (r.Report.Candidates[1].Failure != "") != fails {
			t.Fatalf("%v, %+v", err, r.Report.Candidates[1].Failure)
		}
		if tested := r.Report.Design.Tested; !fails && (ours != 0 || repaired != 2*tested) {
			t.Errorf("%d fits of what had worked, %d of what had failed at %d origins", ours, repaired-tested, tested)
		}
	}
}

// Memory bounds how many origins are held side by side, never below one.
func TestMemoryBoundsWorkers(t *testing.T) {
	f := history(300, 12, 1)
	origins, err := Origins(f, OriginOptions{First: day(t, "2022-06-01")})
	if err != nil {
		t.Fatal(err)
	}
	r := run{f: f, origins: origins, o: &Options{Workers: 4}}
	var most int64
	for i := range origins {
		most = max(most, r.bytes(i))
	}
	for memory, want := range map[int64]int{0: 4, 1: 1, 2*most + 1: 2, 100 * most: 4} {
		if r.o.MaxMemory = memory; r.workers() != want {
			t.Errorf("%d bytes: %d workers, want %d", memory, r.workers(), want)
		}
	}
}

// A sliding window leaves out what lies before it, and nothing else.
func TestSlidingWindow(t *testing.T) {
	f := history(300, 14, 1)
	first := day(t, "2022-10-01")
	wide, err := Origins(f, OriginOptions{First: first})
	if err != nil {
		t.Fatal(err)
	}
	slid, err := Origins(f, OriginOptions{First: first, Window: 4})
	if err != nil {
		t.Fatal(err)
	}
	for k := range wide {
		start := wide[k].At.AddDate(0, -4, 0).UnixNano()
		want := slices.DeleteFunc(slices.Clone(wide[k].Train), func(i int) bool { return f.Rows[i].Snapshot < start })
		if !slices.Equal(slid[k].Train, want) || !slices.Equal(slid[k].Test, wide[k].Test) {
			t.Errorf("%s: %d training rows, want %d", slid[k].Name, len(slid[k].Train), len(want))
		}
		if slid[k].TooOld != len(wide[k].Train)-len(want) || slid[k].Purged != wide[k].Purged {
			t.Errorf("%s: %d too old, %d purged", slid[k].Name, slid[k].TooOld, slid[k].Purged)
		}
	}
}

// Origins may be given, each lasting until the next; the last as long as the
// one before it.
func TestGivenOrigins(t *testing.T) {
	f := history(300, 14, 1)
	origins, err := Origins(f, OriginOptions{Dates: []time.Time{day(t, "2022-06-15"), day(t, "2022-08-01"), day(t, "2022-08-21")}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range origins {
		got = append(got, o.Name+" "+o.End.Format(time.DateOnly))
	}
	if want := []string{"2022-06-15 2022-08-01", "2022-08-01 2022-08-21", "2022-08-21 2022-09-10"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	one, err := Origins(f, OriginOptions{Dates: []time.Time{day(t, "2022-06-15")}})
	if err != nil || len(one) != 1 || one[0].End.Format(time.DateOnly) != "2022-07-15" {
		t.Errorf("one date: %v, %v", one, err)
	}
	if _, err := Origins(f, OriginOptions{Dates: []time.Time{day(t, "2022-08-01"), day(t, "2022-06-15")}}); err == nil {
		t.Error("dates that go back were taken")
	}
}

// A frozen champion is not asked before its as-of, and is compared with the
// subject on the rows after it.
func TestChampionIsNotAskedBeforeItsAsOf(t *testing.T) {
	champion := byLevel()
	champion.Name, champion.From = ChampionName, day(t, "2022-09-01")
	r := backtest(t, history(400, 12, 1), Options{}, byLevel(), champion).Report
	s := scoresOf(t, r, ChampionName)
	asked, rows := 0, 0
	for k, o := range s.Origins {
		if (o.Metrics != nil) != (o.Origin >= "2022-09-01") {
			t.Errorf("%s: metrics %v, failure %q", o.Origin, o.Metrics, o.Failure)
		}
		if o.Metrics != nil {
			asked++
			rows += r.Candidates[0].Origins[k].Metrics.Rows
		}
	}
	if s.Failure != "" || s.Covered == nil || s.Covered.Origins != asked || s.Covered.Metrics.Rows != rows {
		t.Fatalf("%d origins, %d rows: %+v, failure %q", asked, rows, s.Covered, s.Failure)
	}
	// The same fits: no difference, and so surely not worse.
	if v := s.VersusSubject; v.LogLoss.Estimate != 0 || v.PBetter != 0.5 || v.PNotWorse != 1 || v.Finding != NoSkill {
		t.Errorf("%+v", v)
	}
	if !slices.ContainsFunc(r.Gates, func(g Gate) bool { return g.Name == GateChampion && g.Pass }) {
		t.Errorf("gates %+v", r.Gates)
	}
}

// The same fit at every origin is perfectly stable; one that turns round is not.
func TestStability(t *testing.T) {
	f := history(300, 12, 1)
	fixed := Candidate{Name: "fixed", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(f *features.Frame, i int) float64 { return trueRate[f.Columns[0].Codes[i]] }), nil
	}}
	s := scoresOf(t, backtest(t, f, Options{}, fixed).Report, "fixed").Stability
	if s == nil || !same(s.Spearman, 1, 1e-12) || s.Odds != 0 || s.Points != 0 || s.Moved != 0 || s.OlderLoss.Estimate != 0 {
		t.Errorf("the same fit: %+v", s)
	}
	turns := Candidate{Name: "turns", Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
		newest := int64(math.MinInt64)
		for i := range f.Rows {
			newest = max(newest, f.Rows[i].Due)
		}
		turned := time.Unix(0, newest).UTC().Month()%2 == 0
		return predictorFunc(func(f *features.Frame, i int) float64 {
			if k := f.Columns[0].Codes[i]; !turned {
				return trueRate[k]
			} else {
				return trueRate[3-k]
			}
		}), nil
	}}
	s = scoresOf(t, backtest(t, f, Options{}, turns).Report, "turns").Stability
	if s == nil || !(s.Spearman < -0.99) || !(s.Moved > 0.3) || !(s.Points > 5) {
		t.Errorf("turned round each month: %+v", s)
	}
	if base := scoresOf(t, backtest(t, f, Options{}, fixed).Report, BaseRateName).Stability; base != nil {
		t.Errorf("a constant has ranks: %+v", base)
	}
}

// spearmanr([1,2,2,4,5],[3,1,2,5,5]).statistic is 0.631578947368421 (scipy 1.17.1).
func TestSpearman(t *testing.T) {
	if got := spearman([]float64{1, 2, 2, 4, 5}, []float64{3, 1, 2, 5, 5}); math.Abs(got-0.631578947368421) > 1e-12 {
		t.Errorf("%v", got)
	}
}
