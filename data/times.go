// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"time"
)

// Nanoseconds in 64 bits reach from September 1677 to April 2262. The whole
// years in between are the range of dates and timestamps; whatever lies
// outside is refused, never wrapped.
const (
	firstYear, lastYear = 1678, 2261

	minSecond = -9214560000 // 1678-01-01T00:00:00Z
	maxSecond = 9214646399  // 2261-12-31T23:59:59Z

	secondsPerDay = 24 * 60 * 60
	unixJulianDay = 2440588 // the Julian day number of 1970-01-01
)

// Nanos converts a count of a unit, given in nanoseconds, since 1970 into
// nanoseconds. ok is false outside the years 1678 to 2261.
func Nanos(count, unit int64) (nanos int64, ok bool) {
	v := [1]int64{count}
	ok = toNanos(v[:], unit) < 0
	return v[0], ok
}

// DayInRange reports whether a day since 1970-01-01 lies in the years 1678 to
// 2261.
func DayInRange(day int64) bool { return checkDays([]int64{day}) < 0 }

// toNanos converts counts of a unit, given in nanoseconds, since 1970 into
// nanoseconds, in place. It returns the index of the first one outside the
// range, or -1.
func toNanos(v []int64, unit int64) int {
	perSecond := int64(time.Second) / unit
	low, high := minSecond*perSecond, maxSecond*perSecond+perSecond-1
	for i, x := range v {
		if x < low || x > high {
			return i
		}
		v[i] = x * unit
	}
	return -1
}

// checkDays returns the index of the first day since 1970-01-01 outside the
// range, or -1.
func checkDays(v []int64) int {
	for i, x := range v {
		if x < minSecond/secondsPerDay || x > maxSecond/secondsPerDay {
			return i
		}
	}
	return -1
}

// daysToNanos converts days within the range to the nanosecond at which they
// begin in UTC, in place.
func daysToNanos(v []int64) {
	for i := range v {
		v[i] *= int64(24 * time.Hour)
	}
}

// int96Nanos converts the 12 bytes of a legacy timestamp. Outside the range of
// 64 bits the result is the nearest end of it, which toNanos refuses.
//
// Source: the convention of Impala, Hive and Spark (nanoseconds of the day in
// 8 bytes, then the Julian day number in 4).
func int96Nanos(nanos uint64, julian uint32) int64 {
	days := int64(julian) - unixJulianDay
	if nanos > math.MaxInt64 || days > maxSecond/secondsPerDay {
		return math.MaxInt64
	}
	if days < minSecond/secondsPerDay {
		return math.MinInt64
	}
	start := days * int64(24*time.Hour)
	if start > 0 && int64(nanos) > math.MaxInt64-start {
		return math.MaxInt64
	}
	return start + int64(nanos)
}

// outOfRange describes a date or timestamp that toNanos or checkDays refused.
func outOfRange(v int64, as meaning) string {
	var at time.Time
	switch as {
	case asInt96: // by now only one end of the range or the other
		return fmt.Sprintf("holds a timestamp outside the years %d to %d", firstYear, lastYear)
	case asDays:
		at = time.Unix(0, 0).UTC().AddDate(0, 0, int(min(max(v, math.MinInt32), math.MaxInt32)))
	case asMillis:
		at = time.UnixMilli(v)
	case asMicros:
		at = time.UnixMicro(v)
	default:
		at = time.Unix(0, v)
	}
	return fmt.Sprintf("holds %s; dates and times must lie in the years %d to %d",
		at.UTC().Format("2006-01-02"), firstYear, lastYear)
}
