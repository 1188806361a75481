// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// The exact kernels: the float64 products that published weights come from.
// Each works on one block of rows that stays in the nearest caches. Go's
// versions in this file are the definition: every sum has its order, and no
// multiply-add is fused (the float64 conversions forbid it), so that every
// processor gives the same bits. kernels_amd64.s does the same sums several at
// a time, one a vector lane, and a test compares the bits.

// blockRows is the number of rows in a block: 64 rows of 64 columns are 32 kB,
// and of each only a few columns are in use at a time.
const blockRows = 64

// strideUnit is what row lengths are rounded up to: a cache line of float64,
// the width of a tile.
const strideUnit = 8

// crossProductGo adds the upper triangle of A'B to h in tiles of strideUnit,
// so that some elements below the diagonal may be set too:
//
//	h_jk += Σ_r a_rj b_rk   for k ≥ j
//
// a and b are rows×stride and h stride×stride, all row-major. The sum over r
// starts at zero and is added to h at the end, here as in all products below.
func crossProductGo(h, a, b []float64, rows, stride int) {
	for j := 0; j < stride; j += 2 {
		for k := j; k < stride; k += 2 {
			var s00, s01, s10, s11 float64
			for r := range rows {
				av := (*[2]float64)(a[r*stride+j:])
				bv := (*[2]float64)(b[r*stride+k:])
				s00 += float64(av[0] * bv[0])
				s01 += float64(av[0] * bv[1])
				s10 += float64(av[1] * bv[0])
				s11 += float64(av[1] * bv[1])
			}
			h[j*stride+k] += s00
			h[j*stride+k+1] += s01
			h[(j+1)*stride+k] += s10
			h[(j+1)*stride+k+1] += s11
		}
	}
}

// rankUpdateGo adds A'B to the rows×cols matrix c, of depth rows of a and b:
//
//	c_jk += Σ_r a_rj b_rk
//
// All three are parts of row-major matrices of one stride; rows and cols are
// multiples of strideUnit.
func rankUpdateGo(c, a, b []float64, depth, rows, cols, stride int) {
	w := make([]float64, depth)
	for j := range rows {
		for r := range w {
			w[r] = a[r*stride+j]
		}
		addRowsGo(c[j*stride:j*stride+cols], b, w, stride)
	}
}

// vectors is the number of weight vectors that predictMany and gradientMany
// work on at once; fewer are padded with zeros.
const vectors = 8

// predictManyGo adds the log-odds by eight weight vectors to z, rows×8:
//
//	z_rc += Σ_j x_rj theta_jc
//
// x is rows×stride and theta stride×8, row-major.
func predictManyGo(z, x, theta []float64, rows, stride int) {
	for r := range rows {
		o := (*[vectors]float64)(z[r*vectors:])
		for c := 0; c < vectors; c += 4 {
			var s0, s1, s2, s3 float64
			for j, v := range x[r*stride : (r+1)*stride] {
				t := (*[4]float64)(theta[j*vectors+c:])
				s0 += float64(v * t[0])
				s1 += float64(v * t[1])
				s2 += float64(v * t[2])
				s3 += float64(v * t[3])
			}
			o[c], o[c+1], o[c+2], o[c+3] = o[c]+s0, o[c+1]+s1, o[c+2]+s2, o[c+3]+s3
		}
	}
}

// gradientManyGo adds the products of eight vectors of residuals with the
// columns to g, stride×8:
//
//	g_jc += Σ_r x_rj e_rc
//
// x is rows×stride and e rows×8, row-major.
func gradientManyGo(g, x, e []float64, rows, stride int) {
	for j := range stride {
		o := (*[vectors]float64)(g[j*vectors:])
		for c := 0; c < vectors; c += 4 {
			var s0, s1, s2, s3 float64
			for r := range rows {
				v := x[r*stride+j]
				t := (*[4]float64)(e[r*vectors+c:])
				s0 += float64(v * t[0])
				s1 += float64(v * t[1])
				s2 += float64(v * t[2])
				s3 += float64(v * t[3])
			}
			o[c], o[c+1], o[c+2], o[c+3] = o[c]+s0, o[c+1]+s1, o[c+2]+s2, o[c+3]+s3
		}
	}
}

// predict1Go stores one log-odds a row, z_r = Σ_j x_rj theta_j, in z. A row's
// sum is in eight parts, s_i over the columns j with j mod 8 = i, which are
// added as ((s0+s4)+(s2+s6)) + ((s1+s5)+(s3+s7)).
func predict1Go(z, x, theta []float64, rows, stride int) {
	for r := range rows {
		var s0, s1, s2, s3, s4, s5, s6, s7 float64
		row := x[r*stride : (r+1)*stride]
		t := theta[:len(row)]
		for j := 0; j+8 <= len(row); j += 8 {
			a, b := (*[8]float64)(row[j:]), (*[8]float64)(t[j:])
			s0 += float64(a[0] * b[0])
			s1 += float64(a[1] * b[1])
			s2 += float64(a[2] * b[2])
			s3 += float64(a[3] * b[3])
			s4 += float64(a[4] * b[4])
			s5 += float64(a[5] * b[5])
			s6 += float64(a[6] * b[6])
			s7 += float64(a[7] * b[7])
		}
		z[r] = ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
	}
}

