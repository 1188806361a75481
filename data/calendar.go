// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"time"
)

// instants returns a reader of a date or timestamp column as nanoseconds; a
// date counts from the start of its day in loc. An empty name reads NoTime.
func instants(t *Table, name string, loc *time.Location) (func(int) int64, error) {
	c := t.Column(name)
	switch {
	case c == nil:
		return func(int) int64 { return NoTime }, nil
	case c.Kind != Time && c.Kind != Date:
		return nil, &RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf(
			"is of type %v, a date or a timestamp is needed", c.Kind)}
	}
	return func(i int) int64 {
		switch {
		case c.Missing(i):
			return NoTime
		case c.Kind == Date:
			return DayStart(int(c.Ints[i]), loc)
		}
		return c.Ints[i]
	}, nil
}

// dates is instants for the dates of accounts and contracts. Some tools write
// those as timestamps: a column that holds nothing but midnights in UTC holds
// dates, and counts from the start of the day in loc.
func dates(t *Table, name string, loc *time.Location) (func(int) int64, error) {
	c := t.Column(name)
	if c == nil || c.Kind != Time || loc == time.UTC || !onlyMidnights(c) {
		return instants(t, name, loc)
	}
	return func(i int) int64 {
		if c.Missing(i) {
			return NoTime
		}
		return DayStart(DayOf(c.Ints[i], time.UTC), loc)
	}, nil
}

func onlyMidnights(c *Column) bool {
	for i, t := range c.Ints {
		if t%int64(24*time.Hour) != 0 && !c.Missing(i) {
			return false
		}
	}
	return true
}

// DayStart returns the first instant of the day (since 1970-01-01) in loc: that
// is midnight, the first of two where clocks go back over it, or the end of
// the gap where they skip it. A day that the clocks skip as a whole begins where
// the next one does. Days past the range of 64 bits begin at the ends of it.
func DayStart(day int, loc *time.Location) int64 {
	const last = int(math.MaxInt64 / (24 * int64(time.Hour)))
	switch {
	case day > last:
		return math.MaxInt64
	case day < -last:
		return math.MinInt64 + 1 // not NoTime
	case loc == time.UTC:
		return int64(day) * int64(24*time.Hour)
	}
	// The first instant at which the clock in loc shows midnight or later lies
	// in the first stretch between two of its changes that reaches so far.
	midnight := int64(day) * secondsPerDay
	at := time.Unix(midnight-farthestEast, 0).In(loc)
	for {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		start := max(at.Unix(), midnight-int64(offset))
		if end.IsZero() || start < end.Unix() {
			return start * int64(time.Second)
		}
		at = end
	}
}

// farthestEast is how far ahead of UTC a clock may be, in seconds: a little
// more than Alaska's was before 1867 (15 h 2 min).
const farthestEast = 16 * 60 * 60

// DayOf returns the calendar day (since 1970-01-01) of an instant in loc.
func DayOf(t int64, loc *time.Location) int {
	const day = int64(24 * time.Hour)
	if loc != time.UTC {
		_, offset := time.Unix(0, t).In(loc).Zone()
		t += int64(offset) * int64(time.Second)
	}
	d := t / day
	if t%day < 0 {
		d--
	}
	return int(d)
}

// Midnight returns the start in loc of the day that t, an instant at midnight
// UTC, is the date of. time.Date gives the second of two midnights.
func Midnight(t time.Time, loc *time.Location) time.Time {
	return time.Unix(0, DayStart(DayOf(t.UnixNano(), time.UTC), loc)).In(loc)
}

// MidnightAfter returns the first day boundary after the instant t, which must
// not be NoTime.
func MidnightAfter(t int64, loc *time.Location) time.Time {
	return time.Unix(0, DayStart(DayOf(t, loc)+1, loc)).In(loc)
}
