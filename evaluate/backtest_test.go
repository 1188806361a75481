// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
)

// quick keeps tests short; the interval needs no more to be told from 0.
const quick = 200

func backtest(t *testing.T, f *features.Frame, o Options, candidates ...Candidate) *Result {
	t.Helper()
	if o.Origins.First.IsZero() {
		o.Origins.First = day(t, "2022-06-01")
	}
	if o.Bootstrap == 0 {
		o.Bootstrap = quick
	}
	result, err := Backtest(context.Background(), f, candidates, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func scoresOf(t *testing.T, r *Report, name string) *Scores {
	t.Helper()
	for i := range r.Candidates {
		if r.Candidates[i].Name == name {
			return &r.Candidates[i]
		}
	}
	t.Fatalf("no candidate %q in the report", name)
	return nil
}

// What can be learnt is found, and found to be nothing once the outcomes are
// shuffled within each month.
func TestBacktestTellsSkillFromNone(t *testing.T) {
	skilled := backtest(t, history(400, 12, 1), Options{}, byLevel()).Report
	s := scoresOf(t, skilled, "by_level")
	if s.VersusBase.Finding != Better ||
		!strings.Contains(skilled.Verdict[0], "by_level is better than the base rate by") {
		t.Errorf("with skill: %v, %q", s.VersusBase, skilled.Verdict)
	}
	// By enumeration of trueRate: entropy of .2 is .5004, mean entropy of the levels is .4280.
	if want := Number(0.4280 - 0.5004); !same(s.VersusBase.LogLoss.Estimate, want, 0.02) {
		t.Errorf("difference of log loss %v, want about %v", s.VersusBase.LogLoss.Estimate, want)
	}
	if !(s.Pooled.AUC > 0.65) || !(s.Pooled.Lift > 1.8) {
		t.Errorf("AUC %v, lift %v", s.Pooled.AUC, s.Pooled.Lift)
	}

	for seed := range uint64(5) {
		none := backtest(t, shuffle(history(400, 12, seed), 12, seed), Options{}, byLevel()).Report
		s = scoresOf(t, none, "by_level")
		if s.VersusBase.Finding == Better {
			t.Errorf("shuffled by %d: %+v, %q", seed, s.VersusBase, none.Verdict)
		}
		if (s.VersusBase.Finding == NoSkill) != strings.Contains(none.Verdict[0], "no skill shown") {
			t.Errorf("finding %q in words: %q", s.VersusBase.Finding, none.Verdict[0])
		}
		if math.Abs(float64(s.Pooled.AUC)-0.5) > 0.04 { // 3 SE of an AUC over 2,900 rows
			t.Errorf("shuffled by %d: AUC %v", seed, s.Pooled.AUC)
		}
	}
}

// A candidate that is confidently wrong is called worse.
func TestBacktestCallsWorseWorse(t *testing.T) {
	wrong := Candidate{Name: "wrong", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(*features.Frame, int) float64 { return 0.9 }), nil
	}}
	r := backtest(t, history(300, 10, 1), Options{}, wrong).Report
	if got := scoresOf(t, r, "wrong").VersusBase.Finding; got != Worse {
		t.Errorf("finding %q", got)
	}
	if len(r.OffOrigins) != r.Design.Tested || !strings.Contains(r.OffOrigins[0], "predicted 90.0 %") {
		t.Errorf("origins that are off: %q", r.OffOrigins)
	}
}

// The base rate is the weighted rate of the training rows, and its figures
// follow from it.
func TestBaseRateIsExact(t *testing.T) {
	f := history(300, 10, 1)
	for i := range f.Rows {
		f.Rows[i].Weight = 1 / float64(1+i%3)
	}
	result := backtest(t, f, Options{}, byLevel())
	origins, err := Origins(f, OriginOptions{First: day(t, "2022-06-01")})
	if err != nil {
		t.Fatal(err)
	}
	base := scoresOf(t, result.Report, BaseRateName)
	tested := 0
	for _, o := range origins {
		if o.Skipped != "" {
			continue
		}
		var churned, total, loss, weights float64
		for _, i := range o.Train {
			churned += f.Rows[i].Weight * float64(f.Rows[i].Y)
			total += f.Rows[i].Weight
		}
		p := churned / total
		for _, i := range o.Test {
			r := &f.Rows[i]
			weights += r.Weight
			if r.Y == 1 {
				loss -= r.Weight * math.Log(p)
			} else {
				loss -= r.Weight * math.Log(1-p)
			}
		}
		m := base.Origins[tested].Metrics
		if !same(m.MeanP, Number(p), sumTol) || !same(m.LogLoss, Number(loss/weights), sumTol) ||
			m.AUC != 0.5 {
			t.Errorf("origin %s: %+v, want p %v and log loss %v", o.Name, m, p, loss/weights)
		}
		tested++
	}
	if tested != len(base.Origins) {
		t.Errorf("%d origins in the report, %d tested", len(base.Origins), tested)
	}
	if base.Pooled.AUC != 0.5 {
		t.Errorf("pooled AUC %v of a constant at each origin", base.Pooled.AUC)
	}
	if base.VersusBase != nil {
		t.Error("the base rate is compared to itself")
	}
}

