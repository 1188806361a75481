// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
)

const (
	// maxNewton bounds the iterations. From zero 6 to 9 are usual; separated
	// outcomes at a small penalty take 20 to 30.
	maxNewton = 100
	// newtonTolerance ends a fit: half the squared Newton decrement, the
	// distance to the minimum, per renewal. The step that is then still made
	// squares the error, which leaves rounding.
	newtonTolerance = 1e-12
	// manyRows is the number of rows from which a start is sought on parts, the first
	// of at least nearRows, and until the next step is expected to leave less than
	// nearTolerance, from where Newton's own squares the error.
	manyRows      = 65536
	nearRows      = 8192
	nearTolerance = 1e-11
	// Outcomes are separated at zero penalty where a fit ends with some row
	// predicted this surely, |z| in log-odds, and some weight this uncertain,
	// its standard error in log-odds per standard deviation. Collinear columns
	// give the second alone, and strong features the first.
	separatedZ  = 20
	separatedSE = 1000
)

// A solution is an optimum of the penalised log loss.
type solution struct {
	theta      []float64 // intercept, then weights
	iterations int
	lambda     float64
	a          []float64 // X'WX + Λ one step before the optimum, upper triangle
	factor     cholesky  // of a
}

// newton minimises the ridge-penalised log loss exactly,
//
//	F(b, w) = Σ_i w_i [softplus(z_i) − y_i z_i] + λ/2 ‖w‖²,   z_i = b + x_i·w
//
// by Newton's method from w = 0 and b = logit of the base rate, or where there
// are many rows from near, which itself begins there. Steps are halved until F
// falls. It ends when half the squared Newton decrement g'A⁻¹g is below 1e-12 of
// Σw, with many rows 1e-11. At λ = 0 it returns a *SeparationError where weights run
// away, and a *ConvergenceError where the matrix is singular, as with collinear
// columns.
//
// Source: Boyd and Vandenberghe, Convex Optimization, section 9.5.
func newton(ctx context.Context, d *design, lambda float64) (*solution, error) {
	theta, err := d.near(ctx, lambda)
	if err != nil {
		return nil, err
	}
	enough := newtonTolerance
	if d.rows >= manyRows {
		enough = nearTolerance
	}
	return newtonFrom(ctx, d, lambda, theta, enough)
}

// near returns a point close to the optimum where there are many rows, and the
// origin otherwise: Newton's method on a small part of the rows and then on a
// larger one, then exact gradients with the Hessian of a part, which cost a
// fraction of a Newton iteration each. Where any of it fails, Newton's method must
// begin at the origin.
func (d *design) near(ctx context.Context, lambda float64) ([]float64, error) {
	origin := d.origin(noFold)
	if lambda == 0 || d.rows < manyRows {
		return origin, nil
	}
	start := d.origin(noFold)
	for _, rows := range []int{max(nearRows, firstEach*d.cols), max(secondRows, firstEach*d.cols)} {
		chunks, share := d.prefixes(rowShare(d, rows))
		part := *d
		part.chunks, part.total = chunks, share*d.total
		fit, err := newtonFrom(ctx, &part, share*lambda, start, sketched*float64(d.cols)/2/float64(rows))
		if err != nil {
			return origin, ctx.Err()
		}
		start = fit.theta
	}
	chunks, share := d.prefixes(rowShare(d, max(secondRows, secondEach*d.cols, d.rows/secondPart)))
	solver := newStaleSolver(d, []int{noFold})
	solver.tolerance, solver.ahead = nearTolerance, true
	solver.begin(solver.fits[0], start, d.hessian(start, chunks, 1/share, 0), lambda)
	if err := solver.solve(ctx, lambda); err != nil {
		return origin, ctx.Err()
	}
	return solver.fits[0].theta, nil
}

// newtonFrom is newton from a given start, which it may overwrite. It ends where
// half the squared Newton decrement is below enough per renewal.
func newtonFrom(ctx context.Context, d *design, lambda float64, start []float64, enough float64) (*solution, error) {
	s := &solution{theta: start, lambda: lambda}
	grad, step, trial := make([]float64, d.cols), make([]float64, d.cols), make([]float64, d.cols)
	var f float64
	f, s.a = d.newtonSums(grad, s.theta, lambda)
	f = addPenalty(f, grad, s.theta, lambda)
	for s.iterations < maxNewton {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.iterations++
		var ok bool
		if s.factor, ok = factorise(s.a, d.cols); !ok {
			return nil, s.failed("the matrix X'WX + Λ is singular (collinear columns?)", math.Inf(1))
		}
		if lambda == 0 {
			if err := s.separation(d); err != nil {
				return nil, err
			}
		}
		s.factor.solve(step, grad)
		decrement := dot(grad, step) / 2
		if decrement <= enough*d.total {
			for j := range step {
				s.theta[j] -= step[j]
			}
			return s, nil
		}
		// Near the optimum the decrease is below F's own rounding.
		slack := 1e-13 * math.Abs(f)
		for t := 1.0; ; t /= 2 {
			for j := range step {
				trial[j] = s.theta[j] - float64(t*step[j])
			}
			var ft float64
			ft, s.a = d.newtonSums(grad, trial, lambda)
			ft = addPenalty(ft, grad, trial, lambda)
			if ft <= f+slack {
				f = ft
				break
			}
			if t < 1e-10 {
				return nil, s.failed("no step along Newton's direction lowers the loss", decrement)
			}
		}
		s.theta, trial = trial, s.theta
	}
	return nil, s.failed("iterations used up", dot(grad, step)/2)
}

func (s *solution) failed(status string, decrement float64) error {
	return &ConvergenceError{Status: status, Lambda: s.lambda, Iterations: s.iterations, Decrement: decrement}
}

// origin returns the start of every fit: zero weights, and as intercept the
// logit of the churn rate outside the fold hold.
func (d *design) origin(hold int) []float64 {
	theta := make([]float64, d.cols)
	theta[0] = logitOutside(hold, d.chunks, d.y, d.w)
	return theta
}

// logitOutside returns the logit of the churn rate outside the fold hold.
func logitOutside(hold int, chunks []chunk, y, w []float64) float64 {
	churn, kept := 0.0, 0.0
	for _, c := range chunks {
		if c.fold == hold {
			continue
		}
		for i := c.from; i < c.to; i++ {
			churn += float64(w[i] * y[i])
			kept += float64(w[i] * (1 - y[i]))
		}
	}
	return math.Log(churn / kept)
}

// separation returns a *SeparationError where an unpenalised fit is running
// away.
func (s *solution) separation(d *design) error {
	sure := false
	z := make([]float64, d.rows)
	packed := make([]float64, d.stride)
	copy(packed, s.theta)
	predict1(z, d.x, packed, d.rows, d.stride)
	for _, zi := range z {
		sure = sure || math.Abs(zi) > separatedZ
	}
	if !sure {
		return nil
	}
	worst, variance := 0, s.factor.inverse()
	for j := range d.cols {
		if variance[j*d.cols+j] > variance[worst*d.cols+worst] {
			worst = j
		}
	}
	if se := math.Sqrt(variance[worst*d.cols+worst]); se > separatedSE {
		return &SeparationError{Column: worst, Weight: s.theta[worst], SE: se}
	}
	return nil
}
