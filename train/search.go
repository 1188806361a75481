// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"slices"
)

// A search computes out-of-fold losses for whole grids of penalties, all
// folds and penalties together. It costs four or five passes over the rows in
// float32:
//
//  1. The path is fitted to a small random part of the rows, one penalty after
//     the other, and then to a larger one.
//  2. The Hessians there serve as preconditioners for all rows. They are off
//     by about 2 √(p/rows), which is what a step leaves of the distance to the
//     optimum; L-BFGS mends them with the steps made.
//  3. A fit ends where the Newton decrement says that the next step will not
//     change a loss by 1e-8.
//
// Where a preconditioner contracts slowly it is renewed on all rows at the
// current point; a fit that makes no headway even so is left to the exact
// solver, and counted.
type search struct {
	b       *batch
	folds   []int
	shares  []float64 // of all weight, outside each fold
	renewed int       // preconditioners taken anew on all rows
	slow    int       // fits handed to the exact solver
}

// solverSlow is what the provenance says where penalties were searched by exact
// fits because the preconditioner failed. It counts none: how many fits fail
// hangs on the last bits of float32, which differ between processors.
const solverSlow = "the preconditioner contracted slowly: some penalties were searched by exact fits"

// solverNote is what the provenance says of the search, nothing where all went
// as it should.
func (cv *crossValidation) solverNote() string {
	if cv.slow > 0 {
		return solverSlow
	}
	return ""
}

const (
	// searchRows is the number of rows from which a search is made; with fewer,
	// exact fits cost little and choose the same on every processor.
	searchRows = 16384
	// firstRows and secondRows are the rows, at least, of the two parts, and
	// firstEach and secondEach the same for each column. The second part grows
	// with the rows, as the cost of the passes does.
	firstRows, firstEach               = 16384, 40
	secondRows, secondEach, secondPart = 32768, 200, 8
	// sketched ends a fit to a part of m rows: its decrement per renewal is this
	// share of the p/2m by which the optimum of the part is off anyway.
	sketched   = 0.01
	maxNewtons = 20
	// alike is how far log-odds may move, by the mean of p (1 − p) Δz², before a
	// Hessian is taken anew. Of an even chance Δz is then .03, and so is the change of
	// p (1 − p), which is less than what a part of the rows is off by.
	alike = 2e-4
	// A fit ends where its decrement per renewal and row is expected to fall
	// below searchTolerance with the step that is then made. At a distance δ
	// from the optimum, in the norm of the Hessian, the mean loss on m other
	// rows is off by about δ/√m: by some 3e-9 here, whatever the rows. That is where
	// their loss is flat but for chance; where it is not, a step has to be smaller (tilt),
	// as far as float32 can tell.
	searchTolerance = 1e-18
	// tiltShare is the square of the cosine between a step and the gradient of the
	// loss of other rows, for which a tenth is taken: of dozens of directions few are
	// nearer to each other.
	tiltShare = 0.01
	// searchFloor is a decrement per renewal, 1e-13, below which float32 may keep
	// it from falling.
	searchFloor      = 1e-13
	searchPasses     = 30
	searchRenewals   = 2
	untriedReduction = 0.05 // of the decrement by a first step
)

func newSearch(d *design, folds []int) *search {
	s := &search{b: newBatch(d), folds: folds}
	weights := map[int]float64{}
	for _, c := range d.chunks {
		for i := c.from; i < c.to; i++ {
			weights[c.fold] += d.w[i]
		}
	}
	for _, k := range folds {
		s.shares = append(s.shares, 1-weights[k]/d.total)
	}
	return s
}

// losses returns the out-of-fold loss at each penalty, which must descend, and
// NaN for those that the exact solver must compute.
func (s *search) losses(ctx context.Context, lambdas []float64) ([]float64, error) {
	losses := make([]float64, len(lambdas))
	whole, err := s.sketch(ctx, lambdas)
	if err != nil {
		return nil, err
	}
	if whole == nil {
		s.slow += len(lambdas) * len(s.folds)
		for i := range losses {
			losses[i] = math.NaN()
		}
		return losses, nil
	}
	var columns []*column
	byFold := s.b.gradientsByFold(whole)
	for v, c := range whole {
		for _, branch := range s.branch(c) {
			grad := make([]float64, len(c.theta))
			for _, k := range s.folds {
				for j, g := range byFold[k][v] {
					if k != branch.hold {
						grad[j] += g
					}
				}
			}
			for j := 1; j < len(grad); j++ {
				grad[j] += c.lambda * c.theta[j]
			}
			s.advance(branch, grad)
			columns = append(columns, branch)
		}
	}
	if err := s.finish(ctx, columns); err != nil {
		return nil, err
	}
	for v, loss := range s.b.outOfFold(columns) {
		if columns[v].slow {
			loss = math.NaN()
			s.slow++
		}
		losses[v/len(s.folds)] += loss / s.b.d.total
	}
	return losses, nil
}

