// SPDX-License-Identifier: Apache-2.0

package train

import "github.com/holdfast-churn/holdfast/data/vector"

// fastProduct is fastProductGo. Panels of b as wide as a tile are taken one
// after the other, so that a panel stays in the nearest cache while the tiles
// of all rows are computed from it.
func fastProduct(c []float32, ldc int, a view, b []float32, ldb, m, k, n int) {
	if simd == vector.Portable || m == 0 || k == 0 || n == 0 {
		fastProductGo(c, ldc, a, b, ldb, m, k, n)
		return
	}
	_, _, _ = a.x[(m-1)*a.row+(k-1)*a.col], b[(k-1)*ldb+n-1], c[(m-1)*ldc+n-1]
	const size = 4
	ai, ap, bp, ci := size*a.row, size*a.col, size*ldb, size*ldc
	for j := 0; j < n; {
		width := panel(n - j)
		for i := 0; i < m; i += fastTile {
			at, bt, ct := &a.x[i*a.row], &b[j], &c[i*ldc+j]
			switch {
			case simd == vector.AVX2:
				fastTile4x16AVX2(k, at, ai, ap, bt, bp, ct, ci)
				fastTile4x16AVX2(k, offset(at, 4*ai), ai, ap, bt, bp, offset(ct, 4*ci), ci)
			case width == 48:
				fastTile8x48AVX512(k, at, ai, ap, bt, bp, ct, ci)
			case width == 32:
				fastTile8x32AVX512(k, at, ai, ap, bt, bp, ct, ci)
			default:
				fastTile8x16AVX512(k, at, ai, ap, bt, bp, ct, ci)
			}
		}
		j += width
	}
}

// panel returns the width of the next tile where left columns are to go.
func panel(left int) int {
	switch {
	case simd == vector.AVX2 || left == 16:
		return 16
	case left == 32 || left == 64: // 64 is two of 32
		return 32
	}
	return 48
}

// fastResidual is fastResidualGo.
func fastResidual(z, y, w []float32, rows, cols int) {
	if simd == vector.Portable || rows == 0 || cols == 0 {
		fastResidualGo(z, y, w, rows, cols)
		return
	}
	_, _, _ = z[rows*cols-1], y[rows-1], w[rows-1]
	if simd == vector.AVX512 {
		fastResidualAVX512(rows, cols, &z[0], &y[0], &w[0])
		return
	}
	fastResidualAVX2(rows, cols, &z[0], &y[0], &w[0])
}

// fastScale is fastScaleGo.
func fastScale(dst, x, q []float32, rows, stride int) {
	if simd == vector.Portable || rows == 0 {
		fastScaleGo(dst, x, q, rows, stride)
		return
	}
	_, _, _ = dst[rows*stride-1], x[rows*stride-1], q[rows-1]
	if simd == vector.AVX512 {
		fastScaleAVX512(rows, stride, &dst[0], &x[0], &q[0])
		return
	}
	fastScaleAVX2(rows, stride, &dst[0], &x[0], &q[0])
}
