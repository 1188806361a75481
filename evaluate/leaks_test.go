// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

func leakOptions(t *testing.T) Options {
	return Options{Origins: OriginOptions{First: day(t, "2022-06-01")}, Bootstrap: quick, Seed: 3}
}

// Outcomes are dealt out within months only, whole renewals at a time, with
// the time it took until they were known; what is not known stays so.
func TestShuffleWithinMonths(t *testing.T) {
	f := history(60, 4, 1)
	two := &features.Frame{Columns: f.Columns} // two snapshots of each renewal, the first a month earlier
	for i := range f.Rows {
		r := f.Rows[i]
		r.Mature += int64(r.Y) * 9 * dayNS // churn is known later
		if i%10 == 0 {
			r.Y, r.Mature = features.Unknown, features.Never
		}
		early := r
		early.Snapshot -= 30 * dayNS
		two.Rows = append(two.Rows, early, r)
	}
	before := slices.Clone(two.Rows)
	g, months := shuffleWithinMonths(two, time.UTC, 1)
	churned, want := map[string]int{}, map[string]int{}
	moved := 0
	for i := range g.Rows {
		r, was := &g.Rows[i], &two.Rows[i]
		if r.Y != g.Rows[i/2*2].Y || months[i] != months[i/2*2] {
			t.Fatalf("row %d: the snapshots of %s part", i, r.Contract)
		}
		if first := time.Unix(0, two.Rows[i/2*2].Snapshot).UTC().Format("2006-01"); months[i] != first {
			t.Fatalf("row %d is of month %s, want that of its first snapshot, %s", i, months[i], first)
		}
		if was.Y == features.Unknown {
			if *r != *was && !math.IsNaN(r.Value) {
				t.Fatalf("row %d: an outcome that is not known became %+v", i, r)
			}
			continue
		}
		if r.Mature-r.Due != int64(r.Y)*9*dayNS {
			t.Fatalf("row %d: y %d is known %d days after it was due", i, r.Y, (r.Mature-r.Due)/dayNS)
		}
		churned[months[i]] += int(r.Y)
		want[months[i]] += int(was.Y)
		if r.Y != was.Y {
			moved++
		}
	}
	if fmt.Sprint(churned) != fmt.Sprint(want) || len(want) < 4 {
		t.Errorf("churned by month %v, want %v", churned, want)
	}
	if moved < 50 {
		t.Errorf("only %d rows have another outcome", moved)
	}
	if !slices.Equal(before, two.Rows) {
		t.Error("the frame itself was changed")
	}
}

// A learner that sees training rows only has no skill on shuffled outcomes. One
// that has seen the outcomes it is tested on is caught.
func TestShuffleLabels(t *testing.T) {
	f := history(400, 12, 1)
	honest, err := ShuffleLabels(context.Background(), f, byLevel(), leakOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	if a := honest.AUC; !(a.Low < 0.5 && a.High > 0.5 && a.Low > 0.4 && a.High < 0.6) || len(honest.Origins) != leakOrigins {
		t.Errorf("honest: AUC %+v at %v", a, honest.Origins)
	}
	if l := (&Leaks{Shuffled: honest}); l.Failure() != "" || l.Lines()[0].Failed {
		t.Errorf("honest: %s", l.Failure())
	}
	shuffled, _ := shuffleWithinMonths(f, time.UTC, leakOptions(t).Seed)
	seen := map[string]float64{}
	for _, r := range shuffled.Rows {
		seen[r.Contract] = float64(r.Y)
	}
	leaky := Candidate{Name: "leaky", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		random := rand.New(rand.NewPCG(1, 1))
		return predictorFunc(func(f *features.Frame, i int) float64 { // a hint drowned in noise
			return 0.1*seen[f.Rows[i].Contract] + 0.9*random.Float64()
		}), nil
	}}
	s, err := ShuffleLabels(context.Background(), f, leaky, leakOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	l := &Leaks{Shuffled: s}
	if !(s.AUC.Low > 0.5) || !strings.Contains(l.Failure(), "ranks outcomes that were shuffled: AUC 0.") || !l.Lines()[0].Failed {
		t.Errorf("leaky: AUC %+v, %q", s.AUC, l.Failure())
	}

	failing := Candidate{Name: "failing", Fit: func(context.Context, *features.Frame) (Predictor, error) { return nil, errors.New("no model") }}
	if s, err = ShuffleLabels(context.Background(), f, failing, leakOptions(t)); err != nil || !strings.Contains(s.Failure, "no model") {
		t.Errorf("a fit that fails: %+v, %v", s, err)
	}
	if s, err = ShuffleLabels(context.Background(), history(5, 2, 1), byLevel(), Options{}); err != nil || !strings.Contains(s.Failure, "nothing to test") {
		t.Errorf("nothing to test: %+v, %v", s, err)
	}
}

// The level of churn moves from month to month: within months it is no skill.
func TestShuffledLevelIsNoSkill(t *testing.T) {
	f := history(400, 12, 1)
	for i := range f.Rows {
		if f.Rows[i].Y = 0; (i/12+7*(i%12))%40 < 2+2*(i%12) {
			f.Rows[i].Y = 1
		}
	}
	byMonth := Candidate{Name: "by_month", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(f *features.Frame, i int) float64 {
			return float64(time.Unix(0, f.Rows[i].Snapshot).UTC().Month()) / 13
		}), nil
	}}
	o := leakOptions(t)
	o.Origins.Months = 3 // an origin tests three months
	s, err := ShuffleLabels(context.Background(), f, byMonth, o)
	if err != nil {
		t.Fatal(err)
	}
	if s.AUC.Estimate != 0.5 {
		t.Errorf("AUC %v of what is constant within months", s.AUC.Estimate)
	}
}

