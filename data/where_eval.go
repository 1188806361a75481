// SPDX-License-Identifier: Apache-2.0

package data

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A BoundFilter is a filter that has been checked against the kinds of the
// columns that it reads. It does not change, and may be used by several
// goroutines.
type BoundFilter struct{ root boundTerm }

type boundTerm struct {
	op     operator
	parts  []boundTerm
	column string
	kind   Kind
	ints   []span[int64] // the values, in the form of the column's kind
	floats []span[float64]
	texts  []string // sorted
}

// A span is a value of a filter in the terms of its column: x is less where
// x < low, greater where x > high, and equal in between. The two differ for a
// day on a column of timestamps, and cross for 2.5 on one of integers, to which
// none is equal.
type span[T int64 | float64] struct{ low, high T }

// Bind checks the filter against the kinds of all columns that there are. A day
// begins in loc; nil means UTC. Its errors are of type *FilterError.
func (f *Filter) Bind(kinds map[string]Kind, loc *time.Location) (*BoundFilter, error) {
	if loc == nil {
		loc = time.UTC
	}
	b := binder{text: f.text, kinds: kinds, loc: loc}
	root, err := b.bind(f.root)
	if err != nil {
		return nil, err
	}
	return &BoundFilter{root}, nil
}

// Kinds returns the kind of each column of a table, as Bind takes them.
func (t *Table) Kinds() map[string]Kind {
	kinds := make(map[string]Kind, len(t.Columns))
	for i := range t.Columns {
		kinds[t.Columns[i].Name] = t.Columns[i].Kind
	}
	return kinds
}

type binder struct {
	text  string
	kinds map[string]Kind
	loc   *time.Location
}

func (b *binder) bind(t *term) (boundTerm, error) {
	out := boundTerm{op: t.op, column: t.column}
	if t.column == "" {
		for _, p := range t.parts {
			part, err := b.bind(p)
			if err != nil {
				return out, err
			}
			out.parts = append(out.parts, part)
		}
		return out, nil
	}
	kind, ok := b.kinds[t.column]
	if !ok {
		return out, b.unknown(t)
	}
	out.kind = kind
	if kind == Bool && t.op >= opLess && t.op <= opAtLeast {
		return out, filterError(b.text, t.at, "column %q is a boolean, which is compared by == and != only", t.column)
	}
	for _, v := range t.values {
		if err := b.value(&out, v); err != nil {
			return out, err
		}
	}
	return out, nil
}

// unknown returns the error of a column that is not there.
func (b *binder) unknown(t *term) error {
	have := slices.Sorted(maps.Keys(b.kinds))
	near := ""
	if n := Nearest(t.column, have); n != "" {
		near = " (did you mean " + n + "?)"
	}
	return filterError(b.text, t.at, "no column %q%s; there are: %s", t.column, near, strings.Join(have, ", "))
}

// value adds a value to a test of a column.
func (b *binder) value(t *boundTerm, v literal) error {
	wrong := func(expected string) error {
		return filterError(b.text, v.at, "column %q is of type %v; found %v, expected %s", t.column, t.kind, v, expected)
	}
	number := v.kind == Int || v.kind == Float
	switch t.kind {
	case Text:
		if v.kind != Text {
			return wrong("a text in quotes")
		}
		t.texts = append(t.texts, v.text)
	case Float:
		const exact = 1 << 53
		switch {
		case !number:
			return wrong("a number")
		case v.kind == Int && (v.number > exact || v.number < -exact):
			return wrong("a number of up to 2^53")
		}
		t.floats = append(t.floats, span[float64]{v.asFloat(), v.asFloat()})
	case Int:
		if !number {
			return wrong("a number")
		}
		t.ints = append(t.ints, integerSpan(v))
	case Bool:
		if v.kind != Bool {
			return wrong("true or false")
		}
		t.ints = append(t.ints, span[int64]{v.number, v.number})
	default:
		s, ok := b.when(t.kind, v)
		switch {
		case !ok && t.kind == Date:
			return wrong("a day such as '2026-01-31', in the years 1678 to 2261")
		case !ok:
			return wrong("a day such as '2026-01-31' or an instant such as '2026-01-31T12:00:00Z', " +
				"in the years 1678 to 2261")
		}
		t.ints = append(t.ints, s)
	}
	return nil
}

// integerSpan returns the integers between which a number lies: of 2.5, low is
// 3 and high is 2.
func integerSpan(v literal) span[int64] {
	if v.kind == Int {
		return span[int64]{v.number, v.number}
	}
	down := int64(v.float) // towards zero; at most 15 digits
	if v.float < 0 {
		down--
	}
	return span[int64]{low: down + 1, high: down}
}

