// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// oneSE returns the cross-validation at the largest penalty of the grid whose
// out-of-fold loss is no more than one standard error above the lowest:
//
//	max { λ : CV(λ) ≤ CV(λ*) + SE },   SE that of the mean loss at λ*, by group
//
// cv is that at λ*, the best penalty; groups numbers the rows' groups.
//
// Source: Breiman et al. (1984), 3.4.3; Hastie, Tibshirani and Friedman, The
// Elements of Statistical Learning, 7.10.
func oneSE(ctx context.Context, d *design, cv *crossValidation, groups []int32) (*crossValidation, error) {
	p, err := newPath(d)
	if err != nil {
		return nil, err
	}
	limit := cv.loss + lossError(cv.z, d.y, d.w, groups)
	from := int(math.Round(math.Log10(cv.lambda) * perDecade))
	best := from
	for step := widestTop; step > from; step-- { // from stiff to loose, as a path is walked
		x, err := p.at(ctx, gridLambda(step))
		if err != nil {
			return nil, err
		}
		if x.loss <= limit {
			best = step
			break
		}
	}
	if best == from {
		return cv, nil
	}
	simple, err := p.exactly(ctx, gridLambda(best))
	if err != nil {
		return nil, err
	}
	simple.renewed, simple.slow = cv.renewed, cv.slow
	return simple, nil
}

// lossError returns the standard error of the mean log loss of log-odds z, rows
// of one group being one draw.
func lossError(z, y, w []float64, groups []int32) float64 {
	losses := make([]float64, len(z))
	for i := range z {
		losses[i] = float64(w[i] * (predict.Softplus(z[i]) - float64(y[i]*z[i])))
	}
	_, se := groupedMean(losses, w, groups)
	return se
}

// stiffer multiplies the penalties of a contestant's terms, half a decade at a
// time, as long as its out-of-fold loss stays within one standard error of what it
// was: oneSE for the sparse solver.
func (c *contest) stiffer(ctx context.Context, x *contestant, fits []*ridge) (*contestant, error) {
	limit := x.loss + lossError(x.z, c.base.y, c.base.w, c.groups)
	l := x.penalties
	for range 2 * widestTop / perDecade {
		l.plain, l.curve = l.plain*halfDecade, l.curve*halfDecade
		y := &contestant{name: x.name, penalties: l, curves: x.curves, untouched: x.untouched, z: make([]float64, c.base.rows)}
		var err error
		if y.loss, err = c.outOfFold(ctx, fits, l, y.z); err != nil {
			return nil, err
		}
		if y.loss > limit {
			break
		}
		x = y
	}
	// The fits stand at the penalties that were too stiff.
	_, err := c.outOfFold(ctx, fits, x.penalties, x.z)
	return x, err
}