// One worker and several give the same report and the same predictions.
func TestBacktestDoesNotDependOnWorkers(t *testing.T) {
	f := history(200, 12, 1)
	one := backtest(t, f, Options{Workers: 1}, byLevel())
	for _, workers := range []int{2, 7} {
		many := backtest(t, f, Options{Workers: workers}, byLevel())
		a, err := one.Report.JSON()
		if err != nil {
			t.Fatal(err)
		}
		b, err := many.Report.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("report with %d workers differs: %s", workers, cmp.Diff(string(a), string(b)))
		}
		if diff := cmp.Diff(one.Predictions, many.Predictions); diff != "" {
			t.Errorf("predictions with %d workers differ: %s", workers, diff)
		}
	}
}

// A candidate that fails, panics or returns nonsense is a row that says why,
// and the others are judged as if it were not there.
func TestBacktestReportsFailures(t *testing.T) {
	constant := func(p ...float64) func(context.Context, *features.Frame) (Predictor, error) {
		return func(context.Context, *features.Frame) (Predictor, error) { return fixed(p), nil }
	}
	candidates := []Candidate{
		byLevel(),
		{Name: "fails", Fit: func(context.Context, *features.Frame) (Predictor, error) {
			return nil, errors.New("no idea " + strings.Repeat("x", 10_000))
		}},
		{Name: "panics", Fit: func(context.Context, *features.Frame) (Predictor, error) {
			panic("out of ideas")
		}},
		{Name: "none", Fit: func(context.Context, *features.Frame) (Predictor, error) { return nil, nil }},
		{Name: "short", Fit: constant(0.5)},
		{Name: "nan", Fit: func(context.Context, *features.Frame) (Predictor, error) {
			return predictorFunc(func(*features.Frame, int) float64 { return math.NaN() }), nil
		}},
		{Name: "late", Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
			if len(f.Rows) > 1200 {
				return nil, errors.New("too many rows")
			}
			return fixed(nil), nil
		}},
	}
	f := history(200, 12, 1)
	r := backtest(t, f, Options{}, candidates...).Report
	for _, want := range []struct{ name, why string }{
		{"fails", "no idea xxx"}, {"panics", "panic: out of ideas"},
		{"none", "neither a predictor nor an error"},
		{"short", "1 probabilities for"}, {"nan", "must lie between 0 and 1"}, {"late", "too many rows"},
	} {
		s := scoresOf(t, r, want.name)
		if !strings.Contains(s.Failure, want.why) || s.Pooled != nil || s.VersusBase != nil {
			t.Errorf("%s: failure %q, pooled %v", want.name, s.Failure, s.Pooled)
		}
		if len(s.Failure) > 500 {
			t.Errorf("%s: a failure of %d bytes", want.name, len(s.Failure))
		}
		if !strings.Contains(strings.Join(r.Warnings, "\n"), want.name) {
			t.Errorf("%s is not among the warnings %q", want.name, r.Warnings)
		}
	}
	alone := backtest(t, f, Options{}, byLevel()).Report
	if diff := cmp.Diff(scoresOf(t, alone, "by_level"), scoresOf(t, r, "by_level"),
		undefinedAlike); diff != "" {
		t.Errorf("the failures of others changed by_level: %s", diff)
	}
	r = backtest(t, f, Options{}, candidates[2]).Report
	if !strings.Contains(r.Verdict[0], "panics cannot be judged") {
		t.Errorf("verdict on a failed subject: %q", r.Verdict)
	}
}

// A fixed predictor returns the given probabilities, or .5 for every row.
type fixed []float64

// Prob implements Predictor.
func (p fixed) Prob(_ []float64, f *features.Frame) ([]float64, error) {
	if p == nil {
		return predictorFunc(func(*features.Frame, int) float64 { return 0.5 }).Prob(nil, f)
	}
	return p, nil
}

