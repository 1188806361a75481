// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// drifted returns what matures after a model was made: rows of another seed,
// with the log-odds shifted, and, where asked for, logins that mean the
// opposite.
func drifted(n int, shift float64, turned bool, seed uint64) *features.Frame {
	f := history(n, -1.5+shift, seed)
	if turned {
		for i := range f.Columns[0].Num {
			f.Columns[0].Num[i] = -f.Columns[0].Num[i]
		}
	}
	return f
}

// kinds counts the outcomes of the closed test over seeds.
func kinds(t *testing.T, seeds int, shift float64, turned bool) map[string]int {
	t.Helper()
	count := make(map[string]int)
	for seed := range uint64(seeds) {
		old := history(2400, -1.5, 100+seed)
		m, err := Fit(context.Background(), old, specOf(old), Options{Lambda: 5, Time: true, Stages: StagesLinear})
		if err != nil {
			t.Fatal(err)
		}
		f := drifted(1200, shift, turned, 900+seed)
		specOf(f)
		u, err := ClosedTest(m, f)
		if err != nil {
			t.Fatal(err)
		}
		count[u.Kind]++
		if u.Model != nil {
			checkUpdated(t, u, m, f)
		}
	}
	return count
}

// checkUpdated checks that a minor version fits the new rows and scores them as
// a + s z of the old one.
func checkUpdated(t *testing.T, u *Updated, m *predict.Model, f *features.Frame) {
	t.Helper()
	if _, err := predict.Marshal(u.Model); err != nil {
		t.Error(err)
	}
	p, err := u.Model.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	predicted, churned := 0.0, 0.0
	for i := range p {
		predicted += p[i]
		churned += float64(f.Rows[i].Y)
		if want := u.Intercept + u.Slope*predict.LogOddsOf(before[i]); !near(predict.LogOddsOf(p[i]), want, 1e-9) {
			t.Fatalf("row %d: log-odds %v, want %v", i, predict.LogOddsOf(p[i]), want)
		}
	}
	// The shift is not shrunk from 50 events on, nor is the intercept of a slope.
	if !near(predicted, churned, 1e-6) {
		t.Errorf("the %s update predicts %v churned of %v", u.Kind, predicted, churned)
	}
	if u.Model.Score.BaseRate != m.Score.BaseRate {
		t.Error("an update moved the base odds")
	}
}

// Nothing changed: kept in 90 % of the samples or more (95 % nominally). The
// base moved: shifted. A term turned round: fitted anew.
func TestClosedTest(t *testing.T) {
	const seeds = 30
	if got := kinds(t, seeds, 0, false); got[predict.UpdateKeep] < seeds*9/10 {
		t.Errorf("nothing changed: %v", got)
	}
	if got := kinds(t, seeds, .8, false); got[predict.UpdateIntercept] < seeds*8/10 {
		t.Errorf("the base moved by .8: %v", got)
	}
	if got := kinds(t, 10, 0, true); got[predict.UpdateRefit] != 10 {
		t.Errorf("a term turned round: %v", got)
	}
}

// With too few events nothing is tested; with some, no term is.
func TestClosedTestWithFewEvents(t *testing.T) {
	old := history(2400, -1.5, 1)
	m, err := Fit(context.Background(), old, specOf(old), Options{Lambda: 5, Time: true, Stages: StagesLinear, AsOf: "2026-01-31"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		rows    int
		kind    string
		tests   int
		freedom int
	}{
		{12, predict.UpdateKeep, 0, 0},
		{50, predict.UpdateSlope, 2, 2}, // base +3: 20 renewed at most, so no term
	} {
		shift := 0.0
		if test.kind != predict.UpdateKeep {
			shift = 3
		}
		f := drifted(test.rows, shift, false, 7)
		specOf(f)
		u, err := ClosedTest(m, f)
		if err != nil {
			t.Fatal(err)
		}
		if len(u.Tests) > 0 && u.Tests[0].Freedom != test.freedom || u.Since != "2026-01-31" || u.Reason == "" {
			t.Errorf("%d rows: %+v", test.rows, u.Update)
		}
	}
}

// An isotonic map and shifts of segments are carried along exactly.
func TestRecalibrated(t *testing.T) {
	m := &predict.Model{}
	m.Calibration = predict.Calibration{Method: predict.Isotonic, Slope: 1,
		Knots:    []predict.Knot{{Z: -1, P: .1}, {Z: 2, P: .6}},
		Segments: &predict.Segments{Feature: "segment", Mean: .1, Shifts: []predict.Shift{{Level: "a", Intercept: .4}}}}
	n := m.Recalibrated(.3, .5, nil)
	for _, z := range []float64{-3, -1, .5, 2, 9} {
		want := .3 + .5*m.Calibration.LogOdds(z)
		if got := n.Calibration.LogOdds(z); !near(got, want, 1e-12) {
			t.Errorf("at %v: %v, want %v", z, got, want)
		}
	}
	if n.Calibration.Segments.Of("a") != .2 || m.Calibration.Segments.Of("a") != .4 {
		t.Error("the shift of a segment was not halved, or the old model changed")
	}
	// Var(a + s z) with z = 1 + 2 x, at x = 3, where the old map was exact:
	// Var(a) + 14 Cov + 49 Var(s).
	m.Calibration = predict.Calibration{Method: CalibrationPlatt, Intercept: 1, Slope: 2, Covariance: []float64{0, 0, 0}}
	n = m.Recalibrated(0, 1, []float64{.5, .01, .002})
	if got := n.Calibration.Variance(3); math.Abs(got-(.5+14*.01+49*.002)) > 1e-12 {
		t.Errorf("variance %v", got)
	}
}
