// SPDX-License-Identifier: Apache-2.0

package train

import "math"

// A weighted value, for quantiles.
type weighted struct{ x, w float64 }

// quantile returns the weighted q-quantile of the values: the smallest x with
//
//	Σ_{x_i ≤ x} w_i ≥ q Σ_i w_i
//
// q is in [0, 1]; at equal weights and q = .5 that is the lower median. It is
// always one of the values, does not depend on their order, and is NaN where
// there is none. The slice is reordered: a quickselect with three-way
// partition, expected O(n).
func quantile(v []weighted, q float64) float64 {
	total := 0.0
	for _, e := range v {
		total += e.w
	}
	if len(v) == 0 {
		return math.NaN()
	}
	// Sums in another order differ in the last bits: a share that is meant to
	// be reached exactly must not be missed by rounding.
	need := float64(q*total) - float64(1e-9*total)
	for len(v) > 1 {
		below, equal, above := partition(v, medianOfThree(v[0].x, v[len(v)/2].x, v[len(v)-1].x))
		switch wb, we := sumWeights(below), sumWeights(equal); {
		case len(below) > 0 && need <= wb:
			v = below
		case need <= wb+we || len(above) == 0:
			return equal[0].x
		default:
			need -= wb + we
			v = above
		}
	}
	return v[0].x
}

// partition reorders v into the values below, equal to and above the pivot.
func partition(v []weighted, pivot float64) (below, equal, above []weighted) {
	lo, hi := 0, len(v)
	for i := 0; i < hi; {
		switch x := v[i].x; {
		case x < pivot:
			v[lo], v[i] = v[i], v[lo]
			lo++
			i++
		case x > pivot:
			hi--
			v[hi], v[i] = v[i], v[hi]
		default:
			i++
		}
	}
	return v[:lo], v[lo:hi], v[hi:]
}

func medianOfThree(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}

func sumWeights(v []weighted) float64 {
	sum := 0.0
	for _, e := range v {
		sum += e.w
	}
	return sum
}

// moments are the weighted mean, standard deviation and skewness of a sample,
// each with divisor Σw:
//
//	mean = Σ w x / Σ w,  m_k = Σ w (x − mean)^k / Σ w,  sd = √m₂,  skew = m₃ / m₂^1.5
type moments struct{ mean, sd, skew float64 }

// measure returns the moments of x under weights w; skew is 0 where sd is 0.
func measure(x, w []float64) moments {
	total, mean := 0.0, 0.0
	for i, xi := range x {
		total += w[i]
		mean += float64(w[i] * xi)
	}
	mean /= total
	m2, m3 := 0.0, 0.0
	for i, xi := range x {
		d := xi - mean
		t := float64(w[i] * d * d)
		m2 += t
		m3 += float64(t * d)
	}
	m2 /= total
	m3 /= total
	m := moments{mean: mean, sd: math.Sqrt(m2)}
	if m2 > 0 {
		m.skew = m3 / (m2 * m.sd)
	}
	return m
}
