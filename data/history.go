// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
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

// A Contract is one term. Instants lie at the start of their calendar day
// where the table holds dates.
type Contract struct {
	ID        string
	Account   int32
	Previous  int32 // the contract of the same account that was due when this one started, or -1
	Y         int8  // 1 churned, 0 renewed, -1 not known
	Start     int64
	Due       int64
	KnownAt   int64 // NoTime where not given
	Notice    int64
	Signed    int64
	RenewedAt int64
	Value     float64 // NaN where not given
	Currency  string
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

func (h *History) addContracts(t *Table, s ContractSource, index *accountIndex) error {
	ids, err := keys(t, s.Key)
	if err != nil {
		return err
	}
	owners := index.numbers(nil, t.Column(s.Account), func(string) {})
	owner := func(r int) int32 { return owners[r] }
	var at [6]func(int) int64
	for i, name := range []string{s.Start, s.Due, s.KnownAt, s.Notice, s.Signed, s.RenewedAt} {
		if at[i], err = dates(t, name, h.Location); err != nil {
			return err
		}
	}
	value, err := numbers(t, s.Value)
	if err != nil {
		return err
	}
	outcome, currency := texts(t, s.Outcome), texts(t, s.Currency)
	var orphans, undated, backwards tally
	var rows []int
	for r := range t.Rows {
		switch {
		case owner(r) < 0:
			orphans.add(ids[r])
		case at[0](r) == NoTime || at[1](r) == NoTime:
			undated.add(ids[r])
		case at[1](r) <= at[0](r):
			backwards.add(ids[r])
		default:
			rows = append(rows, r)
		}
	}
	h.drop(t.Name, "the account is not in the accounts table", t.Rows, orphans)
	h.drop(t.Name, "start or due is missing", t.Rows, undated)
	h.drop(t.Name, "due is not after start", t.Rows, backwards)

	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(owner(a), owner(b)), cmp.Compare(at[0](a), at[0](b)),
			cmp.Compare(at[1](a), at[1](b)), cmp.Compare(ids[a], ids[b]))
	})
	var unseen tally
	h.Contracts = make([]Contract, len(rows))
	for i, r := range rows {
		h.Contracts[i] = Contract{
			ID: ids[r], Account: owner(r), Y: -1, Start: at[0](r), Due: at[1](r), KnownAt: at[2](r),
			Notice: at[3](r), Signed: at[4](r), RenewedAt: at[5](r), Value: value(r), Currency: currency(r),
		}
		switch {
		case s.Outcome == "" || outcome(r) == "":
		case s.KnownAt != "" && at[2](r) == NoTime:
			// Taking it as known at due + grace would let one class mature before the other.
			unseen.add(ids[r])
		case slices.Contains(s.Churned, outcome(r)):
			h.Contracts[i].Y = 1
		default:
			h.Contracts[i].Y = 0
		}
	}
	h.drop(t.Name, "the outcome has no known_at, so it counts as not known", t.Rows, unseen)
	h.ContractAttributes = pick(t, s.Attributes, rows)
	h.linkContracts()
	return nil
}

// linkContracts sets each account's range of contracts and each contract's
// predecessor: the first of the account's contracts that was due on the day it
// started, or the day before, where due dates are last days.
func (h *History) linkContracts() {
	for lo := 0; lo < len(h.Contracts); {
		a := h.Contracts[lo].Account
		hi := lo
		for hi < len(h.Contracts) && h.Contracts[hi].Account == a {
			hi++
		}
		h.Accounts[a].FirstContract, h.Accounts[a].EndContract = int32(lo), int32(hi)
		dueOn := make(map[int]int32, hi-lo)
		for k := hi - 1; k >= lo; k-- {
			dueOn[DayOf(h.Contracts[k].Due, h.Location)] = int32(k)
		}
		for k := lo; k < hi; k++ {
			start := DayOf(h.Contracts[k].Start, h.Location)
			p, ok := dueOn[start]
			if !ok {
				p, ok = dueOn[start-1]
			}
			if !ok || int(p) == k {
				p = -1
			}
			h.Contracts[k].Previous = p
		}
		lo = hi
	}
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
