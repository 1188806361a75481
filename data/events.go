// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"slices"
	"time"
)

// An eventRow is an event on its way into a Source.
type eventRow struct {
	Event
	account int32
	id      int32 // rank of the id's text, so that order does not depend on files
}

// addEvents joins one event table. Rows are dropped, and counted, where the
// account is unknown, the time or a declared known_at is missing, or an id
// repeats: of rows with the same (account, type, id) the one known first stays.
func (h *History) addEvents(t *Table, s EventSource, index map[string]int32) error {
	rows, types, err := h.readEvents(t, s, index)
	if err != nil {
		return err
	}
	if s.ID != "" {
		kept := dropRepeats(rows)
		h.drop(s.Name, "the id repeats; the row known first is kept", len(rows)-len(kept), t.Rows, nil)
		rows = kept
	}
	slices.SortFunc(rows, compareEvents)
	src := Source{Name: s.Name, Types: types, Events: make([]Event, len(rows)), Offsets: make([]int, len(h.Accounts)+1)}
	for i := range rows {
		src.Events[i] = rows[i].Event
		src.Offsets[rows[i].account+1]++
	}
	for a := range h.Accounts {
		src.Offsets[a+1] += src.Offsets[a]
	}
	src.Newest, src.Stray = newest(src.Events)
	h.Sources = append(h.Sources, src)
	return nil
}

// readEvents returns the usable rows of an event table and its types, sorted.
func (h *History) readEvents(t *Table, s EventSource, index map[string]int32) ([]eventRow, []string, error) {
	at, err := instants(t, s.Time, h.Location)
	if err != nil {
		return nil, nil, err
	}
	known, err := instants(t, s.KnownAt, h.Location)
	if err != nil {
		return nil, nil, err
	}
	value, err := numbers(t, s.Value)
	if err != nil {
		return nil, nil, err
	}
	if err := finite(t, s.Value); err != nil {
		return nil, nil, err
	}
	kinds, types := ranks(t, s.Type, s.Name)
	ids, _ := ranks(t, s.ID, "")
	accounts, accountID := accountCodes(t, s.Account, index)

	var orphans, undated, unseen tally
	rows := make([]eventRow, 0, t.Rows)
	for r := range t.Rows {
		a, when, seen := accounts(r), at(r), known(r)
		switch {
		case a < 0:
			orphans.add(accountID(r))
			continue
		case when == NoTime:
			undated.add(h.Accounts[a].ID)
			continue
		case s.KnownAt != "" && seen == NoTime:
			unseen.add(h.Accounts[a].ID)
			continue
		}
		e := Event{Time: when, Known: max(when, seen) + int64(s.Lag), Value: value(r), Type: kinds(r),
			Day: int32(DayOf(when, h.Location))}
		rows = append(rows, eventRow{Event: e, account: a, id: ids(r)})
	}
	h.drop(s.Name, "the account is not in the accounts table", orphans.n, t.Rows, orphans.examples)
	h.drop(s.Name, "the time is missing", undated.n, t.Rows, undated.examples)
	h.drop(s.Name, "known_at is missing, so the row was never seen", unseen.n, t.Rows, unseen.examples)
	return rows, types, nil
}

// newest returns the latest event time. Of 1,000 events or more, up to one in
// a thousand that lie over 90 days after all others are stray: one wrong stamp
// must not move the end of the data, from which outcomes are derived.
func newest(events []Event) (latest int64, stray int) {
	const far = 90 * int64(24*time.Hour)
	if len(events) == 0 {
		return NoTime, 0
	}
	times := make([]int64, len(events))
	for i := range events {
		times[i] = events[i].Time
	}
	slices.Sort(times)
	for k := len(times) / 1000; k > 0; k-- {
		if last := times[len(times)-k-1]; times[len(times)-k]-last > far {
			return last, k
		}
	}
	return times[len(times)-1], 0
}

// compareEvents is the total order of events: account, time, type, id, value,
// and last the time known, which differs only between corrections.
func compareEvents(a, b eventRow) int {
	return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.id, b.id), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Known, b.Known))
}

// dropRepeats keeps of the rows with one (account, type, id) the one known
// first; rows without an id are all kept. The result is in no special order.
func dropRepeats(rows []eventRow) []eventRow {
	byID := slices.Clone(rows)
	slices.SortFunc(byID, func(a, b eventRow) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.Type, b.Type), cmp.Compare(a.id, b.id),
			cmp.Compare(a.Known, b.Known), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Value, b.Value))
	})
	return slices.CompactFunc(byID, func(a, b eventRow) bool {
		return a.id >= 0 && a.id == b.id && a.account == b.account && a.Type == b.Type
	})
}

// ranks codes a column of any id type by the rank of its text, -1 for missing.
// Without a column every row is the one text given.
func ranks(t *Table, name, only string) (code func(int) int32, sorted []string) {
	c := t.Column(name)
	if c == nil {
		return func(int) int32 { return 0 }, []string{only}
	}
	text := c.AsText()
	text = text.Sorted()
	return func(i int) int32 { return text.Codes[i] }, text.Dict
}

// accountCodes maps the rows of an event table to account numbers, -1 for an
// unknown account. An id is looked up once, however many rows it has.
func accountCodes(t *Table, name string, index map[string]int32) (number func(int) int32, id func(int) string) {
	text := t.Column(name).AsText()
	numbers := make([]int32, len(text.Dict))
	for k, id := range text.Dict {
		a, known := index[id]
		if numbers[k] = a; !known {
			numbers[k] = -1
		}
	}
	return func(i int) int32 {
		if text.Codes[i] < 0 {
			return -1
		}
		return numbers[text.Codes[i]]
	}, text.Text
}

// finite refuses infinite values; NaN stands for missing.
func finite(t *Table, name string) error {
	c := t.Column(name)
	if c == nil || c.Kind != Float {
		return nil
	}
	for i, v := range c.Floats {
		if v-v != 0 && v == v {
			return &RowError{Table: t.Name, Row: i + 1, Column: name, Problem: "is infinite; give a finite number or null"}
		}
	}
	return nil
}
