// SPDX-License-Identifier: Apache-2.0

package data

import "errors"

// A layout says which word of a record holds what; 0 where there is none. A
// record of one word has a layout of its own: see record_day.go.
type layout struct {
	stride          int
	known, id, wide int

	local   int    // how far the account's place in its part is shifted up in its word
	classes uint64 // the largest class that fits, a mask
}

// newLayout returns the layout of a source's records. wide says that many values
// are no short decimals.
func newLayout(s *EventSource, wide bool) layout {
	l := layout{stride: 2, local: 48, classes: maxClasses - 1}
	for _, f := range []struct {
		at   *int
		want bool
	}{{&l.known, s.KnownAt != ""}, {&l.id, s.ID != ""}, {&l.wide, wide}} {
		if f.want {
			*f.at = l.stride
			l.stride++
		}
	}
	return l
}

// keyWord returns the word that holds account, class and value.
func (l *layout) keyWord() int { return min(1, l.stride-1) }

// layouts lists the layouts in which a source may be read, in the order in which
// they are to be tried, by some of its values (nil where it has none). What
// those do not show may need a later one.
func layouts(h *History, s *EventSource, values *Column) (all []layout) {
	odd, exact := 0, true
	if values != nil {
		odd, exact = countOdd(values)
	}
	wide := s.Dates != Dates{} || values != nil && odd > values.Len()/100
	if exact && !wide && h.canByDay(s) {
		all = append(all, newDayLayout(partShift(len(h.Accounts))))
	}
	if !wide {
		all = append(all, newLayout(s, false))
	}
	return append(all, newLayout(s, true))
}

// errOtherLayout says that a source has rows that its layout cannot hold: it is
// to be read again with another.
var errOtherLayout = errors.New("another layout of records is needed")

// countOdd counts the values that are no short decimals, and reports whether all
// are whole millionths.
func countOdd(c *Column) (odd int, exact bool) {
	hint := 0
	exact = true
	for i := range c.Len() {
		v := c.Number(i)
		_, k, ok := pack(v, hint)
		switch {
		case ok:
			hint = k
		case v == v:
			odd++
			_, whole := ToMillionths(v)
			exact = exact && whole
		}
	}
	return odd, exact
}
