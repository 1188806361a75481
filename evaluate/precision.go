// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// AveragePrecision returns the mean precision over recall, without
// interpolation:
//
//	AP = Σ_t (R_t - R_{t-1}) P_t
//
// over the different values t of p, highest first, with R_t and P_t the recall
// and the precision of the rows with p ≥ t. A constant p has the observed rate.
// p, y and w are as Measure describes. The result is NaN without rows, where
// nobody churned, or with a NaN among p or w.
//
// Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval,
// section 8.4; scikit-learn's average_precision_score.
func AveragePrecision(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	return averagePrecision(p, y, w, ascending(p))
}

func averagePrecision(p, y, w []float64, order []int) float64 {
	var all, churned, sum float64
	for hi := len(order); hi > 0; {
		lo := hi
		var found float64
		for lo > 0 && p[order[lo-1]] == p[order[hi-1]] {
			lo--
			wi := weight(w, order[lo])
			all += wi
			found += float64(wi * y[order[lo]])
		}
		churned += found
		sum += float64(found * churned / all)
		hi = lo
	}
	return sum / churned
}
