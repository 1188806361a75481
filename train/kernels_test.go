// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// Shapes with rows and columns that fill no tile, one, or several and a rest.
var kernelShapes = []struct{ rows, stride int }{
	{1, 8}, {3, 8}, {4, 16}, {7, 24}, {8, 32}, {9, 40}, {63, 64}, {64, 72}, {5, 96}, {64, 136}, {17, 200},
}

// normals returns n standard normal numbers.
func normals(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// sameBits fails unless two slices are equal bit for bit.
func sameBits(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// The exact kernels of every instruction set give the bits of the definitions.
func TestExactKernelsHaveTheSameBits(t *testing.T) {
	for set := range everySet(t) {
		for _, shape := range kernelShapes {
			rows, stride := shape.rows, shape.stride
			name := fmt.Sprintf("%v, %d×%d", set, rows, stride)
			r := rand.New(rand.NewPCG(uint64(rows), uint64(stride)))
			x, u := normals(r, rows*stride), normals(r, rows*stride)
			many, one := normals(r, stride*vectors), normals(r, stride)
			residuals, q := normals(r, rows*vectors), normals(r, rows)
			run := func(
				cross, predict, gradient, predictOne, gradientOne, scale func(dst, a, b []float64, rows, stride int),
			) [][]float64 {
				r := rand.New(rand.NewPCG(1, 2)) // what sums are added to
				h, z, g := normals(r, stride*stride), normals(r, rows*vectors), normals(r, stride*vectors)
				z1, g1, s := normals(r, rows), normals(r, stride), normals(r, rows*stride)
				cross(h, x, u, rows, stride)
				for j := range stride { // below the diagonal anything goes
					clear(h[j*stride : j*stride+j])
				}
				predict(z, x, many, rows, stride)
				gradient(g, x, residuals, rows, stride)
				predictOne(z1, x, one, rows, stride)
				gradientOne(g1, x, q, rows, stride)
				scale(s, x, q, rows, stride)
				return [][]float64{h, z, g, z1, g1, s}
			}
			got := run(crossProduct, predictMany, gradientMany, predict1, gradient1, scaleRows)
			want := run(crossProductGo, predictManyGo, gradientManyGo, predict1Go, gradient1Go, scaleRowsGo)
			for i, what := range []string{"cross product", "predict many", "gradient many", "predict 1", "gradient 1", "scale"} {
				sameBits(t, name+": "+what, got[i], want[i])
			}
		}
	}
}

// So do those that work on a part of a matrix, and leave the rest of it alone.
func TestExactKernelsOfPartsHaveTheSameBits(t *testing.T) {
	const stride = 72
	for set := range everySet(t) {
		for _, shape := range []struct{ depth, rows, cols, at int }{
			{1, 8, 8, 0}, {7, 8, 24, 8}, {48, 16, 32, 40}, {5, 24, 40, 3}, {64, 48, 56, 16}, {3, 8, 72, 0}, {0, 8, 8, 0},
		} {
			name := fmt.Sprintf("%v, %+v", set, shape)
			r := rand.New(rand.NewPCG(uint64(shape.depth), uint64(shape.cols)))
			a, b, w := normals(r, 64*stride), normals(r, 64*stride), normals(r, shape.depth)
			got := normals(r, 64*stride)
			want := slices.Clone(got)
			rankUpdate(got[shape.at:], a[shape.at/2:], b[shape.at:], shape.depth, shape.rows, shape.cols, stride)
			rankUpdateGo(want[shape.at:], a[shape.at/2:], b[shape.at:], shape.depth, shape.rows, shape.cols, stride)
			sameBits(t, name+": rank update", got, want)
			for _, size := range []int{shape.cols, shape.cols - 1, shape.cols - 5, 3} {
				addRows(got[shape.at:shape.at+size], a[shape.at:], w, stride)
				addRowsGo(want[shape.at:shape.at+size], a[shape.at:], w, stride)
				sameBits(t, fmt.Sprintf("%s: add rows, %d columns", name, size), got, want)
			}
		}
	}
}

// The definitions compute what their formulas say.
func TestExactKernelsComputeTheirFormulas(t *testing.T) {
	const rounding = 1e-12 // of some hundred terms of size one
	const rows, stride = 13, 16
	r := rand.New(rand.NewPCG(4, 4))
	x, u, many := normals(r, rows*stride), normals(r, rows*stride), normals(r, stride*vectors)
	h, z, g := make([]float64, stride*stride), make([]float64, rows*vectors), make([]float64, stride*vectors)
	crossProductGo(h, x, u, rows, stride)
	predictManyGo(z, x, many, rows, stride)
	gradientManyGo(g, x, z, rows, stride)
	z1, g1 := make([]float64, rows), make([]float64, stride)
	first := make([]float64, stride)
	for j := range first {
		first[j] = many[j*vectors]
	}
	predict1Go(z1, x, first, rows, stride)
	rank := make([]float64, stride*stride)
	rankUpdateGo(rank, x, u, rows, stride, stride, stride)
	gradient1Go(g1, x, z1, rows, stride)
	for j := range stride {
		for k := j; k < stride; k++ {
			want := 0.0
			for i := range rows {
				want += x[i*stride+j] * u[i*stride+k]
			}
			if got := h[j*stride+k]; !near(got, want, rounding) {
				t.Errorf("h[%d,%d] = %v, want %v", j, k, got, want)
			}
			if got := rank[j*stride+k]; !near(got, want, rounding) {
				t.Errorf("rank update[%d,%d] = %v, want %v", j, k, got, want)
			}
		}
		for c := range vectors {
			want := 0.0
			for i := range rows {
				want += x[i*stride+j] * z[i*vectors+c]
			}
			if got := g[j*vectors+c]; !near(got, want, rounding) {
				t.Errorf("g[%d,%d] = %v, want %v", j, c, got, want)
			}
		}
		if !near(g1[j], g[j*vectors], rounding) {
			t.Errorf("g[%d] = %v, want %v", j, g1[j], g[j*vectors])
		}
	}
	for i := range rows {
		for c := range vectors {
			want := 0.0
			for j := range stride {
				want += x[i*stride+j] * many[j*vectors+c]
			}
			if got := z[i*vectors+c]; !near(got, want, rounding) {
				t.Errorf("z[%d,%d] = %v, want %v", i, c, got, want)
			}
		}
		if !near(z1[i], z[i*vectors], rounding) {
			t.Errorf("z[%d] = %v, want %v", i, z1[i], z[i*vectors])
		}
	}
}

// logistic agrees with predict's sigmoid and softplus, and has the same bits
// under every instruction set, at ordinary and at extreme log-odds.
func TestLogistic(t *testing.T) {
	const ulps = 4 * 0x1p-52 // of the series and of math.Exp
	r := rand.New(rand.NewPCG(9, 9))
	z := []float64{0, math.Copysign(0, -1), 1e-300, -1e-300, 1e-17, -1e-17, 0.34657, -0.34658, 36, -36, 37, -40,
		300, -300, 699.9, -699.9, 709, -709, 1e6, -1e6, math.Inf(1), math.Inf(-1), math.NaN()}
	for range 20000 {
		z = append(z, 10*r.NormFloat64())
	}
	wantP, wantS := make([]float64, len(z)), make([]float64, len(z))
	logisticGo(wantP, wantS, z)
	for i, zi := range z {
		p, s := predict.SigmoidSoftplus(zi)
		if math.Abs(zi) > expLimit {
			continue // the limit shows in numbers below 1e-304
		}
		if !(math.Abs(wantP[i]-p) <= ulps*p) && !math.IsNaN(zi) {
			t.Errorf("sigmoid(%v) = %v, want %v", zi, wantP[i], p)
		}
		if !(math.Abs(max(zi, 0)+wantS[i]-s) <= ulps*s) && !math.IsNaN(zi) {
			t.Errorf("softplus(%v) = %v, want %v", zi, wantS[i]+max(zi, 0), s)
		}
	}
	for i, zi := range z {
		if math.IsNaN(zi) && !(math.IsNaN(wantP[i]) && math.IsNaN(wantS[i])) {
			t.Errorf("of NaN: sigmoid %v, softplus %v; want NaN", wantP[i], wantS[i])
		}
		if math.IsInf(zi, -1) && (wantP[i] > 1e-300) {
			t.Errorf("of -Inf: sigmoid %v; want about 0", wantP[i])
		}
		if math.IsInf(zi, 1) && (wantP[i] != 1 || wantS[i] > 1e-300) {
			t.Errorf("of +Inf: sigmoid %v, logarithm %v; want 1 and 0", wantP[i], wantS[i])
		}
	}
	for set := range everySet(t) {
		p, s := make([]float64, len(z)), make([]float64, len(z))
		logistic(p, s, z)
		for i := range z {
			if math.IsNaN(z[i]) && math.IsNaN(p[i]) && math.IsNaN(s[i]) {
				p[i], s[i] = wantP[i], wantS[i] // NaNs have many bits
			}
		}
		sameBits(t, fmt.Sprint(set, " sigmoid"), p, wantP)
		sameBits(t, fmt.Sprint(set, " logarithm"), s, wantS)
	}
}

func BenchmarkCrossProduct(b *testing.B) {
	const stride = 96
	r := rand.New(rand.NewPCG(1, 1))
	x, h := normals(r, blockRows*stride), make([]float64, stride*stride)
	for set := range everySet(b) {
		b.Run(fmt.Sprint(set), func(b *testing.B) {
			for b.Loop() {
				crossProduct(h, x, x, blockRows, stride)
			}
			b.ReportMetric(float64(blockRows*stride*stride*b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
		})
	}
}
