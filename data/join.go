// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReadOptions configures ReadHistory. The zero value is ready to use.
type ReadOptions struct {
	// Workers is the number of goroutines; zero means one for each CPU. The
	// history does not depend on it.
	Workers int
	// MaxBytes bounds the memory for events, in bytes; past it they go to a
	// scratch file. Zero means no bound. The history does not depend on it.
	MaxBytes int64
	// Progress, if set, is called now and then with the number of event rows
	// read and their total. Calls come from one goroutine at a time.
	Progress func(done, total int)

	maxOdd int // see keepOdd; 0 means 2^22
}

// ReadHistory reads the declared tables and joins them. Accounts and contracts
// are held whole; events are read row group by row group, by several workers,
// and held as packed records. Close the history to free what lies on disk.
//
// It refuses what no default can mend (repeated keys, a null key, columns of
// the wrong type) and counts rows that it leaves out: those of unknown
// accounts, without a time, or repeated events.
func ReadHistory(ctx context.Context, fsys FS, s Sources, o ReadOptions) (*History, error) {
	accounts, contracts, err := readFacts(fsys, s)
	if err != nil {
		return nil, err
	}
	scans := make([]*eventScan, len(s.Events))
	total := 0
	for i := range s.Events {
		if scans[i], err = newEventScan(fsys, &s.Events[i], s.Location); err != nil {
			return nil, fmt.Errorf("events %s: %w", s.Events[i].Name, err)
		}
		total += scans[i].rows
	}
	p := &rowProgress{total: total, call: o.Progress}
	budget := &budget{fsys: fsys, limit: o.MaxBytes, maxOdd: cmp.Or(o.maxOdd, 1<<22)}
	return newHistory(ctx, accounts, contracts, s, budget, func(h *History, i int, index *accountIndex) error {
		if err := scans[i].read(ctx, h, index, budget, o.Workers, p); err != nil {
			return fmt.Errorf("events %s: %w", s.Events[i].Name, err)
		}
		return nil
	})
}

// NewHistory joins tables that are in memory; see ReadHistory.
func NewHistory(ctx context.Context, t *Tables, s Sources) (*History, error) {
	budget := &budget{fsys: Disk{}}
	return newHistory(ctx, t.Accounts, t.Contracts, s, budget, func(h *History, i int, index *accountIndex) error {
		h.numbers = t.Numbers
		return h.joinTable(t.Events[i], &s.Events[i], index, budget)
	})
}

// newHistory joins accounts and contracts, then has each event source read.
func newHistory(ctx context.Context, accounts, contracts *Table, s Sources, b *budget,
	read func(h *History, source int, index *accountIndex) error) (h *History, err error) {
	h = &History{Location: s.Location, Newest: NoTime, budget: b, forgotten: s.Forgotten}
	if h.Location == nil {
		h.Location = time.UTC
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	all := accounts.Rows
	accounts, gone := h.forgotten.without(accounts, s.Accounts.Key)
	h.drop(accounts.Name, wasForgotten, all, gone)
	if err := h.addAccounts(accounts, s.Accounts); err != nil {
		return nil, err
	}
	ids := make([]string, len(h.Accounts))
	for i := range ids {
		ids[i] = h.Accounts[i].ID
	}
	index := newAccountIndex(ids)
	if s.Contracts != nil {
		all := contracts.Rows
		contracts, gone = h.forgotten.without(contracts, s.Contracts.Account)
		h.drop(contracts.Name, wasForgotten, all, gone)
		if err := h.addContracts(contracts, *s.Contracts, index); err != nil {
			return nil, err
		}
	}
	for i := range s.Events {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("events %s: %w", s.Events[i].Name, err)
		}
		if lag := s.Events[i].Lag; lag < 0 {
			return nil, fmt.Errorf("events %s: a lag of %v; expected zero or more, and at most 292 years", s.Events[i].Name, lag)
		}
		if err := read(h, i, index); err != nil {
			return nil, err
		}
	}
	h.settleNewest()
	h.facts = []fact{{accounts, named([]string{s.Accounts.Key, s.Accounts.ValidFrom})}}
	if contracts != nil {
		h.facts = append(h.facts, fact{contracts, []string{s.Contracts.Key}})
	}
	return h, nil
}

// settleNewest finds where the history ends.
func (h *History) settleNewest() {
	h.Newest = NoTime
	for i := range h.Sources {
		h.Newest = max(h.Newest, h.Sources[i].Newest)
	}
	if h.Newest == NoTime { // no events: what is left to tell the end of the data
		for _, c := range h.Contracts {
			h.Newest = max(h.Newest, c.Start)
		}
	}
}

