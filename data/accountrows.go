// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"strconv"
)

// ReadTablesOf reads like ReadTables, but keeps only the rows of the given
// accounts: to look at some accounts of a history that is large. Event tables
// are worked through row group by row group, so that none is ever held whole.
// It stops between row groups when the context is cancelled.
func ReadTablesOf(ctx context.Context, fsys FS, s Sources, accounts []string) (*Tables, error) {
	wanted := make(map[string]bool, len(accounts))
	for _, id := range accounts {
		wanted[id] = true
	}
	var t Tables
	var err error
	if t.Accounts, t.Contracts, err = readFacts(fsys, s); err != nil {
		return nil, err
	}
	t.Accounts = t.Accounts.Take(RowsOf(t.Accounts.Column(s.Accounts.Key), wanted))
	if s.Contracts != nil {
		t.Contracts = t.Contracts.Take(RowsOf(t.Contracts.Column(s.Contracts.Account), wanted))
	}
	for i := range s.Events {
		e := &s.Events[i]
		var kept *Table
		err := Scan(fsys, e.Path, e.columns(), func(group *Table) error {
			rows := group.Take(RowsOf(group.Column(e.Account), wanted))
			if kept == nil {
				kept = rows
			} else {
				kept.AppendTable(rows)
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("events %s: %w", e.Name, err)
		}
		kept.settleTimes(e.times())
		t.Events = append(t.Events, kept)
	}
	return &t, nil
}

// RowsOf returns the rows, in order, in which a column of ids has one of those
// wanted. Integer ids stand in wanted in decimal form.
func RowsOf(ids *Column, wanted map[string]bool) []int {
	var rows []int
	keep := func(found func(i int) bool) {
		for i := range ids.Len() {
			if !ids.Missing(i) && found(i) {
				rows = append(rows, i)
			}
		}
	}
	switch ids.Kind {
	case Text:
		byCode := make([]bool, len(ids.Dict))
		for code, id := range ids.Dict {
			byCode[code] = wanted[id]
		}
		keep(func(i int) bool { return byCode[ids.Codes[i]] })
	case Int: // nothing is formatted: there may be a hundred million rows
		numbers := make(map[int64]bool, len(wanted))
		for id := range wanted {
			if v, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(v, 10) == id {
				numbers[v] = true
			}
		}
		keep(func(i int) bool { return numbers[ids.Ints[i]] })
	default:
		keep(func(i int) bool { return wanted[ids.format(i)] })
	}
	return rows
}

// Take returns a new table with the given rows, in the given order, whose text
// columns hold no text that no row has.
func (t *Table) Take(rows []int) *Table {
	out := &Table{Name: t.Name, Rows: len(rows)}
	for i := range t.Columns {
		c := t.Columns[i].Take(rows)
		out.Columns = append(out.Columns, c.Sorted())
	}
	return out
}

// AppendTable adds the rows of a table of the same columns.
func (t *Table) AppendTable(more *Table) {
	for i := range t.Columns {
		c, d := &t.Columns[i], more.Columns[i]
		if c.Kind == Text {
			d = d.recoded(c)
		}
		c.Append(&d)
	}
	t.Rows += more.Rows
}

// recoded returns the text column with its codes counting into the dictionary
// of another one, to which the texts that it lacks are added.
func (c *Column) recoded(into *Column) Column {
	known := make(map[string]int32, len(into.Dict))
	for code, text := range into.Dict {
		known[text] = int32(code)
	}
	codes := make([]int32, len(c.Dict))
	for code, text := range c.Dict {
		k, ok := known[text]
		if !ok {
			k = int32(len(into.Dict))
			into.Dict = append(into.Dict, text)
		}
		codes[code] = k
	}
	d := Column{Name: c.Name, Kind: Text, Codes: make([]int32, len(c.Codes))}
	for i, code := range c.Codes {
		if d.Codes[i] = -1; code >= 0 {
			d.Codes[i] = codes[code]
		}
	}
	return d
}
