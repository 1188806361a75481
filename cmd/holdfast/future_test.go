// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// truncated returns the tables as they stood at the instant t: no event from t
// on, no term that starts later, no outcome or renewal seen from t on.
func truncated(in *data.Tables, s data.Sources, t int64) *data.Tables {
	start := timeOf(in.Contracts, s.Contracts.Start)
	out := &data.Tables{Accounts: in.Accounts, Contracts: keepRows(in.Contracts, func(i int) bool { return start(i) <= t })}
	known := timeOf(out.Contracts, s.Contracts.KnownAt)
	for _, name := range []string{s.Contracts.Outcome, s.Contracts.RenewedAt, s.Contracts.KnownAt} {
		if c := out.Contracts.Column(name); c != nil && name != s.Contracts.RenewedAt {
			blank(c, func(i int) bool { return known(i) >= t })
		} else if c != nil {
			seen := timeOf(out.Contracts, name)
			blank(c, func(i int) bool { return seen(i) >= t })
		}
	}
	for i, e := range in.Events {
		at := timeOf(e, s.Events[i].Time)
		out.Events = append(out.Events, keepRows(e, func(r int) bool { return at(r) < t }))
	}
	return out
}

// perturbed returns the tables with all that lies after the instant t made up
// anew: events get other values, types and times and come twice, outcomes and
// the time they were seen change, and terms that start later start elsewhere.
func perturbed(in *data.Tables, s data.Sources, t int64) *data.Tables {
	const day = 24 * 60 * 60 * int64(1e9)
	all := func(int) bool { return true }
	out := &data.Tables{Accounts: in.Accounts, Contracts: keepRows(in.Contracts, all)}
	start, due := timeOf(in.Contracts, s.Contracts.Start), out.Contracts.Column(s.Contracts.Due)
	known, outcome := timeOf(in.Contracts, s.Contracts.KnownAt), out.Contracts.Column(s.Contracts.Outcome)
	outcome.Dict = append(slices.Clone(outcome.Dict), "made up")
	for i := range out.Contracts.Rows {
		if known(i) >= t {
			outcome.Codes[i] = int32(len(outcome.Dict) - 1)
		}
		if start(i) > t {
			out.Contracts.Column(s.Contracts.Start).Ints[i] += 3
			due.Ints[i] += 11
		}
	}
	if c := out.Contracts.Column(s.Contracts.RenewedAt); c != nil {
		seen := timeOf(in.Contracts, s.Contracts.RenewedAt)
		for i := range c.Ints {
			if seen(i) >= t {
				c.Ints[i] += 7
			}
		}
	}
	for i, e := range in.Events {
		at := timeOf(e, s.Events[i].Time)
		var rows []int
		for r := range e.Rows {
			rows = append(rows, r)
			if at(r) >= t {
				rows = append(rows, r)
			}
		}
		e := takeRows(e, rows)
		at = timeOf(e, s.Events[i].Time)
		when, value, kind := e.Column(s.Events[i].Time), e.Column(s.Events[i].Value), e.Column(s.Events[i].Type)
		for r := range e.Rows {
			if at(r) >= t {
				value.Floats[r] = -3*value.Floats[r] + 1000
				kind.Codes[r] = int32((int(kind.Codes[r]) + 1) % len(kind.Dict))
				when.Ints[r] = t + (at(r)-t)/2 + int64(r%2)*day // closer, and never before t
			}
		}
		out.Events = append(out.Events, e)
	}
	return out
}

// timeOf reads a date or timestamp column in UTC; missing is long ago.
func timeOf(t *data.Table, name string) func(int) int64 {
	c := t.Column(name)
	return func(i int) int64 {
		switch {
		case c.Missing(i):
			return data.NoTime
		case c.Kind == data.Date:
			return c.Ints[i] * 24 * 60 * 60 * 1e9
		}
		return c.Ints[i]
	}
}

// blank makes values missing.
func blank(c *data.Column, gone func(int) bool) {
	for i := range c.Len() {
		switch {
		case !gone(i):
		case c.Kind == data.Text:
			c.Codes[i] = -1
		default:
			if c.Null == nil {
				c.Null = make([]bool, c.Len())
			}
			c.Null[i] = true
		}
	}
}
