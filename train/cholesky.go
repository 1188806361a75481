// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// A cholesky is the factor U of a symmetric positive definite matrix A = U'U,
// row-major in its upper triangle; what is below it is zero. It is ours rather
// than gonum's because published weights depend on it: the order of its sums is
// fixed and no multiply-add is fused, on any processor.
type cholesky struct {
	n      int       // rows and columns of A
	size   int       // n rounded up to a multiple of strideUnit: u has as many rows
	stride int       // of a row of u, at least size
	u      []float64 // size×stride
}

// panelRows is the number of rows of U that are finished before the rest of
// the matrix hears of them, in one product: few enough that the rows, done one
// by one, cost little, and enough that the matrix is seldom read (32 and 64
// are as fast to some percent). It is a multiple of strideUnit.
const panelRows = 48

// newCholesky returns a zero factor of n rows. Its stride is an odd number of
// cache lines, so that the elements of a column lie in different sets of the
// nearest cache.
func newCholesky(n int) cholesky {
	size := (n + strideUnit - 1) / strideUnit * strideUnit
	stride := size | strideUnit
	return cholesky{n, size, stride, make([]float64, size*stride)}
}

// factorise returns the factor of a, n×n row-major, of which the upper
// triangle is read. ok is false where a is not positive definite to rounding:
// a pivot fell below 1e-13 of its diagonal element. U comes in panels of rows,
//
//	u_ii = √(a_ii − Σ_p u_pi²),   u_ij = (a_ij − Σ_p u_pi u_pj) / u_ii,
//
// and the sums over p < i too come panel by panel: for all rows below once one
// is finished, and within the panel row by row.
//
// Source: Golub and Van Loan (2013), Matrix Computations, 4th ed., 4.2.9.
func factorise(a []float64, n int) (c cholesky, ok bool) {
	c = newCholesky(n)
	for i := range n {
		copy(c.u[i*c.stride+i:], a[i*n+i:(i+1)*n])
	}
	var negative []float64 // the panel times −1
	for from := 0; from < n; from += panelRows {
		to := min(from+panelRows, n)
		if !c.finish(a, from, to) {
			return cholesky{}, false
		}
		if to == n {
			break
		}
		if negative == nil {
			negative = make([]float64, panelRows*c.stride)
		}
		for r := range panelRows {
			row := negative[r*c.stride : r*c.stride+c.size]
			for j := to; j < c.size; j++ {
				row[j] = -c.u[(from+r)*c.stride+j]
			}
		}
		for j := to; j < c.size; j += strideUnit {
			rankUpdate(c.u[j*c.stride+j:], negative[j:], c.u[from*c.stride+j:],
				panelRows, strideUnit, c.size-j, c.stride)
		}
	}
	return c, true
}

// finish makes the rows of a panel rows of U, given that the panels above have
// been subtracted. It reports false at a pivot that is too small for that of a.
func (c *cholesky) finish(a []float64, from, to int) bool {
	const singular = 1e-13 // n ε for n of some hundreds
	var weights [panelRows]float64
	for i := from; i < to; i++ {
		for p := from; p < i; p++ {
			weights[p-from] = -c.u[p*c.stride+i]
		}
		at := i / strideUnit * strideUnit // whole tiles are faster than the rest of one
		row := c.u[i*c.stride+at : i*c.stride+c.size]
		addRows(row, c.u[from*c.stride+at:], weights[:i-from], c.stride)
		clear(row[:i-at]) // what tiles left below the diagonal
		row = row[i-at:]
		pivot, diagonal := row[0], a[i*c.n+i]
		if !(pivot > singular*diagonal) { // also rejects NaN
			return false
		}
		row[0] = math.Sqrt(pivot)
		inverse := 1 / row[0]
		for j := 1; j < len(row); j++ {
			row[j] = float64(row[j] * inverse)
		}
	}
	return true
}

// scaled returns the factor of f² A.
func (c *cholesky) scaled(f float64) cholesky {
	s := newCholesky(c.n)
	for i, v := range c.u {
		s.u[i] = float64(f * v)
	}
	return s
}

// solve stores A⁻¹ b in dst and returns it; dst may be b, and a nil dst is
// made.
func (c *cholesky) solve(dst, b []float64) []float64 {
	if dst == nil {
		dst = make([]float64, c.n)
	}
	copy(dst, b)
	n, u := c.n, c.u
	var weights [panelRows]float64
	for from := 0; from < n; from += panelRows { // U'y = b
		to := min(from+panelRows, n)
		for i := from; i < to; i++ {
			y := dst[i] / u[i*c.stride+i]
			dst[i], weights[i-from] = y, -y
			row := u[i*c.stride+i+1 : i*c.stride+to]
			rest := dst[i+1 : to][:len(row)]
			for j, v := range row {
				rest[j] -= float64(v * y)
			}
		}
		addRows(dst[to:n], u[from*c.stride+to:], weights[:to-from], c.stride)
	}
	for i := n - 1; i >= 0; i-- { // U x = y
		row := u[i*c.stride : i*c.stride+n]
		dst[i] = (dst[i] - dot(row[i+1:], dst[i+1:n])) / row[i]
	}
	return dst
}

// inverse returns A⁻¹, n×n row-major, both triangles: Y = U'⁻¹ by panels of
// rows, and of each panel its part of A⁻¹ = Y'Y.
func (c *cholesky) inverse() []float64 {
	n, stride := c.n, c.stride
	y, product := newCholesky(n).u, newCholesky(n).u
	for from := 0; from < n; from += panelRows {
		to := min(from+panelRows, n)
		end := (to + strideUnit - 1) / strideUnit * strideUnit
		for p := 0; p < from; p += panelRows {
			rankUpdate(y[from*stride:], c.u[p*stride+from:], y[p*stride:], panelRows, end-from, p+panelRows, stride)
		}
		c.finishInverse(y, from, to)
		for j := 0; j < end; j += strideUnit {
			rankUpdate(product[j*stride+j:], y[from*stride+j:], y[from*stride+j:], to-from, strideUnit, end-j, stride)
		}
	}
	inverse := make([]float64, n*n)
	for i := range n {
		copy(inverse[i*n+i:(i+1)*n], product[i*stride+i:])
		for j := range i {
			inverse[i*n+j] = product[j*stride+i]
		}
	}
	return inverse
}

// finishInverse makes the rows of a panel rows of Y = U'⁻¹,
//
//	y_i = (e_i − Σ_p u_pi y_p) / u_ii,
//
// given the sum over the panels above.
func (c *cholesky) finishInverse(y []float64, from, to int) {
	var weights [panelRows]float64
	for i := from; i < to; i++ {
		for p := from; p < i; p++ {
			weights[p-from] = c.u[p*c.stride+i]
		}
		row := y[i*c.stride : i*c.stride+(i/strideUnit+1)*strideUnit]
		addRows(row, y[from*c.stride:], weights[:i-from], c.stride)
		inverse := 1 / c.u[i*c.stride+i]
		for j := range row[:i] {
			row[j] = float64(row[j] * -inverse)
		}
		row[i] = inverse
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

// logDet returns log det A.
func (c *cholesky) logDet() float64 {
	sum := 0.0
	for i := range c.n {
		sum += math.Log(c.u[i*c.stride+i])
	}
	return 2 * sum
}
