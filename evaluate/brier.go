// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// Brier returns the weighted mean squared error of the probabilities:
//
//	B = Σᵢ wᵢ (pᵢ - yᵢ)² / Σᵢ wᵢ
//
// p, y and w are as Measure describes. Without rows, or with a NaN among p or
// w, the result is NaN.
//
// Source: Brier, Monthly Weather Review 78 (1950), in the two-class form that
// lies between 0 and 1.
func Brier(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	var sum, total float64
	for i := range p {
		d := p[i] - y[i]
		wi := weight(w, i)
		sum += float64(wi * float64(d*d))
		total += wi
	}
	return sum / total
}
