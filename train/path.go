// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// The grid of penalties: three a decade, from 10⁴ down to 10⁻¹ renewals, and a
// decade more at a time while the best lies at an edge. It is wide because a
// floor too high cost .02 of log loss on one table (METHODS.md 3.3).
const (
	perDecade   = 3
	pathTop     = 4 * perDecade // exponent of the largest penalty, in steps: λ = 10^(step/3)
	pathBottom  = -1 * perDecade
	widestTop   = 6 * perDecade
	widestFloor = -4 * perDecade
)

// A crossValidation is the out-of-fold view of one penalty.
type crossValidation struct {
	lambda float64
	loss   float64   // Σ w loss / Σ w, out of fold
	z      []float64 // log-odds of each row by the fit without its fold
	edge   bool      // the best penalty lay at the end of the widest grid
}

// errNoFolds says that the rows cannot be cut into folds that all train on
// both outcomes.
var errNoFolds = errors.New("no cross-validation")

// chooseLambda returns the penalty with the lowest out-of-fold log loss. For
// each fold k the weights are fitted to the rows of the other folds, and
//
//	CV(λ) = Σ_i w_i loss(y_i, z_i) / Σ_i w_i,   z_i by the fit without fold(i)
//
// is compared after rounding to 1e-7; ties go to the larger penalty. lambda > 0
// is taken as given, and only its out-of-fold predictions are computed.
//
// Columns are standardised once, on the rows of the whole design. That takes no
// outcome into account and moves means by about 1/√n of a standard deviation;
// within each fold it would cost a design matrix a fold.
func chooseLambda(ctx context.Context, d *design, lambda float64) (*crossValidation, error) {
	p, err := newPath(d)
	if err != nil {
		return nil, err
	}
	if lambda > 0 {
		return p.at(ctx, lambda)
	}
	best, at := (*crossValidation)(nil), pathTop
	visit := func(from, to int) error {
		for step := from; step >= to; step-- {
			cv, err := p.at(ctx, gridLambda(step))
			if err != nil {
				return err
			}
			// Of equal losses the first, which is the larger penalty, stays.
			if best == nil || round7(cv.loss) < round7(best.loss) || step > at && round7(cv.loss) == round7(best.loss) {
				best, at = cv, step
			}
		}
		return nil
	}
	top, floor := pathTop, pathBottom
	err = visit(top, floor)
	for err == nil && at == top && top < widestTop {
		p.reset()
		top += perDecade
		err = visit(top, top-perDecade+1)
	}
	for err == nil && at == floor && floor > widestFloor {
		floor -= perDecade
		err = visit(floor+perDecade-1, floor)
	}
	if err != nil {
		return nil, err
	}
	best.edge = at == widestTop || at == widestFloor
	return best, nil
}

// gridLambda returns 10^(step/3).
func gridLambda(step int) float64 {
	return math.Pow(10, float64(step)/perDecade)
}

func round7(loss float64) float64 { return math.Round(loss * 1e7) }

// A path fits the folds along decreasing penalties.
type path struct {
	d      *design
	folds  []int // those with rows
	solver *staleSolver
}

// newPath returns errNoFolds if fewer than two folds hold rows, or the rows
// outside some fold share one outcome.
func newPath(d *design) (*path, error) {
	rows, churn, all := map[int]float64{}, map[int]float64{}, 0.0
	p := &path{d: d}
	for _, c := range d.chunks {
		if rows[c.fold] == 0 {
			p.folds = append(p.folds, c.fold)
		}
		for i := c.from; i < c.to; i++ {
			rows[c.fold] += d.w[i]
			churn[c.fold] += float64(d.w[i] * d.y[i])
			all += float64(d.w[i] * d.y[i])
		}
	}
	if len(p.folds) < 2 {
		return nil, fmt.Errorf("%w: all rows fall into one fold; is there only one account or group?", errNoFolds)
	}
	for _, k := range p.folds {
		const none = 1e-9 // of the weight: sums in another order differ by rounding
		if out := all - churn[k]; out <= none*all || d.total-rows[k]-out <= none*d.total {
			return nil, fmt.Errorf("%w: the rows outside one fold have one outcome only", errNoFolds)
		}
	}
	p.reset()
	return p, nil
}

// reset starts the path anew, for penalties above those visited.
func (p *path) reset() { p.solver = newStaleSolver(p.d, p.folds) }

// at returns the out-of-fold predictions at a penalty.
func (p *path) at(ctx context.Context, lambda float64) (*crossValidation, error) {
	if err := p.solver.solve(ctx, lambda); err != nil {
		return nil, err
	}
	d := p.d
	cv := &crossValidation{lambda: lambda, z: make([]float64, d.rows)}
	fitted := make(map[int][]float64, len(p.folds))
	for _, f := range p.solver.fits {
		padded := make([]float64, d.stride)
		copy(padded, f.theta)
		fitted[f.hold] = padded
	}
	losses := make([]float64, len(d.chunks))
	parallel(d.workers, len(d.chunks), func(i int) {
		c := d.chunks[i]
		z := cv.z[c.from:c.to]
		predict1(z, d.x[c.from*d.stride:], fitted[c.fold], len(z), d.stride)
		for r, zr := range z {
			losses[i] += float64(d.w[c.from+r] * (predict.Softplus(zr) - float64(d.y[c.from+r]*zr)))
		}
	})
	for _, l := range losses {
		cv.loss += l
	}
	cv.loss /= d.total
	return cv, nil
}
