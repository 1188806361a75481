// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// A pool is a run of neighbours on the z scale that share one probability.
type pool struct {
	first, last float64 // z of its ends
	w, y        float64 // Σ w and Σ w y
}

// isotonic returns the rising step-like map that fits outcomes y of weight w at
// z best,
//
//	min Σ_i w_i (y_i − p(z_i))²,   p not falling,
//
// by pooling neighbours that fall, as the points between which predict's
// Interpolate draws straight lines: the two ends of each pool, or one point
// where a pool has one z. Equal z are one point, their mean outcome. The
// weighted mean of p is that of y. It is scikit-learn's IsotonicRegression with
// out_of_bounds="clip".
//
// Source: Barlow et al. (1972); Zadrozny and Elkan (2002) for calibration.
func isotonic(z, y, w []float64) []predict.Knot {
	var knots []predict.Knot
	for _, b := range pools(z, y, w) {
		knots = append(knots, b.knots(b.y/b.w)...)
	}
	return knots
}

// knots returns the ends of a pool with probability p.
func (b *pool) knots(p float64) []predict.Knot {
	if b.first == b.last {
		return []predict.Knot{{Z: b.first, P: p}}
	}
	return []predict.Knot{{Z: b.first, P: p}, {Z: b.last, P: p}}
}

// pools runs the pool adjacent violators algorithm.
func pools(z, y, w []float64) []pool {
	order := make([]int, len(z))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(z[a], z[b]), cmp.Compare(a, b)) })
	var stack []pool
	for k := 0; k < len(order); {
		b := pool{first: z[order[k]], last: z[order[k]]}
		for ; k < len(order) && z[order[k]] == b.first; k++ {
			b.w += w[order[k]]
			b.y += float64(w[order[k]] * y[order[k]])
		}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			// The comparison of means without a division: top.y/top.w < b.y/b.w.
			if float64(top.y*b.w) < float64(b.y*top.w) {
				break
			}
			b = pool{top.first, b.last, top.w + b.w, top.y + b.y}
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, b)
	}
	return stack
}

// publishedIsotonic is isotonic with ends that a log-odds scale can hold: a
// first pool without a churn gets p = ½/(W + 1) instead of 0, and a last pool
// of churns only 1 − ½/(W + 1), W being the pool's weight (Jeffreys' estimate
// of a rate), though never past the neighbouring pool. All other points are
// those of isotonic.
func publishedIsotonic(z, y, w []float64) []predict.Knot {
	all := pools(z, y, w)
	p := make([]float64, len(all))
	for k := range all {
		p[k] = all[k].y / all[k].w
		if k > 0 { // rounding of the quotients
			p[k] = max(p[k], p[k-1])
		}
	}
	n := len(all)
	if end := 0.5 / (all[0].w + 1); all[0].y == 0 {
		p[0] = end
		if n > 1 {
			p[0] = min(end, p[1])
		}
	}
	if end := 0.5 / (all[n-1].w + 1); p[n-1] >= 1 {
		p[n-1] = 1 - end
		if n > 1 {
			p[n-1] = max(1-end, p[n-2])
		}
	}
	var knots []predict.Knot
	for k := range all {
		knots = append(knots, all[k].knots(p[k])...)
	}
	return knots
}

// isotonicBetter reports whether an isotonic map predicts unseen rows of the
// slice better than Platt's by more than one standard error of the difference,
// and adds the figures to the reason. Both are fitted without the part that
// they predict: on all other folds, or, where parts are blocks of time, on the
// blocks before, for every block whose past holds at least half of the events.
// The standard error is that of a mean of rows clustered by group,
//
//	SE² = Σ_g (Σ_{i in g} w_i (d_i − d̄))² / (Σ_i w_i)²,   d_i = loss by Platt − loss by isotonic
func (c *calibrationSlice) isotonicBetter(reason *string) bool {
	d, rows := c.lossDifferences((*calibrationSlice).steps)
	mean, se := c.meanBy(d, rows)
	if len(rows) == 0 {
		*reason += "enough for a slope, shrunk to 1; no part to try isotonic on"
		return false
	}
	better := mean > se
	word := "a slope, shrunk to 1, since isotonic is not better by more than one standard error"
	if better {
		word = "isotonic, since it is better by more than one standard error"
	}
	*reason += fmt.Sprintf("%s (log loss of Platt less isotonic on unseen rows %.5f, standard error %.5f)", word, mean, se)
	return better
}

// meanBy returns the weighted mean of d over some rows of the slice and its
// standard error by group.
func (c *calibrationSlice) meanBy(d []float64, rows []int) (mean, se float64) {
	weighted, w, group := make([]float64, len(rows)), make([]float64, len(rows)), make([]int32, len(rows))
	for k, i := range rows {
		weighted[k], w[k], group[k] = float64(c.w[i]*d[k]), c.w[i], c.group[i]
	}
	return groupedMean(weighted, w, group)
}

// steps fits an isotonic map to the slice.
func (c *calibrationSlice) steps() (knots []predict.Knot, ok bool) {
	return publishedIsotonic(c.z, c.y, c.w), true
}

// lossDifferences returns the log loss by Platt's map less that by another one for
// the rows that isotonicBetter compares, and these rows.
func (c *calibrationSlice) lossDifferences(
	other func(past *calibrationSlice) (knots []predict.Knot, ok bool),
) (d []float64, rows []int) {
	churned, renewed := c.events()
	for _, part := range c.parts() {
		past, test := c.without(part)
		if k, r := past.events(); min(k, r) < min(churned, renewed)/2 {
			continue
		}
		a, s, err := fitMap(past.z, past.y, past.w, mapPrior{slope: 1 / (priorSD * priorSD)})
		if err != nil {
			continue
		}
		knots, ok := other(past)
		if !ok {
			continue
		}
		m := predict.Calibration{Slope: 1, Knots: knots}
		for _, i := range test {
			platt, by := a+float64(s*c.z[i]), m.LogOdds(c.z[i])
			d = append(d, predict.Softplus(platt)-predict.Softplus(by)-float64(c.y[i]*(platt-by)))
			rows = append(rows, i)
		}
	}
	return d, rows
}