// sketch fits the path to two parts of the rows. It returns a column for each
// penalty with the Hessian of the second part, or nil where even exact fits
// fail on the first.
func (s *search) sketch(ctx context.Context, lambdas []float64) ([]*column, error) {
	d := s.b.d
	part, share := d.prefixes(rowShare(d, max(firstRows, firstEach*d.cols)))
	enough := sketched * float64(d.cols) / 2 / (share * float64(d.rows)) * d.total
	var columns []*column
	for i, lambda := range lambdas {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := &column{lambda: lambda, staleFit: staleFit{hold: noFold, step: make([]float64, d.cols)}}
		c.theta = d.origin(noFold)
		if i > 0 {
			c.theta = slices.Clone(columns[i-1].theta)
			c.hessian, c.curve = columns[i-1].hessian, columns[i-1].curve
			c.predict(columns[i-1].lambda)
		}
		start := slices.Clone(c.theta)
		if !s.newton(c, part, 1/share, enough) {
			// Steps went too far, as they do where outcomes are nearly separated.
			exact := *d
			exact.chunks, exact.total = part, share*d.total
			fit, err := newtonFrom(ctx, &exact, share*lambda, start, newtonTolerance)
			if err != nil {
				return nil, ctx.Err()
			}
			c.theta = fit.theta
			s.bend(c, part, 1/share)
			if !c.refactor(lambda) {
				return nil, nil
			}
		}
		columns = append(columns, c)
	}
	part, share = d.prefixes(rowShare(d, max(secondRows, secondEach*d.cols, d.rows/secondPart)))
	s.step(columns, part, 1/share)
	for i, c := range columns {
		if i > 0 {
			c.hessian, c.curve = columns[i-1].hessian, columns[i-1].curve
		}
		if i == 0 || !s.curvedAlike(c) {
			s.bend(c, part, 1/share)
		}
		if !c.refactor(c.lambda) {
			return nil, nil
		}
	}
	s.step(columns, part, 1/share)
	return columns, nil
}

// bend takes a column's Hessian from a part of the rows where it stands.
func (s *search) bend(c *column, part []chunk, scale float64) {
	c.curve = slices.Clone(c.theta)
	c.hessian = s.b.curvature(c.theta, part, scale)
}

// curvedAlike reports whether the log-odds have moved so little since the column's
// Hessian was taken, by its own measure, that it is as good as one from here.
func (s *search) curvedAlike(c *column) bool {
	if c.curve == nil {
		return false
	}
	n := len(c.theta)
	square := 0.0
	for j := range n {
		dj := c.theta[j] - c.curve[j]
		square += dj * dj * c.hessian[j*n+j]
		for k := j + 1; k < n; k++ {
			square += 2 * dj * (c.theta[k] - c.curve[k]) * c.hessian[j*n+k]
		}
	}
	return square <= alike*s.b.d.total
}

// rowShare returns which share of the rows the wanted number is.
func rowShare(d *design, want int) float64 { return min(1, float64(want)/float64(d.rows)) }

// predict moves a column from the optimum at another penalty towards its own:
// there the gradient was zero, so here it is (λ − from) w.
func (c *column) predict(from float64) {
	if !c.refactor(c.lambda) {
		return
	}
	grad := make([]float64, len(c.theta))
	for j := 1; j < len(grad); j++ {
		grad[j] = (c.lambda - from) * c.theta[j]
	}
	c.factor.solve(c.step, grad)
	for j, v := range c.step {
		c.theta[j] -= v
	}
}

// newton fits a column to a part of the rows and reports whether it converged.
func (s *search) newton(c *column, part []chunk, scale, enough float64) bool {
	for i := range maxNewtons {
		if i > 0 || !s.curvedAlike(c) {
			s.bend(c, part, scale)
		}
		if !c.refactor(c.lambda) {
			return false
		}
		s.step([]*column{c}, part, scale)
		if c.decrement <= enough {
			return true
		}
	}
	return false
}

