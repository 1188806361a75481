// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// clipP bounds every probability that goes into a logarithm to
// [clipP, 1-clipP]: a certain prediction that turns out wrong costs 34.5, not
// infinity. It is the bound scikit-learn used up to version 1.2; later ones
// take 2.2e-16.
const clipP = 1e-15

// LogLoss returns the weighted mean log loss in nats:
//
//	L = -Σᵢ wᵢ [yᵢ ln pᵢ + (1 - yᵢ) ln(1 - pᵢ)] / Σᵢ wᵢ,  pᵢ clipped to [1e-15, 1 - 1e-15]
//
// p, y and w are as Measure describes. One class is no special case; without
// rows, or with a NaN among p or w, the result is NaN.
//
// Source: Good, Rational Decisions, JRSS B 14 (1952).
func LogLoss(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	var sum, total float64
	for i := range p {
		wi := weight(w, i)
		sum += float64(wi * logLossOf(p[i], y[i]))
		total += wi
	}
	return sum / total
}

// logLossOf returns the log loss of one row.
func logLossOf(p, y float64) float64 {
	p = min(max(p, clipP), 1-clipP)
	if y == 1 {
		return -math.Log(p)
	}
	return -math.Log1p(-p)
}
