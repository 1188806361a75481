// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// AUC returns the probability that a churned row has a higher p than a row
// that stayed, ties counting one half:
//
//	A = Σᵢ Σⱼ wᵢ wⱼ (1[pᵢ > pⱼ] + ½ 1[pᵢ = pⱼ]) / (Σᵢ wᵢ Σⱼ wⱼ)
//
// with i over the rows of y = 1 and j over those of y = 0,
// which is the Mann-Whitney statistic with midranks. p, y and w are as Measure
// describes. With one class only, without rows, or with a NaN among p or w, it
// is not defined and the result is NaN; for a constant p it is exactly 0.5.
//
// Source: Hanley and McNeil, Radiology 143 (1982).
func AUC(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	return auc(p, y, w, ascending(p))
}

// auc is AUC for rows already ordered by p.
func auc(p, y, w []float64, order []int) float64 {
	var below, churned, won float64 // weight of y = 0 so far, of y = 1 in all, pairs won
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(p, order, lo)
		var tied0, tied1 float64
		for _, i := range order[lo:hi] {
			if y[i] == 1 {
				tied1 += weight(w, i)
			} else {
				tied0 += weight(w, i)
			}
		}
		won += float64(tied1 * (below + tied0/2))
		below += tied0
		churned += tied1
	}
	if below == 0 || churned == 0 {
		return math.NaN()
	}
	return won / float64(churned*below)
}
