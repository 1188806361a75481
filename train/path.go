// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
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

// foldTolerance ends the fold fits at the penalty that was chosen. It is below
// newtonTolerance because the step that is still made, with an older matrix,
// does not square the error.
const foldTolerance = 1e-14

// A crossValidation is the out-of-fold view of one penalty.
type crossValidation struct {
	lambda float64
	loss   float64   // Σ w loss / Σ w, out of fold
	z      []float64 // log-odds of each row by the fit without its fold
	fit    *solution // of all rows, the one to publish
	edge   bool      // the best penalty lay at the end of the widest grid
	// How the grid was searched, for the provenance: preconditioners that
	// contracted slowly and were taken anew, and fits left to the exact solver.
	renewed, slow int
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
// Large designs are searched in float32 (search.go); what is returned always
// comes from exact fits at the chosen penalty, the same on every processor.
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
		return p.exactly(ctx, lambda)
	}
	at, err := bestStep(func(lambdas []float64) ([]float64, error) { return p.losses(ctx, lambdas) })
	if err != nil {
		return nil, err
	}
	cv, err := p.exactly(ctx, gridLambda(at))
	if err != nil {
		return nil, err
	}
	cv.edge = at == widestTop || at == widestFloor
	if p.search != nil {
		cv.renewed, cv.slow = p.search.renewed, p.search.slow
	}
	return cv, nil
}

// bestStep returns the step of the grid with the lowest loss; losses is asked for
// descending penalties.
func bestStep(losses func(lambdas []float64) ([]float64, error)) (int, error) {
	best, at := math.Inf(1), pathTop
	visit := func(from, to int) error {
		var lambdas []float64
		for step := from; step >= to; step-- {
			lambdas = append(lambdas, gridLambda(step))
		}
		values, err := losses(lambdas)
		for i, loss := range values {
			// Of equal losses the first, which is the larger penalty, stays.
			if step := from - i; round7(loss) < round7(best) || step > at && round7(loss) == round7(best) {
				best, at = loss, step
			}
		}
		return err
	}
	top, floor := pathTop, pathBottom
	err := visit(top, floor)
	for err == nil && at == top && top < widestTop {
		top += perDecade
		err = visit(top, top-perDecade+1)
	}
	for err == nil && at == floor && floor > widestFloor {
		floor -= perDecade
		err = visit(floor+perDecade-1, floor)
	}
	return at, err
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
	last   float64 // penalty of the solver's last fits
	search *search // where there are many rows
}

// foldsOf returns the folds with rows, or errNoFolds if these are fewer than two,
// or the rows outside some fold share one outcome.
func foldsOf(chunks []chunk, y, w []float64, total float64) (folds []int, err error) {
	rows, churn, all := map[int]float64{}, map[int]float64{}, 0.0
	for _, c := range chunks {
		if rows[c.fold] == 0 {
			folds = append(folds, c.fold)
		}
		for i := c.from; i < c.to; i++ {
			rows[c.fold] += w[i]
			churn[c.fold] += float64(w[i] * y[i])
			all += float64(w[i] * y[i])
		}
	}
	if len(folds) < 2 {
		return nil, fmt.Errorf("%w: all rows fall into one fold; is there only one account or group?", errNoFolds)
	}
	for _, k := range folds {
		const none = 1e-9 // of the weight: sums in another order differ by rounding
		if out := all - churn[k]; out <= none*all || total-rows[k]-out <= none*total {
			return nil, fmt.Errorf("%w: the rows outside one fold have one outcome only", errNoFolds)
		}
	}
	return folds, nil
}

// newPath returns errNoFolds where there are none (foldsOf).
func newPath(d *design) (*path, error) {
	folds, err := foldsOf(d.chunks, d.y, d.w, d.total)
	if err != nil {
		return nil, err
	}
	p := &path{d: d, folds: folds}
	p.reset()
	if d.rows >= searchRows {
		p.search = newSearch(d, p.folds)
	}
	return p, nil
}

// reset starts the path anew, for penalties above those visited.
func (p *path) reset() { p.solver, p.last = newStaleSolver(p.d, p.folds), math.Inf(1) }

// losses returns the out-of-fold loss at each penalty, which must descend.
func (p *path) losses(ctx context.Context, lambdas []float64) ([]float64, error) {
	losses := make([]float64, len(lambdas))
	for i := range losses {
		losses[i] = math.NaN()
	}
	if p.search != nil {
		var err error
		if losses, err = p.search.losses(ctx, lambdas); err != nil {
			return nil, err
		}
	}
	for i, lambda := range lambdas {
		if !math.IsNaN(losses[i]) {
			continue
		}
		if lambda > p.last {
			p.reset()
		}
		cv, err := p.at(ctx, lambda)
		if err != nil {
			return nil, err
		}
		losses[i], p.last = cv.loss, lambda
	}
	return losses, nil
}

// exactly fits all rows, and from there each fold's complement, as closely as
// float64 can tell: what is published depends on the penalty alone, and not on
// how it was found.
func (p *path) exactly(ctx context.Context, lambda float64) (*crossValidation, error) {
	d := p.d
	fit, err := newton(ctx, d, lambda)
	if err != nil {
		return nil, err
	}
	p.reset()
	p.solver.tolerance = foldTolerance
	for _, f := range p.solver.fits {
		kept := 0.0
		for _, c := range d.chunks {
			for i := c.from; c.fold != f.hold && i < c.to; i++ {
				kept += d.w[i]
			}
		}
		hessian := slices.Clone(fit.a)
		for j := range d.cols {
			if j > 0 {
				hessian[j*d.cols+j] -= lambda
			}
			for k := j; k < d.cols; k++ {
				hessian[j*d.cols+k] *= kept / d.total
			}
		}
		p.solver.begin(f, fit.theta, hessian, lambda)
	}
	cv, err := p.at(ctx, lambda)
	if err != nil {
		return nil, err
	}
	cv.fit = fit
	return cv, nil
}

// at returns the out-of-fold predictions at a penalty, each fold's fit starting
// where the last penalty left it.
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
		logs := make([]float64, len(z))
		logistic(logs, logs, z)
		for r, zr := range z {
			losses[i] += float64(d.w[c.from+r] * rowLoss(logs[r], d.y[c.from+r], zr))
		}
	})
	for _, l := range losses {
		cv.loss += l
	}
	cv.loss /= d.total
	return cv, nil
}
