// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A source is held by day only where its rows allow it, and then its events are
// those of the source with times, each at the start of its day.
func TestSourceByDay(t *testing.T) {
	const rows = 3000
	table := func(file int, change func(r int, at *int64, value *float64, kind *string)) *Table {
		var account, at []int64
		var value []float64
		var kind []string
		for r := range rows {
			account = append(account, 7+int64(r%3)) // only 7 is known
			at, value, kind = append(at, int64(r*r%997)*hour), append(value, float64(r%50)/4), append(kind, fmt.Sprint("k", r%5))
			if r == rows-3 && file == 1 && change != nil {
				change(r, &at[r], &value[r], &kind[r])
			}
		}
		return &Table{Name: "events", Rows: rows, Columns: []Column{{Name: "account", Kind: Int, Ints: account}, {Name: "at", Kind: Time, Ints: at},
			{Name: "value", Kind: Float, Floats: value}, TextColumn("kind", kind)}}
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	stJohns, err := time.LoadLocation("America/St_Johns") // until 2011 its clocks went back at 00:01
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	for name, c := range map[string]struct {
		change func(r int, at *int64, value *float64, kind *string)
		loc    *time.Location
		source EventSource
		days   bool
	}{
		"days":                {nil, time.UTC, EventSource{}, true},
		"a zone":              {nil, newYork, EventSource{}, true},
		"many digits":         {func(_ int, _ *int64, v *float64, _ *string) { *v = 100_000_000.5 }, time.UTC, EventSource{}, true},
		"a third":             {func(_ int, _ *int64, v *float64, _ *string) { *v = 1.0 / 3 }, time.UTC, EventSource{}, false},
		"two hundred years":   {func(_ int, at *int64, _ *float64, _ *string) { *at = 200 * 365 * 24 * hour }, time.UTC, EventSource{}, false},
		"a day that is again": {func(_ int, at *int64, _ *float64, _ *string) { *at = 14700 * 24 * hour }, stJohns, EventSource{}, false},
		"a lag":               {nil, time.UTC, EventSource{Lag: time.Hour}, false},
		"known_at":            {nil, time.UTC, EventSource{KnownAt: "at"}, false},
	} {
		fsys := newMemFS()
		for file, table := range map[string]*Table{"accounts.parquet": fewEvents(Column{Kind: Int}).Accounts,
			"events0.parquet": table(0, c.change), "events1.parquet": table(1, c.change)} {
			if err := Write(fsys, file, table); err != nil {
				t.Fatal(err)
			}
		}
		s := fewSources(EventSource{Value: "value", Type: "kind", Lag: c.source.Lag, KnownAt: c.source.KnownAt})
		s.Location = c.loc
		read := func(byDay bool, o ReadOptions) *History {
			s.Events[0].ByDay = byDay
			h, err := ReadHistory(context.Background(), fsys, s, o)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		exact := read(false, ReadOptions{})
		want := allEvents(t, exact, 0)
		for _, o := range []ReadOptions{{Workers: 1}, {Workers: 2, MaxBytes: 16 << 10}} {
			h := read(true, o)
			if h.Sources[0].ByDay() != c.days {
				t.Errorf("%s: by day is %v", name, !c.days)
			}
			if h.Newest != exact.Newest || h.Sources[0].Rows != exact.Sources[0].Rows || !slices.EqualFunc(h.Dropped, exact.Dropped, sameCount) {
				t.Errorf("%s: %+v, want %+v", name, h, exact)
			}
			for a, events := range allEvents(t, h, 0) {
				if !slices.EqualFunc(events, onDays(want[a], c.days, c.loc), sameEvent) {
					t.Errorf("%s: account %d has other events", name, a)
				}
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// onDays returns events as a source by day has them.
func onDays(events []Event, days bool, loc *time.Location) []Event {
	out := slices.Clone(events)
	if days {
		for i := range out {
			e := &out[i]
			e.Time = DayStart(int(e.Day), loc)
			e.Known = e.Time
		}
		var s Source
		s.Classes = []Class{{}}
		slices.SortFunc(out, func(a, b Event) int {
			a.Class, b.Class = 0, 0
			return s.compare(&a, &b)
		})
	}
	return out
}

func sameCount(a, b Count) bool {
	return a.Table == b.Table && a.Reason == b.Reason && a.Rows == b.Rows && a.Of == b.Of
}

// Where types outnumber the classes that fit beside the places of many accounts,
// a source is held with its times.
func TestManyTypesByDay(t *testing.T) {
	const accounts = maxParts << 8 // a place takes 8 bits, so 256 classes fit
	ids := make([]int64, accounts)
	for i := range ids {
		ids[i] = int64(i)
	}
	for _, c := range []struct {
		types int
		days  bool
	}{{255, true}, {256, false}} { // one class stands for no type
		var account, at []int64
		var kind []string
		for r := range c.types {
			account, at, kind = append(account, int64(accounts-1-r)), append(at, int64(r)*24*hour), append(kind, fmt.Sprint(r))
		}
		h, err := NewHistory(context.Background(), &Tables{
			Accounts: &Table{Name: "accounts", Rows: accounts, Columns: []Column{{Name: "id", Kind: Int, Ints: ids}}},
			Events: []*Table{{Name: "events", Rows: len(at), Columns: []Column{{Name: "account", Kind: Int, Ints: account},
				{Name: "at", Kind: Time, Ints: at}, TextColumn("kind", kind)}}},
		}, Sources{Location: time.UTC, Accounts: AccountSource{Key: "id"}, Events: []EventSource{
			{Name: "use", Account: "account", Time: "at", Type: "kind", ByDay: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if h.Sources[0].ByDay() != c.days {
			t.Errorf("%d types: by day is %v", c.types, !c.days)
		}
		for _, r := range []int{0, 1, c.types - 1} {
			id := fmt.Sprint(accounts - 1 - r)
			a := slices.IndexFunc(h.Accounts, func(a Account) bool { return a.ID == id })
			events, err := h.EventsOf(0, a)
			if err != nil || len(events) != 1 || events[0].Day != int32(r) || h.Sources[0].Types[events[0].Type] != fmt.Sprint(r) {
				t.Errorf("%d types: account %s has %+v, %v", c.types, id, events, err)
			}
		}
	}
}
