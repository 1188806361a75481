// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// An Accuracy is the share of right calls where each row is called churned from
// p = .5 on, beside what the commoner outcome for every row would reach: at 5 %
// churn, "everyone renews" is 95 % accurate.
type Accuracy struct {
	Accuracy Number `json:"accuracy"`
	Majority Number `json:"majority"` // max(ȳ, 1 - ȳ)
	Skill    Number `json:"skill"`    // (accuracy - majority) / (1 - majority)
}

// MeasureAccuracy returns accuracy, majority baseline and skill:
//
//	A = Σᵢ wᵢ 1[(pᵢ ≥ ½) = yᵢ] / Σᵢ wᵢ
//
// p, y and w are as Measure describes. Skill is 1 for perfect calls and 0 for
// the baseline's; it is NaN with one class only. Without rows, or with a NaN
// among p or w, all is NaN.
func MeasureAccuracy(p, y, w []float64) Accuracy {
	nan := Number(math.NaN())
	if !defined(p, y, w) {
		return Accuracy{nan, nan, nan}
	}
	var all, churned, right float64
	for i := range p {
		wi := weight(w, i)
		all += wi
		churned += float64(wi * y[i])
		if (p[i] >= 0.5) == (y[i] == 1) {
			right += wi
		}
	}
	a := Accuracy{Accuracy: Number(right / all), Majority: Number(max(churned, all-churned) / all), Skill: nan}
	if churned > 0 && churned < all {
		a.Skill = (a.Accuracy - a.Majority) / (1 - a.Majority)
	}
	return a
}
