// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// normals32 returns n standard normal numbers.
func normals32(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// wantClose fails where two slices differ by more than a tolerance.
func wantClose(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= tolerance) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// The fast kernels of every instruction set agree with Go's to rounding.
func TestFastKernels(t *testing.T) {
	const rounding = 1e-4 // of up to some 200 float32 products of size one
	for set := range everySet(t) {
		for _, s := range []struct{ m, k, n int }{
			{8, 1, 16}, {16, 5, 32}, {24, 64, 48}, {128, 61, 64}, {8, 200, 80}, {64, 17, 96}, {40, 33, 112}, {8, 9, 144},
		} {
			name := fmt.Sprintf("%v, %d×%d×%d", set, s.m, s.k, s.n)
			r := rand.New(rand.NewPCG(uint64(s.m), uint64(s.k)))
			a, b, sums := normals32(r, s.m*s.k), normals32(r, s.k*s.n), normals32(r, s.m*s.n)
			for _, v := range []view{{a, s.k, 1}, {a, 1, s.m}} { // as it stands, and transposed
				got, want := append([]float32(nil), sums...), append([]float32(nil), sums...)
				fastProduct(got, s.n, v, b, s.n, s.m, s.k, s.n)
				fastProductGo(want, s.n, v, b, s.n, s.m, s.k, s.n)
				wantClose(t, name, got, want, rounding)
			}
			y, w := normals32(r, s.k), normals32(r, s.k)
			got, want := append([]float32(nil), b...), append([]float32(nil), b...)
			for i := range got {
				got[i] *= 30
				want[i] *= 30
			}
			fastResidual(got, y, w, s.k, s.n)
			fastResidualGo(want, y, w, s.k, s.n)
			wantClose(t, name+": residual", got, want, 1e-6)
			fastScale(got, b, w, s.k, s.n)
			fastScaleGo(want, b, w, s.k, s.n)
			wantClose(t, name+": scale", got, want, 0)
		}
	}
}

// fastCross gives the upper triangle of A'B.
func TestFastCross(t *testing.T) {
	const rows, stride = 37, 48
	r := rand.New(rand.NewPCG(6, 6))
	a, b := normals32(r, rows*stride), normals32(r, rows*stride)
	for set := range everySet(t) {
		h := make([]float32, stride*stride)
		fastCross(h, a, b, rows, stride)
		for j := range stride {
			for k := j; k < stride; k++ {
				want := 0.0
				for i := range rows {
					want += float64(a[i*stride+j]) * float64(b[i*stride+k])
				}
				if got := float64(h[j*stride+k]); math.Abs(got-want) > 1e-4 {
					t.Fatalf("%v: element %d, %d is %v, want %v", set, j, k, got, want)
				}
			}
		}
	}
}

func BenchmarkFastProduct(b *testing.B) {
	const m, k, n = 128, 61, 64
	r := rand.New(rand.NewPCG(1, 1))
	x, y, c := normals32(r, m*64), normals32(r, 64*n), make([]float32, m*n)
	for set := range everySet(b) {
		b.Run(fmt.Sprint(set), func(b *testing.B) {
			for b.Loop() {
				fastProduct(c, n, view{x, 64, 1}, y, n, m, k, n)
			}
			b.ReportMetric(float64(2*m*k*n*b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
		})
	}
}
