// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/holdfast-churn/holdfast/data"
)

// A tally is what is kept of the visible events of one slot in one window. An
// account's events are added from the newest back, so that the tally of a
// longer window is that of the shorter one and more.
type tally struct {
	n        int64 // events
	valued   int64 // events with a value
	sum      total // of values
	min, max float64
	days     int64 // distinct calendar days
	types    int64 // distinct event types
	newest   int32 // day of the newest event
	oldest   int32 // day of the oldest event added so far
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
			w.min, w.max = v, v
		}
		w.valued++
		w.sum.add(v)
		w.min, w.max = math.Min(w.min, v), math.Max(w.max, v)
	}
}

// value returns an aggregate of the window. Counts and sums over nothing are
// 0; mean, min and max over nothing are missing. SPEC.md has each formula.
func (w *tally) value(agg Agg) float64 {
	switch agg {
	case Count:
		return float64(w.n)
	case Sum:
		return w.sum.value()
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
		return w.sum.value() / float64(w.valued)
	case Min:
		return w.min
	case Max:
		return w.max
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

// tenure returns the calendar days from the oldest event to the day of the
// snapshot, missing where there is no event.
func (w *tally) tenure(day int) float64 {
	if w.n == 0 {
		return math.NaN()
	}
	return float64(day - int(w.oldest))
}

// trend compares the count of a short window with that of a longer one,
//
//	ln((n_short + 1) / (n_long W_short/W_long + 1)),
//
// 0 for a steady rate or no events, positive when activity grows.
func trend(short, long *tally, shortDays, longDays int) float64 {
	return math.Log((float64(short.n) + 1) / (float64(long.n)*float64(shortDays)/float64(longDays) + 1))
}

// A total is a sum of values that does not depend on their order: values that
// are whole millionths, as money is, are added as integers of 128 bits. The
// rest are added as float64 in the order given.
type total struct {
	hi   int64
	lo   uint64
	rest float64
}

func (s *total) add(v float64) {
	if m, exact := data.ToMillionths(v); exact {
		s.addMillionths(m)
		return
	}
	s.rest += v
}

func (s *total) addMillionths(m int64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, uint64(m), 0)
	s.hi += m>>63 + int64(carry)
}

// value returns the sum as a float64: its whole part and its millionths are
// each rounded once, so that it is a function of the sum alone.
func (s *total) value() float64 {
	if s.hi == int64(s.lo)>>63 {
		m := int64(s.lo)
		return float64(m/data.Millionths) + float64(m%data.Millionths)/data.Millionths + s.rest
	}
	sum := new(big.Int).Lsh(big.NewInt(s.hi), 64)
	sum.Add(sum, new(big.Int).SetUint64(s.lo))
	whole, part := new(big.Int).QuoRem(sum, big.NewInt(data.Millionths), new(big.Int))
	f, _ := new(big.Float).SetInt(whole).Float64()
	return f + float64(part.Int64())/data.Millionths + s.rest
}