// when returns the days or nanoseconds that a text stands for.
func (b *binder) when(kind Kind, v literal) (s span[int64], ok bool) {
	if v.kind != Text {
		return s, false
	}
	if day, err := time.Parse(time.DateOnly, v.text); err == nil {
		d := day.Unix() / secondsPerDay
		if !DayInRange(d) {
			return s, false
		}
		if kind == Date {
			return span[int64]{d, d}, true
		}
		return span[int64]{DayStart(int(d), b.loc), DayStart(int(d)+1, b.loc) - 1}, true
	}
	at, err := time.Parse(time.RFC3339, v.text) // a fraction of the second is taken too
	if err != nil || kind != Time || at.Unix() < minSecond || at.Unix() > maxSecond {
		return s, false
	}
	return span[int64]{at.UnixNano(), at.UnixNano()}, true
}

// Eval sets dst[i] to whether row i of the table passes the filter. dst has as
// many elements as the table has rows. The columns must be of the kinds that
// the filter was bound to; the table may have others. Texts are compared once
// for each entry of the dictionary, where that has fewer than the table rows.
func (f *BoundFilter) Eval(dst []bool, t *Table) error {
	if len(dst) != t.Rows {
		panic("data: Eval: dst has another length than the table")
	}
	return f.root.eval(dst, t)
}

func (b *boundTerm) eval(dst []bool, t *Table) error {
	switch b.op {
	case opNot:
		err := b.parts[0].eval(dst, t)
		for i := range dst {
			dst[i] = !dst[i]
		}
		return err
	case opAnd, opOr:
		return b.evalParts(dst, t)
	}
	c := t.Column(b.column)
	switch {
	case c == nil:
		return newColumnError(t.Name, []string{b.column}, t.Names())
	case c.Kind != b.kind:
		return &TypeError{File: t.Name, Column: b.column, Want: b.kind.String(), Got: c.Kind.String()}
	case b.op == opMissing || b.op == opPresent:
		for i := range dst {
			dst[i] = c.Missing(i) == (b.op == opMissing)
		}
	case b.kind == Text:
		b.evalTexts(dst, c)
	case b.kind == Float:
		compareSpans(dst, c.Floats, b.op, b.floats)
		clearMissing(dst, c)
	default:
		compareSpans(dst, c.Ints, b.op, b.ints)
		clearMissing(dst, c)
	}
	return nil
}

func (b *boundTerm) evalParts(dst []bool, t *Table) error {
	if err := b.parts[0].eval(dst, t); err != nil {
		return err
	}
	part := make([]bool, len(dst))
	for i := range b.parts[1:] {
		if err := b.parts[1+i].eval(part, t); err != nil {
			return err
		}
		for k, p := range part {
			if b.op == opAnd {
				dst[k] = dst[k] && p
			} else {
				dst[k] = dst[k] || p
			}
		}
	}
	return nil
}

func (b *boundTerm) evalTexts(dst []bool, c *Column) {
	if len(c.Dict) > len(dst) {
		for i, code := range c.Codes {
			dst[i] = code >= 0 && b.passes(c.Dict[code])
		}
		return
	}
	passes := make([]bool, len(c.Dict))
	for k, text := range c.Dict {
		passes[k] = b.passes(text)
	}
	for i, code := range c.Codes {
		dst[i] = code >= 0 && passes[code]
	}
}

// passes reports whether a text passes the test.
func (b *boundTerm) passes(text string) bool {
	switch b.op {
	case opLess:
		return text < b.texts[0]
	case opAtMost:
		return text <= b.texts[0]
	case opGreater:
		return text > b.texts[0]
	case opAtLeast:
		return text >= b.texts[0]
	}
	_, found := slices.BinarySearch(b.texts, text)
	return found == (b.op == opEqual || b.op == opIn)
}

// compareSpans sets dst to whether values pass the test, missing ones aside.
// Only in and not in have several spans.
func compareSpans[T int64 | float64](dst []bool, values []T, op operator, spans []span[T]) {
	low, high := spans[0].low, spans[0].high
	switch op {
	case opLess:
		for i, v := range values {
			dst[i] = v < low
		}
	case opAtMost:
		for i, v := range values {
			dst[i] = v <= high
		}
	case opGreater:
		for i, v := range values {
			dst[i] = v > high
		}
	case opAtLeast:
		for i, v := range values {
			dst[i] = v >= low
		}
	default:
		equal := op == opEqual || op == opIn
		for i, v := range values {
			found := false
			for _, s := range spans {
				found = found || s.low <= v && v <= s.high
			}
			dst[i] = found == equal
		}
	}
}

// clearMissing makes the test of a missing value false.
func clearMissing(dst []bool, c *Column) {
	if c.Kind != Float && c.Null == nil {
		return
	}
	for i := range dst {
		if c.Missing(i) {
			dst[i] = false
		}
	}
}
