// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// NoTime marks an instant that is not given.
const NoTime int64 = math.MinInt64

// A History is everything known of all accounts, joined and in one total
// order, so that no later step depends on the order of rows or files.
type History struct {
	Location  *time.Location
	Accounts  []Account  // sorted by ID
	Contracts []Contract // sorted by account, start, due, ID
	Sources   []Source   // in declared order

	AccountAttributes  []Column // aligned with Accounts
	ContractAttributes []Column // aligned with Contracts
	Show               []Column // aligned with Accounts

	GraceDays    int  // how late a successor still renews a term; see Link
	ValueAtStart bool // a contract's value is known when its term starts; else it is no feature

	Newest  int64   // latest event time of all sources, or latest contract start without events
	Dropped []Count // rows left out, by reason

	budget *budget
	facts  []*Table // as read: what identifies the history beside its events
}

// An Account is one row of the accounts table. Its contracts are
// History.Contracts[FirstContract:EndContract].
type Account struct {
	ID      string
	Segment string
	Phase   string
	Group   string // the account's own ID where no group is declared or given
	Created int64  // NoTime where not given

	FirstContract, EndContract int32
}

// A Source is one event stream. Its events are read by parts; see Part.
type Source struct {
	Name    string
	Types   []string // sorted; Event.Type counts into it
	Classes []Class  // of records
	Filters []string // the texts of its filters
	Rows    int      // events kept
	Newest  int64    // latest event time, stray ones in the far future aside; NoTime without events
	Stray   int      // events so far after all others that their stamps must be wrong
	Lag     int64    // nanoseconds from known_at, or from the time, until an event was seen
	Derived bool     // another reading of a declared source: no source of automatic features

	layout layout
	store  *store
	odd    []float64
	digest [2]uint64
}

// A Count says how many rows of a table something holds for.
type Count struct {
	Table    string   `json:"table"`
	Reason   string   `json:"reason"`
	Rows     int      `json:"rows"`
	Of       int      `json:"of"` // rows of that table, or of that event type
	Examples []string `json:"-"`  // up to three, for messages to the user
}

// drop counts rows that are left out, of so many in all.
func (h *History) drop(table, reason string, of int, t tally) {
	if t.n > 0 {
		h.Dropped = append(h.Dropped, Count{Table: table, Reason: reason, Rows: t.n, Of: of, Examples: t.examples})
	}
}

func (h *History) addAccounts(t *Table, s AccountSource) error {
	ids, err := keys(t, s.Key)
	if err != nil {
		return err
	}
	order := make([]int, t.Rows)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(ids[a], ids[b]) })
	created, err := dates(t, s.Created, h.Location)
	if err != nil {
		return err
	}
	segment, phase, group := texts(t, s.Segment), texts(t, s.Phase), texts(t, s.Group)
	h.Accounts = make([]Account, t.Rows)
	for i, r := range order {
		a := Account{ID: ids[r], Segment: segment(r), Phase: phase(r), Group: group(r), Created: created(r)}
		if a.Group == "" {
			a.Group = a.ID
		}
		h.Accounts[i] = a
	}
	h.AccountAttributes = pick(t, s.Attributes, order)
	h.Show = pick(t, s.Show, order)
	return nil
}

// keys returns the texts of a key column, which must be complete and unique.
func keys(t *Table, name string) ([]string, error) {
	c := t.Column(name)
	ids := make([]string, t.Rows)
	seen := newInterner()
	var repeated tally
	for r := range t.Rows {
		if !c.Missing(r) {
			ids[r] = c.format(r)
		}
		if ids[r] == "" {
			return nil, &RowError{Table: t.Name, Row: r + 1, Column: name, Problem: "is empty; every row needs its key"}
		}
		if int(seen.code([]byte(ids[r]))) != r-repeated.n {
			repeated.add(ids[r])
		}
	}
	if repeated.n > 0 {
		return nil, &RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf(
			"%d rows repeat a key, for example %q; keep one row per key", repeated.n, repeated.examples)}
	}
	return ids, nil
}

// texts returns a reader of a column as text, "" where it is missing. It
// reads "" everywhere for an empty name.
func texts(t *Table, name string) func(int) string {
	c := t.Column(name)
	if c == nil {
		return func(int) string { return "" }
	}
	text := c.AsText()
	return text.Text
}

// numbers returns a reader of a numeric column; an empty name reads NaN.
func numbers(t *Table, name string) (func(int) float64, error) {
	c := t.Column(name)
	switch {
	case c == nil:
		return func(int) float64 { return math.NaN() }, nil
	case c.Kind == Text || c.Kind == Date || c.Kind == Time:
		return nil, &RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf("is of type %v, a number is needed", c.Kind)}
	}
	return c.Number, nil
}

// pick returns the named columns in a new row order.
func pick(t *Table, names []string, order []int) []Column {
	var out []Column
	for _, name := range names {
		c := t.Column(name).Take(order)
		out = append(out, c.Sorted())
	}
	return out
}

// A RowError is bad input at a place in a table.
type RowError struct {
	Table   string
	Row     int // from 1; 0 where the whole column is meant
	Column  string
	Problem string // what was found, what is needed, what to do
}

func (e *RowError) Error() string {
	if e.Row > 0 {
		return fmt.Sprintf("%s: row %d: column %q %s", e.Table, e.Row, e.Column, e.Problem)
	}
	return fmt.Sprintf("%s: column %q: %s", e.Table, e.Column, e.Problem)
}

// Is makes every RowError an ErrBadData.
func (e *RowError) Is(target error) bool { return target == ErrBadData }

// tally counts rows and keeps three different examples.
type tally struct {
	n        int
	examples []string // sorted
}

func (t *tally) add(example string) {
	t.n++
	if len(t.examples) < 3 || example < t.examples[2] {
		t.keep(example)
	}
}