// step moves columns by one step each with the factors they have.
func (s *search) step(columns []*column, part []chunk, scale float64) {
	for v, grad := range s.b.gradients(columns, part, scale) {
		c := columns[v]
		c.factor.solve(c.step, grad)
		c.decrement = dot(c.step, grad) / 2
		for j, x := range c.step {
			c.theta[j] -= x
		}
	}
}

// branch returns a column for each fold that starts where a fit to all rows
// is. Its factor is that of share·H + λ, of which one is computed: folds are
// of about equal weight.
func (s *search) branch(whole *column) []*column {
	mean := 0.0
	for _, share := range s.shares {
		mean += share / float64(len(s.shares))
	}
	common := staleFit{hessian: whole.hessian, theta: whole.theta}
	common.refactor(whole.lambda / mean)
	var columns []*column
	for i, hold := range s.folds {
		c := &column{lambda: whole.lambda, share: s.shares[i], start: whole.theta, staleFit: staleFit{
			hold: hold, theta: slices.Clone(whole.theta), point: make([]float64, len(whole.theta)),
			step: make([]float64, len(whole.theta)), value: math.Inf(1), decrement: math.Inf(1)}}
		c.factor = common.factor.scaled(math.Sqrt(c.share))
		columns = append(columns, c)
	}
	return columns
}

// finish moves columns to their optima on all rows outside their folds, and
// marks those that do not get there as slow.
func (s *search) finish(ctx context.Context, columns []*column) error {
	d := s.b.d
	active := slices.Clone(columns)
	for range searchPasses {
		if err := ctx.Err(); err != nil || len(active) == 0 {
			return err
		}
		for v, grad := range s.b.gradients(active, d.chunks, 1) {
			s.advance(active[v], grad)
		}
		active = slices.DeleteFunc(active, func(c *column) bool { return c.done })
	}
	for _, c := range active {
		c.slow = true
	}
	return nil
}

// advance makes one step of a column, whose gradient is given.
func (s *search) advance(c *column, grad []float64) {
	total := s.b.d.total
	before, from := c.decrement, slices.Clone(c.point)
	c.accept(0, grad)
	c.aim()
	reduction := untriedReduction
	if !math.IsInf(before, 1) {
		reduction = c.decrement / before
	}
	enough := searchTolerance * float64(s.b.d.rows) * total
	switch {
	case c.decrement <= searchFloor*total && !(reduction < slow):
		c.done = true // float32 tells no more
		return
	case !(reduction < slow): // NaN too
		if c.renewals++; c.renewals > searchRenewals {
			c.done, c.slow = true, true
			return
		}
		if c.renewals == 1 || !(reduction < 1) { // back to a point near the optimum, if any is
			copy(c.theta, from)
			if c.renewals == 1 {
				copy(c.theta, c.start)
			}
			c.value, c.decrement = math.Inf(1), math.Inf(1)
			s.renew(c)
			return
		}
		s.renew(c)
		c.aim()
	case c.decrement*reduction <= enough && c.decrement*reduction <= max(enough/(1+s.tilt(c)), searchFloor*total):
		c.done = true
	}
	c.move(1)
}

// tilt returns by how much a step at a column's optimum moves the loss of other
// rows beyond what chance does: the ratio of the squares. Chance moves it by δ/√m. But
// the gradient there is that of the penalty, λw, so that it moves by δ √q times the
// cosine between step and gradient too:
//
//	tilt = tiltShare m q,   q = (λw)' A⁻¹ (λw) / total
//
// with m rows and the penalised Hessian A. It is large where the penalty outweighs
// the rows.
func (s *search) tilt(c *column) float64 {
	penalty := slices.Clone(c.theta)
	penalty[0] = 0
	for j := range penalty {
		penalty[j] *= c.lambda
	}
	q := make([]float64, len(penalty))
	c.factor.solve(q, penalty)
	return tiltShare * float64(s.b.d.rows) * dot(q, penalty) / s.b.d.total
}

// renew takes a column's Hessian on all rows outside its fold where it stands.
func (s *search) renew(c *column) {
	s.renewed++
	outside := slices.DeleteFunc(slices.Clone(s.b.d.chunks), func(k chunk) bool { return k.fold == c.hold })
	c.hessian = s.b.curvature(c.theta, outside, 1)
	c.pairs = nil
	c.refactor(c.lambda)
}
