// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Values at knots and midpoints, by hand. Quadratic on 0, 1, 2: at a double
// knot's side the first function is (1−x)², the middle ones meet at 1 with ½
// each. Cubic on 0, 1 are the Bernstein polynomials.
func TestBSplines(t *testing.T) {
	for _, test := range []struct {
		knots  []float64
		degree int
		x      float64
		first  int
		want   []float64
	}{
		{[]float64{0, 1, 2}, 2, 0, 0, []float64{1, 0, 0}},
		{[]float64{0, 1, 2}, 2, .5, 0, []float64{.25, .625, .125}},
		{[]float64{0, 1, 2}, 2, 1, 1, []float64{.5, .5, 0}},
		{[]float64{0, 1, 2}, 2, 2, 1, []float64{0, 0, 1}},
		{[]float64{0, 1, 2}, 2, 9, 1, []float64{0, 0, 1}},            // clipped
		{[]float64{0, 1, 2}, 2, math.Inf(-1), 0, []float64{1, 0, 0}}, // likewise
		{[]float64{0, 1}, 3, .5, 0, []float64{.125, .375, .375, .125}},
		{[]float64{0, 1, 2, 3, 4, 5, 6}, 3, 3, 3, []float64{1. / 6, 4. / 6, 1. / 6, 0}}, // far from the ends: the cardinal spline
	} {
		got := make([]float64, test.degree+1)
		first := BSplines(got, test.knots, test.degree, test.x)
		if first != test.first {
			t.Errorf("x = %v on %v: first %d, want %d", test.x, test.knots, first, test.first)
		}
		for r := range got {
			if math.Abs(got[r]-test.want[r]) > 1e-15 {
				t.Errorf("x = %v on %v: %v, want %v", test.x, test.knots, got, test.want)
				break
			}
		}
	}
}

// drawKnots draws 2 to 10 rising knots.
func drawKnots(t *rapid.T) []float64 {
	knots := []float64{rapid.Float64Range(-100, 100).Draw(t, "first knot")}
	for range rapid.IntRange(1, 9).Draw(t, "intervals") {
		knots = append(knots, knots[len(knots)-1]+rapid.Float64Range(1e-3, 50).Draw(t, "gap"))
	}
	return knots
}

// The B-splines at any point are at least 0 and sum to 1, there are as many as
// SplineCount says, and their sums Σ B_i g_i with the Greville points
// g_i = mean(t_(i+1) … t_(i+d)) give x back, which no other local basis does.
func TestBSplineLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		knots, degree := drawKnots(t), rapid.IntRange(1, 3).Draw(t, "degree")
		m := len(knots) - 1
		x := rapid.Float64Range(knots[0], knots[m]).Draw(t, "x")
		b := make([]float64, degree+1)
		first := BSplines(b, knots, degree, x)
		if first < 0 || first+degree >= SplineCount(len(knots), degree) {
			t.Fatalf("first %d of %d", first, SplineCount(len(knots), degree))
		}
		sum, back := 0.0, 0.0
		for r, v := range b {
			if v < 0 {
				t.Fatalf("a value of %v", v)
			}
			sum += v
			for d := 1; d <= degree; d++ {
				back += v * knots[min(max(first+r-degree+d, 0), m)] / float64(degree)
			}
		}
		if math.Abs(sum-1) > 2e-15 { // a few roundings
			t.Fatalf("sum %v", sum)
		}
		if math.Abs(back-x) > 1e-12*(1+math.Abs(x)) {
			t.Fatalf("the Greville points give %v for %v", back, x)
		}
	})
}

// Every B-spline is continuous across the knots, and smooth: its slope from
// the left is that from the right.
func TestBSplinesAreSmooth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		knots, degree := drawKnots(t), rapid.IntRange(2, 3).Draw(t, "degree")
		at := func(x float64) []float64 {
			b, all := make([]float64, degree+1), make([]float64, SplineCount(len(knots), degree))
			copy(all[BSplines(b, knots, degree, x):], b)
			return all
		}
		for k := 1; k < len(knots)-1; k++ {
			h := 1e-6 * min(knots[k]-knots[k-1], knots[k+1]-knots[k])
			left, middle, right := at(knots[k]-h), at(knots[k]), at(knots[k]+h)
			for i := range middle {
				// Second differences of a smooth function are O(h²); those of a kink are O(h) = 1e-6.
				if d := left[i] - 2*middle[i] + right[i]; math.Abs(d) > 1e-8 {
					t.Fatalf("B-spline %d of degree %d at knot %d of %v: second difference %v", i, degree, k, knots, d)
				}
			}
		}
	})
}

// The recursion that is written out gives the bits of the one in loops.
func TestCubicIsTheRecursion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		knots := drawKnots(t)
		m := len(knots) - 1
		x := rapid.OneOf(rapid.Float64Range(knots[0]-1, knots[m]+1), rapid.SampledFrom(append(knots, math.NaN(), math.Inf(1)))).Draw(t, "x")
		var got, want [TermDegree + 1]float64
		first := cubic(&got, knots, x)
		if k := recursion(want[:], knots, TermDegree, x); k != first {
			t.Fatalf("first %d, want %d", first, k)
		}
		for r := range got {
			if got[r] != want[r] && !(math.IsNaN(got[r]) && math.IsNaN(want[r])) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}
