// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"time"
)

// Days finds the calendar day of instants in one time zone. Instants that
// follow each other closely cost no look-up: the last stretch between two
// changes of the clock is kept.
type Days struct {
	Location *time.Location
	// Folded is set once a stretch was met in which a calendar day comes back
	// after the next has begun, as where clocks go back just after midnight.
	Folded bool

	start, end int64 // the stretch, in nanoseconds
	offset     int64
}

// Of returns the calendar day (since 1970-01-01) of an instant.
func (d *Days) Of(t int64) int {
	if t < d.start || t >= d.end {
		d.find(t)
	}
	const day = int64(24 * time.Hour)
	t += d.offset
	n := t / day
	if t%day < 0 {
		n--
	}
	return int(n)
}

// find makes the stretch that t lies in the current one.
func (d *Days) find(t int64) {
	d.start, d.end, d.offset = math.MinInt64, math.MaxInt64, 0
	if d.Location == nil || d.Location == time.UTC {
		return
	}
	at := time.Unix(0, t).In(d.Location)
	_, offset := at.Zone()
	d.offset = int64(offset) * int64(time.Second)
	start, end := at.ZoneBounds()
	if !start.IsZero() && start.Unix() > minSecond {
		d.start = start.UnixNano()
		d.Folded = d.Folded || DayOf(d.start-1, d.Location) > DayOf(d.start, d.Location)
	}
	if !end.IsZero() && end.Unix() < maxSecond {
		d.end = end.UnixNano()
		d.Folded = d.Folded || DayOf(d.end-1, d.Location) > DayOf(d.end, d.Location)
	}
}
