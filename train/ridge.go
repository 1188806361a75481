// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// A ridge is one weight vector on its way to the minimum of
//
//	F(θ) = Σ_i w_i [softplus(z_i) − y_i z_i] + ½ Σ_j λ_j (θ_j − θ₀_j)²,   z = X θ
//
// over the rows outside the fold hold, with a penalty λ_j of each column and 0
// of the intercept, inside the matrix's limits; θ₀ is 0 but for a scorecard. Steps
// are Newton's with a matrix that is kept while it serves (the chord method):
// gradients are exact and cost a pass over the entries, the matrix costs their
// square.
//
// Source: Kelley, Iterative Methods for Linear and Nonlinear Equations, 5.4.
type ridge struct {
	m       *matrix
	hold    int
	penalty []float64
	theta   []float64
	pre     *preconditioner
	// While tables grow, the inverse of hessian + Λ takes the factor's place,
	// because it can be bordered by new columns; curve is the w p (1 − p) of
	// each row behind it.
	inverse []float64
	curve   []float64
	passes  int
	far     *farRows // the rows, where m holds the columns' limits and none
	pairs   []pair   // steps over far rows since the matrix was taken, where no column is bounded
	// portable asks for matrices of all rows, the same on every processor, though
	// the end need not be exact.
	portable bool
}

// logLoss returns the loss of the fit's rows and stores its gradient.
func (r *ridge) logLoss(grad []float64) float64 {
	if r.far != nil {
		return r.far.logLoss(grad, r.theta)
	}
	return r.m.logLoss(grad, r.theta, r.hold)
}

// A preconditioner is the matrix of second derivatives at some earlier weights
// with its factor. The fits without one fold each may share one: folds are
// random parts of about the same weight.
type preconditioner struct {
	hessian []float64 // X'WX; nil at first
	penalty []float64 // Λ of the factor
	factor  cholesky  // of hessian + Λ
	version int       // times that the matrix was taken
	share   float64   // of the rows behind it; four times as many when it is taken anew
	common  bool      // of all rows, for fits without one fold each
	corner  []float64 // of the inverse, for bounded columns
}

const (
	// chooseTolerance ends a fit that only chooses: half the squared Newton
	// decrement per renewal. The loss elsewhere is then right to about 1e-7.
	chooseTolerance = 1e-7
	// growTolerance ends the fits between two tables.
	growTolerance = 3e-7
	// chordSlow is the ratio of two decrements from which the matrix is renewed.
	chordSlow  = 0.6
	farSlow    = 0.1 // the same where a pass over the rows costs nearly what the matrix does
	borderSlow = 0.7 // the same where the inverse is kept, which costs more to take anew
	maxChords  = 200
	// commonRenewals of a shared matrix in one fit, and it takes one of its own:
	// of few rows, those outside a fold may have another matrix than all.
	commonRenewals = 3
	renewRows      = 4000 // rows behind a first matrix, at least …
	renewRatio     = 10   // … or so many a column, of an even chance each
)

// newRidge starts at zero weights and the logit of the churn rate.
func newRidge(m *matrix, hold int) *ridge {
	r := &ridge{m: m, hold: hold, theta: make([]float64, m.cols), pre: new(preconditioner)}
	for j, l := range m.limits {
		r.theta[j] = l.prior
	}
	r.theta[0] = logitOutside(hold, m.chunks, m.y, m.w)
	return r
}

// extend returns a fit of a matrix with further columns, from the weights of r
// and zeros.
func (r *ridge) extend(m *matrix) *ridge {
	e := &ridge{m: m, hold: r.hold, theta: make([]float64, m.cols), pre: new(preconditioner)}
	copy(e.theta, r.theta)
	return e
}

// alone returns a copy of the fit for one goroutine of several: with a
// preconditioner of its own and no workers.
func (r *ridge) alone() *ridge {
	a, m, pre := *r, *r.m, *r.pre
	m.workers = 1
	a.m, a.pre, a.theta = &m, &pre, slices.Clone(r.theta)
	return &a
}

