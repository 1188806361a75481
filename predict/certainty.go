// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"runtime"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// z95 is the 95 % quantile of the standard normal.
const z95 = 1.6448536269514722

// Bounds returns the 90 % interval of the probability of one account, from its
// raw log-odds z, their variance, and its calibrated ones:
//
//	logit p ± 1.645 √(s² x'Vx + variance of the calibration map at z)
//
// It says how well p is known, not how the account will decide. With isotonic or
// bends, which state no variance, the ends z ± 1.645 √(x'Vx) go through the map.
// Shifts of segments are taken as known.
func (c *Calibration) Bounds(z, variance, calibrated float64) (low, high float64) {
	if c.Additive() {
		half := z95 * math.Sqrt(c.Slope*c.Slope*variance+max(c.Variance(z), 0))
		return Sigmoid(calibrated - half), Sigmoid(calibrated + half)
	}
	half, shift := z95*math.Sqrt(variance), calibrated-c.LogOdds(z)
	return Sigmoid(c.LogOdds(z-half) + shift), Sigmoid(c.LogOdds(z+half) + shift)
}

// leastStability is the stability below which no pillar is named as the main
// one: a refit on other accounts would as soon name another.
const leastStability = 0.6

// MixedPillar stands for the main pillar of an account of which no pillar is
// clearly ahead.
const MixedPillar = "mixed"

// setCertainty sets the intervals of p and the stability of the pillar that
// raises an account's risk most: the probability, by the uncertainty of the
// weights, that its contribution C_a stays above that of the strongest rival,
//
//	min over b of Φ((C_a − C_b) / sd(C_a − C_b))
//
// raw holds the raw log-odds and z the calibrated ones. Rows without a
// probability, and models without an Uncertainty, have neither. Some hundred
// directions are longer work than a score, so rows are shared among CPUs.
func (b *scoreBuilder) setCertainty(s *Scorer, f *features.Frame, raw, z []float64) {
	n := len(b.p)
	b.low, b.high, b.stability, b.mainPillar = make([]float64, n), make([]float64, n), make([]float64, n), make([]string, n)
	workers := max(1, min(runtime.GOMAXPROCS(0), n/rowBlock))
	data.Together(workers, func(w int) {
		var of *spread
		if b.m.Uncertainty != nil {
			of = newSpread(b.m, s, f, b.pillars)
		}
		for i := w * n / workers; i < (w+1)*n/workers; i++ {
			b.setCertaintyOf(i, of, raw[i], z[i])
		}
	})
}

// setCertaintyOf is setCertainty of one row; of is nil where nothing is known.
func (b *scoreBuilder) setCertaintyOf(i int, of *spread, raw, z float64) {
	b.low[i], b.high[i], b.stability[i] = math.NaN(), math.NaN(), math.NaN()
	if b.p[i] != b.p[i] {
		return
	}
	top := b.topPillar(i)
	if top >= 0 {
		b.mainPillar[i] = b.pillars[top]
	}
	if of == nil {
		return
	}
	c := &b.m.Calibration
	of.row(i)
	b.low[i], b.high[i] = c.Bounds(raw, of.variance(), z)
	if top < 0 {
		return
	}
	b.stability[i] = 1
	for k := range b.pillars {
		if k != top {
			gap := (b.effect[top][i] - b.effect[k][i]) / c.ReasonSlope()
			b.stability[i] = min(b.stability[i], normal(gap/of.ahead(top, k)))
		}
	}
	if b.stability[i] < leastStability {
		b.mainPillar[i] = MixedPillar
	}
}

// topPillar returns the pillar that raises the risk of a row most, −1 where
// none does.
func (b *scoreBuilder) topPillar(row int) int {
	top, most := -1, 0.0
	for k := range b.pillars {
		if e := b.effect[k][row]; e > most {
			top, most = k, e
		}
	}
	return top
}

// normal is the distribution function of the standard normal.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