// A candidate sees only mature training rows, and of test rows neither outcome
// nor value.
func TestBacktestHidesTheFuture(t *testing.T) {
	f := history(200, 12, 1)
	for i := range f.Rows { // renewals are known at once, churns on the due date
		if f.Rows[i].Y == 0 {
			f.Rows[i].Mature = f.Rows[i].Snapshot
		}
	}
	var origin int64
	spy := Candidate{Name: "spy", Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
		origin = 0
		for i := range f.Rows {
			origin = max(origin, f.Rows[i].Due)
		}
		return predictorFunc(func(test *features.Frame, i int) float64 {
			r := &test.Rows[i]
			if r.Y != features.Unknown || r.Mature != features.Never || !math.IsNaN(r.Value) {
				t.Errorf("a test row shows its outcome: %+v", *r)
			}
			if r.Snapshot < origin {
				t.Errorf("trained on a renewal due at %v, after the snapshot %v", time.Unix(0, origin),
					time.Unix(0, r.Snapshot))
			}
			return 0.5
		}), nil
	}}
	backtest(t, f, Options{}, spy)
	if f.Rows[0].Y == features.Unknown {
		t.Error("the caller's frame was changed")
	}
}

// The predictions have the columns of DESIGN.md, ordered by candidate, origin
// and row.
func TestPredictionColumns(t *testing.T) {
	f := history(200, 10, 1)
	result := backtest(t, f, Options{}, byLevel())
	p := result.Predictions
	want := []string{"origin", "account_id", "contract_id", "snapshot", "due", "lead_days", "candidate",
		"p_churn", "y", "value", "segment"}
	if diff := cmp.Diff(want, p.Names()); diff != "" {
		t.Fatal(diff)
	}
	if p.Rows != 2*result.Report.Design.TestRows {
		t.Fatalf("%d predictions of %d test rows by 2 candidates", p.Rows, result.Report.Design.TestRows)
	}
	origin, candidate, snapshot := p.Column("origin").Ints, p.Column("candidate").Codes, p.Column("snapshot").Ints
	for i := range p.Rows {
		if c := &p.Columns[0]; c.Len() != p.Rows {
			t.Fatalf("column %s has %d rows", c.Name, c.Len())
		}
		if snapshot[i] < origin[i] || snapshot[i] > origin[i]+31 {
			t.Fatalf("row %d: snapshot %d at origin %d", i, snapshot[i], origin[i])
		}
		if i > 0 && (candidate[i] < candidate[i-1] ||
			candidate[i] == candidate[i-1] && origin[i] < origin[i-1]) {
			t.Fatalf("row %d is out of order", i)
		}
	}
	var y, churn []float64
	for i := range p.Rows {
		if p.Column("candidate").Text(i) == "by_level" {
			churn = append(churn, p.Column("p_churn").Floats[i])
			y = append(y, float64(p.Column("y").Ints[i]))
		}
	}
	got := scoresOf(t, result.Report, "by_level").Pooled.LogLoss
	if !same(got, Number(LogLoss(churn, y, nil)), sumTol) {
		t.Errorf("log loss %v in the report, %v from the predictions", got, LogLoss(churn, y, nil))
	}
}

// Progress counts every fit once; a cancelled context ends the backtest.
func TestBacktestProgressAndCancel(t *testing.T) {
	f := history(200, 12, 1)
	calls, last := 0, 0
	count := func(_, total int, _ string) { calls, last = calls+1, total }
	r := backtest(t, f, Options{Workers: 2, Progress: count}, byLevel()).Report
	if want := 2 * r.Design.Tested; calls != want || last != want {
		t.Errorf("%d calls of %d, want %d", calls, last, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := byLevel()
	stop.Fit = func(context.Context, *features.Frame) (Predictor, error) {
		cancel()
		return nil, errors.New("stopped")
	}
	if _, err := Backtest(ctx, f, []Candidate{stop}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled backtest: %v", err)
	}
}

func TestBacktestRefusesBadInput(t *testing.T) {
	f := history(200, 12, 1)
	weightless := history(200, 12, 1)
	weightless.Rows[3].Weight = 0
	tests := []struct {
		name       string
		frame      *features.Frame
		candidates []Candidate
		options    Options
		want       string
	}{
		{"same name", f, []Candidate{byLevel(), byLevel()}, Options{}, `two candidates are named "by_level"`},
		{"no name", f, []Candidate{{}}, Options{}, "needs a name"},
		{"weight", weightless, nil, Options{}, `row 4 of the frame: weight 0`},
		{"workers", f, nil, Options{Workers: -1}, "-1 workers"},
		{"bootstrap", f, nil, Options{Bootstrap: -1}, "-1 bootstrap resamples"},
		{"folds", f, nil, Options{Folds: 1}, "1 folds"},
	}
	for _, test := range tests {
		_, err := Backtest(context.Background(), test.frame, test.candidates, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