// solve moves the weights to the minimum under a penalty of each column, to
// within tolerance Σw by half the squared Newton decrement, and makes one step
// more. Where exact is set, every matrix comes from all rows, and that step is
// Newton's own, which squares the error; the chord's only shrinks it. Where a pass
// over the rows takes long, the decrement that the next step is expected to leave
// counts.
func (r *ridge) solve(ctx context.Context, penalty []float64, tolerance float64, exact bool) error {
	m := r.m
	r.penalty = penalty
	if r.inverse == nil && (r.pre.hessian == nil || !slices.Equal(r.pre.penalty, penalty) && !r.refactor()) {
		r.renew(exact)
	}
	grad, point, step := make([]float64, m.cols), make([]float64, m.cols), make([]float64, m.cols)
	before := make([]float64, m.cols) // the gradient at point
	slow := r.slow()
	value, decrement, fresh, t := math.Inf(1), math.Inf(1), r.pre.version, 1.0
	last, renewals := false, 0
	for range maxChords {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.passes++
		f := r.penalise(r.logLoss(grad), grad)
		if !(f <= value+1e-12*math.Abs(value)) { // the last step was too long
			if t < 1e-9 {
				return &ConvergenceError{Status: "no step lowers the loss", Iterations: r.passes, Decrement: decrement}
			}
			t /= 2
			for j := range point {
				r.theta[j] = point[j] - float64(t*step[j])
			}
			continue
		}
		if r.far != nil && !math.IsInf(value, 1) && m.bounded() == nil {
			r.remember(point, before, grad)
		}
		value = f
		copy(before, grad)
		r.toward(step, grad)
		d := dot(grad, step) / 2
		// A matrix from where a fit of far rows starts leads badly: sums there are
		// of weights that fit their sample too well.
		started := r.far != nil && r.pre.version == 0 && !math.IsInf(decrement, 1)
		if (d > slow*decrement || t < 1 || started) && d > tolerance*m.total && fresh == r.pre.version {
			if renewals++; renewals > commonRenewals && r.pre.common {
				r.pre = new(preconditioner)
			}
			r.renew(exact)
			r.toward(step, grad)
			d = dot(grad, step) / 2
		}
		fresh = r.pre.version
		left := d
		if r.far != nil && d < decrement && !math.IsInf(decrement, 1) {
			left *= d / decrement // what the step leaves, if it does as well as the one before
		}
		decrement, t = d, 1
		copy(point, r.theta)
		for j := range step {
			r.theta[j] -= step[j]
		}
		if left <= tolerance*m.total {
			if !exact || last {
				return nil
			}
			r.renew(exact)
			last = true
		}
	}
	return &ConvergenceError{Status: "passes used up", Iterations: r.passes, Decrement: decrement}
}

// slow returns the ratio of two decrements from which the matrix is renewed.
func (r *ridge) slow() float64 {
	switch {
	case r.inverse != nil:
		return borderSlow
	case r.far != nil:
		return farSlow
	}
	return chordSlow
}

// penalise adds the penalty's part to a gradient, and to the loss, which it returns.
func (r *ridge) penalise(f float64, grad []float64) float64 {
	for j, l := range r.penalty {
		off := r.theta[j] - r.m.prior(j)
		f += float64(l / 2 * off * off)
		grad[j] += float64(l * off)
	}
	return f
}

// remember keeps the step from a point to the weights with the change of the
// gradient. Rounding may break convexity for tiny steps.
func (r *ridge) remember(point, before, grad []float64) {
	p := pair{make([]float64, len(grad)), make([]float64, len(grad))}
	for j := range grad {
		p.s[j], p.y[j] = r.theta[j]-point[j], grad[j]-before[j]
	}
	if dot(p.s, p.y) > 0 {
		r.pairs = append(r.pairs, p)
	}
	if len(r.pairs) > maxPairs {
		r.pairs = r.pairs[1:]
	}
}

