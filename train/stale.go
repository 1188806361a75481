// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
)

// A staleSolver fits several weight vectors at once, each to all rows but one
// fold, along a path of penalties. It serves where many fits only choose or
// calibrate: gradients are exact, but the matrix of Newton's step is that of an
// earlier point on a part of the rows, mended by the steps made since (L-BFGS)
// and renewed when progress slows. A pass over the rows then costs a tenth of a
// Newton iteration. Published weights come from newton.
//
// Source: Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4,
// with the stale matrix as its initial one.
type staleSolver struct {
	d         *design
	fits      []*staleFit
	lambda    float64
	tolerance float64 // of the decrement per renewal, staleTolerance at first
	// ahead ends a fit by the decrement that the step it makes is expected to leave,
	// if that does as well as the one before.
	ahead bool
}

// A staleFit is one weight vector on its way.
type staleFit struct {
	hold      int // fold left out, or noFold
	theta     []float64
	hessian   []float64 // data part, scaled to the rows outside hold; nil at first
	behind    int       // rows that the next hessian is to come from
	factor    cholesky  // of hessian + Λ
	point     []float64 // last accepted point
	value     float64   // penalised loss there
	grad      []float64 // its gradient
	step      []float64
	pairs     []pair // steps since the matrix was taken, oldest first
	decrement float64
	halved    int
	done      bool
}

// A pair is a step between two accepted points with the change of the
// gradient: Newton's matrix maps s to about y.
type pair struct{ s, y []float64 }

const (
	// staleTolerance ends a fit along a path, as newtonTolerance does. The last
	// step still shrinks the distance about twenty-fold, to some 5e-10 a
	// renewal; the loss on other rows is then right to about 1e-6.
	staleTolerance = 1e-8
	// slow is the ratio of two decrements from which the matrix is renewed. A
	// fresh one on hessianRows rows gives about .05.
	slow = 0.25
	// hessianRows is the number of rows, at least, behind a first matrix. With
	// p columns it is off by about 2 √(p/rows): .15 for 90 columns. On nearly
	// separated outcomes few rows carry all curvature, and a part has too few of
	// them: each matrix that is taken because the last one failed comes from
	// moreRows times as many rows, until it is Newton's own.
	hessianRows = 16384
	moreRows    = 4
	maxPasses   = 200
	maxPairs    = 10
)

func newStaleSolver(d *design, hold []int) *staleSolver {
	s := &staleSolver{d: d, tolerance: staleTolerance}
	for _, h := range hold {
		s.fits = append(s.fits, &staleFit{
			hold: h, theta: d.origin(h), point: make([]float64, d.cols), behind: max(hessianRows, 40*d.cols),
			grad: make([]float64, d.cols), step: make([]float64, d.cols)})
	}
	return s
}

// solve moves every fit to its optimum at the penalty lambda.
func (s *staleSolver) solve(ctx context.Context, lambda float64) error {
	for _, f := range s.fits {
		f.start(s.lambda, lambda)
	}
	s.lambda = lambda
	for range maxPasses {
		if err := ctx.Err(); err != nil {
			return err
		}
		var active []*staleFit
		for _, f := range s.fits {
			if !f.done {
				active = append(active, f)
			}
		}
		if len(active) == 0 {
			return nil
		}
		s.advance(active)
	}
	worst := 0.0
	for _, f := range s.fits {
		worst = max(worst, f.decrement)
	}
	return &ConvergenceError{Status: "passes used up", Lambda: lambda, Iterations: maxPasses, Decrement: worst}
}

// begin places a fit at theta with the data part of the Hessian there, which
// it may keep, at the penalty that the solver will be asked for.
func (s *staleSolver) begin(f *staleFit, theta, hessian []float64, lambda float64) {
	s.lambda, f.hessian = lambda, hessian
	copy(f.theta, theta)
	f.pairs = nil
}

// start predicts the optimum at a new penalty from that at the old one, where
// the gradient was zero: there it is now (λ' − λ) w, known without a pass.
func (f *staleFit) start(from, to float64) {
	f.done, f.halved = false, 0
	f.value, f.decrement = math.Inf(1), math.Inf(1)
	if f.hessian == nil || !f.refactor(to) || from == to {
		return
	}
	for _, p := range f.pairs {
		for j := 1; j < len(p.s); j++ {
			p.y[j] += float64((to - from) * p.s[j])
		}
	}
	for j := 1; j < len(f.theta); j++ {
		f.grad[j] = float64((to - from) * f.theta[j])
	}
	f.grad[0] = 0
	copy(f.point, f.theta)
	f.aim()
	f.move(1)
}

