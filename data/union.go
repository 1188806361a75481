// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Union says how the rows of all tables of a history lie in one table, so that
// another program can bring the rows of each account together and need not
// know what they mean:
//
//	account  text      whose row it is
//	table    integer   0 accounts, 1 contracts, from 2 on the declared event sources
//	facts    text      of accounts and contracts, the row as packRow writes it; of accounts
//	                   after a varint, the account's number among all that there are
//	...                of events, one column for each slot
//
// A slot is a column that event sources share, of one kind each (time0, text0,
// text1, number0): of each kind as many as the source with the most columns of
// it needs. A source read in several ways (EventSource.Derived) lies there once.
type Union struct {
	Accounts  []UnionColumn `json:"accounts"`
	Contracts []UnionColumn `json:"contracts,omitempty"`
	Events    []UnionEvents `json:"events"` // of declared sources
	Slots     []UnionColumn `json:"slots"`
}

// A UnionColumn is a column by its own name, and of events the slot it lies in.
type UnionColumn struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	Slot string `json:"slot,omitempty"`
}

// UnionEvents are the columns of one declared event source, and where its rows
// are.
type UnionEvents struct {
	Name    string        `json:"name"`
	Account string        `json:"account"` // its column of account ids
	Columns []UnionColumn `json:"columns"`

	Base    string   `json:"-"` // folder before the first wildcard of its path
	Files   []string `json:"-"`
	Folders []string `json:"-"` // columns that are the names of folders
	Rows    int      `json:"-"`
}

// The columns of a union beside its slots.
const (
	UnionAccount = "account"
	UnionTable   = "table"
	UnionFacts   = "facts"
)

// The tables of a union, and the first of events.
const (
	unionAccounts  = 0
	unionContracts = 1
	unionEvents    = 2
)

// Facts are the tables of a history that are held whole, without what was
// forgotten.
type Facts struct{ Accounts, Contracts *Table }

// ReadFacts reads the tables of accounts and contracts.
func ReadFacts(fsys FS, s Sources) (*Facts, error) {
	accounts, contracts, err := readFacts(fsys, s)
	if err != nil {
		return nil, err
	}
	f := &Facts{}
	f.Accounts, _ = s.Forgotten.without(accounts, s.Accounts.Key)
	if contracts != nil {
		f.Contracts, _ = s.Forgotten.without(contracts, s.Contracts.Account)
	}
	return f, nil
}

// NewUnion settles the union of the declared tables: it looks at the footers of
// all event files and refuses what ReadHistory would refuse before it reads a
// row, and ids that are neither texts nor integers.
func NewUnion(fsys FS, s Sources, f *Facts) (*Union, error) {
	u := &Union{Accounts: columnsOf(f.Accounts)}
	if f.Contracts != nil {
		u.Contracts = columnsOf(f.Contracts)
	}
	for i, k := range places(s.Events) {
		e := &s.Events[i]
		scan, err := newEventScan(fsys, e, s.Location)
		if err != nil {
			return nil, fmt.Errorf("events %s: %w", e.Name, err)
		}
		if lag := e.Lag; lag < 0 {
			return nil, fmt.Errorf("events %s: a lag of %v; expected zero or more, and at most 292 years", e.Name, lag)
		}
		if k == len(u.Events) {
			if kind := scan.columns[scan.index[e.Account]].kind; kind != Text && kind != Int {
				return nil, &RowError{Table: e.Path, Column: e.Account, Problem: fmt.Sprintf(
					"is of type %v; beyond one machine an id is a text or an integer", kind)}
			}
			u.Events = append(u.Events, scan.union(e))
		}
		u.Events[k].take(scan, e)
	}
	u.slots()
	return u, nil
}

func columnsOf(t *Table) []UnionColumn {
	out := make([]UnionColumn, len(t.Columns))
	for i := range t.Columns {
		out[i] = UnionColumn{Name: t.Columns[i].Name, Kind: t.Columns[i].Kind}
	}
	return out
}

// places returns for each event source which of the declared ones it is, or is
// another reading of.
func places(events []EventSource) []int {
	var declared []*EventSource
	out := make([]int, len(events))
	for i := range events {
		e := &events[i]
		if !e.Derived {
			out[i] = len(declared)
			declared = append(declared, e)
			continue
		}
		out[i] = slices.IndexFunc(declared, func(d *EventSource) bool {
			return strings.HasPrefix(e.Name, d.Name+"[") && d.Path == e.Path && d.Account == e.Account && d.Time == e.Time
		})
		if out[i] < 0 {
			panic("data: Union: a derived source before its declared one")
		}
	}
	return out
}

