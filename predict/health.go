// SPDX-License-Identifier: Apache-2.0

package predict

import "math"

// Health score constants: 60 at the base rate, 12 points for each doubling of
// the odds of churn.
const (
	baseHealth     = 60
	pointsPerTwice = 12
)

// Health turns a probability of churn into the health score,
//
//	health = 60 - 12 log2(odds(p) / odds(base)),  odds(p) = p / (1 - p),
//
// clipped to 0-100; 100 is healthy. p is in [0, 1]; p = 0 gives 100, p = 1
// gives 0. At 40 the odds of churn are 3.2 times those of the base rate.
func (s *Score) Health(p float64) float64 {
	if p <= 0 {
		return 100
	}
	if p >= 1 {
		return 0
	}
	return clipHealth(baseHealth - pointsPerTwice*math.Log2(odds(p)/odds(s.BaseRate)))
}

// PillarHealth turns a pillar's contribution to z - z_ref, in log-odds, into
// a sub-score: clip(60 - (12/ln 2) c). A pillar at the average reads 60.
func PillarHealth(c float64) float64 {
	return clipHealth(baseHealth - pointsPerTwice/math.Ln2*c)
}

// ProbAt returns the probability of churn at which the health score is h, the
// inverse of Health inside 0-100. Tier boundaries are printed with it.
func (s *Score) ProbAt(h float64) float64 {
	o := odds(s.BaseRate) * math.Exp2((baseHealth-h)/pointsPerTwice)
	return o / (1 + o)
}

func odds(p float64) float64 { return p / (1 - p) }

func clipHealth(h float64) float64 { return max(0, min(100, h)) }

// Tier names what to do about an account.
type Tier string

// The tiers, from worst to best.
const (
	AtRisk  Tier = "at_risk"
	Watch   Tier = "watch"
	Healthy Tier = "healthy"
	Loyal   Tier = "loyal"
)

// Tier returns the tier of an account: at risk below AtRisk or from AtRiskP
// on, else by the upper bounds of the health scale.
func (s *Score) Tier(p, health float64) Tier {
	switch {
	case health < s.AtRisk || p >= s.AtRiskP:
		return AtRisk
	case health < s.Watch:
		return Watch
	case health < s.Healthy:
		return Healthy
	}
	return Loyal
}
