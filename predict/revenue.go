// SPDX-License-Identifier: Apache-2.0

package predict

import "math"

// Constants of LifetimeValue.
const (
	lifetimeYears = 5   // renewals that are looked ahead to
	yearDiscount  = 0.9 // worth of the same money a year later
)

// ValueAtRisk returns the value of a contract times its probability of churn,
// NaN where either is missing.
func ValueAtRisk(value, p float64) float64 { return value * p }

// LifetimeValue returns what a contract of a yearly value is worth with up to
// five renewals, each of them as likely as the next one,
//
//	CLV = value (1 + Σ_{k=1..5} (1−p)^k d^k),  d = 0.9,
//
// in the currency of value. p is in [0, 1]; p = 1 gives value. It is NaN where
// either is missing. A contract that would be renewed for ever counts 4.69 times
// its value.
func LifetimeValue(value, p float64) float64 {
	sum, kept := 1.0, 1.0
	for range lifetimeYears {
		kept *= (1 - p) * yearDiscount
		sum += kept
	}
	return value * sum
}

// DefaultShockSD is the standard deviation of a quarter's common shock, in
// log-odds, where no backtest says how far whole quarters were off. At 10 %
// churn it moves the rate of a quarter between 8 % and 12.5 %, two quarters of
// three.
const DefaultShockSD = 0.25

// A QuarterResult is what a backtest found in one period: n renewals of which
// Rate churned, where MeanP had been predicted.
type QuarterResult struct {
	N, Rate, MeanP float64
}

// ShockSD returns the standard deviation of the shock that is common to all
// renewals of a period, in log-odds, from how far predictions of whole periods
// were off. With O churned, E = Σp expected and V = Σp(1−p) the variance of
// independent outcomes, a period's shock is about d = (O − E)/V, with sampling
// variance 1/V, so that
//
//	sd² = max(0, (Σ_t V_t d_t² − T) / Σ_t V_t),
//
// the method of moments of DerSimonian and Laird about 0: a shift that all
// periods share is uncertainty of a forecast as well. V is taken as n MeanP
// (1 − MeanP). Fewer than three periods with a V above 0 tell nothing: ok is
// false.
func ShockSD(periods []QuarterResult) (sd float64, ok bool) {
	var q, sum float64
	n := 0
	for _, t := range periods {
		v := t.N * t.MeanP * (1 - t.MeanP)
		if !(v > 0) || !(t.Rate >= 0) {
			continue
		}
		d := t.N * (t.Rate - t.MeanP) / v
		q += v * d * d
		sum += v
		n++
	}
	if n < 3 {
		return 0, false
	}
	return math.Sqrt(max(0, (q-float64(n))/sum)), true
}
