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

// inverse returns A⁻¹, n×n row-major, both triangles: X = L⁻¹ by rows, then
// A⁻¹ = X'X.
func (c *cholesky) inverse() []float64 {
	n, l := c.n, c.l
	x := make([]float64, n*n)
	for i := range n {
		xi := x[i*n : i*n+i+1]
		addRows(xi, x, l[i*n:i*n+i], n, -1)
		for j := range xi[:i] {
			xi[j] /= l[i*n+i]
		}
		xi[i] = 1 / l[i*n+i]
	}
	inv := make([]float64, n*n)
	column := make([]float64, n)
	for i := range n {
		// Row i of X'X up to the diagonal: Σ_{k≥i} x_ki x_k.
		row := inv[i*n : i*n+i+1]
		for k := i; k < n; k++ {
			column[k-i] = x[k*n+i]
		}
		addRows(row, x[i*n:], column[:n-i], n, 1)
	}
	for i := range n {
		for j := range i {
			inv[j*n+i] = inv[i*n+j]
		}
	}
	return inv
}

// addRows adds sign Σ_k w_k a_k to dst, where a_k is the row k of a, n columns
// wide, as far as dst goes. Rows are added in order, four at a time.
func addRows(dst, a, w []float64, n int, sign float64) {
	size, k := len(dst), 0
	for ; k+4 <= len(w); k += 4 {
		w0, w1, w2, w3 := sign*w[k], sign*w[k+1], sign*w[k+2], sign*w[k+3]
		a0, a1 := a[k*n:k*n+size], a[(k+1)*n:(k+1)*n+size]
		a2, a3 := a[(k+2)*n:(k+2)*n+size], a[(k+3)*n:(k+3)*n+size]
		for j := range dst {
			dst[j] = dst[j] + float64(w0*a0[j]) + float64(w1*a1[j]) + float64(w2*a2[j]) + float64(w3*a3[j])
		}
	}
	for ; k < len(w); k++ {
		wk := sign * w[k]
		for j, v := range a[k*n : k*n+size] {
			dst[j] += float64(wk * v)
		}
	}
}

// dot returns Σ a_i b_i, in four interleaved sums.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return s0 + s1 + (s2 + s3)
}