// toward stores Newton's step, to be subtracted, for a gradient.
func (r *ridge) toward(step, grad []float64) {
	r.freely(step, grad)
	r.within(step)
}

// freely is toward without bounds.
func (r *ridge) freely(step, grad []float64) {
	if r.inverse == nil {
		copy(step, grad)
		mendedStep(step, r.pairs, &r.pre.factor)
		return
	}
	clear(step)
	addRows(step, r.inverse, grad, len(step))
}

// invert takes the matrix anew and keeps its inverse from now on.
func (r *ridge) invert() {
	m := r.m
	r.pre = &preconditioner{hessian: m.fastHessian(r.theta, r.hold, 1), version: r.pre.version + 1}
	r.refactor()
	r.inverse, r.pre.hessian = r.pre.factor.inverse(), nil
	r.curve = make([]float64, m.rows)
	m.logOdds(r.curve, r.theta, 0, m.rows)
	_, r.curve = m.slopes(r.curve, r.hold)
}

// border returns the fit of a matrix with the block's columns added, from the
// weights of r and zeros, with the inverse bordered by them: for A⁻¹ at hand,
//
//	[A  B]⁻¹   [A⁻¹ + E S⁻¹ E'  −E S⁻¹]
//	[B' D]   = [−S⁻¹ E'            S⁻¹],   E = A⁻¹ B,  S = D − B'E
//
// penalty is that of all columns.
func (r *ridge) border(m *matrix, b *block, penalty []float64) *ridge {
	p, n := r.m.cols, m.cols
	k := n - p
	cross, d := make([]float64, k*p), make([]float64, k*k) // B' and D
	for i, q := range r.curve {
		if q == 0 {
			continue
		}
		col, val := r.m.col[r.m.start[i]:r.m.start[i+1]], r.m.val[r.m.start[i]:r.m.start[i+1]]
		for e := b.start[i]; e < b.start[i+1]; e++ {
			v := float64(q * b.val[e])
			row := cross[int(b.col[e])*p : int(b.col[e]+1)*p]
			for x, j := range col {
				row[j] += float64(v * val[x])
			}
			for f := b.start[i]; f < b.start[i+1]; f++ {
				d[int(b.col[e])*k+int(b.col[f])] += float64(v * b.val[f])
			}
		}
	}
	e := make([]float64, k*p) // E'
	for c := range k {
		d[c*k+c] += penalty[p+c]
		addRows(e[c*p:(c+1)*p], r.inverse, cross[c*p:(c+1)*p], p)
	}
	for c := range k {
		for f := range k {
			d[c*k+f] -= dot(cross[c*p:(c+1)*p], e[f*p:(f+1)*p])
		}
	}
	out := &ridge{m: m, hold: r.hold, theta: make([]float64, n), curve: r.curve, penalty: penalty, pre: r.pre}
	copy(out.theta, r.theta)
	schur, ok := factorise(d, k)
	if !ok {
		out.invert()
		return out
	}
	s := schur.inverse()
	out.inverse = make([]float64, n*n)
	weights := make([]float64, k)
	f := make([]float64, k*p) // S⁻¹ E'
	for c := range k {
		addRows(f[c*p:(c+1)*p], e, s[c*k:(c+1)*k], p)
	}
	for i := range p {
		row := out.inverse[i*n : i*n+n]
		copy(row, r.inverse[i*p:(i+1)*p])
		for c := range k {
			weights[c] = e[c*p+i]
			row[p+c] = -f[c*p+i]
			out.inverse[(p+c)*n+i] = -f[c*p+i]
		}
		addRows(row[:p], f, weights, p)
	}
	for c := range k {
		copy(out.inverse[(p+c)*n+p:(p+c)*n+n], s[c*k:(c+1)*k])
	}
	return out
}

