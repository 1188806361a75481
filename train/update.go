// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// The closed test between retrainings, METHODS.md section 4.
const (
	updateAlpha   = 0.05 // of each of its tests
	updateEvents  = 10   // churned (and renewed) below which nothing is tested
	eventsPerTerm = 20   // churned (and renewed) for each term that a revision may move
	revisedTerms  = 10   // at most
)

// An Updated model and the test that led to it.
type Updated struct {
	predict.Update
	// Model is the recalibrated model where Kind is intercept or slope; nil
	// where the old one stays, or is to be fitted anew.
	Model *predict.Model
}

// ClosedTest decides from rows that matured since a model's as-of how little of
// it must change. It compares a revision of the model with ever less simple
// ones, and keeps the first that is not significantly worse:
//
//	keep        z
//	intercept   a + z
//	slope       a + s z
//	revision    a + s z + Σ_k g_k f_k(x)
//
// z are the model's calibrated log-odds, and f_k the contributions of the terms
// that move them most in the new rows: one for every 20 events, at most ten.
// The first comparison already contains all others, so that the error of
// changing a model that still holds is α = .05 in all. Where even the slope is
// rejected, the model is to be fitted anew. With too few events for a term, the
// slope is the most that can come out.
//
// The statistic is the likelihood ratio 2 (ℓ_revision − ℓ), which the paper
// takes to be χ² under an old model that is exactly true. Ours was estimated,
// its map from E churned renewals of the calibration slice and its terms from E'
// of training, which inflates the parts of the statistic by about 1 + E_new/E
// and 1 + E_new/E'; each part is divided by its own:
//
//	T = 2 (ℓ_slope − ℓ)/(1 + E_new/E) + 2 (ℓ_revision − ℓ_slope)/(1 + E_new/E')
//
// Undivided, a model that still held was changed in 9 of 40 simulated samples
// with half as many events as training had. The published map has the priors of
// calibration: on the shift below 50 events, on the slope around 1 else.
//
// Source: Vergouwe, Nieboer, Oostenbrink, Debray, Murray, Kattan, Koffijberg,
// Moons and Steyerberg (2017), A closed testing procedure to select an
// appropriate method for updating prediction models.
func ClosedTest(m *predict.Model, f *features.Frame) (*Updated, error) {
	u := &Updated{Update: predict.Update{Kind: predict.UpdateKeep, Since: m.Provenance.AsOf, Slope: 1, Tests: []predict.UpdateTest{}}}
	slice, err := newSlice(m, f)
	if err != nil {
		return nil, err
	}
	churned, renewed := slice.events()
	u.Renewals, u.Churned = int(math.Round(churned+renewed)), int(math.Round(churned))
	fewest := min(churned, renewed)
	if fewest < updateEvents {
		u.Reason = fmt.Sprintf("%.0f churned and %.0f renewed since %s: fewer than %d, so the model stays",
			churned, renewed, m.Provenance.AsOf, updateEvents)
		return u, nil
	}
	revised, err := revisionColumns(m, f, slice, min(revisedTerms, int(fewest/eventsPerTerm)))
	if err != nil {
		return nil, err
	}
	slope, err := slice.likelihood([][]float64{slice.z})
	if err != nil {
		return nil, fmt.Errorf("updating the model: %w", err)
	}
	full := slope
	if len(revised) > 0 {
		if full, err = slice.likelihood(append([][]float64{slice.z}, revised...)); err != nil {
			return nil, fmt.Errorf("updating the model: %w", err)
		}
	}
	shift := mapPrior{slope: math.Inf(1)}
	a, _, err := fitMap(slice.z, slice.y, slice.w, shift)
	if err != nil {
		return nil, fmt.Errorf("updating the model: %w", err)
	}
	k := len(revised)
	for _, test := range []struct {
		against string
		loss    float64
		freedom int
	}{
		{predict.UpdateKeep, slice.loss(0, 1), k + 2},
		{predict.UpdateIntercept, slice.loss(a, 1), k + 1},
		{predict.UpdateSlope, slope, k},
	} {
		u.Kind = test.against
		if test.freedom == 0 { // nothing is left to compare with
			break
		}
		statistic := 2*(test.loss-slope)/inflation(churned, cmp.Or(m.Calibration.Events, m.Provenance.Churned)) + 2*(slope-full)/inflation(churned, m.Provenance.Churned)
		t := predict.UpdateTest{Against: test.against, Statistic: max(0, statistic), Freedom: test.freedom}
		t.P = distuv.ChiSquared{K: float64(t.Freedom)}.Survival(t.Statistic)
		u.Tests = append(u.Tests, t)
		if t.P >= updateAlpha {
			break
		}
		if test.against == predict.UpdateSlope {
			u.Kind = predict.UpdateRefit
		}
	}
	u.publish(m, slice)
	return u, nil
}