// gradient1Go adds the residuals' products with the columns, g_j += Σ_r x_rj
// e_r, to g.
func gradient1Go(g, x, e []float64, rows, stride int) {
	addRowsGo(g[:stride], x, e[:rows], stride)
}

// addRowsGo adds a weighted sum of rows to dst, as far as dst goes:
//
//	dst_j += Σ_r w_r a_rj
//
// Row r of a starts at r·stride.
func addRowsGo(dst, a, w []float64, stride int) {
	for len(dst) > 0 {
		var sums [64]float64
		s := sums[:min(len(sums), len(dst))]
		r := 0
		for ; r+4 <= len(w); r += 4 {
			a0, a1 := a[r*stride:][:len(s)], a[(r+1)*stride:][:len(s)]
			a2, a3 := a[(r+2)*stride:][:len(s)], a[(r+3)*stride:][:len(s)]
			w0, w1, w2, w3 := w[r], w[r+1], w[r+2], w[r+3]
			for j := range s {
				s[j] = s[j] + float64(w0*a0[j]) + float64(w1*a1[j]) + float64(w2*a2[j]) + float64(w3*a3[j])
			}
		}
		for ; r < len(w); r++ {
			for j, v := range a[r*stride:][:len(s)] {
				s[j] += float64(w[r] * v)
			}
		}
		for j, v := range s {
			dst[j] += v
		}
		dst, a = dst[len(s):], a[min(len(s), len(a)):] // a is empty where w is
	}
}

// scaleRowsGo stores q_r x_rj in dst; x and dst are rows×stride.
func scaleRowsGo(dst, x, q []float64, rows, stride int) {
	for r := range rows {
		qr, row := q[r], dst[r*stride:(r+1)*stride]
		for j, v := range x[r*stride : (r+1)*stride] {
			row[j] = float64(qr * v)
		}
	}
}

// logisticGo stores sigmoid(z_i) in p and log(1 + e^−|z_i|), the part of
// softplus(z_i) beside max(z_i, 0), in l:
//
//	e = e^−|z| = 2^−k Σ t^i/i!,           k = round(|z|/ln 2), t = k ln 2 − |z|
//	sigmoid    = (z < 0 ? e : 1)/(1 + e)
//	l          = 2 Σ u^(2i+1)/(2i+1),     u = e/(2 + e)
//
// They are predict's to 4 ulp; what is computed here has the same bits on every
// processor, which math.Exp has not. |z| above 700 counts as 700; NaN gives
// NaN. Where p and l are the same slice, l remains; either may be z.
func logisticGo(p, l, z []float64) {
	for i, zi := range z {
		a := math.Abs(zi)
		if a > expLimit {
			a = expLimit
		}
		k := float64(a*math.Log2E) + roundMagic // its low bits are the integer
		whole := k - roundMagic
		t := -((a + float64(-ln2High*whole)) + float64(-ln2Low*whole))
		e := expTerms[len(expTerms)-1]
		for j := len(expTerms) - 2; j >= 0; j-- {
			e = float64(e*t) + expTerms[j]
		}
		e *= math.Float64frombits(math.Float64bits(1) - math.Float64bits(k)<<52)
		top := 1.0
		if zi < 0 {
			top = e
		}
		p[i] = top / (1 + e)
		u := e / (e + 2)
		v := float64(u * u)
		sum := logTerms[len(logTerms)-1]
		for j := len(logTerms) - 2; j >= 0; j-- {
			sum = float64(sum*v) + logTerms[j]
		}
		l[i] = float64(sum * u)
	}
}

const (
	expLimit   = 700      // e^−700 is 1e-304, and no float64 near it is subnormal
	roundMagic = 0x1.8p52 // adding it rounds to an integer, kept in the low bits
	// ln 2 in two parts, the first with enough zero bits that k times it is
	// exact (fdlibm's).
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// expTerms are 1/i!, enough of them for |t| ≤ ln(2)/2; logTerms are 2/(2i+1),
// enough for u² ≤ 1/9.
var expTerms, logTerms = seriesTerms()

func seriesTerms() (exp [14]float64, log [17]float64) {
	factorial := 1.0
	for i := range exp {
		if i > 0 {
			factorial *= float64(i)
		}
		exp[i] = 1 / factorial
	}
	for i := range log {
		log[i] = 2 / float64(2*i+1)
	}
	return exp, log
}
