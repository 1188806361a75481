// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// The targets of MinimumSize. Riley et al. recommend the first three; for the
// explained variation, where no earlier model says what to expect, they take a
// Nagelkerke R² of .15 (2020).
const (
	targetShrinkage = 0.9
	targetOptimism  = 0.05 // of Nagelkerke's R²
	targetMargin    = 0.05 // half the width of the overall risk's 95 % interval
	expectedR2      = 0.15 // of Nagelkerke's
)

// MaxCoxSnell returns the largest Cox-Snell R² that a model of a binary outcome
// with risk p, 0 < p < 1, can have:
//
//	max R² = 1 − exp(2 (p ln p + (1−p) ln(1−p)))
//
// (Riley et al. 2019, equation 23 in its limit.)
func MaxCoxSnell(p float64) float64 {
	return -math.Expm1(2 * (p*math.Log(p) + (1-p)*math.Log1p(-p)))
}

// A MinimumSize is the number of outcomes, both classes together, from which a
// logistic regression without a penalty meets each of three criteria.
type MinimumSize struct {
	Shrinkage int // (i) the weights need shrinking by 10 % or less
	Optimism  int // (ii) R² comes out at most .05 too high, as a share of its maximum
	Risk      int // (iii) the overall risk is known to ± .05
}

// NewMinimumSize returns the minimum size for P candidate weights, a risk p and
// an expected Cox-Snell R²:
//
//	(i)   n = P / ((S − 1) ln(1 − R²/S)),  S = .9
//	(ii)  the same with S = R² / (R² + .05 max R²)
//	(iii) n = (1.96/.05)² p (1 − p)
//
// each rounded up. P is ≥ 1, 0 < p < 1 and 0 < R² < min(.9, max R²); all three
// are 0 outside of that, where nothing can be said.
//
// Source: Riley, Snell, Ensor, Burke, Harrell, Moons and Collins (2019),
// Minimum sample size for developing a multivariable prediction model: part II,
// Statistics in Medicine 38, 1276-1296, sections 4.1 to 4.3; Riley et al.
// (2020), Calculating the sample size required for developing a clinical
// prediction model, BMJ 368, m441. The R package pmsampsize computes the same.
func NewMinimumSize(weights int, p, r2 float64) MinimumSize {
	if weights < 1 || !(p > 0 && p < 1) || !(r2 > 0 && r2 < min(targetShrinkage, MaxCoxSnell(p))) {
		return MinimumSize{}
	}
	z := 1.96 / targetMargin
	return MinimumSize{
		Shrinkage: int(math.Ceil(float64(weights) * perWeight(targetShrinkage, r2))),
		Optimism:  int(math.Ceil(float64(weights) * perWeight(shrinkageFor(p, r2), r2))),
		Risk:      int(math.Ceil(z * z * p * (1 - p))),
	}
}

// perWeight is 1 / ((S − 1) ln(1 − R²/S)), the outcomes that one weight needs.
func perWeight(s, r2 float64) float64 { return 1 / ((s - 1) * math.Log1p(-r2/s)) }

// shrinkageFor returns the S at which the optimism of R² is .05 of its maximum.
func shrinkageFor(p, r2 float64) float64 { return r2 / (r2 + targetOptimism*MaxCoxSnell(p)) }

// enoughFor returns the number of weights for which n outcomes meet criteria
// (i) and (ii).
func enoughFor(n int, p, r2 float64) int {
	return int(float64(n) / max(perWeight(targetShrinkage, r2), perWeight(shrinkageFor(p, r2), r2)))
}

// Weights counts the candidate weights of a frame: one a number, one more where
// only some of its values are missing, and one a level but the first. A column
// with a single value has none. The trainer may drop some (twins, rare levels);
// what was looked at counts, not what was kept.
func Weights(f *features.Frame) int {
	n := 0
	for k := range f.Columns {
		c := &f.Columns[k]
		if c.IsLevel() {
			seen := make([]bool, len(c.Levels)+1)
			levels := -1
			for _, code := range c.Codes {
				if !seen[code+1] {
					seen[code+1] = true
					levels++
				}
			}
			n += max(levels, 0)
			continue
		}
		n += numberWeights(c.Num)
	}
	return n
}

func numberWeights(x []float64) int {
	missing, varies, first := 0, false, math.NaN()
	for _, v := range x {
		switch {
		case v != v:
			missing++
		case first != first:
			first = v
		case v != first:
			varies = true
		}
	}
	n := 0
	if varies {
		n++
	}
	if missing > 0 && missing < len(x) {
		n++
	}
	return n
}
