// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

const (
	twinCorrelation = 0.998 // |Spearman| above which two numbers say the same (METHODS.md 3.1) …
	twinStraight    = 0.99  // … and |Pearson|, of columns of a ready table
	twinRows        = 5000  // rows looked at; ranks of 5,000 rows put .998 within .0002
)

// markTwins gives a reason to every number that is a twin of an earlier one:
// their ranks correlate by more than .998 either way, missing ranking lowest.
// Columns of a ready table must be near a line too: a number and its square have the
// same ranks, but what is linear in one is not in the other. Keeping both lowered the
// log loss of 30 fits to ten such tables by .0011.
// Features that differ in their window alone are no twins: they agree because
// the history is still shorter than the windows, and part when it grows.
// Keeping both took the out-of-time log loss on one retail history, eight
// months long, from .5641 to .5528. Reasons already given stand.
func markTwins(f *features.Frame, reasons []string) {
	type ranked struct {
		feature *features.Feature
		ranks   []float64
		values  []float64
	}
	step := (len(f.Rows) + twinRows - 1) / twinRows // rows of a fold are in random order
	var kept []ranked
	for k := range f.Columns {
		c := &f.Columns[k]
		if c.IsLevel() || reasons[k] != "" {
			continue
		}
		r := ranked{&c.Feature, unitRanks(c.Num, step), c.Num}
		for _, earlier := range kept {
			rho := floats.Dot(r.ranks, earlier.ranks)
			if math.Abs(rho) > twinCorrelation && !windowsOfOne(r.feature, earlier.feature) &&
				(r.feature.From != features.FromTable || straight(c.Num, earlier.values, step)) {
				reasons[k] = fmt.Sprintf("numeric twin of %s, which is kept (rank correlation %.4f)",
					earlier.feature.Name, rho)
				break
			}
		}
		if reasons[k] == "" {
			kept = append(kept, r)
		}
	}
}

// windowsOfOne reports whether two features are the same aggregate of the same
// events over windows of different length.
func windowsOfOne(a, b *features.Feature) bool {
	return a.WindowDays != b.WindowDays &&
		a.From == b.From && a.Type == b.Type && a.Column == b.Column && a.Agg == b.Agg
}

// unitRanks returns the ranks of every step-th value, ties at their mean rank
// and missing lowest, shifted to mean 0 and scaled to length 1: the dot product
// of two such vectors is Spearman's correlation. A constant gives zeros.
func unitRanks(x []float64, step int) []float64 {
	type ranked struct {
		x float64
		i int
	}
	var v []ranked
	for i := 0; i < len(x); i += step {
		v = append(v, ranked{x[i], len(v)})
	}
	slices.SortFunc(v, func(a, b ranked) int { return cmp.Compare(a.x, b.x) }) // NaN first
	ranks := make([]float64, len(v))
	for i := 0; i < len(v); {
		j := i + 1
		for j < len(v) && cmp.Compare(v[i].x, v[j].x) == 0 {
			j++
		}
		for _, e := range v[i:j] {
			ranks[e.i] = float64(i+j-1)/2 - float64(len(v)-1)/2
		}
		i = j
	}
	if norm := floats.Norm(ranks, 2); norm > 0 {
		floats.Scale(1/norm, ranks)
	}
	return ranks
}

// straight reports whether Pearson's correlation of every step-th value of a and b,
// standardised and clipped as linear columns are, missing ones at the mean, is above
// twinStraight either way.
func straight(a, b []float64, step int) bool {
	return math.Abs(floats.Dot(unitValues(a, step), unitValues(b, step))) > twinStraight
}

// unitValues returns every step-th value as straight takes it, shifted to mean 0 and
// scaled to length 1. A constant gives zeros.
func unitValues(x []float64, step int) []float64 {
	var v, w []float64
	for i := 0; i < len(x); i += step {
		if x[i] == x[i] {
			v, w = append(v, x[i]), append(w, 1)
		}
	}
	m := measure(v, w)
	b := predict.Basis{Kind: predict.Linear, Mean: m.mean, SD: m.sd}
	out := make([]float64, 0, len(x)/step+1)
	for i := 0; i < len(x); i += step {
		u := 0.0
		if x[i] == x[i] && m.sd > 0 {
			u = b.Standardise(x[i])
		}
		out = append(out, u)
	}
	floats.AddConst(-floats.Sum(out)/float64(len(out)), out)
	if norm := floats.Norm(out, 2); norm > 0 {
		floats.Scale(1/norm, out)
	}
	return out
}
