// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// filteredTables are 500 random rows of three accounts over 60 days: a type
// that may be missing, a value, a text, and two dates.
func filteredTables() *Tables {
	r := rand.New(rand.NewPCG(1, 2))
	var account, kind, plan []string
	var at, due, paid []int64
	var dueNull, paidNull []bool
	var value []float64
	for range 500 {
		account = append(account, []string{"a", "b", "c"}[r.IntN(3)])
		kind = append(kind, []string{"login", "export", "error", ""}[r.IntN(4)])
		plan = append(plan, []string{"free", "pro", ""}[r.IntN(3)])
		at = append(at, int64(20000+r.IntN(60))*int64(24*time.Hour))
		value = append(value, []float64{math.NaN(), 0, 2.5, 7}[r.IntN(4)])
		due, dueNull = append(due, int64(20000+r.IntN(60))), append(dueNull, r.IntN(5) == 0)
		paid, paidNull = append(paid, int64(20000+r.IntN(60))), append(paidNull, r.IntN(5) == 0)
	}
	return &Tables{
		Accounts: &Table{Name: "accounts", Rows: 3, Columns: []Column{TextColumn("id", []string{"a", "b", "c"})}},
		Events: []*Table{{Name: "events", Rows: 500, Columns: []Column{
			TextColumn("account", account), {Name: "at", Kind: Time, Ints: at}, TextColumn("kind", kind), TextColumn("plan", plan),
			{Name: "value", Kind: Float, Floats: value}, {Name: "due", Kind: Date, Ints: due, Null: dueNull},
			{Name: "paid", Kind: Date, Ints: paid, Null: paidNull}}}},
	}
}

func filters(t *testing.T, texts ...string) []*Filter {
	t.Helper()
	var out []*Filter
	for _, text := range texts {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// The classes of a source count the rows that pass each filter, as a loop over
// the rows does, whether the table lies in memory or in a file of small row
// groups; type means the declared column.
func TestEventFilters(t *testing.T) {
	tables := filteredTables()
	s := Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"}, Events: []EventSource{{Name: "app", Path: "events.parquet",
		Account: "account", Time: "at", Type: "kind", Value: "value",
		Filters: filters(t, "type == 'login' and value > 1", "plan is missing or type in ('export', 'error')", "due >= '2024-10-20'")}}}
	fsys := newMemFS()
	for name, tab := range map[string]*Table{"accounts.parquet": tables.Accounts, "events.parquet": tables.Events[0]} {
		if err := Write(fsys, name, tab); err != nil {
			t.Fatal(err)
		}
	}
	inMemory, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	inFile, err := ReadHistory(context.Background(), fsys, s, ReadOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	tab := tables.Events[0]
	due, _ := time.Parse(time.DateOnly, "2024-10-20")
	pass := []func(i int) bool{
		func(i int) bool { return tab.Column("kind").Text(i) == "login" && tab.Column("value").Floats[i] > 1 },
		func(i int) bool {
			kind := tab.Column("kind").Text(i)
			return tab.Column("plan").Text(i) == "" || kind == "export" || kind == "error"
		},
		func(i int) bool { return !tab.Column("due").Null[i] && tab.Column("due").Ints[i] >= due.Unix()/86400 },
	}
	for name, h := range map[string]*History{"memory": inMemory, "file": inFile} {
		src := &h.Sources[0]
		for k, text := range src.Filters {
			want, got := 0, 0
			for i := range tab.Rows {
				if pass[k](i) {
					want++
				}
			}
			for c := range src.Classes {
				if src.Passes(&src.Classes[c], "", text) {
					got += src.Classes[c].Rows
				}
			}
			if got != want || want == 0 {
				t.Errorf("%s: %d rows pass %s, want %d", name, got, text, want)
			}
		}
	}
	if inMemory.Fingerprint() != inFile.Fingerprint() {
		t.Error("the fingerprint depends on where the table lies")
	}
}

