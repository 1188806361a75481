// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"time"
)

// A source by day is held in one word an event, half of what its time would
// take:
//
//	bits 48-63   the account's place in its part, above the class
//	bits 32-47   the calendar day, signed, since 1970-01-01
//	bits 0-31    the packed value
//
// so that less is moved, and no day is looked up twice. Class and place share
// 16 bits: as many are for the place as parts have accounts.

// ByDay reports whether the source is held by day. Its records say on which
// calendar day an event was, and its events come out as if each had happened,
// and become known, at the start of its day.
//
// That is done where it was asked for (EventSource.ByDay) and can make no
// difference to a count, a sum, a least or a largest value over whole days, seen
// from the start of a day: rows have neither known_at nor lag nor id, values are
// whole millionths, terms start with days, and no day comes back after the next
// has begun. Else the source is held as any other.
func (s *Source) ByDay() bool { return s.layout.byDay() }

func (l *layout) byDay() bool { return l.stride == 1 }

// newDayLayout is the layout of a source by day whose parts have 2^shift
// accounts.
func newDayLayout(shift int) layout {
	return layout{stride: 1, local: 64 - shift, classes: 1<<(16-shift) - 1}
}

// DayOfWord returns the day in a record of a source by day.
func DayOfWord(word uint64) int32 { return int32(int16(word >> 32)) }

// ClassOfWord returns the class in a record of a source by day.
func (s *Source) ClassOfWord(word uint64) int { return int(word >> 48 & s.layout.classes) }

// MillionthsOfWord is Millionths for a record of a source by day, whose values
// are all exact.
func (s *Source) MillionthsOfWord(word uint64) (m int64, valued bool) {
	switch k := word & 15; {
	case k <= maxDecimals:
		return int64(int32(word)>>4) * toMillions[k], true
	case k == oddValue:
		m, _ = ToMillionths(packed(word).number(s.odd))
		return m, true
	}
	return 0, false
}

// dayEvent spells a record of a source by day out.
func (s *Source) dayEvent(word uint64, start func(day int32) int64) Event {
	class := s.ClassOfWord(word)
	e := Event{Day: DayOfWord(word), Value: packed(word).number(s.odd), Type: s.Classes[class].Type, Class: int32(class)}
	e.Time = start(e.Day)
	e.Known = e.Time
	return e
}

// canByDay reports whether a source that asks for it may be held by day, before
// its rows are known.
func (h *History) canByDay(s *EventSource) bool {
	if !s.ByDay || s.KnownAt != "" || s.Lag != 0 || s.ID != "" || s.Dates != (Dates{}) {
		return false
	}
	for i := range h.Contracts {
		if t := h.Contracts[i].Start; t != DayStart(DayOf(t, h.Location), h.Location) {
			return false // snapshots are not before a term starts, and may be at its start
		}
	}
	return true
}

// addPlainDays is addPlain for a source by day.
func (w *joinWorker) addPlainDays() error {
	b, counts := &w.rows, &w.counts
	classes := w.classes.len()
	if classes-1 > int(w.layout.classes) {
		return errOtherLayout
	}
	counts.meet(uint16(classes-1), w.classes)
	counts.rows += b.n
	w.keys = resize(w.keys, b.n)
	if err := w.dayKeys(w.keys, b.at[:b.n]); err != nil {
		return err
	}
	counts.days.addAll(b.at[:b.n])
	w.keyClasses()
	w.putDays(b.account.out[:b.n])
	return w.out.err
}

// putDays puts the records of a batch into their parts. It does what record
// does, without a slice for each word.
func (w *joinWorker) putDays(accounts []int32) {
	shift, local := w.store.shift&31, w.layout.local
	mask := int32(1)<<shift - 1
	keys, open := w.keys[:len(accounts)], w.out.open
	for r, a := range accounts {
		b := &open[a>>shift]
		if b.n == len(b.words) {
			w.out.renew(int(a >> shift))
		}
		b.words[b.n] = uint64(a&mask)<<local | keys[r]
		b.n++
	}
}

// dayKeys begins the records of a batch with the days of their times. It fails
// where one does not fit, or where days come back.
func (w *joinWorker) dayKeys(keys []uint64, at []int64) error {
	const nanos = int64(24 * time.Hour)
	least, most := int64(0), int64(0)
	cal := w.cal // in registers: this is Days.Of, without a call a row
	for r, t := range at[:len(keys)] {
		if t < cal.start || t >= cal.end {
			cal.find(t)
		}
		t += cal.offset
		day := t / nanos
		if t < day*nanos {
			day--
		}
		keys[r] = uint64(uint16(day)) << 32
		least, most = min(least, day), max(most, day)
	}
	w.cal = cal
	if w.cal.Folded || least < math.MinInt16 || most > math.MaxInt16 {
		return errOtherLayout
	}
	return nil
}

// keyClasses adds classes and values to the records of a batch, and counts them.
func (w *joinWorker) keyClasses() {
	b, keys, counts := &w.rows, w.keys, w.counts.classes
	class, value := b.class.out, b.value.out
	for r := range keys {
		c, v := uint16(0), noValue
		if len(class) > 0 {
			c = class[r]
		}
		if len(value) > 0 {
			v = value[r]
		}
		keys[r] |= uint64(c)<<48 | uint64(v)
		k := &counts[c]
		k.rows++
		if v != noValue {
			k.valued++
		}
	}
}

// dayRecord makes the record of one row of a batch that is not plain.
func (w *joinWorker) dayRecord(a int32, at int64, class uint16, value packed) (word uint64, err error) {
	day := w.cal.Of(at)
	if w.cal.Folded || day != int(int16(day)) || uint64(class) > w.layout.classes {
		return 0, errOtherLayout
	}
	if value&15 == oddValue {
		if _, exact := ToMillionths(w.join.odd[value>>4]); !exact {
			return 0, errOtherLayout
		}
	}
	return uint64(a)<<w.layout.local | uint64(class)<<48 | uint64(uint16(day))<<32 | uint64(value), nil
}
