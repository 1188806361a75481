// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"time"
)

// typeWord stands for the declared type column in a filter, whatever its name.
const typeWord = "type"

// renamed returns the source's filters in the words of its columns.
func (e *EventSource) renamed() []*Filter {
	out := make([]*Filter, len(e.Filters))
	for i, f := range e.Filters {
		if out[i] = f; e.Type != "" {
			out[i] = f.Rename(map[string]string{typeWord: e.Type})
		}
	}
	return out
}

// filterColumns lists the columns that the source's filters read.
func (e *EventSource) filterColumns() []string {
	var names []string
	for _, f := range e.renamed() {
		names = append(names, f.Columns()...)
	}
	return named(names)
}

// bindFilters checks the filters against the kinds of the table's columns.
func (e *EventSource) bindFilters(kinds map[string]Kind, loc *time.Location) ([]*BoundFilter, error) {
	if len(e.Filters) > MaxFilters {
		return nil, fmt.Errorf("%d different filters of one source; %d are the most", len(e.Filters), MaxFilters)
	}
	var out []*BoundFilter
	for _, f := range e.renamed() {
		b, err := f.Bind(kinds, loc)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// filterTexts returns the filters in their canonical form.
func (e *EventSource) filterTexts() []string {
	var out []string
	for _, f := range e.Filters {
		out = append(out, f.String())
	}
	return out
}

// match notes for each row of the batch which filters it passes. t holds the
// columns that they read.
func (w *joinWorker) match(t *Table) error {
	w.passes = resize(w.passes, t.Rows)
	w.rows.match = resize(w.rows.match, t.Rows)
	clear(w.rows.match)
	for i, f := range w.filters {
		if err := f.Eval(w.passes, t); err != nil {
			return err
		}
		for r, pass := range w.passes {
			if pass {
				w.rows.match[r] |= 1 << i
			}
		}
	}
	return nil
}

// matched returns the class of the rows of a class that pass the given filters.
func (w *joinWorker) matched(class uint16, match uint64) (uint16, error) {
	k := classMatch{class, match}
	if n, known := w.matches[k]; known {
		return n, nil
	}
	n, ok := w.classes.matched(class, match)
	if !ok {
		return 0, &RowError{Table: w.table, Column: w.s.Type, Problem: fmt.Sprintf(
			"with the filters on it makes more than %d different kinds of rows; use fewer filters, or leave type out", maxClasses)}
	}
	w.matches[k] = n
	return n, nil
}

type classMatch struct {
	class uint16
	match uint64
}

// Dates names two date columns that a source reads as its value.
type Dates struct{ From, To string }

const (
	dayShift  = 1 << 20      // more than twice the days between any two dates
	openEnded = dayShift - 1 // in the lower bits of two days in one
)

// joinDays puts two days into one number that a float64 holds exactly: the
// first times 2^20, plus how many days after it the second is, plus 2^19, or
// 2^20 - 1 where there is no second, as if that lay after all others. It is
// missing where there is no first.
func joinDays(from, to int64, hasFrom, hasTo bool) float64 {
	switch {
	case !hasFrom:
		return math.NaN()
	case !hasTo:
		return float64(from*dayShift + openEnded)
	}
	return float64(from*dayShift + to - from + dayShift/2)
}

// SplitDays returns the two days of a value that was read from two dates.
// ended is false where there is no second.
func SplitDays(v float64) (from, to int, ended bool) {
	n := int64(v)
	low := n & (dayShift - 1)
	from = int((n - low) / dayShift)
	if low == openEnded {
		return from, 0, false
	}
	return from, from + int(low) - dayShift/2, true
}

// takeDates makes the batch's values of two columns of dates.
func (w *joinWorker) takeDates(from, to *Column) error {
	cal := Days{Location: w.h.Location}
	day := func(c *Column, i int) int64 {
		if c.Kind == Date {
			return c.Ints[i]
		}
		return int64(cal.Of(c.Ints[i]))
	}
	both := Column{Kind: Float, Floats: make([]float64, from.Len())}
	for i := range both.Floats {
		both.Floats[i] = joinDays(day(from, i), day(to, i), !from.Missing(i), !to.Missing(i))
	}
	return w.rows.value.values(entries{column: &both}, nil)
}
