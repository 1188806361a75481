// SPDX-License-Identifier: Apache-2.0

package train

import (
	"unsafe"

	"github.com/holdfast-churn/holdfast/data/vector"
)

//go:generate go run ./asm

// simd is the best that this processor and its system can do. Tests set it to
// less.
var simd = vector.Best()

// crossProduct is crossProductGo.
func crossProduct(h, a, b []float64, rows, stride int) {
	if simd == vector.Portable || rows == 0 {
		crossProductGo(h, a, b, rows, stride)
		return
	}
	_, _, _ = h[stride*stride-1], a[rows*stride-1], b[rows*stride-1]
	for j := 0; j < stride; j += 8 {
		for k := j; k < stride; {
			k += exactTile(rows, stride-k, &a[j], 1, stride, &b[k], stride, &h[j*stride+k], stride)
		}
	}
}

// rankUpdate is rankUpdateGo.
func rankUpdate(c, a, b []float64, depth, rows, cols, stride int) {
	if simd == vector.Portable || depth == 0 || rows == 0 || cols == 0 {
		rankUpdateGo(c, a, b, depth, rows, cols, stride)
		return
	}
	_, _, _ = c[(rows-1)*stride+cols-1], a[(depth-1)*stride+rows-1], b[(depth-1)*stride+cols-1]
	for k := 0; k < cols; {
		width := 0 // so many columns of b stay near while those of a pass
		for j := 0; j < rows; j += 8 {
			width = exactTile(depth, cols-k, &a[j], 1, stride, &b[k], stride, &c[j*stride+k], stride)
		}
		k += width
	}
}

// predictMany is predictManyGo.
func predictMany(z, x, theta []float64, rows, stride int) {
	r := 0
	if simd != vector.Portable {
		_, _ = x[rows*stride-1], theta[stride*vectors-1]
		for ; r+8 <= rows; r += 8 {
			exactTile(stride, vectors, &x[r*stride], stride, 1, &theta[0], vectors, &z[r*vectors], vectors)
		}
	}
	predictManyGo(z[r*vectors:], x[r*stride:], theta, rows-r, stride)
}

// gradientMany is gradientManyGo.
func gradientMany(g, x, e []float64, rows, stride int) {
	if simd == vector.Portable || rows == 0 {
		gradientManyGo(g, x, e, rows, stride)
		return
	}
	_, _, _ = x[rows*stride-1], e[rows*vectors-1], g[stride*vectors-1]
	for j := 0; j < stride; j += 8 {
		exactTile(rows, vectors, &x[j], 1, stride, &e[0], vectors, &g[j*vectors], vectors)
	}
}

// exactTile adds A B to a tile of C of 8 rows and as many of the given columns
// as the widest kernel takes, and returns their number. Strides are in elements:
// those of A by row and by p, of B by p, of C by row; k is the number of p.
func exactTile(k, columns int, a *float64, ai, ap int, b *float64, bp int, c *float64, ci int) int {
	ai, ap, bp, ci = 8*ai, 8*ap, 8*bp, 8*ci
	switch {
	case simd == vector.AVX2:
		exactTile4x8AVX2(k, a, ai, ap, b, bp, c, ci)
		exactTile4x8AVX2(k, offset(a, 4*ai), ai, ap, b, bp, offset(c, 4*ci), ci)
		return 8
	case columns >= 24 && columns != 32: // 32 is two of 16
		exactTile8x24AVX512(k, a, ai, ap, b, bp, c, ci)
		return 24
	case columns >= 16:
		exactTile8x16AVX512(k, a, ai, ap, b, bp, c, ci)
		return 16
	default:
		exactTile8x8AVX512(k, a, ai, ap, b, bp, c, ci)
		return 8
	}
}

// offset returns the element that lies bytes further on in the same array.
func offset[T float32 | float64](p *T, bytes int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), bytes))
}

// predict1 is predict1Go.
func predict1(z, x, theta []float64, rows, stride int) {
	whole := rows &^ 3
	if whole > 0 {
		_, _, _ = x[whole*stride-1], theta[stride-1], z[whole-1]
		switch simd {
		case vector.AVX512:
			predict1AVX512(whole, stride, &x[0], &theta[0], &z[0])
		case vector.AVX2:
			predict1AVX2(whole, stride, &x[0], &theta[0], &z[0])
		default:
			whole = 0
		}
	}
	predict1Go(z[whole:], x[whole*stride:], theta, rows-whole, stride)
}

// gradient1 is gradient1Go.
func gradient1(g, x, e []float64, rows, stride int) { addRows(g[:stride], x, e[:rows], stride) }

// addRows is addRowsGo.
func addRows(dst, a, w []float64, stride int) {
	rows, whole := len(w), len(dst)&^7
	if simd == vector.Portable || rows == 0 || whole == 0 {
		addRowsGo(dst, a, w, stride)
		return
	}
	_ = a[(rows-1)*stride+len(dst)-1]
	for j := 0; j < whole; {
		left := whole - j
		switch {
		case simd == vector.AVX512 && left >= 64:
			gradient1x64AVX512(rows, &a[j], stride, &w[0], &dst[j])
			j += 64
		case simd == vector.AVX512 && left >= 32:
			gradient1x32AVX512(rows, &a[j], stride, &w[0], &dst[j])
			j += 32
		case simd == vector.AVX512 && left >= 16:
			gradient1x16AVX512(rows, &a[j], stride, &w[0], &dst[j])
			j += 16
		case simd == vector.AVX512:
			gradient1x8AVX512(rows, &a[j], stride, &w[0], &dst[j])
			j += 8
		case left >= 32:
			gradient1x32AVX2(rows, &a[j], stride, &w[0], &dst[j])
			j += 32
		case left >= 16:
			gradient1x16AVX2(rows, &a[j], stride, &w[0], &dst[j])
			j += 16
		default:
			gradient1x8AVX2(rows, &a[j], stride, &w[0], &dst[j])
			j += 8
		}
	}
	if whole < len(dst) {
		addRowsGo(dst[whole:], a[whole:], w, stride)
	}
}

// scaleRows is scaleRowsGo.
func scaleRows(dst, x, q []float64, rows, stride int) {
	if simd == vector.Portable || rows == 0 {
		scaleRowsGo(dst, x, q, rows, stride)
		return
	}
	_, _, _ = dst[rows*stride-1], x[rows*stride-1], q[rows-1]
	if simd == vector.AVX512 {
		exactScaleAVX512(rows, stride, &dst[0], &x[0], &q[0])
		return
	}
	exactScaleAVX2(rows, stride, &dst[0], &x[0], &q[0])
}

// logistic is logisticGo.
func logistic(p, l, z []float64) {
	whole := len(z) &^ 7
	if whole > 0 {
		_, _ = p[whole-1], l[whole-1]
		switch simd {
		case vector.AVX512:
			logisticAVX512(whole, &p[0], &l[0], &z[0])
		case vector.AVX2:
			logisticAVX2(whole, &p[0], &l[0], &z[0])
		default:
			whole = 0
		}
	}
	logisticGo(p[whole:], l[whole:], z[whole:])
}
