// SPDX-License-Identifier: Apache-2.0

package train

// The matrix products that fitting spends its time in. Each works on one
// block of rows that stays in the nearest caches, keeps a tile of sums in
// registers (9 or 8: with 16 the compiler spills, and speed halves), and adds
// rows in order. The float64 conversions forbid fused multiply-add, so every
// processor gives the same bits.

// blockRows is the number of rows in a block: 64 rows of 96 columns are 48 kB,
// and of each only a few columns are in use at a time.
const blockRows = 64

// strideUnit is what row lengths are rounded up to: tiles are 2 and 3 wide.
const strideUnit = 6

// crossProduct adds the upper triangle of A'B to h in tiles of 3×3, so that a
// few elements below the diagonal are set too:
//
//	h_jk += Σ_r a_rj b_rk   for k ≥ 3⌊j/3⌋
//
// a and b are rows×stride and h stride×stride, all row-major.
func crossProduct(h, a, b []float64, rows, stride int) {
	for j := 0; j < stride; j += 3 {
		for k := j; k < stride; k += 3 {
			var s00, s01, s02, s10, s11, s12, s20, s21, s22 float64
			for r := range rows {
				av := (*[3]float64)(a[r*stride+j:])
				bv := (*[3]float64)(b[r*stride+k:])
				b0, b1, b2 := bv[0], bv[1], bv[2]
				v := av[0]
				s00 += float64(v * b0)
				s01 += float64(v * b1)
				s02 += float64(v * b2)
				v = av[1]
				s10 += float64(v * b0)
				s11 += float64(v * b1)
				s12 += float64(v * b2)
				v = av[2]
				s20 += float64(v * b0)
				s21 += float64(v * b1)
				s22 += float64(v * b2)
			}
			h0 := (*[3]float64)(h[j*stride+k:])
			h1 := (*[3]float64)(h[(j+1)*stride+k:])
			h2 := (*[3]float64)(h[(j+2)*stride+k:])
			h0[0], h0[1], h0[2] = h0[0]+s00, h0[1]+s01, h0[2]+s02
			h1[0], h1[1], h1[2] = h1[0]+s10, h1[1]+s11, h1[2]+s12
			h2[0], h2[1], h2[2] = h2[0]+s20, h2[1]+s21, h2[2]+s22
		}
	}
}

// predict4 stores four log-odds a row, z_rc = Σ_j x_rj theta_jc, in z,
// rows×4. theta is stride×4; an odd last row is computed alone.
func predict4(z, x, theta []float64, rows, stride int) {
	r := 0
	for ; r+2 <= rows; r += 2 {
		var s00, s01, s02, s03, s10, s11, s12, s13 float64
		x0 := x[r*stride : (r+1)*stride]
		x1 := x[(r+1)*stride : (r+2)*stride]
		x1 = x1[:len(x0)]
		for j, v := range x0 {
			t := (*[4]float64)(theta[4*j:])
			t0, t1, t2, t3 := t[0], t[1], t[2], t[3]
			s00 += float64(v * t0)
			s01 += float64(v * t1)
			s02 += float64(v * t2)
			s03 += float64(v * t3)
			v = x1[j]
			s10 += float64(v * t0)
			s11 += float64(v * t1)
			s12 += float64(v * t2)
			s13 += float64(v * t3)
		}
		o := (*[8]float64)(z[4*r:])
		o[0], o[1], o[2], o[3] = s00, s01, s02, s03
		o[4], o[5], o[6], o[7] = s10, s11, s12, s13
	}
	for ; r < rows; r++ {
		o := (*[4]float64)(z[4*r:])
		*o = [4]float64{}
		for j, v := range x[r*stride : (r+1)*stride] {
			for c := range 4 {
				o[c] += float64(v * theta[4*j+c])
			}
		}
	}
}

// gradient4 adds the residuals' products with the columns, g_jc += Σ_r x_rj
// e_rc, to g, stride×4. e is rows×4.
func gradient4(g, x, e []float64, rows, stride int) {
	for j := 0; j < stride; j += 2 {
		var s00, s01, s02, s03, s10, s11, s12, s13 float64
		for r := range rows {
			xv := (*[2]float64)(x[r*stride+j:])
			ev := (*[4]float64)(e[4*r:])
			e0, e1, e2, e3 := ev[0], ev[1], ev[2], ev[3]
			v := xv[0]
			s00 += float64(v * e0)
			s01 += float64(v * e1)
			s02 += float64(v * e2)
			s03 += float64(v * e3)
			v = xv[1]
			s10 += float64(v * e0)
			s11 += float64(v * e1)
			s12 += float64(v * e2)
			s13 += float64(v * e3)
		}
		o := (*[8]float64)(g[4*j:])
		o[0], o[1], o[2], o[3] = o[0]+s00, o[1]+s01, o[2]+s02, o[3]+s03
		o[4], o[5], o[6], o[7] = o[4]+s10, o[5]+s11, o[6]+s12, o[7]+s13
	}
}

// predict1 stores one log-odds a row, z_r = Σ_j x_rj theta_j, in z. A row's
// sum runs over the columns in order, in three interleaved parts.
func predict1(z, x, theta []float64, rows, stride int) {
	for r := range rows {
		var s0, s1, s2 float64
		row := x[r*stride : (r+1)*stride]
		t := theta[:len(row)]
		for j := 0; j+3 <= len(row); j += 3 {
			s0 += float64(row[j] * t[j])
			s1 += float64(row[j+1] * t[j+1])
			s2 += float64(row[j+2] * t[j+2])
		}
		z[r] = s0 + s1 + s2
	}
}

// gradient1 adds the residuals' products with the columns, g_j += Σ_r x_rj
// e_r, to g.
func gradient1(g, x, e []float64, rows, stride int) {
	for j := 0; j < stride; j += 6 {
		var s0, s1, s2, s3, s4, s5 float64
		for r := range rows {
			v := (*[6]float64)(x[r*stride+j:])
			er := e[r]
			s0 += float64(v[0] * er)
			s1 += float64(v[1] * er)
			s2 += float64(v[2] * er)
			s3 += float64(v[3] * er)
			s4 += float64(v[4] * er)
			s5 += float64(v[5] * er)
		}
		o := (*[6]float64)(g[j:])
		o[0], o[1], o[2] = o[0]+s0, o[1]+s1, o[2]+s2
		o[3], o[4], o[5] = o[3]+s3, o[4]+s4, o[5]+s5
	}
}
