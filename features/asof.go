// SPDX-License-Identifier: Apache-2.0

package features

import (
	"sort"

	"github.com/holdfast-churn/holdfast/data"
)

// visible is the point-in-time rule for events: an event may be used at
// snapshot t if it happened before t and was known before t, both strictly.
// Known includes the source's declared lag and is never before Time.
func visible(e *data.Event, t int64) bool { return seen(e.Time, e.Known, t) }

// seen is the rule itself, for an event that is not spelled out. Sums over
// intervals (intervals.go) keep to it by days, or leave the account to visible.
func seen(time, known, t int64) bool { return time < t && known < t }

// knownBy is the rule for dates of contracts, which have day resolution: a
// start, a notice or a signature counts at t if it is given and not after t.
func knownBy(date, t int64) bool { return date != data.NoTime && date <= t }

// before returns how many of an account's events, ordered by time, happened
// before t. Those known later are still among them: test each with visible.
func before(events []data.Event, t int64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].Time >= t })
}

// VersionAt returns the version of an account that was true at t, a place in
// History.Versions and a row of its attributes: the last one
// that had begun. ok is false where none had.
func VersionAt(h *data.History, a *data.Account, t int64) (row int, ok bool) {
	for i := a.EndVersion - 1; i >= a.FirstVersion; i-- {
		if from := h.Versions[i].From; from == data.NoTime || knownBy(from, t) {
			return int(i), true
		}
	}
	return 0, false
}
