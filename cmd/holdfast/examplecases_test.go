// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"
)

var never = math.NaN() // the value of an event or a feature that has none

// The cases of TestExamples. Comments give the arithmetic of each feature of
// the account by-hand at 2025-06-16; handDay has the windows' first days.
var examples = []exampleProject{
	{
		name: "startup",
		streams: []stream{
			{"daily", "", 4, .6, around(6, 2)},
			{"updates", "", 30, .5, one},
			{"feedback", "praise", 60, .5, around(4, .3)},
			{"feedback", "complaint", 60, -.5, around(2, .3)},
		},
		events: []handEvent{
			{"daily", "2025-05-16 23:59", "", 40}, // a minute before the 30 days
			{"daily", "2025-05-17 00:00", "", 10},
			{"daily", "2025-05-20 10:00", "", 14},
			{"daily", "2025-06-02 10:00", "", 12},
			{"daily", "2025-06-05 10:00", "", 9},
			{"daily", "2025-06-10 10:00", "", 6},
			{"daily", "2025-06-15 23:59", "", 3},
			{"daily", "2025-06-16 00:00", "", 50}, // the snapshot's first instant is not seen at it
			{"updates", "2025-03-17 12:00", "", 1},
			{"updates", "2025-04-17 00:00", "", 1}, // 60 days before the snapshot
			{"updates", "2025-05-17 00:00", "", 1}, // 30
			{"updates", "2025-06-01 00:00", "", 1}, // 15
			{"feedback", "2025-05-10 09:00", "praise", 5},
			{"feedback", "2025-06-01 09:00", "complaint", 2},
			{"feedback", "2025-06-15 09:00", "complaint", 1}, // read on 06-16 at 09:00: not known yet
		},
		want: map[string]float64{
			"dau_mean_30d":        9, // (10 + 14 + 12 + 9 + 6 + 3) / 6
			"dau_max_30d":         14,
			"use_days_7d":         2,                                    // 06-10 and 06-15
			"use_trend_7d_30d":    math.Log((2. + 1) / (6.*7./30. + 1)), // 2 in 7 days, 6 in 30: ln(3 / 2.4)
			"updates_90d":         3,                                    // all but 03-17
			"update_recency":      15,                                   // 06-01 to 06-16
			"feedback_mean_90d":   3.5,                                  // (5 + 2) / 2
			"feedback_last":       2,                                    // of 06-01
			"complaints_90d":      1,                                    // of 06-01
			"longest_silence_30d": 13,                                   // 05-20 to 06-02; the others are 3, 3, 5 and 5 days
			"updates_decayed":     .25 + .5 + math.Sqrt(.5),             // .5^(60/30) + .5^(30/30) + .5^(15/30)
			"bad_feedback_90d":    1,                                    // the 2 of 06-01; the 1 is not known yet
		},
	},
	{
		name:    "shop",
		created: "2025-03-08", // 100 days before the snapshot
		streams: []stream{
			{"orders", "", 25, .5, around(50, 5)},
			{"contacts", "question", 60, 0, nil},
			{"contacts", "complaint", 70, -.6, nil},
			{"returns", "damaged", 120, -.5, around(20, -3)},
			{"returns", "wrong_size", 90, 0, around(20, 0)},
		},
		events: []handEvent{
			{"orders", "2025-03-17 18:00", "", 500}, // a day before the 90
			{"orders", "2025-03-18 00:00", "", 40},
			{"orders", "2025-04-20 18:00", "", 60},
			{"orders", "2025-05-30 18:00", "", 20},
			{"contacts", "2025-04-25 11:00", "question", never},
			{"contacts", "2025-06-01 11:00", "complaint", never},
			{"contacts", "2025-06-03 11:00", "question", never},
			{"returns", "2025-05-05 15:00", "damaged", 15.5},
			{"returns", "2025-06-05 15:00", "wrong_size", 20},
		},
		want: map[string]float64{
			"orders_90d":           3,
			"order_trend_30d_90d":  0,  // 1 in 30 days, 3 in 90: ln(2 / (3/3 + 1))
			"order_recency":        17, // 05-30 to 06-16
			"order_value_mean_90d": 40, // (40 + 60 + 20) / 3
			"contacts_90d":         3,
			"complaints_90d":       1,
			"returns_90d":          2,
			"refunds_90d":          35.5, // 15.5 + 20
			"damaged_90d":          1,
			"orders_per_day_1y":    .04, // 4 orders in min(365, 100) days as a customer
			"contact_weight_90d":   5,   // 1 + 3 + 1
			"large_orders_1y":      3,   // 500, 40 and 60
		},
	},
	{
		name: "survey",
		streams: []stream{
			{"nps", "", 80, .3, rating(7, 1.8, 0, 10)},
			{"csat", "", 40, 0, rating(3.7, .7, 1, 5)},
		},
		events: []handEvent{
			{"nps", "2024-06-15 10:00", "", 0}, // more than a year ago
			{"nps", "2024-09-01 10:00", "", 10},
			{"nps", "2024-12-01 10:00", "", 9},
			{"nps", "2025-03-01 10:00", "", 7},
			{"nps", "2025-06-01 10:00", "", 3},
			{"csat", "2025-03-20 10:00", "", 5},
			{"csat", "2025-04-11 10:00", "", 4},
			{"csat", "2025-05-02 10:00", "", 4},
			{"csat", "2025-06-02 10:00", "", 2},
			{"csat", "2025-06-03 10:00", "", 1},
		},
		want: map[string]float64{
			"nps_last":         3,
			"nps_mean_1y":      7.25, // (10 + 9 + 7 + 3) / 4
			"nps_worst_1y":     3,    // the 0 is too old
			"nps_answers_1y":   4,
			"csat_mean_90d":    3.2, // (5 + 4 + 4 + 2 + 1) / 5
			"csat_answers_90d": 5,
			"nps_1y":           25,  // promoters 10 and 9, 50 %; detractor 3, 25 %; the 7 is neither
			"nps_change":       -4,  // 3 after 7
			"nps_tenure":       366, // 2024-06-15 to 2025-06-16
			"csat_90d":         55,  // 3 of 5 are 4 or better, as if 2.5 of 5 more were: (300 + 5 x 50) / (5 + 5)
		},
	},
	{
		name: "payments",
		streams: []stream{
			{"payments", "paid", 30, 0, daysLate},
			{"payments", "failed", 150, -.5, nil},
		},
		events: []handEvent{
			{"payments", "2024-11-15 09:00", "paid", 21}, // within the year, not within 90 days
			{"payments", "2025-03-30 09:00", "paid", -3}, // three days early
			{"payments", "2025-05-02 09:00", "failed", never},
			{"payments", "2025-05-08 09:00", "paid", 12},
			{"payments", "2025-06-04 09:00", "paid", 6},
			{"payments", "2025-06-20 09:00", "failed", never}, // after the snapshot
		},
		want: map[string]float64{
			"days_late_mean_90d":  5, // (-3 + 12 + 6) / 3
			"days_late_worst_1y":  21,
			"days_late_last":      6,
			"failed_90d":          1,
			"failed_recency":      45, // 05-02 to 06-16: 29 days of May, 16 of June
			"lateness_90d":        5,  // as the mean of the values: -3, 12 and 6 days
			"failed_per_paid_90d": 1. / 3,
		},
	},
	{
		name: "adoption",
		streams: []stream{
			{"usage", "dashboards", 8, .4, around(12, 2)},
			{"usage", "exports", 25, .5, around(4, 0)},
			{"usage", "alerts", 40, .5, around(3, 0)},
			{"usage", "api", 60, .7, around(1, 0)},
		},
		events: []handEvent{
			{"usage", "2025-03-01 10:00", "alerts", 30},
			{"usage", "2025-05-16 10:00", "alerts", 5}, // the day before the 30
			{"usage", "2025-05-17 10:00", "dashboards", 10},
			{"usage", "2025-05-20 10:00", "dashboards", 8},
			{"usage", "2025-05-20 16:00", "dashboards", 2},
			{"usage", "2025-06-10 10:00", "exports", 4},
		},
		want: map[string]float64{
			"parts_30d":          2, // dashboards and exports
			"parts_90d":          3, // and alerts
			"dashboards_30d":     3,
			"export_recency":     6,                                     // 06-10 to 06-16
			"api_recency":        never,                                 // never called: missing, not 0
			"minutes_30d":        24,                                    // 10 + 8 + 2 + 4
			"use_days_30d":       3,                                     // 05-17, 05-20, 06-10
			"use_trend_30d_90d":  math.Log((4. + 1) / (5.*30./90. + 1)), // 4 in 30 days, 5 in 90: ln(5 / 2.667)
			"real_use_30d":       3,                                     // 10 and 8 minutes of dashboards, 4 of exports
			"export_or_long_30d": 2,                                     // the export, and the 10 minutes
		},
	},
	{
		name: "pillars",
		streams: []stream{
			{"logins", "", 5, .6, nil},
			{"nps", "", 70, .2, rating(7, 1.5, 0, 10)},
			{"touchpoints", "referral", 200, .4, nil},
			{"touchpoints", "training", 90, .4, nil},
			{"touchpoints", "qbr", 80, .3, nil},
			{"touchpoints", "sponsor_change", 200, -.5, nil},
			{"touchpoints", "roi_report", 80, 0, around(2, .5)},
		},
		events: []handEvent{
			{"logins", "2025-04-01 08:00", "", never},
			{"logins", "2025-05-30 08:00", "", never},
			{"logins", "2025-06-13 08:00", "", never},
			{"logins", "2025-06-14 20:00", "", never},
			{"logins", "2025-06-15 08:00", "", never},
			{"touchpoints", "2024-08-01 14:00", "referral", never},
			{"touchpoints", "2025-02-01 14:00", "referral", never},
			{"touchpoints", "2025-03-17 14:00", "training", never}, // 91 days ago
			{"touchpoints", "2025-06-01 14:00", "training", never},
			{"touchpoints", "2025-04-16 14:00", "qbr", never},
			{"touchpoints", "2025-05-01 14:00", "sponsor_change", never},
			{"touchpoints", "2025-01-15 14:00", "roi_report", 1.5},
			{"touchpoints", "2025-05-15 14:00", "roi_report", 2.5},
		},
		want: map[string]float64{
			"logins_30d":            4,                                     // 05-30, 06-13 to 06-15
			"login_trend_30d_90d":   math.Log((4. + 1) / (5.*30./90. + 1)), // 4 in 30 days, 5 in 90: ln(5 / 2.667)
			"nps_last":              never,                                 // did not answer
			"referrals":             2,                                     // ever
			"trainings_90d":         1,
			"since_review":          61, // 04-16 to 06-16: 14 days of April, 31 of May, 16 of June
			"sponsor_changes_90d":   1,
			"roi_last":              2.5,
			"login_streak_30d":      3, // 06-13 to 06-15, the day before the snapshot
			"engagement_points_90d": 7, // 2 for the training of 06-01, 5 for the review of 04-16
		},
		pillars: []string{"product_utilization", "sentiment", "advocacy", "engagement", "relationship", "roi"},
	},
}

// around draws values whose standard deviation is 1 and a tenth of the mean, and
// which rise with the mood.
func around(mean, perMood float64) func(*rand.Rand, float64) float64 {
	return func(r *rand.Rand, mood float64) float64 {
		return math.Round(100*(mean+perMood*mood+(1+mean/10)*r.NormFloat64())) / 100
	}
}

// daysLate draws whole days.
func daysLate(r *rand.Rand, mood float64) float64 { return math.Round(around(4, -3)(r, mood)) }

// one is the value of what only counts.
func one(*rand.Rand, float64) float64 { return 1 }

// rating draws whole numbers from low to high.
func rating(mean, perMood, low, high float64) func(*rand.Rand, float64) float64 {
	return func(r *rand.Rand, mood float64) float64 {
		return min(max(math.Round(mean+perMood*mood+r.NormFloat64()), low), high)
	}
}
