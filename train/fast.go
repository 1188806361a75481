// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// The fast kernels: float32 products with fused multiply-add, for fits that
// only choose. Their last bits differ from one instruction set to another, so
// nothing that is published comes from them (METHODS.md section 3).

// fastUnit is what row lengths of float32 are rounded up to: a cache line, the
// width of a tile. fastTile is the number of a tile's rows.
const (
	fastUnit = 16
	fastTile = 8
)

// A view is a float32 matrix in a longer slice: element (i, j) is at
// x[i·row + j·col]. It is how a product reads a matrix or its transpose.
type view struct {
	x        []float32
	row, col int
}

// fastProductGo adds a product to c:
//
//	c_ij += Σ_p a_ip b_pj   for i < m, p < k, j < n
//
// m is a multiple of fastTile and n one of fastUnit. b and c are row-major,
// with rows ldb and ldc apart.
func fastProductGo(c []float32, ldc int, a view, b []float32, ldb, m, k, n int) {
	for i := range m {
		for j := 0; j < n; j += 4 {
			var s0, s1, s2, s3 float32
			for p := range k {
				v := a.x[i*a.row+p*a.col]
				t := (*[4]float32)(b[p*ldb+j:])
				s0 += v * t[0]
				s1 += v * t[1]
				s2 += v * t[2]
				s3 += v * t[3]
			}
			o := (*[4]float32)(c[i*ldc+j:])
			o[0], o[1], o[2], o[3] = o[0]+s0, o[1]+s1, o[2]+s2, o[3]+s3
		}
	}
}

// fastResidualGo replaces log-odds by weighted residuals, z_rc ← w_r
// (sigmoid(z_rc) − y_r); z is rows×cols, and cols a multiple of fastUnit.
func fastResidualGo(z, y, w []float32, rows, cols int) {
	for r := range rows {
		row := z[r*cols : (r+1)*cols]
		for c, zc := range row {
			row[c] = w[r] * (float32(1/(1+math.Exp(-float64(zc)))) - y[r])
		}
	}
}

// fastScaleGo stores q_r x_rj in dst; x and dst are rows×stride.
func fastScaleGo(dst, x, q []float32, rows, stride int) {
	for r := range rows {
		qr, row := q[r], dst[r*stride:(r+1)*stride]
		for j, v := range x[r*stride : (r+1)*stride] {
			row[j] = qr * v
		}
	}
}

// fastCross adds the upper triangle of A'B to h in tiles, as crossProduct does
// in float64. a and b are rows×stride, h stride×stride.
func fastCross(h, a, b []float32, rows, stride int) {
	for j := 0; j < stride; j += fastTile {
		from := j / fastUnit * fastUnit
		fastProduct(h[j*stride+from:], stride, view{a[j:], 1, stride}, b[from:], stride, fastTile, rows, stride-from)
	}
}
