// SPDX-License-Identifier: Apache-2.0

package demo

import "math"

// A shopSeen holds what the tables show of a customer at a snapshot t. Windows
// are [t - W, t).
type shopSeen struct {
	returns90    float64
	late90       float64 // deliveries
	complaints90 float64
	opened90     float64 // newsletters
	orders90     float64
	orders360    float64
	ordersAll    float64

	channel int
}

// A shopEffect knows how to compute its form.
type shopEffect struct {
	Effect
	form func(*shopSeen) float64
}

// shopBase is the intercept: the log-odds of leaving at one snapshot, set so
// that a quarter to a third of those at risk order nothing in 90 days.
const shopBase = -3.9

// shopEffects are the terms of the log-odds of leaving. A feature's Pillar is
// that of shop.yaml.
var shopEffects = []shopEffect{
	{Effect{"returns_count_90d", sentiment, "min(x, 3)", .8}, func(s *shopSeen) float64 { return min(s.returns90, 3) }},
	{Effect{"deliveries_late_count_90d", relationship, "min(x, 3)", .8}, func(s *shopSeen) float64 { return min(s.late90, 3) }},
	{Effect{"contacts_complaint_count_90d", sentiment, "min(x, 3)", .7}, func(s *shopSeen) float64 { return min(s.complaints90, 3) }},
	{Effect{"orders_trend_90d_360d", utilization, "x", -.9}, orderTrend},
	{Effect{"newsletters_count_90d", engagement, "ln(1 + x) - 1.5", -.5},
		func(s *shopSeen) float64 { return math.Log1p(s.opened90) - 1.5 }},
	{Effect{"orders_count_all", utilization, "1 if x = 1, else 0", .6},
		func(s *shopSeen) float64 { return flag(s.ordersAll == 1) }},
	{Effect{"segment", "", "1 if coupon, else 0", .6}, func(s *shopSeen) float64 { return flag(s.channel == channelCoupon) }},
	{Effect{"segment", "", "1 if referral, else 0", -.6},
		func(s *shopSeen) float64 { return flag(s.channel == channelReferral) }},
}

// orderTrend compares the orders of 90 days with those of 360.
func orderTrend(s *shopSeen) float64 { return math.Log((s.orders90 + 1) / (s.orders360/4 + 1)) }

// see gathers what is seen of a customer at a day. Called for a later day than
// that up to which orders are made, it shows what will be seen if no more come.
func (l *shopLife) see(at day) *shopSeen {
	s := &shopSeen{channel: l.channel}
	for typ := range reasons {
		s.returns90 += float64(count(l.returns, typ, at-90, at))
	}
	s.late90 = float64(count(l.deliveries, late, at-90, at))
	s.complaints90 = float64(count(l.contacts, complaint, at-90, at))
	s.opened90 = float64(count(l.letters, 0, at-90, at))
	for typ := range devices {
		s.orders90 += float64(count(l.orders, typ, at-90, at))
		s.orders360 += float64(count(l.orders, typ, at-360, at))
		s.ordersAll += float64(count(l.orders, typ, l.w.start, at))
	}
	return s
}

// leaving returns the true log-odds of leaving at a snapshot,
//
//	z = shopBase + sum of Coef Form(x),
//
// rounded to nine decimals, as sigmoid is.
func leaving(s *shopSeen) float64 {
	z := shopBase
	for i := range shopEffects {
		z += float64(shopEffects[i].Coef * shopEffects[i].form(s))
	}
	return round(z, 1e9)
}