// inflation returns 1 + now/then: how much larger a likelihood ratio is on
// average because what it tests was itself estimated from then events. An old
// count that is not known counts as large.
func inflation(now float64, then int) float64 {
	if then == 0 {
		return 1
	}
	return 1 + now/float64(then)
}

// newSlice returns the calibrated log-odds of rows with known outcomes as a
// slice to calibrate on.
func newSlice(m *predict.Model, f *features.Frame) (*calibrationSlice, error) {
	z, err := m.LogOdds(nil, f)
	if err != nil {
		return nil, err
	}
	m.Calibrate(z, f)
	slice := &calibrationSlice{z: z}
	for i := range f.Rows {
		r := &f.Rows[i]
		if r.Y != 0 && r.Y != 1 {
			return nil, &RowError{Row: i, Problem: fmt.Sprintf("outcome %d: must be 0 or 1 to test a model on it", r.Y)}
		}
		slice.y, slice.w = append(slice.y, float64(r.Y)), append(slice.w, r.Weight)
	}
	return slice, nil
}

// publish makes the recalibrated model of a test that asks for one, and says
// why.
func (u *Updated) publish(m *predict.Model, slice *calibrationSlice) {
	last := ""
	if n := len(u.Tests); n > 0 {
		last = fmt.Sprintf(" (p = %.3g against %s)", u.Tests[n-1].P, u.Tests[n-1].Against)
	}
	u.Reason = fmt.Sprintf("%d churned of %d renewals since %s: ", u.Churned, u.Renewals, u.Since)
	prior := mapPrior{slope: 1 / (priorSD * priorSD)}
	switch u.Kind {
	case predict.UpdateKeep:
		u.Reason += "the model still holds" + last
		return
	case predict.UpdateIntercept:
		u.Reason += "a shift is enough" + last
		prior = mapPrior{slope: math.Inf(1)}
		if u.Churned < plattEvents {
			prior.intercept = 1 / (priorSD * priorSD)
		}
	case predict.UpdateSlope:
		u.Reason += "a shift and a slope are enough" + last
	case predict.UpdateRefit:
		u.Reason += "its terms no longer hold, so it is fitted anew" + last
		return
	}
	a, s, err := fitMap(slice.z, slice.y, slice.w, prior)
	if err != nil || !(s > 0) {
		u.Kind = predict.UpdateRefit
		u.Reason += fmt.Sprintf("; but the slope came out as %.3g, so it is fitted anew", s)
		return
	}
	u.Intercept, u.Slope = a, s
	u.Model = m.Recalibrated(a, s, mapCovariance(slice.z, slice.y, slice.w, a, s, prior))
	u.Model.Calibration.Reason += "; updated: " + u.Reason
}

// loss returns Σ w [softplus(z) − y z] of the slice under a + s z.
func (c *calibrationSlice) loss(a, s float64) float64 {
	f, _ := mapLoss(c.z, c.y, c.w, a, s, mapPrior{slope: math.Inf(1)})
	return f
}

// revisionColumns returns the contributions of the n terms whose contributions
// vary most over the slice's rows, standardised. With every term in, the last
// is left out: their sum is z.
func revisionColumns(m *predict.Model, f *features.Frame, slice *calibrationSlice, n int) ([][]float64, error) {
	b, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	c, terms := b.Contributions(nil), len(m.Terms)
	type column struct {
		x  []float64
		sd float64
	}
	var columns []column
	for j := range terms {
		x := make([]float64, len(f.Rows))
		for i := range x {
			x[i] = c[i*terms+j]
		}
		v := measure(x, slice.w)
		if !(v.sd > 1e-9) { // the term says the same of everybody
			continue
		}
		for i := range x {
			x[i] = (x[i] - v.mean) / v.sd
		}
		columns = append(columns, column{x, v.sd})
	}
	slices.SortStableFunc(columns, func(a, b column) int {
		switch {
		case a.sd > b.sd:
			return -1
		case a.sd < b.sd:
			return 1
		}
		return 0
	})
	var out [][]float64
	for _, c := range columns[:max(0, min(n, len(columns)-1))] {
		out = append(out, c.x)
	}
	return out, nil
}

// likelihood returns the least loss Σ w [softplus(η) − y η] over
// η = b₀ + Σ_j b_j x_j. A ridge of 1e-6 a renewal keeps collinear or separating
// columns finite; it is not part of what is returned.
func (c *calibrationSlice) likelihood(x [][]float64) (float64, error) {
	total := 0.0
	for _, w := range c.w {
		total += w
	}
	_, loss, err := smallFit(x, c.y, c.w, slices.Repeat([]float64{1e-6 * total}, len(x)), make([]float64, len(x)))
	return loss, err
}