// A filter may ask for the key of a partition folder.
func TestFilterOverFolders(t *testing.T) {
	tables := filteredTables()
	fsys := newMemFS()
	if err := Write(fsys, "accounts.parquet", tables.Accounts); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"north", "south", "west"} {
		if err := Write(fsys, "events/region="+region+"/part.parquet", tables.Events[0]); err != nil {
			t.Fatal(err)
		}
	}
	s := Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"}, Events: []EventSource{{Name: "app", Path: "events/*/*.parquet",
		Account: "account", Time: "at", Filters: filters(t, "region in ('north', 'west')")}}}
	h, err := ReadHistory(context.Background(), fsys, s, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[bool]int{}
	for _, c := range h.Sources[0].Classes {
		rows[c.Match == 1] += c.Rows
	}
	if rows[true] != 1000 || rows[false] != 500 {
		t.Errorf("rows by region %v, want 1000 in two of three", rows)
	}
}

// A filter that does not fit the columns is refused by its own error, with the
// nearest column, and not by that of the file.
func TestEventFilterErrors(t *testing.T) {
	tables := filteredTables()
	fsys := newMemFS()
	if err := Write(fsys, "accounts.parquet", tables.Accounts); err != nil {
		t.Fatal(err)
	}
	if err := Write(fsys, "events.parquet", tables.Events[0]); err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string]string{
		"valu > 1":               `at character 1: no column "valu" (did you mean value?)`,
		"plan == 3":              `at character 9: column "plan" is of type text; found 3, expected a text in quotes`,
		"type == 'a' and at > 5": `expected a day such as`,
	} {
		s := Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"}, Events: []EventSource{{Name: "app",
			Path: "events.parquet", Account: "account", Time: "at", Type: "kind", Filters: filters(t, where)}}}
		_, err := ReadHistory(context.Background(), fsys, s, ReadOptions{})
		var f *FilterError
		if !errors.As(err, &f) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", where, err, want)
		}
	}
	s := Sources{Accounts: AccountSource{Key: "id"}, Events: []EventSource{{Name: "app", Account: "account", Time: "at"}}}
	for i := range MaxFilters + 1 {
		s.Events[0].Filters = append(s.Events[0].Filters, filters(t, fmt.Sprintf("value > %d", i))...)
	}
	if _, err := NewHistory(context.Background(), tables, s); err == nil || !strings.Contains(err.Error(), "64 are the most") {
		t.Errorf("65 filters: %v", err)
	}
}

// A source of two dates gives both back, with each date missing on its own.
func TestEventDates(t *testing.T) {
	tables := filteredTables()
	s := Sources{Accounts: AccountSource{Key: "id"}, Events: []EventSource{{Name: "app", Account: "account", Time: "at", Dates: Dates{"due", "paid"}}}}
	h, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	tab := tables.Events[0]
	want := map[string]int{}
	due, paid := tab.Column("due"), tab.Column("paid")
	for i := range tab.Rows {
		switch {
		case due.Missing(i):
			want["none"]++
		case paid.Missing(i):
			want[fmt.Sprint(due.Ints[i])]++
		default:
			want[fmt.Sprint(due.Ints[i], paid.Ints[i])]++
		}
	}
	for a := range 3 {
		events, err := h.EventsOf(0, a)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			from, to, ended := SplitDays(e.Value)
			switch {
			case e.Value != e.Value:
				want["none"]--
			case !ended:
				want[fmt.Sprint(from)]--
			default:
				want[fmt.Sprint(from, to)]--
			}
		}
	}
	for key, n := range want {
		if n != 0 {
			t.Errorf("%s: %d rows more than were read", key, n)
		}
	}
	// The furthest days that a date may have, either way.
	for _, p := range [][2]int64{{minDay, maxDay}, {maxDay, minDay}, {0, 0}, {-1, 1}} {
		if from, to, ended := SplitDays(joinDays(p[0], p[1], true, true)); int64(from) != p[0] || int64(to) != p[1] || !ended {
			t.Errorf("%v came back as %d, %d, %v", p, from, to, ended)
		}
	}
}