// union returns where the rows of a source are.
func (e *eventScan) union(s *EventSource) UnionEvents {
	u := UnionEvents{Name: s.Name, Account: s.Account, Rows: e.rows}
	for _, src := range e.sources {
		u.Files = append(u.Files, src.name)
	}
	u.Base = filepath.ToSlash(s.Path)
	if at := strings.IndexAny(u.Base, "*?"); at >= 0 {
		u.Base = u.Base[:at]
	}
	u.Base = u.Base[:strings.LastIndex(u.Base, "/")+1]
	return u
}

// take adds the columns that a reading of the source needs. The account's is
// there as the account of the row, unless a filter reads it.
func (u *UnionEvents) take(scan *eventScan, s *EventSource) {
	for _, c := range scan.columns {
		known := slices.ContainsFunc(u.Columns, func(d UnionColumn) bool { return d.Name == c.name })
		if known || c.name == s.Account && !slices.Contains(s.filterColumns(), c.name) {
			continue
		}
		u.Columns = append(u.Columns, UnionColumn{Name: c.name, Kind: c.kind})
		if slices.ContainsFunc(scan.folders, func(f scanColumn) bool { return f.name == c.name }) {
			u.Folders = append(u.Folders, c.name)
		}
	}
}

// Slot returns the slot of a column of the source, "" for none.
func (u *UnionEvents) Slot(name string) string {
	for _, c := range u.Columns {
		if c.Name == name {
			return c.Slot
		}
	}
	return ""
}

// slots gives every column of events a slot.
func (u *Union) slots() {
	for i := range u.Events {
		used := map[Kind]int{}
		for k := range u.Events[i].Columns {
			c := &u.Events[i].Columns[k]
			c.Slot = fmt.Sprintf("%v%d", c.Kind, used[c.Kind])
			used[c.Kind]++
			if !slices.ContainsFunc(u.Slots, func(s UnionColumn) bool { return s.Name == c.Slot }) {
				u.Slots = append(u.Slots, UnionColumn{Name: c.Slot, Kind: c.Kind})
			}
		}
	}
}

// Table returns the facts as rows of the union: its first three columns.
func (f *Facts) Table(u *Union, s Sources) *Table {
	account := f.Accounts.Column(s.Accounts.Key).AsText()
	out := &Table{Name: "facts"}
	var ids, rows []string
	var tables []int64
	var packed []byte
	numbers := numbersOf(&account)
	add := func(t *Table, owner *Column, number int64) {
		for r := range t.Rows {
			packed = packed[:0]
			if number == unionAccounts {
				packed = binary.AppendUvarint(packed, numbers[r])
			}
			packed = packRow(packed, t, r)
			ids, rows, tables = append(ids, owner.Text(r)), append(rows, string(packed)), append(tables, number)
		}
	}
	add(f.Accounts, &account, unionAccounts)
	if f.Contracts != nil {
		owner := f.Contracts.Column(s.Contracts.Account).AsText()
		add(f.Contracts, &owner, unionContracts)
	}
	out.Rows = len(ids)
	facts := Column{Name: UnionFacts, Kind: Text, Codes: make([]int32, len(rows)), Dict: rows}
	for i := range rows {
		facts.Codes[i] = int32(i)
	}
	owner := Column{Name: UnionAccount, Kind: Text, Codes: make([]int32, len(ids))}
	known := newInterner()
	for i, id := range ids { // an empty id is one that no account has
		owner.Codes[i] = known.codeOf(id)
	}
	owner.Dict = known.dict
	out.Columns = []Column{owner, {Name: UnionTable, Kind: Int, Ints: tables}, facts}
	return out
}

// Tables cuts a union that comes in pieces, sorted by account and then table,
// into the tables of some accounts each: all rows of an account come together.
// next returns the next piece, nil at the end. Each piece that is handed over
// holds whole accounts, at least atLeast rows of them but for the last one; of a
// union without rows there is one, so that the columns are known. It returns
// the number of rows.
//
// Within an account and table rows may come in any order: what is made of them
// does not depend on it.
func (u *Union) Tables(ctx context.Context, s Sources, atLeast int, next func() (*Table, error), each func(*Tables) error) (rows int, err error) {
	g := newGathering(u, s)
	for {
		t, err := next()
		if err != nil {
			return rows, err
		}
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		if t == nil {
			break
		}
		rows += t.Rows
		if err := g.take(t, atLeast, each); err != nil {
			return rows, err
		}
	}
	if g.rows == 0 && rows > 0 {
		return rows, nil
	}
	return rows, each(g.tables())
}