// renew takes the matrix of second derivatives at the current weights.
func (r *ridge) renew(exact bool) {
	if r.inverse != nil {
		r.invert()
		return
	}
	switch {
	case r.far != nil:
		r.pairs = nil
		r.pre.share = min(1, 4*r.pre.share)
		r.pre.hessian = r.far.part(r.theta, r.pre.share)
	case exact || r.portable:
		r.pre.hessian = r.m.hessian(r.theta, r.hold)
	default:
		r.pre.share = min(1, max(4*r.pre.share, r.m.firstShare()))
		hold := r.hold
		if r.pre.common {
			hold = noFold
		}
		r.pre.hessian = r.m.fastHessian(r.theta, hold, r.pre.share)
		if r.pre.common {
			kept := 1 - 1/float64(r.m.folds())
			for k := range r.pre.hessian {
				r.pre.hessian[k] *= kept
			}
		}
	}
	r.pre.version++
	r.refactor()
}

// refactor factorises hessian + Λ. A matrix that is singular to rounding gets
// a larger diagonal: steps only grow shorter by it.
func (r *ridge) refactor() bool {
	n := len(r.theta)
	a := make([]float64, len(r.pre.hessian))
	r.pre.penalty = r.penalty
	for extra := 0.0; ; extra = max(1e-9*r.m.total, 10*extra) {
		copy(a, r.pre.hessian)
		for j := range n {
			a[j*n+j] += r.penalty[j] + extra
		}
		if f, ok := factorise(a, n); ok {
			r.pre.factor = f
			if bounded := r.m.bounded(); bounded != nil && r.inverse == nil {
				r.pre.corner = r.corner(bounded)
			}
			return true
		} else if extra > r.m.total {
			return false
		}
	}
}

// leaveOneOut returns the approximate log-odds of each row by a fit without it,
//
//	z_i − h_i r_i / (1 − h_i q_i),   h_i = x_i' A⁻¹ x_i,  r_i = u_i (y_i − p_i),  q_i = u_i p_i (1 − p_i)
//
// for rows that the fit has seen, and those of the fit for the rows of the
// fold left out. u_i is w_i or 1, whichever is more: of a renewal that weighs
// 1/K at each of K snapshots the others, much alike, leave with the row. It
// serves to rank candidates only: rows of one account help each other.
//
// Source: Rad and Maleki (2020), JRSS B 82(4).
//
// Where that would take long, the fit's own log-odds are returned: with so many
// rows they hang little on any one.
func (r *ridge) leaveOneOut() []float64 {
	m := r.m
	n := m.cols
	z := make([]float64, m.rows)
	const most = 3e8 // products
	if each := float64(len(m.col)) / float64(m.rows); float64(m.rows)*each*each > most {
		m.logOdds(z, r.theta, 0, m.rows)
		return z
	}
	inverse := r.inverse
	if inverse == nil {
		inverse = r.pre.factor.inverse()
	}
	parallel(m.workers, len(m.chunks), func(k int) {
		c := m.chunks[k]
		m.logOdds(z[c.from:], r.theta, c.from, c.to)
		if c.fold == r.hold {
			return
		}
		for i := c.from; i < c.to; i++ {
			col, val := m.col[m.start[i]:m.start[i+1]], m.val[m.start[i]:m.start[i+1]]
			h := 0.0
			for a, j := range col {
				row := inverse[int(j)*n : int(j)*n+n]
				sum := float64(val[a]*row[j]) / 2
				rest := val[a+1:]
				for b, l := range col[a+1:] {
					sum += float64(rest[b] * row[l])
				}
				h += float64(2 * val[a] * sum)
			}
			p := predict.Sigmoid(z[i])
			u := max(m.w[i], 1)
			q := float64(u * p * (1 - p))
			const floor = 0.05
			z[i] -= float64(h*u*(m.y[i]-p)) / max(1-float64(h*q), floor)
		}
	})
	return z
}
