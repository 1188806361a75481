// SPDX-License-Identifier: Apache-2.0

package demo

import "math"

// An Effect is one term of the true log-odds of churn: Coef times the Form of
// the named feature.
type Effect struct {
	Feature string  // as holdfast.yaml or the automatic set names it
	Pillar  string  // "" for facts of the contract and the calendar
	Form    string  // in x, the feature's value; where x is missing the form is 0
	Coef    float64 // log-odds per unit of Form; positive is riskier
}

// A trueEffect knows how to compute its form.
type trueEffect struct {
	Effect
	form func(*seen) float64
}

// The pillars; each has features in holdfast.yaml.
const (
	utilization  = "product_utilization"
	sentiment    = "sentiment"
	advocacy     = "advocacy" // no true effect, by construction
	engagement   = "engagement"
	relationship = "relationship"
	roi          = "roi"
)

// baseLogOdds is the intercept, set so that 8 to 12 % of renewals churn.
const baseLogOdds = -2.9

// noiseSD is the standard deviation of what moves a single renewal and shows
// in no table.
const noiseSD = .35

// effects are the terms of one feature each that a straight line describes,
// once x is put in its Form.
var effects = []trueEffect{
	{Effect{"usage_login_count_30d", utilization, "ln(1 + x) - 1.3", -.55}, loginLevel},
	{Effect{"usage_trend_30d_90d", utilization, "x", -.8}, usageTrend},
	{Effect{"nps_last", sentiment, "x - 7", -.2}, func(s *seen) float64 { return or0(s.npsLast - 7) }},
	{Effect{"nps_last is missing", sentiment, "1 or 0", .2}, func(s *seen) float64 { return flag(math.IsNaN(s.npsLast)) }},
	{Effect{"csat_mean", sentiment, "x - 4", -.4}, func(s *seen) float64 { return or0(s.csatMean - 4) }},
	{Effect{"tickets_escalated_count_90d", sentiment, "min(x, 3)", .5}, func(s *seen) float64 { return min(s.escalated90, 3) }},
	{Effect{"touchpoints_qbr_count_90d", engagement, "min(x, 2)", -.45}, func(s *seen) float64 { return min(s.qbrs90, 2) }},
	{Effect{"touchpoints_training_count_90d", engagement, "min(x, 3)", -.3},
		func(s *seen) float64 { return min(s.trainings90, 3) }},
	{Effect{"touchpoints_sponsor_change_count_90d", relationship, "min(x, 1)", .8}, sponsorLost},
	{Effect{"invoices_failed_count_90d", relationship, "min(x, 2)", .6}, func(s *seen) float64 { return min(s.failed90, 2) }},
	{Effect{"days_late_90d", relationship, "min(x, 20) / 10", .35},
		func(s *seen) float64 { return or0(min(s.daysLate90, 20) / 10) }},
	{Effect{"roi_last", roi, "x - 2", -.5}, func(s *seen) float64 { return or0(s.roiLast - 2) }},
	{Effect{"segment", "", "1 if smb, else 0", .2}, func(s *seen) float64 { return flag(s.segment == segmentSMB) }},
	{Effect{"segment", "", "1 if enterprise, else 0", -.35},
		func(s *seen) float64 { return flag(s.segment == segmentEnterprise) }},
	{Effect{"auto_renew", "", "1 or 0", -.4}, func(s *seen) float64 { return flag(s.autoRenew) }},
	{Effect{"seq", "", "1 if x = 1, else 0", .35}, func(s *seen) float64 { return flag(s.seq == 1) }},
	{Effect{"term_days", "", "1 if x < 100, else 0", -.6}, func(s *seen) float64 { return flag(s.termDays < 100) }},
}

// interaction: losing the sponsor matters most where the product is little used.
var interaction = trueEffect{
	Effect{"touchpoints_sponsor_change_count_90d, usage_login_count_30d", relationship,
		"min(x1, 1) (ln(1 + x2) - 1.3)", -.6},
	func(s *seen) float64 { return sponsorLost(s) * loginLevel(s) }}

// nonMonotone: customers who ask now and then stay; the silent and the
// troubled leave. It is least at two tickets.
var nonMonotone = trueEffect{
	Effect{"tickets_opened_count_90d", sentiment, "(min(ln(1 + x), 2.5) - 1.1)^2", .9},
	func(s *seen) float64 { d := min(math.Log1p(s.tickets90), 2.5) - 1.1; return float64(d * d) }}

// season: budgets are cut around the turn of the year.
var season = trueEffect{
	Effect{"month of the due date", "", "cos(2 pi (x - 1) / 12)", .25},
	func(s *seen) float64 { return math.Cos(2 * math.Pi * float64(s.due.date().Month()-1) / 12) }}

// drift: a market that slowly becomes harder.
var drift = trueEffect{
	Effect{"snapshot", "", "years of 365.25 days since the history's start", .12},
	func(s *seen) float64 { return s.years }}

// logOdds returns the true log-odds of churn before the noise,
//
//	z = baseLogOdds + sum of Coef Form(x) over all effects.
//
// It is rounded to nine decimals, as sigmoid is.
func logOdds(s *seen) float64 {
	z := baseLogOdds
	for i := range effects {
		z += effects[i].term(s)
	}
	z += interaction.term(s) + nonMonotone.term(s) + season.term(s) + drift.term(s)
	return round(z, 1e9)
}

func (e *trueEffect) term(s *seen) float64 { return float64(e.Coef * e.form(s)) }

// loginLevel is the form of the usage level, about 0 at the median account.
func loginLevel(s *seen) float64 { return math.Log1p(s.logins30) - 1.3 }

// usageTrend compares the last 30 days of use with the last 90.
func usageTrend(s *seen) float64 { return math.Log((s.usage30 + 1) / (s.usage90/3 + 1)) }

func sponsorLost(s *seen) float64 { return min(s.sponsors90, 1) }

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// or0 puts 0 in the place of NaN.
func or0(x float64) float64 {
	if x != x {
		return 0
	}
	return x
}

// meanOverNoise returns E[sigmoid(z + noiseSD e)], e standard normal: the best
// probability that the tables allow. Five-point Gauss-Hermite quadrature is
// exact for polynomials of degree 9; its error here is below 1e-6.
//
// Source of nodes and weights: Abramowitz and Stegun, table 25.10, rescaled to
// the standard normal.
func meanOverNoise(z float64) float64 {
	nodes := [3]float64{0, 1.355626179974266, 2.856970013872806}
	weights := [3]float64{.5333333333333333, .2220759220056126, .0112574113277207}
	p := weights[0] * sigmoid(z)
	for k := 1; k < 3; k++ {
		d := noiseSD * nodes[k]
		p += weights[k] * (sigmoid(z+d) + sigmoid(z-d))
	}
	return round(p, 1e9)
}
