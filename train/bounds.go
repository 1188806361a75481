// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// A limit is what a fit is told about the weight of one raw column: the side of
// 0 on which it must stay, and where its penalty pulls it.
type limit struct {
	sign  int8    // +1: 0 or more, −1: 0 or less, 0: free
	prior float64 // θ₀ of the penalty λ/2 (θ − θ₀)²
}

// joined returns the limits of a matrix of cols columns with those of a block
// after them. Columns past the end of the slice are free, with prior 0.
func joined(limits []limit, cols int, b *block) []limit {
	if b.limits == nil {
		return limits
	}
	out := make([]limit, cols, cols+b.cols)
	copy(out, limits)
	return append(out, b.limits...)
}

// prior returns θ₀ of column j.
func (m *matrix) prior(j int) float64 {
	if j < len(m.limits) {
		return m.limits[j].prior
	}
	return 0
}

// bounded returns the columns whose weights have a sign.
func (m *matrix) bounded() []int {
	var columns []int
	for j, l := range m.limits {
		if l.sign != 0 {
			columns = append(columns, j)
		}
	}
	return columns
}

// corner returns the rows and columns of (hessian + Λ)⁻¹ that belong to bounded
// columns, row-major.
func (r *ridge) corner(columns []int) []float64 {
	k, n := len(columns), len(r.theta)
	g := make([]float64, k*k)
	if r.inverse != nil {
		for a, i := range columns {
			for b, j := range columns {
				g[a*k+b] = r.inverse[i*n+j]
			}
		}
		return g
	}
	parallel(r.m.workers, k, func(a int) {
		unit := make([]float64, n)
		unit[columns[a]] = 1
		r.pre.factor.solve(unit, unit)
		for b, j := range columns {
			g[a*k+b] = unit[j]
		}
	})
	return g
}

// within bends Newton's step, to be subtracted from θ, so that it leads to the
// minimum of the quadratic model inside the bounds instead of that of all space:
// with A = hessian + Λ, y = θ − step and B the bounded columns,
//
//	min ½ (x − y)'A(x − y),  σ_j x_j ≥ 0 for j in B
//
// which is x = y + A⁻¹ E_P σ μ for the columns P pinned to 0, where all
// multipliers μ are 0 or more. All points on the way to x keep the bounds, and
// the loss falls along it, as along Newton's own step: the method is Newton's
// with an exact projection. Weights that end at a bound are 0 to the bit, and
// rounding carries none across: for 0 ≤ x ≤ θ, θ − (θ − x) is not below 0.
//
// Source: Bertsekas (1982), Projected Newton methods for optimization problems
// with simple constraints; Nocedal and Wright, section 16.5.
func (r *ridge) within(step []float64) {
	columns := r.m.bounded()
	if len(columns) == 0 {
		return
	}
	corner := r.pre.corner
	if r.inverse != nil {
		corner = r.corner(columns)
	}
	k := len(columns)
	u, scaled := make([]float64, k), make([]float64, k*k)
	for a, i := range columns {
		si := float64(r.m.limits[i].sign)
		u[a] = si * (r.theta[i] - step[i])
		for b, j := range columns {
			scaled[a*k+b] = si * float64(r.m.limits[j].sign) * corner[a*k+b]
		}
	}
	pinned, mu := complementary(scaled, u)
	push, pushed := make([]float64, len(step)), false
	for a, j := range columns {
		if pinned[a] {
			push[j], pushed = float64(r.m.limits[j].sign)*mu[a], true
		}
	}
	if pushed {
		back := make([]float64, len(step))
		r.freely(back, push)
		for j := range step {
			step[j] -= back[j]
		}
	}
	for a, j := range columns {
		if sign := float64(r.m.limits[j].sign); pinned[a] || sign*(r.theta[j]-step[j]) < 0 {
			step[j] = r.theta[j]
		}
	}
}

// complementary solves x = u + M μ, x ≥ 0, μ ≥ 0, x'μ = 0 for a symmetric
// positive definite matrix, k×k row-major: it returns which x are pinned to 0,
// and μ, 0 elsewhere. All variables on the wrong side change sides at once while
// that makes them fewer, and then the last alone, which must end.
//
// Source: Júdice and Pires (1994), A block principal pivoting algorithm for
// large-scale strictly monotone linear complementarity problems.
func complementary(m, u []float64) (pinned []bool, mu []float64) {
	k := len(u)
	pinned, mu = make([]bool, k), make([]float64, k)
	large := 0.0
	for j, v := range u {
		pinned[j] = v < 0
		large = max(large, math.Abs(v))
	}
	const rounding, patience = 1e-12, 3
	fewest, chances := k+1, patience
	for range 100 + 10*k {
		pin(mu, m, u, pinned)
		most := 0.0
		for _, v := range mu {
			most = max(most, math.Abs(v))
		}
		var wrong []int
		for j := range u {
			if pinned[j] && mu[j] < -rounding*most ||
				!pinned[j] && u[j]+dot(m[j*k:j*k+k], mu) < -rounding*large {
				wrong = append(wrong, j)
			}
		}
		switch {
		case len(wrong) == 0:
			return pinned, mu
		case len(wrong) < fewest:
			fewest, chances = len(wrong), patience
		case chances > 0:
			chances--
		default:
			wrong = wrong[len(wrong)-1:]
		}
		for _, j := range wrong {
			pinned[j] = !pinned[j]
		}
	}
	return pinned, mu
}

// pin stores the μ that take the pinned x to 0, M_PP μ_P = −u_P. A matrix that
// is singular to rounding gets a larger diagonal.
func pin(mu, m, u []float64, pinned []bool) {
	k := len(u)
	clear(mu)
	var at []int
	for j, p := range pinned {
		if p {
			at = append(at, j)
		}
	}
	n := len(at)
	if n == 0 {
		return
	}
	a, b := make([]float64, n*n), make([]float64, n)
	for extra := 0.0; ; extra = max(1e-12, 10*extra) {
		for r, i := range at {
			for c, j := range at {
				a[r*n+c] = m[i*k+j]
			}
			a[r*n+r] *= 1 + extra
			b[r] = -u[i]
		}
		if f, ok := factorise(a, n); ok || extra > 1 {
			if ok {
				f.solve(b, b)
			}
			break
		}
	}
	for r, i := range at {
		mu[i] = b[r]
	}
}

// onFace returns the penalties with those of weights that stand at a bound so
// large that they stay: the matrix of what can still move.
func (r *ridge) onFace() []float64 {
	const fixed = 1e9
	out := append([]float64{}, r.penalty...)
	for _, j := range r.m.bounded() {
		if r.theta[j] == 0 {
			out[j] += fixed * r.m.total
		}
	}
	return out
}
