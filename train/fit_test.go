// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// lawTolerance is for laws that hold to rounding: sums of some thousand terms
// in another order, and Newton's end at a decrement of 1e-12.
const lawTolerance = 1e-8

func mustFit(t *testing.T, f *features.Frame, o Options) *predict.Model {
	t.Helper()
	if o.Stages == "" {
		o.Stages = StagesLinear
	}
	m, err := Fit(context.Background(), f, specOf(f), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func marshal(t *testing.T, m *predict.Model) []byte {
	t.Helper()
	b, err := predict.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// weightsOf returns the intercept and the weights of all columns.
func weightsOf(m *predict.Model) []float64 {
	w := []float64{m.Intercept}
	for j := range m.Terms {
		for k := range m.Terms[j].Columns {
			w = append(w, m.Terms[j].Columns[k].Weight)
		}
	}
	return w
}

func wantWeights(t *testing.T, got, want *predict.Model, sign float64) {
	t.Helper()
	a, b := weightsOf(got), weightsOf(want)
	if len(a) != len(b) {
		t.Fatalf("%d weights, want %d", len(a), len(b))
	}
	for j := range a {
		if !near(a[j], sign*b[j], lawTolerance) {
			t.Errorf("weight %d is %v, want %v", j, a[j], sign*b[j])
		}
	}
}

// The same rows give the same bytes again, with any number of workers, and in
// any order.
func TestFitIsDeterministic(t *testing.T) {
	f := history(6000, -1, 1) // several chunks
	o := Options{Seed: 3, Time: true, Workers: 1}
	want := marshal(t, mustFit(t, f, o))
	for range 2 {
		o.Workers++
		if !bytes.Equal(want, marshal(t, mustFit(t, f, o))) {
			t.Errorf("%d workers give another model", o.Workers)
		}
	}
	order := rand.New(rand.NewPCG(5, 5)).Perm(len(f.Rows))
	if !bytes.Equal(want, marshal(t, mustFit(t, f.Select(order), o))) {
		t.Error("another order of rows gives another model")
	}
}

// Standardised weights do not know the unit of a feature.
func TestFitIgnoresUnits(t *testing.T) {
	f := history(900, -1, 2)
	want := mustFit(t, f, Options{})
	g := f.Select(f.Where(func(*features.Row) bool { return true }))
	for i := range g.Columns[0].Num {
		g.Columns[0].Num[i] = 1e6*g.Columns[0].Num[i] + 3e5
		g.Columns[1].Num[i] *= 1e-7
	}
	wantWeights(t, mustFit(t, g, Options{}), want, 1)
}

// Exchanging churn and renewal turns every weight round.
func TestFitTurnsWithTheOutcome(t *testing.T) {
	f := history(900, -1, 4)
	want := mustFit(t, f, Options{})
	for i := range f.Rows {
		f.Rows[i].Y = 1 - f.Rows[i].Y
	}
	wantWeights(t, mustFit(t, f, Options{}), want, -1)
}

// A renewal that is there twice at half the weight counts once: weights,
// penalty, errors and metrics stay.
func TestFitCountsRenewals(t *testing.T) {
	f := history(900, -1, 6)
	want := mustFit(t, f, Options{})
	var twice []int
	for i := range f.Rows {
		twice = append(twice, i, i)
	}
	g := f.Select(twice)
	for i := range g.Rows {
		g.Rows[i].Weight = 0.5
	}
	got := mustFit(t, g, Options{})
	wantWeights(t, got, want, 1)
	if got.Provenance.Lambda != want.Provenance.Lambda || got.Provenance.Renewals != 900 || got.Provenance.Rows != 1800 {
		t.Errorf("provenance %+v, want that of %+v but for the rows", got.Provenance, want.Provenance)
	}
	if !near(got.OutOfFold.AUC, want.OutOfFold.AUC, lawTolerance) {
		t.Errorf("AUC %v, want %v", got.OutOfFold.AUC, want.OutOfFold.AUC)
	}
	if a, b := got.Terms[0].Effect, want.Terms[0].Effect; !near(a.Low, b.Low, lawTolerance) {
		t.Errorf("effect %+v, want %+v", a, b)
	}
}

// Constants of the model follow from its scores of the training rows.
func TestFitConstants(t *testing.T) {
	f := history(1200, -1, 8)
	for i := range 20 {
		f.Columns[0].Num[i] *= 30 // clipped, so that columns have a mean other than 0
	}
	m := mustFit(t, f, Options{Time: true, Score: predict.Score{Watch: 70}})
	z, err := m.LogOdds(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	mean, churned, reference := 0.0, 0.0, m.Intercept
	for i := range z {
		mean += m.Calibration.LogOdds(z[i]) / float64(len(z))
		churned += float64(f.Rows[i].Y)
	}
	for j := range m.Terms {
		reference += m.Terms[j].RefMean
	}
	if !near(m.Score.ZRef, mean, lawTolerance) || !near(m.Calibration.LogOdds(reference), mean, lawTolerance) {
		t.Errorf("z_ref %v, by terms %v; the mean over the rows is %v", m.Score.ZRef, m.Calibration.LogOdds(reference), mean)
	}
	if want := churned / 1200; !near(m.Score.BaseRate, want, lawTolerance) || m.Score.Watch != 70 || m.Score.AtRisk != 40 {
		t.Errorf("score constants %+v, want base rate %v, watch 70, at risk 40", m.Score, want)
	}
	if o := m.OutOfFold; o.Folds != 5 || !(o.LogLoss < o.BaseLoss) || o.AUC < .6 || o.AUC > .9 {
		t.Errorf("out of fold %+v: worse than the base rate on data with strong effects", o)
	}
	if kept := mustFit(t, f, Options{Score: predict.Score{BaseRate: .3}}); kept.Score.BaseRate != .3 {
		t.Errorf("base rate %v, want the given .3", kept.Score.BaseRate)
	}
}

// Strong true effects are found, with their interval.
func TestFitRecoversEffects(t *testing.T) {
	m := mustFit(t, history(20000, -1, 9), Options{})
	for j, want := range []float64{-1, .5} { // log-odds per unit, by history
		got := m.Terms[j].Columns[0].PerUnit()
		// An interval misses one time in ten; three times as wide, never here.
		if wide := 3 * (got.High - got.Low) / 2; math.Abs(got.Estimate-want) > wide || wide > .2 {
			t.Errorf("%s: %+v per unit, want %v", m.Terms[j].Feature, got, want)
		}
	}
}

func TestFitRefuses(t *testing.T) {
	change := func(edit func(*features.Frame)) *features.Frame {
		f := history(50, 0, 1)
		edit(f)
		return f
	}
	for _, test := range []struct {
		name  string
		frame *features.Frame
		o     Options
		want  string
	}{
		{"no rows", change(func(f *features.Frame) { *f = *f.Select(nil) }), Options{}, "cannot fit: 0 churned of 0"},
		{"one class", change(func(f *features.Frame) {
			for i := range f.Rows {
				f.Rows[i].Y = 0
			}
		}), Options{}, "cannot fit: 0 churned of 50"},
		{"unknown outcome", change(func(f *features.Frame) { f.Rows[7].Y = features.Unknown }), Options{}, "training row 7: outcome -1"},
		{"no weight", change(func(f *features.Frame) { f.Rows[3].Weight = 0 }), Options{}, "training row 3: weight 0"},
		{"infinite", change(func(f *features.Frame) { f.Columns[1].Num[5] = math.Inf(1) }), Options{}, `training row 5: feature "ticket" is +Inf`},
		{"penalty", history(50, 0, 1), Options{Lambda: -1}, "penalty lambda -1"},
		{"folds", history(50, 0, 1), Options{Folds: 1}, "1 folds: must be 2 to 100"},
		{"calibration", history(50, 0, 1), Options{Calibration: "beta"}, `calibration "beta": must be one of`},
	} {
		_, err := Fit(context.Background(), test.frame, specOf(test.frame), test.o)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s …", test.name, err, test.want)
		}
	}
	f := history(50, 0, 1)
	spec := specOf(f)
	spec.Timezone = "Europe/Berlin"
	var mismatch *predict.SpecMismatchError
	if _, err := Fit(context.Background(), f, spec, Options{}); !errors.As(err, &mismatch) {
		t.Errorf("another spec: error %v, want a *SpecMismatchError", err)
	}
	if _, err := Fit(context.Background(), f.Select(nil), specOf(f), Options{}); !errors.Is(err, ErrOneClass) {
		t.Errorf("no rows: error %v, want ErrOneClass", err)
	}
}

// What is doubtful about a model is said in it.
func TestWarnings(t *testing.T) {
	f := history(800, -1, 12)
	f.Columns[0].Feature.Direction = features.Risky // logins lower the risk by history
	f.Columns[1].Feature.Direction = features.Risky
	sum := make([]float64, len(f.Rows))
	for i := range sum {
		sum[i] = f.Columns[0].Num[i] + f.Columns[1].Num[i]
	}
	f.Columns = append(f.Columns, numberColumn("sum", sum...))
	wantOne := func(list []string, start string) {
		t.Helper()
		n := 0
		for _, w := range list {
			if strings.HasPrefix(w, start) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d warnings begin with %q: %q", n, start, list)
		}
	}
	list := mustFit(t, f, Options{}).Warnings
	wantOne(list, "login was declared risky, but its effect is -")
	wantOne(list, "collinear: sum can be computed")
	if len(list) != 2 {
		t.Errorf("%d warnings, want two: %q", len(list), list)
	}

	few := history(60, 0, 13)
	for i := range few.Rows {
		few.Rows[i].Group = "one parent company"
	}
	m := mustFit(t, few, Options{})
	wantOne(m.Warnings, "provisional: ")
	wantOne(m.Warnings, "no cross-validation: all rows fall into one fold")
	if m.Provenance.Lambda != fallbackLambda || m.Calibration.Method != CalibrationNone || m.OutOfFold.Folds != 0 {
		t.Errorf("without folds: %+v, %+v", m.Provenance, m.Calibration)
	}

	constant := history(500, -1, 14)
	constant.Columns = []features.Column{numberColumn("same", repeated(500, 1.0)...)}
	m = mustFit(t, constant, Options{})
	wantOne(m.Warnings, "no feature carries information")
	if want := []predict.Dropped{{Feature: "same", Reason: "constant: 1"}}; !slices.Equal(m.Dropped, want) {
		t.Errorf("dropped %v, want %v", m.Dropped, want)
	}
}

// Effects compare what their contrast says, in log-odds.
func TestEffects(t *testing.T) {
	f := history(1000, -1, 15)
	mostly := repeated(1000, 0.0) // 4 % each at 1, 2 and 8: quartiles 0, 95th percentile 2
	for i := range 120 {
		mostly[i] = []float64{1, 2, 8}[i%3]
	}
	rare := repeated(1000, 0.0)
	for i := range 20 {
		rare[500+i] = 3
	}
	known := repeated(1000, 4, nan)
	f.Columns = append(f.Columns, numberColumn("mostly", mostly...), numberColumn("rare", rare...),
		numberColumn("known", known...))
	m := mustFit(t, f, Options{})
	for _, test := range []struct{ feature, contrast string }{
		{"login", "(75th against 25th percentile)"},
		{"mostly", "2 against 0 (95th against 5th percentile)"},
		{"rare", "3 against 0 (highest against lowest)"},
		{"known", "missing against known"},
		{"plan", " against "},
	} {
		j := slices.IndexFunc(m.Terms, func(x predict.Term) bool { return x.Feature == test.feature })
		e := m.Terms[j].Effect
		if !strings.HasSuffix(m.Terms[j].Contrast, test.contrast) && !strings.Contains(m.Terms[j].Contrast, test.contrast) {
			t.Errorf("%s: contrast %q, want %q", test.feature, m.Terms[j].Contrast, test.contrast)
		}
		if !(e.Low < e.Estimate && e.Estimate < e.High) {
			t.Errorf("%s: effect %+v", test.feature, e)
		}
	}
	// The interval of a single column is that of its weight, scaled.
	login := m.Terms[0]
	ratio := login.Effect.Estimate / login.Columns[0].Weight
	if want := login.Columns[0].PerSD(); !near(login.Effect.High, max(ratio*want.High, ratio*want.Low), lawTolerance) {
		t.Errorf("effect %+v does not belong to the weight's interval %+v", login.Effect, want)
	}
	// Levels: two accounts alike but for the plan differ by the contrast.
	plan := m.Terms[slices.IndexFunc(m.Terms, func(x predict.Term) bool { return x.Feature == "plan" })]
	second, first, _ := strings.Cut(plan.Contrast, " against ")
	g := f.Select([]int{0, 0})
	c := g.Column("plan")
	c.Codes = []int32{int32(slices.Index(c.Levels, first)), int32(slices.Index(c.Levels, second))}
	z, err := m.LogOdds(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	if !near(z[1]-z[0], plan.Effect.Estimate, lawTolerance) {
		t.Errorf("plan %s scores %v above %s, its effect is %+v", second, z[1]-z[0], first, plan.Effect)
	}
}

// The AUC of a small example, by hand: pairs (churned, kept) with weights.
func TestWeightedAUC(t *testing.T) {
	rows := []features.Row{{Y: 1, Weight: 1}, {Y: 0, Weight: 2}, {Y: 1, Weight: 3}, {Y: 0, Weight: 1}}
	s := newOrdered(&features.Frame{Rows: rows}, []int{0, 4})
	// Churned .9 (weight 1) and .4 (3); kept .4 (2) and .1 (1): of 12 pair
	// weights, 3 + 3 are right, and the tie of 6 counts half.
	if got := weightedAUC(s, []float64{.9, .4, .4, .1}); !near(got, .75, 1e-12) {
		t.Errorf("AUC %v, want .75", got)
	}
}