// Close frees the disk space that a history takes.
func (h *History) Close() error {
	if h.budget == nil {
		return nil
	}
	return h.budget.close()
}

// Fingerprint identifies the rows of a history, whatever files they lie in and
// in whatever order.
func (h *History) Fingerprint() string {
	sum := sha256.New()
	w := digest{bufio.NewWriter(sum)}
	for i := range h.Sources {
		if h.Sources[i].ByDay() {
			panic("data: Fingerprint: rows of a source by day are not told apart")
		}
	}
	var facts []*Table
	for _, f := range h.facts {
		facts = append(facts, f.table.orderedBy(f.keys))
	}
	w.text(Fingerprint(facts...))
	for i := range h.Sources {
		src := &h.Sources[i]
		w.number(uint64(src.Rows))
		w.number(src.digest[0])
		w.number(src.digest[1])
	}
	w.Flush() // a hash never fails to write
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// A fact is a table that is held whole, as read, and the columns that tell its
// rows apart.
type fact struct {
	table *Table
	keys  []string
}

// orderedBy returns the table with its rows in the order of the texts of some
// columns; the very table where they are.
func (t *Table) orderedBy(columns []string) *Table {
	keys := make([]Column, len(columns))
	for i, name := range columns {
		keys[i] = t.Column(name).AsText()
	}
	compare := func(a, b int) int {
		for i := range keys {
			if c := strings.Compare(keys[i].Text(a), keys[i].Text(b)); c != 0 {
				return c
			}
		}
		return 0
	}
	rows := make([]int, t.Rows)
	for i := range rows {
		rows[i] = i
	}
	if slices.IsSortedFunc(rows, compare) {
		return t
	}
	slices.SortStableFunc(rows, compare)
	return t.Take(rows)
}

// joinTable joins an event table that is in memory.
func (h *History) joinTable(t *Table, s *EventSource, index *accountIndex, b *budget) error {
	if err := checkEventKinds(t.Name, s, func(name string) Kind { return t.Column(name).Kind }); err != nil {
		return err
	}
	filters, err := s.bindFilters(t.Kinds(), h.Location)
	if err != nil {
		return err
	}
	for _, l := range layouts(h, s, t.Column(s.Value)) {
		j := newJoin(h, s, t.Name, index, b, filters, l)
		w := j.worker()
		if err = w.addTable(t); err == nil {
			return j.end([]*joinWorker{w})
		}
		if !errors.Is(err, errOtherLayout) {
			break
		}
	}
	return err
}

// addTable takes the rows of a table in memory.
func (w *joinWorker) addTable(t *Table) (err error) {
	w.begin(t.Name, 0, t.Rows, t.Rows)
	b, s := &w.rows, w.s
	for _, m := range w.declared() {
		if err := m.into.values(entries{column: t.Column(m.name)}, nil); err != nil {
			return err
		}
	}
	if d := s.Dates; d != (Dates{}) {
		if err := w.takeDates(t.Column(d.From), t.Column(d.To)); err != nil {
			return err
		}
	}
	if len(w.filters) > 0 {
		if err := w.match(t); err != nil {
			return err
		}
	}
	b.at = stamps(t.Column(s.Time), w.h.Location)
	if s.KnownAt != "" {
		b.known = stamps(t.Column(s.KnownAt), w.h.Location)
	}
	return w.take()
}

// checkEventKinds refuses columns whose type cannot play their role.
func checkEventKinds(table string, s *EventSource, kind func(name string) Kind) error {
	for _, name := range []string{s.Time, s.KnownAt, s.Dates.From, s.Dates.To} {
		if name == "" {
			continue
		}
		if k := kind(name); k != Time && k != Date {
			return &RowError{Table: table, Column: name, Problem: fmt.Sprintf(
				"is of type %v, a date or a timestamp is needed", k)}
		}
	}
	if s.Value != "" {
		if k := kind(s.Value); k == Text || k == Date || k == Time {
			return &RowError{Table: table, Column: s.Value, Problem: fmt.Sprintf("is of type %v, a number is needed", k)}
		}
	}
	return nil
}

// stamps returns the instants of a date or timestamp column: NoTime for a
// missing one, the start of the day in loc for a date. They may be the column's
// own values.
func stamps(c *Column, loc *time.Location) []int64 {
	if c.Kind == Time && c.Null == nil {
		return c.Ints
	}
	out := slices.Clone(c.Ints)
	if c.Kind == Date {
		starts := map[int64]int64{} // few days, many rows
		for i, day := range out {
			at, ok := starts[day]
			if !ok {
				at = DayStart(int(day), loc)
				starts[day] = at
			}
			out[i] = at
		}
	}
	for i := range c.Null {
		if c.Null[i] {
			out[i] = NoTime
		}
	}
	return out
}
