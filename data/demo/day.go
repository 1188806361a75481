// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

// A day counts from 1970-01-01; every history lies in UTC.
type day int

// never marks a date that did not happen or is not known yet.
const never day = math.MinInt32

const (
	nsPerSecond = int64(time.Second)
	nsPerHour   = int64(time.Hour)
	nsPerDay    = 24 * nsPerHour
)

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// date returns the midnight that begins the day.
func (d day) date() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// ns returns that midnight in nanoseconds since the epoch.
func (d day) ns() int64 { return int64(d) * nsPerDay }

func (d day) addMonths(n int) day { return dayOf(d.date().AddDate(0, n, 0)) }

// weekend reports whether the day is a Saturday or a Sunday; day 0 was a Thursday.
func (d day) weekend() bool { w := (int(d) + 4) % 7; return w == 0 || w == 6 }

// officeTime draws an instant between 07:00 and 20:00 of the day.
func (d day) officeTime(r *rand.Rand) int64 {
	return d.ns() + 7*nsPerHour + r.Int64N(13*60*60)*nsPerSecond
}
