// SPDX-License-Identifier: Apache-2.0

package features

import (
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// A future is what lay ahead of the instant t in the tables of an account, by
// the rules of METHODS.md section 1. They are written down here a second time,
// over tables rather than events and apart from asof.go, so that a mistake in
// one of the two shows.
type future struct {
	sources data.Sources
	t       int64
}

const dayLength = int64(24 * time.Hour)

// instants returns a reader of a date or timestamp column: data.NoTime where
// the value is missing or the role is not filled.
func (f *future) instants(t *data.Table, name string) func(int) int64 {
	c, loc := t.Column(name), f.sources.Location
	if loc == nil {
		loc = time.UTC
	}
	return func(i int) int64 {
		switch {
		case c == nil || c.Missing(i):
			return data.NoTime
		case c.Kind == data.Date:
			return data.DayStart(int(c.Ints[i]), loc)
		}
		return c.Ints[i]
	}
}

// unseen tells the rows of an event table that were not visible at t: those
// that happened at t or later, and those that were known then or later, the lag
// included. Rows that are left out of every history are not among them.
func (f *future) unseen(t *data.Table, s *data.EventSource) func(int) bool {
	at, known := f.instants(t, s.Time), f.instants(t, s.KnownAt)
	return func(i int) bool {
		happened, seen := at(i), known(i)
		if happened == data.NoTime || s.KnownAt != "" && seen == data.NoTime {
			return false
		}
		return max(happened, seen)+int64(s.Lag) >= f.t
	}
}

// laterTerm tells the terms that start after t, of which nothing was known.
func (f *future) laterTerm(t *data.Table) func(int) bool {
	start := f.instants(t, f.sources.Contracts.Start)
	return func(i int) bool { return start(i) != data.NoTime && start(i) > f.t }
}

// A laterFact is a column of the contracts table with the rows in which it was
// not known yet.
type laterFact struct {
	column string
	later  func(int) bool
}

// laterFacts lists what was not known at t of terms that were: the dates that
// lie after it or are not given, the outcome and what else tells how the term
// ended with the date it was known (without one not before the term is due),
// and a value that is final only with the term's end. That a renewal was seen
// counts strictly before t, as events do.
func (f *future) laterFacts(t *data.Table) []laterFact {
	s := f.sources.Contracts
	due := f.instants(t, s.Due)
	unfinished := func(i int) bool { return due(i) > f.t }
	after := func(name string) func(int) bool {
		at := f.instants(t, name)
		return func(i int) bool { return at(i) > f.t || at(i) == data.NoTime }
	}
	renewed := f.instants(t, s.RenewedAt)
	facts := []laterFact{
		{s.Notice, after(s.Notice)}, {s.Signed, after(s.Signed)},
		{s.RenewedAt, func(i int) bool { return renewed(i) >= f.t || renewed(i) == data.NoTime }},
	}
	ended := unfinished
	if s.KnownAt != "" {
		ended = after(s.KnownAt)
		facts = append(facts, laterFact{s.KnownAt, ended})
	}
	for _, name := range []string{s.Outcome, s.Reason, s.Kept, s.RenewedValue} {
		facts = append(facts, laterFact{name, ended})
	}
	if s.ValueKnown != "start" {
		facts = append(facts, laterFact{s.Value, unfinished})
	}
	var used []laterFact
	for _, fact := range facts {
		if fact.column != "" && t.Column(fact.column) != nil {
			used = append(used, fact)
		}
	}
	return used
}

// truncated returns the tables as they stood at t: without the events that were
// not visible, without versions of accounts and terms that begin later, and
// with what was not known of the others missing. n counts the rows taken out and the values blanked.
func (f *future) truncated(in *data.Tables) (out *data.Tables, n int) {
	out = new(data.Tables)
	out.Accounts, n = f.truncatedAccounts(in.Accounts)
	if f.sources.Contracts != nil {
		later := f.laterTerm(in.Contracts)
		out.Contracts = without(in.Contracts, later)
		n += in.Contracts.Rows - out.Contracts.Rows
		asRead := without(in.Contracts, later)
		for _, fact := range f.laterFacts(asRead) {
			n += blank(out.Contracts.Column(fact.column), fact.later)
		}
	}
	for i, e := range in.Events {
		kept := without(e, f.unseen(e, &f.sources.Events[i]))
		n += e.Rows - kept.Rows
		out.Events = append(out.Events, kept)
	}
	return out, n
}

func all(t *data.Table) []int { return except(t, func(int) bool { return false }) }

// except lists the rows but for some.
func except(t *data.Table, gone func(int) bool) []int {
	rows := []int{}
	for i := range t.Rows {
		if !gone(i) {
			rows = append(rows, i)
		}
	}
	return rows
}

func without(t *data.Table, gone func(int) bool) *data.Table { return t.Take(except(t, gone)) }

// blank makes values missing and returns how many were not.
func blank(c *data.Column, gone func(int) bool) int {
	n := 0
	for i := range c.Len() {
		if !gone(i) || c.Missing(i) {
			continue
		}
		n++
		switch c.Kind {
		case data.Text:
			c.Codes[i] = -1
		case data.Float:
			c.Floats[i] = nan
		default:
			if c.Null == nil {
				c.Null = make([]bool, c.Len())
			}
			c.Null[i] = true
		}
	}
	return n
}
