// SPDX-License-Identifier: Apache-2.0

package predict

// Degrees of the B-splines.
const (
	TermDegree = 3 // of terms: cubic
	SideDegree = 2 // of the sides of pairs: quadratic
)

// SplineCount returns the number of B-splines of a degree on so many clamped
// knots, knots − 1 + degree.
func SplineCount(knots, degree int) int { return knots - 1 + degree }

// BSplines stores in dst the degree+1 B-splines B_first … B_(first+degree)
// that may be nonzero at x, and returns first; all others are 0. x is clipped
// to the range of the knots k_0 < … < k_m, which are clamped: t_i = k_0 for
// i < 0 and k_m for i > m. The values are at least 0 and sum to 1. On the
// interval k_i ≤ x < k_(i+1) (the last is closed) first = i, and the
// recursion is
//
//	B_(j,0) = 1 where t_j ≤ x < t_(j+1), else 0
//	B_(j,d) = (x − t_j)/(t_(j+d) − t_j) B_(j,d−1)
//	        + (t_(j+d+1) − x)/(t_(j+d+1) − t_(j+1)) B_(j+1,d−1)
//
// There are m + degree functions, numbered from 0. dst has degree+1 values;
// knots has at least 2, rising. NaN gives NaN.
//
// Source: de Boor, A Practical Guide to Splines, revised ed. 2001, chapter X;
// Piegl and Tiller, The NURBS Book, 2nd ed. 1997, algorithm A2.2.
func BSplines(dst []float64, knots []float64, degree int, x float64) (first int) {
	if degree == TermDegree {
		return cubic((*[TermDegree + 1]float64)(dst), knots, x)
	}
	return recursion(dst, knots, degree, x)
}

// recursion is BSplines of any degree.
func recursion(dst []float64, knots []float64, degree int, x float64) (first int) {
	m := len(knots) - 1
	x = min(max(x, knots[0]), knots[m])
	i := 0
	for i < m-1 && x >= knots[i+1] {
		i++
	}
	dst[0] = 1
	for d := 1; d <= degree; d++ {
		saved := 0.0
		for r := range d {
			right := knots[min(i+1+r, m)] - x
			left := x - knots[max(i+1+r-d, 0)]
			b := dst[r] / (right + left)
			dst[r] = saved + float64(right*b)
			saved = float64(left * b)
		}
		dst[d] = saved
	}
	return i
}

// cubic is BSplines of degree 3, the recursion written out: the same operations
// in the same order, without loops and without a branch on the interval.
func cubic(dst *[TermDegree + 1]float64, knots []float64, x float64) (first int) {
	m := len(knots) - 1
	x = within(x, knots[0], knots[m])
	i := 0
	for _, k := range knots[1:m] {
		passed := 0
		if x >= k {
			passed = 1
		}
		i += passed
	}
	left1, left2, left3 := x-knots[i], x-knots[max(i-1, 0)], x-knots[max(i-2, 0)]
	right1, right2, right3 := knots[i+1]-x, knots[min(i+2, m)]-x, knots[min(i+3, m)]-x

	b := 1 / (right1 + left1) // degree 1
	b0, b1 := float64(right1*b), float64(left1*b)

	b = b0 / (right1 + left2) // degree 2
	b0 = float64(right1 * b)
	saved := float64(left2 * b)
	b = b1 / (right2 + left1)
	b1 = saved + float64(right2*b)
	b2 := float64(left1 * b)

	b = b0 / (right1 + left3) // degree 3
	dst[0] = float64(right1 * b)
	saved = float64(left3 * b)
	b = b1 / (right2 + left2)
	dst[1] = saved + float64(right2*b)
	saved = float64(left2 * b)
	b = b2 / (right3 + left1)
	dst[2] = saved + float64(right3*b)
	dst[3] = float64(left1 * b)
	return i
}

// cumulate turns the B-splines that BSplines stored into their sums from the
// last, so that dst[r] = Σ_(s ≥ r) B_(first+s) for r ≥ 1. The sum from number
// first on, or any before it, is 1 and is stored as such in dst[0].
func cumulate(dst []float64) {
	for r := len(dst) - 2; r > 0; r-- {
		dst[r] += dst[r+1]
	}
	dst[0] = 1
}

// nearest returns the number of the value nearest to x among rising values
// with these midpoints; of two as near it is the smaller.
func nearest(midpoints []float64, x float64) int {
	k := 0
	for k < len(midpoints) && x > midpoints[k] {
		k++
	}
	return k
}

// midpoints returns the middle of each two neighbours of rising values.
func midpoints(values []float64) []float64 {
	out := make([]float64, max(len(values)-1, 0))
	for k := range out {
		out[k] = (values[k] + values[k+1]) / 2
	}
	return out
}
