// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Sources declares the tables of one project and the role of each column.
// Column names are the user's own; an empty name means the role is not filled.
type Sources struct {
	Accounts  AccountSource
	Contracts *ContractSource // nil in activity mode without contracts
	Events    []EventSource
	Location  *time.Location // where a calendar day begins; nil means UTC
	Forgotten *Forgotten     // accounts that are left out of every table; nil for none
}

// An AccountSource declares the table with one row per account.
type AccountSource struct {
	Path       string
	Key        string
	Created    string
	ValidFrom  string // from when a row is true; then an account has a row for each version
	Segment    string
	Phase      string
	Group      string   // person or parent whose accounts must share a fold
	Attributes []string // constant facts, used as features
	Show       []string // passed through to the scores, never features
}

// A ContractSource declares the table with one row per contract term.
type ContractSource struct {
	Path       string
	Key        string
	Account    string
	Start      string // first day of the term
	Due        string // scheduled renewal date, never the actual end
	Value      string // money at stake
	ValueKnown string // "start" makes the value a feature; "end" (the default) never
	Currency   string
	Outcome    string   // empty: derived from successor contracts
	Churned    []string // values of Outcome that mean churn; null means not known yet
	KnownAt    string   // when the outcome was known
	Notice     string   // when notice was given
	Signed     string   // when the renewal was signed early
	RenewedAt  string   // rolling terms: when the renewal was seen
	Attributes []string // facts known at the start, used as features

	AutoRenew    string   // yes or no, known at the start
	Reason       string   // why a term ended
	Involuntary  []string // values of Reason that the account did not choose, such as a failed payment
	Kept         string   // share of the value that the renewal kept; empty: from RenewedValue or the successors' values
	RenewedValue string   // value of the renewal for a term of the same length
	GraceDays    int      // how late a successor still renews a term
}

// An EventSource declares one stream of dated rows.
type EventSource struct {
	Name    string
	Path    string
	Account string
	Time    string
	KnownAt string        // when the row became available; empty: at Time
	Lag     time.Duration // added to KnownAt (or to Time where KnownAt is empty)
	Type    string        // empty: every row has the type of the source's name
	Value   string
	Dates   Dates     // read as the value in place of Value; see SplitDays
	ID      string    // identifies one event; repeats are dropped and counted
	Columns []string  // further columns that features may read
	Filters []*Filter // the class of a row says which it passes; type means the column Type
	Derived bool      // another reading of a source that is declared as well
	ByDay   bool      // nothing finer than the days of its events is asked for; see Source.ByDay
}

// Tables holds the declared tables as read, before rows are joined.
type Tables struct {
	Accounts  *Table
	Contracts *Table // nil where none is declared
	Events    []*Table

	// Numbers are those of the accounts, by id, among all accounts of a history of
	// which these are some; nil where these are all.
	Numbers []uint64
}

// ReadTables reads the declared columns of every source. It stops between
// tables when the context is cancelled.
func ReadTables(ctx context.Context, fsys FS, s Sources) (*Tables, error) {
	var t Tables
	var err error
	if t.Accounts, t.Contracts, err = readFacts(fsys, s); err != nil {
		return nil, err
	}
	for _, e := range s.Events {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		tab, err := Read(fsys, e.Path, e.columns())
		if err != nil {
			return nil, fmt.Errorf("events %s: %w", e.Name, err)
		}
		tab.settleTimes(e.times())
		t.Events = append(t.Events, tab)
	}
	return &t, nil
}

// readFacts reads the tables of accounts and contracts.
func readFacts(fsys FS, s Sources) (accounts, contracts *Table, err error) {
	a := s.Accounts
	if accounts, err = Read(fsys, a.Path, a.columns()); err != nil {
		return nil, nil, fmt.Errorf("accounts: %w", err)
	}
	accounts.settleTimes([]string{a.Created, a.ValidFrom})
	if c := s.Contracts; c != nil {
		if contracts, err = Read(fsys, c.Path, c.columns()); err != nil {
			return nil, nil, fmt.Errorf("contracts: %w", err)
		}
		contracts.settleTimes([]string{c.Start, c.Due, c.KnownAt, c.Notice, c.Signed, c.RenewedAt})
	}
	return accounts, contracts, nil
}

// columns lists the columns that are read of the accounts table.
func (a *AccountSource) columns() []string {
	return named(append([]string{a.Key, a.Created, a.ValidFrom, a.Segment, a.Phase, a.Group}, slices.Concat(a.Attributes, a.Show)...))
}

// columns lists the columns that are read of the contracts table.
func (c *ContractSource) columns() []string {
	return named(append([]string{c.Key, c.Account, c.Start, c.Due, c.Value, c.Currency, c.Outcome,
		c.KnownAt, c.Notice, c.Signed, c.RenewedAt, c.AutoRenew, c.Reason, c.Kept, c.RenewedValue}, c.Attributes...))
}

// columns lists the columns that are read of an event table: those with a role
// and those of filters.
func (e *EventSource) columns() []string {
	return named(append([]string{e.Account, e.Time, e.KnownAt, e.Type, e.Value, e.ID, e.Dates.From, e.Dates.To},
		e.filterColumns()...))
}

// times lists the roles that are of dates or timestamps.
func (e *EventSource) times() []string {
	return named([]string{e.Time, e.KnownAt, e.Dates.From, e.Dates.To})
}

// settleTimes makes columns of nothing but nulls timestamps where their role is
// one. What type a writer gave such a column says nothing; some have none.
func (t *Table) settleTimes(names []string) {
	for _, name := range named(names) {
		if c := t.Column(name); c.Kind != Time && c.Kind != Date && c.allMissing() {
			*c = Column{Name: name, Kind: Time, Ints: make([]int64, t.Rows), Null: slices.Repeat([]bool{true}, t.Rows)}
		}
	}
}

// named drops empty and repeated names.
func named(cols []string) []string {
	var out []string
	for _, c := range cols {
		if c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// MissingColumns returns the error of a table that lacks columns: it names
// the nearest ones that are there.
func MissingColumns(table string, missing, have []string) error {
	return newColumnError(table, missing, have)
}
