// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"testing"
	"time"
)

// A day starts at its first instant, whatever the clocks do round midnight: no
// instant before it belongs to the day, and none after it to the day before.
// The changes are those of the tz database.
func TestDayStart(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"UTC", "2024-10-27", "2024-10-27T00:00:00Z"},
		// East of Greenwich clocks that go back at one o'clock show midnight twice.
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"},
		{"Asia/Jerusalem", "2004-09-22", "2004-09-21T21:00:00Z"},
		{"Asia/Colombo", "2006-04-15", "2006-04-14T18:00:00Z"}, // by half an hour
		{"America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"},
		// Clocks that skip midnight.
		{"Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z"},
		{"America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"}, // from half past eleven
		// Samoa had no 2011-12-30: it begins where the day after does.
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Skip("no time zones on this machine")
		}
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		n := int(day.Unix() / secondsPerDay)
		at := DayStart(n, loc)
		if got := time.Unix(0, at).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s starts at %s, want %s", c.day, c.zone, got, c.want)
		}
		if DayOf(at-1, loc) >= n || DayOf(at, loc) < n {
			t.Errorf("%s in %s: the instant before its start falls on day %d, the start on day %d, want before %d and on it",
				c.day, c.zone, DayOf(at-1, loc), DayOf(at, loc), n)
		}
	}
}

// Days that 64 bits do not reach begin at the ends of the range, in order.
func TestDayStartSaturates(t *testing.T) {
	tokyo := time.FixedZone("", 9*60*60)
	for _, loc := range []*time.Location{time.UTC, tokyo} {
		if a, b := DayStart(106_751, loc), DayStart(106_752, loc); !(0 < a && a < b && b == math.MaxInt64) {
			t.Errorf("days at the end start at %d and %d", a, b)
		}
		if a, b := DayStart(-106_752, loc), DayStart(-106_751, loc); !(NoTime < a && a < b && b < 0) {
			t.Errorf("days at the beginning start at %d and %d", a, b)
		}
	}
}
