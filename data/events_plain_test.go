// SPDX-License-Identifier: Apache-2.0

package data

import (
	"slices"
	"testing"
	"time"
)

// A plain batch gives the same records and counts either way; a batch with
// anything to decide is not plain.
func TestPlainBatches(t *testing.T) {
	const rows = 5000
	accounts, at, value, kind := make([]string, rows), make([]int64, rows), make([]float64, rows), make([]string, rows)
	for r := range rows {
		accounts[r] = string(rune('a' + r%7))
		at[r] = int64(r*r%997) * int64(time.Hour)
		value[r] = float64(r%50) / 4
		kind[r] = string(rune('x' + r%3))
	}
	table := &Table{Name: "t", Rows: rows, Columns: []Column{TextColumn("account", accounts), {Name: "at", Kind: Time, Ints: at},
		{Name: "value", Kind: Float, Floats: value}, TextColumn("kind", kind)}}
	joined := func(s EventSource, table *Table, plain bool) (*joinWorker, error) {
		h := &History{Location: time.UTC}
		for i := range 7 {
			h.Accounts = append(h.Accounts, Account{ID: string(rune('a' + i))})
		}
		ids := []string{"a", "b", "c", "d", "e", "f", "g"}
		w := newJoin(h, &s, "t", newAccountIndex(ids), &budget{}, nil, newLayout(&s, false)).worker()
		if err := w.addTable(table); err != nil {
			return nil, err
		}
		if w.plain() != plain {
			t.Errorf("%+v: plain is %v", s, w.plain())
		}
		return w, nil
	}
	for _, s := range []EventSource{{Account: "account", Time: "at", Value: "value", Type: "kind"}, {Account: "account", Time: "at", Value: "value"},
		{Account: "account", Time: "at", Type: "kind"}, {Account: "account", Time: "at"}} {
		plain, err := joined(s, table, true)
		if err != nil {
			t.Fatal(err)
		}
		general, err := joined(s, table, true)
		if err != nil {
			t.Fatal(err)
		}
		general.out, general.counts = general.store.writer(), newEventCounts()
		for i := range general.store.parts {
			general.store.parts[i].blocks = nil
		}
		if err := general.add(); err != nil {
			t.Fatal(err)
		}
		for part := range plain.out.open {
			a, b := plain.out.open[part], general.out.open[part]
			if !slices.Equal(a.words[:a.n], b.words[:b.n]) {
				t.Fatalf("%+v: part %d differs", s, part)
			}
		}
		a, b := &plain.counts, &general.counts
		if a.rows != b.rows || a.sum != b.sum || !slices.Equal(a.classes, b.classes) {
			t.Errorf("%+v: counts %+v and %+v", s, a.classes, b.classes)
		}
		latest, stray := a.days.newest()
		if other, others := b.days.newest(); latest != other || stray != others {
			t.Errorf("%+v: newest %d and %d", s, latest, other)
		}
	}
	for name, change := range map[string]func(c []Column, s *EventSource){
		"an unknown account": func(c []Column, _ *EventSource) { c[0] = TextColumn("account", append([]string{"z"}, accounts[1:]...)) },
		"no account":         func(c []Column, _ *EventSource) { c[0] = TextColumn("account", append([]string{""}, accounts[1:]...)) },
		"no time":            func(c []Column, _ *EventSource) { c[1].Null = append([]bool{true}, make([]bool, rows-1)...) },
		"a third":            func(c []Column, _ *EventSource) { c[2].Floats = append([]float64{1.0 / 3}, value[1:]...) },
		"known_at":           func(_ []Column, s *EventSource) { s.KnownAt = "at" },
	} {
		s := EventSource{Account: "account", Time: "at", Value: "value", Type: "kind"}
		columns := slices.Clone(table.Columns)
		change(columns, &s)
		if _, err := joined(s, &Table{Name: name, Rows: rows, Columns: columns}, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
