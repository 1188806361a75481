// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// A tally is what is kept of the visible events of one type in one window. An
// account's events are added from the newest back, so that the tally of a
// longer window is that of the shorter one and more.
type tally struct {
	n        int64   // events
	valued   int64   // events with a value
	sum      float64 // of values
	min, max float64
	last     float64 // value of the newest event that has one
	days     int64   // distinct calendar days
	types    int64   // distinct event types; kept for all types together only
	newest   int32   // day of the newest event
	oldest   int32   // day of the oldest event added so far
}

func (w *tally) add(e *data.Event) {
	if w.n == 0 {
		w.newest, w.days = e.Day, 1
	} else if e.Day != w.oldest {
		w.days++
	}
	w.oldest = e.Day
	w.n++
	if v := e.Value; v == v {
		if w.valued == 0 {
			w.last, w.min, w.max = v, v, v
		}
		w.valued++
		w.sum += v
		w.min, w.max = math.Min(w.min, v), math.Max(w.max, v)
	}
}

// value returns an aggregate of the window. Counts and sums over nothing are
// 0; mean, min, max and last over nothing are missing. SPEC.md has each
// formula.
func (w *tally) value(agg Agg) float64 {
	switch agg {
	case Count:
		return float64(w.n)
	case Sum:
		return w.sum
	case ActiveDays:
		return float64(w.days)
	case Distinct:
		return float64(w.types)
	}
	if w.valued == 0 {
		return math.NaN()
	}
	switch agg {
	case Mean:
		return w.sum / float64(w.valued)
	case Min:
		return w.min
	case Max:
		return w.max
	case Last:
		return w.last
	}
	panic("features: value: not an aggregate of a window")
}

// recency returns the calendar days from the newest event to the day of the
// snapshot, missing where there is no event.
func (w *tally) recency(day int) float64 {
	if w.n == 0 {
		return math.NaN()
	}
	return float64(day - int(w.newest))
}

// trend compares the count of a short window with that of a longer one,
//
//	ln((n_short + 1) / (n_long W_short/W_long + 1)),
//
// 0 for a steady rate or no events, positive when activity grows.
func trend(short, long *tally, shortDays, longDays int) float64 {
	return math.Log((float64(short.n) + 1) / (float64(long.n)*float64(shortDays)/float64(longDays) + 1))
}
