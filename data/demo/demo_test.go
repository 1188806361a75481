// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

func TestSameSeedSameBytes(t *testing.T) {
	for name, make := range map[string]func(seed uint64) *demo.Demo{
		"make":   func(seed uint64) *demo.Demo { return demo.Make(demo.Options{Seed: seed, Accounts: 60}) },
		"linear": func(seed uint64) *demo.Demo { return demo.Linear(seed, 60) },
		"shop":   func(seed uint64) *demo.Demo { return demo.Shop(demo.Options{Seed: seed, Accounts: 60}) },
	} {
		first, again, other := hash(make(7)), hash(make(7)), hash(make(8))
		if first != again {
			t.Errorf("%s: seed 7 gave %s and then %s", name, first, again)
		}
		if first == other {
			t.Errorf("%s: seeds 7 and 8 gave the same bytes", name)
		}
	}
}

// An account's rows do not depend on how many accounts there are.
func TestMoreAccountsChangeNoEarlierOne(t *testing.T) {
	small, large := demo.Make(demo.Options{Seed: 3, Accounts: 41}), demo.Make(demo.Options{Seed: 3, Accounts: 90})
	few, many := append(small.Tables(), small.Truth.Contracts), append(large.Tables(), large.Truth.Contracts)
	for i := range few {
		want, got := rowsOf(&few[i], "acct-00041"), rowsOf(&many[i], "acct-00041")
		if len(want) == 0 {
			t.Errorf("%s: no rows to compare", few[i].Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: rows of the first 41 accounts differ (-41 +90 accounts):\n%.600s", few[i].Name, diff)
		}
	}
}

// rowsOf writes out the rows of the accounts up to the last one named. The
// first column that starts with an account's id tells whose a row is.
func rowsOf(t *data.Table, last string) []string {
	owner := t.Column("account_id")
	if owner == nil {
		owner = t.Column("contract_id")
	}
	var rows []string
	for r := range t.Rows {
		if id := owner.Text(r); strings.HasPrefix(id, "acct-") && id[:len(last)] <= last {
			rows = append(rows, line(t, r))
		}
	}
	return rows
}

func TestNothingHappensAfterTheEnd(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 5, Accounts: 500})
	for i := range d.Events {
		e := &d.Events[i]
		account, ts, loaded := e.Column("account_id"), e.Column("ts"), e.Column("loaded_at")
		for r := range e.Rows {
			if ts.Ints[r] >= endDay*nsPerDay {
				t.Fatalf("%s: row %d lies after the end: %s", e.Name, r, line(e, r))
			}
			if loaded != nil && (loaded.Ints[r] >= endDay*nsPerDay || loaded.Ints[r] < ts.Ints[r]) {
				t.Fatalf("%s: row %d is loaded after the end or before it happened: %s", e.Name, r, line(e, r))
			}
			known := strings.HasPrefix(account.Text(r), "acct-")
			if r > 0 && known && account.Codes[r] == account.Codes[r-1] && ts.Ints[r] < ts.Ints[r-1] {
				t.Fatalf("%s: row %d is earlier than the one before it: %s", e.Name, r, line(e, r))
			}
		}
	}
	c := &d.Contracts
	for r := range c.Rows {
		if start := mustDate(t, c, "start_date", r); start > endDay {
			t.Errorf("contract starts after the end: %s", line(c, r))
		}
		for _, name := range []string{"notice_at", "signed_at", "renewed_on"} {
			if at, given := date(c, name, r); given && at >= endDay {
				t.Errorf("%s lies after the end: %s", name, line(c, r))
			}
		}
	}
}

