// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// Lift returns how many times the average rate churned among the tenth of the
// rows with the highest p:
//
//	L = (C / (W/10)) / (Σᵢ wᵢ yᵢ / W),  W = Σᵢ wᵢ
//
// C is the churned weight in the top tenth of W. A run of equal p on its edge
// counts with the share of its weight that fits in, which is the expectation
// over random orders of the tied rows: a constant p has lift 1. p, y and w are
// as Measure describes. The result is NaN without rows, where nobody churned,
// or with a NaN among p or w.
func Lift(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	return lift(p, y, w, ascending(p))
}

// lift is Lift for rows already ordered by p.
func lift(p, y, w []float64, order []int) float64 {
	return binCount * captured(p, y, w, nil, order, 1.0/binCount)
}
