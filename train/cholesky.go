// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// A cholesky is the factor L of a symmetric positive definite matrix A = L L',
// n×n row-major in its lower triangle. It is ours rather than gonum's because
// published weights depend on it: the order of its sums is fixed and no
// multiply-add is fused, on any processor.
type cholesky struct {
	n int
	l []float64
}

// factorise returns the factor of a, n×n row-major, of which the upper
// triangle is read. ok is false where a is not positive definite to rounding:
// a pivot fell below 1e-13 of its diagonal element.
func factorise(a []float64, n int) (c cholesky, ok bool) {
	const singular = 1e-13 // n ε for n of some hundreds
	l := make([]float64, n*n)
	for i := range n {
		li := l[i*n : i*n+i+1]
		for j := range i {
			lj := l[j*n : j*n+j+1]
			li[j] = (a[j*n+i] - dot(li[:j], lj[:j])) / lj[j]
		}
		pivot := a[i*n+i] - dot(li[:i], li[:i])
		if !(pivot > singular*a[i*n+i]) { // also rejects NaN
			return cholesky{}, false
		}
		li[i] = math.Sqrt(pivot)
	}
	return cholesky{n, l}, true
}

// solve stores A⁻¹ b in dst and returns it; dst may be b, and a nil dst is
// made.
func (c *cholesky) solve(dst, b []float64) []float64 {
	if dst == nil {
		dst = make([]float64, c.n)
	}
	copy(dst, b)
	n, l := c.n, c.l
	for i := range n {
		dst[i] = (dst[i] - dot(l[i*n:i*n+i], dst[:i])) / l[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		x := dst[i] / l[i*n+i]
		dst[i] = x
		for j, lij := range l[i*n : i*n+i] {
			dst[j] -= float64(lij * x)
		}
	}
	return dst
}

// inverse returns A⁻¹, n×n row-major, both triangles.
func (c *cholesky) inverse() []float64 {
	n := c.n
	inv := make([]float64, n*n)
	for i := range n {
		inv[i*n+i] = 1
		c.solve(inv[i*n:(i+1)*n], inv[i*n:(i+1)*n])
	}
	return inv
}

// dot returns Σ a_i b_i, summed in index order.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, ai := range a {
		sum += float64(ai * b[i])
	}
	return sum
}