// A customer has events from the day he signed up to the day a churned term
// was due, and again from a later contract's start.
func TestEventsLieInTheAccountsLife(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 5, Accounts: 500})
	created := make(map[string]int64)
	for r := range d.Accounts.Rows {
		created[text(&d.Accounts, "account_id", r)] = mustDate(t, &d.Accounts, "created_at", r)
	}
	type gap struct{ from, to int64 }
	gaps := make(map[string][]gap)
	c, churned := &d.Contracts, d.Truth.Contracts.Column("churned")
	for r := range c.Rows {
		if churned.Missing(r) || churned.Ints[r] == 0 {
			continue
		}
		g := gap{mustDate(t, c, "renewal_date", r), endDay}
		if r+1 < c.Rows && text(c, "account_id", r+1) == text(c, "account_id", r) {
			g.to = mustDate(t, c, "start_date", r+1)
		}
		gaps[text(c, "account_id", r)] = append(gaps[text(c, "account_id", r)], g)
	}
	if len(gaps) == 0 {
		t.Fatal("nobody churned")
	}
	for i := range d.Events {
		e := &d.Events[i]
		for r := range e.Rows {
			id, at := text(e, "account_id", r), e.Column("ts").Ints[r]/nsPerDay
			if at < created[id] {
				t.Fatalf("%s: row %d lies before the account was created: %s", e.Name, r, line(e, r))
			}
			for _, g := range gaps[id] {
				if at >= g.from && at < g.to {
					t.Fatalf("%s: row %d lies after a churn, in days %d to %d: %s", e.Name, r, g.from, g.to, line(e, r))
				}
			}
		}
	}
}

func TestOptions(t *testing.T) {
	end := time.Date(2025, 3, 17, 15, 0, 0, 0, time.UTC)
	d := demo.Make(demo.Options{Accounts: 30, Months: 20, End: end})
	const start, last = 19555, 20163 // 2023-07-17 and 2025-03-16, in days since 1970-01-01
	ts := d.Events[0].Column("ts").Ints
	for _, at := range ts {
		if day := at / nsPerDay; day < start || day > last {
			t.Fatalf("a usage event on day %d, outside %d to %d", day, start, last)
		}
	}
	// the month after the middle of the history, 2024-05-17
	if want := "first: 2024-06-01"; !strings.Contains(d.ProjectYAML, want) {
		t.Errorf("the project file does not say %q", want)
	}
	if want := "first: 2025-04-01"; !strings.Contains(demo.Make(demo.Options{Accounts: 1}).ProjectYAML, want) {
		t.Errorf("the default project file does not say %q", want)
	}
	for _, bad := range []demo.Options{{Accounts: -1}, {Months: 17}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Make(%+v) did not panic", bad)
				}
			}()
			demo.Make(bad)
		}()
	}
}

// The project file names every table, and only columns that its table has.
func TestProjectFileFitsTheTables(t *testing.T) {
	for name, d := range map[string]*demo.Demo{
		"make": demo.Make(demo.Options{Accounts: 5}), "linear": demo.Linear(1, 5),
		"shop": demo.Shop(demo.Options{Accounts: 5}),
	} {
		for _, table := range d.Tables() {
			_, after, found := strings.Cut(d.ProjectYAML, "path: "+table.Name+",")
			if !found {
				t.Errorf("%s: %s is not in the project file", name, table.Name)
				continue
			}
			block, _, _ := strings.Cut(after, "}")
			for _, key := range []string{"key", "account", "created", "segment", "phase", "group", "start", "due", "value",
				"currency", "outcome", "known_at", "notice", "signed", "time", "type", "id"} {
				column, given := valueOf(block, key)
				if given && table.Column(column) == nil {
					t.Errorf("%s: %s has no column %q, which the project file gives as %s", name, table.Name, column, key)
				}
			}
			for _, key := range []string{"attributes", "show", "columns"} {
				_, list, _ := strings.Cut(block, key+": [")
				list, _, _ = strings.Cut(list, "]")
				for _, column := range strings.Split(list, ", ") {
					if column != "" && table.Column(column) == nil {
						t.Errorf("%s: %s has no column %q, which the project file lists under %s", name, table.Name, column, key)
					}
				}
			}
		}
	}
}

// valueOf finds ", key: value" in the text of a flow mapping.
func valueOf(block, key string) (value string, given bool) {
	block = strings.Join(strings.Fields(block), " ") + ","
	_, after, given := strings.Cut(block, " "+key+": ")
	value, _, _ = strings.Cut(after, ",")
	return value, given
}

func ExampleMake() {
	d := demo.Make(demo.Options{Seed: 1, Accounts: 100})
	for _, t := range d.Tables() {
		fmt.Println(t.Name, t.Rows > 0)
	}
	fmt.Println("no true effect:", d.Truth.UselessPillar)
	// Output:
	// data/accounts.parquet true
	// data/contracts.parquet true
	// data/usage.parquet true
	// data/tickets.parquet true
	// data/nps.parquet true
	// data/invoices.parquet true
	// data/touchpoints.parquet true
	// no true effect: advocacy
}