// Later looks at the same rows: the same features lift nothing, the outcome
// among them lifts the AUC to 1.
func TestCompareHindsight(t *testing.T) {
	f := history(400, 12, 1)
	told := *f
	told.Columns = []features.Column{{Feature: f.Columns[0].Feature, Levels: f.Columns[0].Levels}}
	for i := range f.Rows {
		told.Columns[0].Codes = append(told.Columns[0].Codes, int32(f.Rows[i].Y))
	}
	look := func(words string, f *features.Frame) Glance {
		return Glance{words, func() (*features.Frame, error) { return f, nil }}
	}
	h, err := CompareHindsight(context.Background(), f, []Glance{look("the snapshot", f), look("the end", &told)}, byLevel(), leakOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	if !(h.AsOf > 0.65 && h.AsOf < 0.8) { // .73 by the rates of the levels
		t.Errorf("AUC %v as of the snapshot", h.AsOf)
	}
	if got := h.Looks[0]; got.AUC != h.AsOf || got.Lift != (Interval{}) {
		t.Errorf("the same features: %+v", got)
	}
	if got := h.Looks[1]; got.AUC != 1 || !same(got.Lift.Estimate, 1-h.AsOf, 1e-12) || !(got.Lift.Low > 0.1 && got.Lift.High < 0.4) {
		t.Errorf("the outcome: %+v", got)
	}
	l := &Leaks{Hindsight: h}
	if l.Failure() != "" || !strings.Contains(l.Lines()[1].Result, "AUC would seem to be 1.0000") {
		t.Errorf("%q, %+v", l.Failure(), l.Lines())
	}
}

// The mean AUC over strata is what counting pairs within each says, also where
// groups count several times.
func TestRankingWithinStrata(t *testing.T) {
	f := history(30, 12, 1)
	origins, err := Origins(f, OriginOptions{First: day(t, "2022-06-01")})
	var none *NoOriginsError
	if errors.As(err, &none) {
		origins = none.Origins // 30 accounts are too few to be tested, not to be ranked
	} else if err != nil {
		t.Fatal(err)
	}
	stratum := func(_, row int) string { return f.Rows[row].Account[:9] } // by the first digit of its number
	r := newRanking(f, origins, stratum)
	random := rand.New(rand.NewPCG(1, 1))
	p, times := make([]float64, len(r.y)), make([]float64, r.groups)
	for i := range p {
		p[i] = float64(random.IntN(6)) // with ties
	}
	for g := range times {
		times[g] = float64(random.IntN(3))
	}
	var total, rows float64
	for _, stratum := range r.strata {
		var won, pairs float64
		for _, i := range stratum {
			for _, j := range stratum {
				if r.y[i] == 1 && r.y[j] == 0 {
					w := times[r.group[i]] * times[r.group[j]]
					pairs += w
					won += w * map[bool]float64{true: 1}[p[i] > p[j]]
					won += w * map[bool]float64{true: 0.5}[p[i] == p[j]]
				}
			}
		}
		if pairs > 0 {
			total += won / pairs * float64(len(stratum))
			rows += float64(len(stratum))
		}
	}
	if got := r.auc(p, times); math.Abs(got-total/rows) > 1e-12 || rows == 0 {
		t.Errorf("AUC %v, by pairs %v over %v rows", got, total/rows, rows)
	}
}

// A proof that failed refuses promotion, whatever the figures; one that was not
// tried is spoken of.
func TestPromotionNeedsProofs(t *testing.T) {
	better := []Scores{{Name: "m", VersusBase: &Comparison{Finding: Better, PBetter: 1, Words: "by much."}, VersusOwnMean: &Comparison{Finding: Better}}}
	sound := &features.Proof{Snapshots: 1, Trials: []features.Trial{{Name: features.Truncated, Values: 5}}}
	broken := &features.Proof{Snapshots: 1, Trials: []features.Trial{{Name: features.Perturbed, Values: 5, Leaks: 2,
		First: &features.Leak{Feature: "logins", Snapshot: "2026-01-31", Was: "1", Got: "2"}}}}
	for name, test := range map[string]struct {
		leaks  *Leaks
		pass   bool
		reason string
	}{
		"proved":    {&Leaks{Features: sound}, true, "by much."},
		"not tried": {nil, true, "by much; that nothing leaks from the future was not proved."},
		"nothing":   {&Leaks{Features: &features.Proof{}}, true, "by much; that nothing leaks from the future was not proved."},
		"failed": {&Leaks{Features: broken}, false, `gate "no leak from the future": features know something of the future: 2 of 5 values differ when it is perturbed; ` +
			`the first: feature "logins" at 2026-01-31 is 1, and 2 once the future is changed`},
	} {
		r := Report{Candidates: better, Leaks: test.leaks, Design: Design{MatureChurned: 100, MatureRenewed: 300}}
		r.Gates = r.gates()
		if v := r.Promotion(); v.Pass != test.pass || v.Reason != test.reason {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r := backtest(t, history(400, 12, 1), Options{Leaks: &Leaks{Features: broken}}, byLevel()).Report
	if len(r.Warnings) == 0 || !strings.HasPrefix(r.Warnings[0], "no figure here can be trusted: features know") {
		t.Errorf("warnings %q", r.Warnings)
	}
}
