// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
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

// A Source is one event stream. The events of account a, in the order (time,
// type, id, value, known), are Events[Offsets[a]:Offsets[a+1]].
type Source struct {
	Name    string
	Types   []string // sorted; Event.Type counts into it
	Events  []Event
	Offsets []int
	Newest  int64 // latest event time, stray ones in the far future aside; NoTime without events
	Stray   int   // events so far after all others that their stamps must be wrong
}

// An Event is one dated row. It is visible at t if Time < t and Known < t.
type Event struct {
	Time  int64
	Known int64   // when the row could be seen, never before Time
	Value float64 // NaN where not given
	Type  int32
	Day   int32 // calendar day of Time in the project's time zone, days since 1970-01-01
}

// A Count says how many rows of a table something holds for.
type Count struct {
	Table    string   `json:"table"`
	Reason   string   `json:"reason"`
	Rows     int      `json:"rows"`
	Of       int      `json:"of"` // rows of that table, or of that event type
	Examples []string `json:"-"`  // up to three, for messages to the user
}

// Of returns the events of account a.
func (s *Source) Of(a int) []Event { return s.Events[s.Offsets[a]:s.Offsets[a+1]] }

// NewHistory joins the tables. It refuses what no default can mend (repeated
// keys, a null key, columns of the wrong type) and counts rows that it leaves
// out: those of unknown accounts, without a time, or repeated events. It stops
// between tables when the context is cancelled.
func NewHistory(ctx context.Context, t *Tables, s Sources) (*History, error) {
	h := &History{Location: s.Location, Newest: NoTime}
	if h.Location == nil {
		h.Location = time.UTC
	}
	index, err := h.addAccounts(t.Accounts, s.Accounts)
	if err != nil {
		return nil, err
	}
	if s.Contracts != nil {
		if err := h.addContracts(t.Contracts, *s.Contracts, index); err != nil {
			return nil, err
		}
	}
	for i, e := range s.Events {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := h.addEvents(t.Events[i], e, index); err != nil {
			return nil, err
		}
	}
	for i := range h.Sources {
		h.Newest = max(h.Newest, h.Sources[i].Newest)
	}
	if h.Newest == NoTime { // no events: what is left to tell the end of the data
		for _, c := range h.Contracts {
			h.Newest = max(h.Newest, c.Start)
		}
	}
	return h, nil
}

func (h *History) drop(table, reason string, rows, of int, examples []string) {
	if rows > 0 {
		h.Dropped = append(h.Dropped, Count{Table: table, Reason: reason, Rows: rows, Of: of, Examples: examples})
	}
}

func (h *History) addAccounts(t *Table, s AccountSource) (map[string]int32, error) {
	ids, err := keys(t, s.Key)
	if err != nil {
		return nil, err
	}
	order := make([]int, t.Rows)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ids[a], ids[b]) })
	created, err := dates(t, s.Created, h.Location)
	if err != nil {
		return nil, err
	}
	segment, phase, group := texts(t, s.Segment), texts(t, s.Phase), texts(t, s.Group)
	index := make(map[string]int32, t.Rows)
	h.Accounts = make([]Account, t.Rows)
	for i, r := range order {
		a := Account{ID: ids[r], Segment: segment(r), Phase: phase(r), Group: group(r), Created: created(r)}
		if a.Group == "" {
			a.Group = a.ID
		}
		h.Accounts[i] = a
		index[a.ID] = int32(i)
	}
	h.AccountAttributes = pick(t, s.Attributes, order)
	h.Show = pick(t, s.Show, order)
	return index, nil
}

func (h *History) addContracts(t *Table, s ContractSource, index map[string]int32) error {
	ids, err := keys(t, s.Key)
	if err != nil {
		return err
	}
	account := texts(t, s.Account)
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
		switch _, known := index[account(r)]; {
		case !known:
			orphans.add(ids[r])
		case at[0](r) == NoTime || at[1](r) == NoTime:
			undated.add(ids[r])
		case at[1](r) <= at[0](r):
			backwards.add(ids[r])
		default:
			rows = append(rows, r)
		}
	}
	h.drop(t.Name, "the account is not in the accounts table", orphans.n, t.Rows, orphans.examples)
	h.drop(t.Name, "start or due is missing", undated.n, t.Rows, undated.examples)
	h.drop(t.Name, "due is not after start", backwards.n, t.Rows, backwards.examples)

	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(index[account(a)], index[account(b)]), cmp.Compare(at[0](a), at[0](b)),
			cmp.Compare(at[1](a), at[1](b)), cmp.Compare(ids[a], ids[b]))
	})
	var unseen tally
	h.Contracts = make([]Contract, len(rows))
	for i, r := range rows {
		h.Contracts[i] = Contract{
			ID: ids[r], Account: index[account(r)], Y: -1, Start: at[0](r), Due: at[1](r), KnownAt: at[2](r),
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
	h.drop(t.Name, "the outcome has no known_at, so it counts as not known", unseen.n, t.Rows, unseen.examples)
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
	text := texts(t, name)
	ids := make([]string, t.Rows)
	seen := make(map[string]bool, t.Rows)
	var repeated tally
	for r := range t.Rows {
		ids[r] = text(r)
		if ids[r] == "" {
			return nil, &RowError{Table: t.Name, Row: r + 1, Column: name, Problem: "is empty; every row needs its key"}
		}
		if seen[ids[r]] {
			repeated.add(ids[r])
		}
		seen[ids[r]] = true
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

// tally counts rows and keeps the first three different examples.
type tally struct {
	n        int
	examples []string
}

func (t *tally) add(example string) {
	if t.n++; len(t.examples) < 3 && !slices.Contains(t.examples, example) {
		t.examples = append(t.examples, example)
	}
}
