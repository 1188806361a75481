// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"math"
)

// Records are the events of one account in one source, in no special order,
// in the form in which they are held: each takes Stride words,
//
//	word 0   the time, nanoseconds since 1970-01-01
//	word 1   bits 48-63 the account's place in its part, 32-47 the class, 0-31 the packed value
//
// and then, where the source has them, the time known, the key of the id, and
// the value in full, where many are no decimals of few digits.
//
// A class is a type together with the filters that an event passes; see Class.
// Of a source read by day each takes one word; see Source.ByDay.
type Records struct {
	Words  []uint64
	Stride int
}

// Len returns the number of records.
func (r Records) Len() int { return len(r.Words) / r.Stride }

// ClassOf returns the class in word 1 of a record.
func ClassOf(word uint64) int { return int(word >> 32 & 0xffff) }

func keyWord(local int32, class uint16, value packed) uint64 {
	return uint64(local)<<48 | uint64(class)<<32 | uint64(value)
}

// Millionths returns the value of a record in millionths. exact is false for a
// value that is no whole number of them, valued for a missing one.
func (s *Source) Millionths(record []uint64) (m int64, exact, valued bool) {
	if k := record[1] & 15; k <= maxDecimals {
		return int64(int32(record[1])>>4) * toMillions[k], true, true
	}
	return s.oddMillionths(record)
}

func (s *Source) oddMillionths(record []uint64) (m int64, exact, valued bool) {
	v := s.value(record)
	if v != v {
		return 0, true, false
	}
	m, exact = ToMillionths(v)
	return m, exact, true
}

// value returns the value of a record, NaN where it is missing.
func (s *Source) value(record []uint64) float64 {
	if p := packed(record[1]); p&15 != oddValue || s.layout.wide == 0 {
		return p.number(s.odd)
	}
	return math.Float64frombits(record[s.layout.wide])
}

// Known returns when the row of a record could be seen: at its known_at where
// that is declared, never before its time, and the source's lag later.
func (s *Source) Known(record []uint64) int64 {
	known := int64(record[0])
	if s.layout.known > 0 {
		known = max(known, int64(record[s.layout.known]))
	}
	if known > math.MaxInt64-s.Lag { // a date that stands for never stays one
		return math.MaxInt64
	}
	return known + s.Lag
}

// event spells a record out, but for its day.
func (s *Source) event(record []uint64) Event {
	class := ClassOf(record[1])
	e := Event{Time: int64(record[0]), Known: s.Known(record), Value: s.value(record),
		Type: s.Classes[class].Type, Class: int32(class)}
	if s.layout.id > 0 {
		e.id = record[s.layout.id]
	}
	return e
}

// rest returns the words of a record that say more of its row than the first
// two, its value aside.
func (l *layout) rest(record []uint64) []uint64 {
	if l.wide > 0 {
		return record[2:l.wide] // the value comes last
	}
	return record[2:]
}

// An Event is one dated row. It is visible at t if Time < t and Known < t.
type Event struct {
	Time  int64
	Known int64   // when the row could be seen, never before Time
	Value float64 // NaN where not given
	Type  int32   // place in Source.Types, -1 where missing
	Class int32   // place in Source.Classes
	Day   int32   // calendar day of Time in the project's time zone, days since 1970-01-01

	id uint64
}

// compare is the total order of an account's events: time, type, id, value,
// and last what differs only between corrections: the time known and the
// filters passed. An integer id counts as a number; a text counts by a hash of
// it, an order without meaning that is always the same.
func (s *Source) compare(a, b *Event) int {
	if a.Time != b.Time {
		return cmp.Compare(a.Time, b.Time)
	}
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.id, b.id), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Known, b.Known),
		cmp.Compare(s.Classes[a.Class].Match, s.Classes[b.Class].Match))
}