// advance makes one pass over the rows and one step of each fit.
func (s *staleSolver) advance(active []*staleFit) {
	n := len(active)
	loss, grad, theta, hold := make([]float64, n), make([][]float64, n), make([][]float64, n), make([]int, n)
	for i, f := range active {
		grad[i], theta[i], hold[i] = make([]float64, s.d.cols), f.theta, f.hold
	}
	s.d.logLosses(loss, grad, theta, hold)
	for i, f := range active {
		value := addPenalty(loss[i], grad[i], f.theta, s.lambda)
		if !(value <= f.value+1e-12*math.Abs(f.value)) { // NaN too
			f.retreat(s)
			continue
		}
		f.accept(value, grad[i])
		before := f.decrement
		if f.hessian == nil {
			f.renew(s)
		}
		f.aim()
		if f.decrement > s.tolerance*s.d.total && f.decrement > slow*before {
			f.renew(s)
			f.aim()
		}
		f.move(1)
		left := f.decrement
		if s.ahead && left < before && !math.IsInf(before, 1) {
			left *= left / before
		}
		f.done = left <= s.tolerance*s.d.total
	}
}

// accept makes the trial the new point. The step that led there is remembered,
// unless it is the first one at a penalty, which began from a predicted
// gradient.
func (f *staleFit) accept(value float64, grad []float64) {
	if !math.IsInf(f.value, 1) {
		p := pair{make([]float64, len(grad)), make([]float64, len(grad))}
		for j := range grad {
			p.s[j], p.y[j] = f.theta[j]-f.point[j], grad[j]-f.grad[j]
		}
		if dot(p.s, p.y) > 0 { // convexity; rounding may break it for tiny steps
			f.pairs = append(f.pairs, p)
		}
		if len(f.pairs) > maxPairs {
			f.pairs = f.pairs[1:]
		}
	}
	f.value, f.grad, f.halved = value, grad, 0
	copy(f.point, f.theta)
}

// aim computes the step from the last accepted point, and how far that point is
// from the minimum.
func (f *staleFit) aim() {
	copy(f.step, f.grad)
	mendedStep(f.step, f.pairs, &f.factor)
	f.decrement = dot(f.grad, f.step) / 2
}

// mendedStep replaces a gradient, q, by Newton's step to be subtracted with the
// matrix of a factor, mended by the steps made since, at most maxPairs: the two-loop
// recursion of L-BFGS.
func mendedStep(q []float64, pairs []pair, factor *cholesky) {
	var part [maxPairs]float64
	for i := len(pairs) - 1; i >= 0; i-- {
		p := pairs[i]
		part[i] = dot(p.s, q) / dot(p.s, p.y)
		for j := range q {
			q[j] -= float64(part[i] * p.y[j])
		}
	}
	factor.solve(q, q)
	for i, p := range pairs {
		b := part[i] - dot(p.y, q)/dot(p.s, p.y)
		for j := range q {
			q[j] += float64(b * p.s[j])
		}
	}
}

// move places the next trial at a part t of the step from the accepted point.
func (f *staleFit) move(t float64) {
	for j := range f.theta {
		f.theta[j] = f.point[j] - float64(t*f.step[j])
	}
}

// retreat answers a step that raised the loss: once with a fresh matrix, then
// by halving the step.
func (f *staleFit) retreat(s *staleSolver) {
	f.halved++
	if f.halved == 1 {
		copy(f.theta, f.point)
		f.renew(s)
		f.aim()
	}
	f.move(math.Exp2(-float64(f.halved - 1)))
}

// renew takes the matrix of second derivatives at the current point from the
// first rows of each fold but the one left out. Rows are in random order, so
// these are a random part.
func (f *staleFit) renew(s *staleSolver) {
	d := s.d
	rows := 0
	for _, c := range d.chunks {
		if c.fold != f.hold {
			rows += c.to - c.from
		}
	}
	share := min(1, float64(f.behind)/float64(rows))
	f.behind = min(moreRows*f.behind, max(rows, f.behind))
	all, part := 0.0, 0.0
	var chunks []chunk
	for _, c := range d.chunks {
		if c.fold == f.hold {
			continue
		}
		end := c.from + int(math.Ceil(share*float64(c.to-c.from)))
		chunks = append(chunks, chunk{c.from, end, c.fold})
		for i := c.from; i < c.to; i++ {
			all += d.w[i]
			if i < end {
				part += d.w[i]
			}
		}
	}
	f.hessian = d.hessian(f.theta, chunks, all/part, 0)
	f.pairs = nil
	f.refactor(s.lambda)
}

// refactor factorises hessian + Λ.
func (f *staleFit) refactor(lambda float64) bool {
	n := len(f.theta)
	a := make([]float64, len(f.hessian))
	copy(a, f.hessian)
	for j := 1; j < n; j++ {
		a[j*n+j] += lambda
	}
	factor, ok := factorise(a, n)
	if ok {
		f.factor = factor
	}
	return ok
}
