// SPDX-License-Identifier: Apache-2.0

package features

import "time"

// Labels counts the outcomes that a frame holds, each renewal once, however
// many snapshots it has. (In activity mode each snapshot is one.)
type Labels struct {
	Months []LabelMonth `json:"months"`
	Total  LabelMonth   `json:"total"`

	// What has matured in the last 365 days, or since the first outcome
	// matured where that is shorter: at this rate more will come.
	RecentChurned int     `json:"recent_churned"`
	RecentRenewed int     `json:"recent_renewed"`
	RecentDays    float64 `json:"recent_days"`
}

// A LabelMonth counts the renewals that were due in one month.
type LabelMonth struct {
	Month     string `json:"month,omitempty"`
	Churned   int    `json:"churned"`    // matured
	Renewed   int    `json:"renewed"`    // matured
	NotMature int    `json:"not_mature"` // due date and grace, or the day on which the outcome is known, are still to come
	Censored  int    `json:"censored"`   // they are past, and the outcome is not known
}

// Matured returns how many have an outcome that may train.
func (m *LabelMonth) Matured() int { return m.Churned + m.Renewed }

// LabelsOf counts the outcomes of a frame of the whole history as they were
// known at the instant now: the first midnight after the newest event.
//
// An outcome that is known before its due date, as an early signature is, is
// not mature yet: neither would a churn be (METHODS section 1).
func LabelsOf(f *Frame, o *Outcome, now int64, loc *time.Location) *Labels {
	at := make([]int, len(f.Rows))
	l := &Labels{}
	for _, name := range monthsOf(at, loc, func(i int) int64 { return f.Rows[i].Due }) {
		l.Months = append(l.Months, LabelMonth{Month: name})
	}
	const year = 365 * 24 * int64(time.Hour)
	from, first := now-year, now
	for i := range f.Rows {
		row := &f.Rows[i]
		if i > 0 && row.Contract != "" && f.Rows[i-1].Contract == row.Contract {
			continue // another snapshot of the same renewal
		}
		recent := false
		if row.Y != Unknown && row.Matured() <= now {
			first, recent = min(first, row.Matured()), row.Matured() > from
		}
		for _, m := range []*LabelMonth{&l.Months[at[i]], &l.Total} {
			m.count(row, o, now, loc)
		}
		switch {
		case recent && row.Y == 1:
			l.RecentChurned++
		case recent:
			l.RecentRenewed++
		}
	}
	l.RecentDays = float64(now-max(from, first)) / float64(24*time.Hour)
	return l
}

// count adds one renewal.
func (m *LabelMonth) count(row *Row, o *Outcome, now int64, loc *time.Location) {
	switch {
	case row.Y != Unknown && row.Matured() > now:
		m.NotMature++
	case row.Y == 1:
		m.Churned++
	case row.Y == 0:
		m.Renewed++
	case addDays(row.Due, o.GraceDays, loc) >= now: // what happens on that day is not in the data yet
		m.NotMature++
	default:
		m.Censored++
	}
}
