// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// lateness returns the mean number of days that payments came after their due
// date, early ones counting below 0. What was not paid by the day before the
// snapshot (less the source's lag), or was paid only later, counts as unpaid:
// with the days since its due date if that lies before the snapshot, else not
// at all. Missing where nothing counts.
func lateness(v *view) float64 {
	n, days := 0, 0
	for i := range v.events {
		if v.events[i].Value != v.events[i].Value {
			continue // no due date
		}
		due, paid, ended := data.SplitDays(v.events[i].Value)
		switch {
		case ended && paid < v.seen:
			days += paid - due
		case due < v.day:
			days += v.day - due
		default:
			continue
		}
		n++
	}
	if n == 0 {
		return math.NaN()
	}
	return float64(days) / float64(n)
}
