// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
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

	Versions           []Version // of accounts, sorted by account and From
	AccountAttributes  []Column  // aligned with Versions
	ContractAttributes []Column  // aligned with Contracts
	Show               []Column  // aligned with Accounts

	GraceDays    int  // how late a successor still renews a term; see Link
	ValueAtStart bool // a contract's value is known when its term starts; else it is no feature

	Newest  int64   // latest event time of all sources, or latest contract start without events
	Dropped []Count // rows left out, by reason

	budget    *budget
	numbers   []uint64 // of accounts; see number
	facts     []fact   // as read: what identifies the history beside its events
	forgotten *Forgotten
}

// An Account is one row of the accounts table. Its contracts are
// History.Contracts[FirstContract:EndContract].
type Account struct {
	ID      string
	Group   string // the account's own ID where no group is declared or given
	Created int64  // NoTime where not given

	FirstContract, EndContract int32
	FirstVersion, EndVersion   int32 // in History.Versions, and rows of History.AccountAttributes
}

// A Version is what was true of an account from an instant on, until the next
// version began.
type Version struct {
	From    int64 // NoTime where nobody says: from the beginning
	Segment string
	Phase   string
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

// wasForgotten is why the rows of a forgotten account are left out.
const wasForgotten = "the account was forgotten"

// drop counts rows that are left out, of so many in all.
func (h *History) drop(table, reason string, of int, t tally) {
	if t.n > 0 {
		h.Dropped = append(h.Dropped, Count{Table: table, Reason: reason, Rows: t.n, Of: of, Examples: t.examples})
	}
}

// addAccounts takes the accounts, one row each or, where rows say from when
// they are valid, one for each version. Creation and group are those of the
// first version: what a later one says was not known before.
func (h *History) addAccounts(t *Table, s AccountSource) error {
	ids, err := keys(t, s.Key, s.ValidFrom == "")
	if err != nil {
		return err
	}
	from, err := dates(t, s.ValidFrom, h.Location)
	if err != nil {
		return err
	}
	created, err := dates(t, s.Created, h.Location)
	if err != nil {
		return err
	}
	order := make([]int, t.Rows)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := strings.Compare(ids[a], ids[b]); c != 0 {
			return c
		}
		return cmp.Compare(from(a), from(b))
	})
	segment, phase, group := texts(t, s.Segment), texts(t, s.Phase), texts(t, s.Group)
	h.Versions = make([]Version, len(order))
	h.Accounts = make([]Account, 0, len(order))
	newest := make([]int, 0, len(order)) // by account, the row of its newest version
	for i, r := range order {
		h.Versions[i] = Version{From: from(r), Segment: segment(r), Phase: phase(r)}
		if i > 0 && ids[r] == ids[order[i-1]] {
			a := &h.Accounts[len(h.Accounts)-1]
			if h.Versions[i].From == h.Versions[i-1].From {
				return &RowError{Table: t.Name, Row: r + 1, Column: s.ValidFrom, Problem: fmt.Sprintf(
					"two versions of account %s begin at the same time; keep one", Marked(ids[r]))}
			}
			a.EndVersion = int32(i) + 1
			newest[len(newest)-1] = r
			continue
		}
		a := Account{ID: ids[r], Group: group(r), Created: created(r), FirstVersion: int32(i), EndVersion: int32(i) + 1}
		if a.Group == "" {
			a.Group = a.ID
		}
		h.Accounts = append(h.Accounts, a)
		newest = append(newest, r)
	}
	h.AccountAttributes = pick(t, s.Attributes, order)
	h.Show = pick(t, s.Show, newest)
	return nil
}

// keys returns the texts of a key column, which must be complete and, if so
// asked, unique.
func keys(t *Table, name string, unique bool) ([]string, error) {
	c := t.Column(name)
	ids := make([]string, t.Rows)
	for r := range t.Rows {
		if !c.Missing(r) {
			ids[r] = c.format(r)
		}
		if ids[r] == "" {
			return nil, &RowError{Table: t.Name, Row: r + 1, Column: name, Problem: "is empty; every row needs its key"}
		}
	}
	if !unique || c.Kind == Int && distinct(c.Ints) {
		return ids, nil
	}
	seen := newInterner()
	var repeated tally
	var rows []string // of the first three
	for r, id := range ids {
		if int(seen.codeOf(id)) != r-repeated.n {
			repeated.add(id)
			if len(rows) < 3 {
				rows = append(rows, strconv.Itoa(r+1))
			}
		}
	}
	if repeated.n > 0 {
		return nil, &RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf("%d rows repeat a key, for example %s (rows %s); keep one row per key",
			repeated.n, markedAll(repeated.examples), strings.Join(rows, ", "))}
	}
	return ids, nil
}

// distinct reports whether no two of the values are alike.
func distinct(values []int64) bool {
	sorted := slices.Sorted(slices.Values(values))
	return len(slices.Compact(sorted)) == len(values)
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
