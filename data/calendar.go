// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
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

// DayStart returns the first instant of the day (since 1970-01-01, years 1678
// to 2261) in loc. That is midnight, or the end of the gap where clocks skip
// midnight.
func DayStart(day int, loc *time.Location) int64 {
	if loc == time.UTC {
		return int64(day) * int64(24*time.Hour)
	}
	t := time.Date(1970, 1, 1+day, 0, 0, 0, 0, loc).UnixNano()
	const step = int64(15 * time.Minute) // clocks move by multiples of it, and never by more than a day
	for range 4 * 24 {
		if DayOf(t, loc) >= day {
			break
		}
		t += step
	}
	return t
}

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

// MidnightAfter returns the first day boundary after the instant t, which must
// not be NoTime.
func MidnightAfter(t int64, loc *time.Location) time.Time {
	return time.Unix(0, DayStart(DayOf(t, loc)+1, loc)).In(loc)
}
