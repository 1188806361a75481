// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A termRow is one row of a contracts table; days count from 1970-01-01.
type termRow struct {
	id                string
	start, due        int64
	value             float64
	currency, outcome string
}

// linked returns the history of one account with the given terms, whose values
// are known at the start, and data that reach to day 2000.
func linked(t interface {
	Helper()
	Fatal(...any)
}, grace int, rows []termRow) (*History, Sources) {
	t.Helper()
	c := &Table{Name: "contracts", Rows: len(rows), Columns: []Column{
		TextOf("id", len(rows), func(i int) string { return rows[i].id }),
		TextOf("account", len(rows), func(int) string { return "a" }),
		IntOf("start", Date, len(rows), func(i int) (int64, bool) { return rows[i].start, true }),
		IntOf("due", Date, len(rows), func(i int) (int64, bool) { return rows[i].due, true }),
		FloatOf("value", len(rows), func(i int) float64 { return rows[i].value }),
		TextOf("currency", len(rows), func(i int) string { return rows[i].currency }),
		TextOf("outcome", len(rows), func(i int) string { return rows[i].outcome }),
	}}
	tables := &Tables{Accounts: &Table{Name: "accounts", Rows: 1, Columns: []Column{TextColumn("id", []string{"a"})}}, Contracts: c,
		Events: []*Table{{Name: "app", Rows: 1, Columns: []Column{TextColumn("account", []string{"a"}),
			{Name: "at", Kind: Date, Ints: []int64{2000}}}}}}
	s := Sources{Location: time.UTC, Accounts: AccountSource{Key: "id"},
		Contracts: &ContractSource{Key: "id", Account: "account", Start: "start", Due: "due", Value: "value", ValueKnown: "start",
			Currency: "currency", Outcome: "outcome", Churned: []string{"churned"}, GraceDays: grace},
		Events: []EventSource{{Name: "app", Account: "account", Time: "at"}}}
	h, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

// Terms follow each other within grace, each parallel contract by itself, and
// an account that was gone begins anew.
func TestLink(t *testing.T) {
	// By contract, in order of start: the one it continues and its episode.
	for _, c := range []struct {
		name  string
		grace int
		terms []termRow
		want  []string
	}{
		{"on the due date", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 365, due: 730}}, []string{"1 < - e1", "2 < 1 e1"}},
		{"the day after, where due is a last day, even without grace", 0, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 366, due: 730}},
			[]string{"1 < - e1", "2 < 1 e1"}},
		{"two days after, without grace", 0, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 367, due: 730}}, []string{"1 < - e1", "2 < - e2"}},
		{"late, on the last day of grace", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 395, due: 730}}, []string{"1 < - e1", "2 < 1 e1"}},
		{"a win-back, a day later", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 396, due: 730}}, []string{"1 < - e1", "2 < - e2"}},
		{"early, on the first day of grace", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 335, due: 730}}, []string{"1 < - e1", "2 < 1 e1"}},
		{"a second contract in mid-term", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 334, due: 730}}, []string{"1 < - e1", "2 < - e1"}},
		{"an add-on that ends with the term", 30, []termRow{{id: "1", start: 0, due: 365}, {id: "2", start: 350, due: 365}}, []string{"1 < - e1", "2 < - e1"}},
		{"parallel: each has its own successor", 30,
			[]termRow{{id: "a1", start: 0, due: 365}, {id: "b1", start: 10, due: 375}, {id: "a2", start: 365, due: 730}, {id: "b2", start: 375, due: 740}},
			[]string{"a1 < - e1", "b1 < - e1", "a2 < a1 e1", "b2 < b1 e1"}},
		{"parallel: only one is renewed", 30, []termRow{{id: "a1", start: 0, due: 365}, {id: "b1", start: 10, due: 375}, {id: "a2", start: 366, due: 730}},
			[]string{"a1 < - e1", "b1 < - e1", "a2 < a1 e1"}},
		{"as near to both: the one already due", 30, []termRow{{id: "a1", start: 0, due: 360}, {id: "b1", start: 10, due: 370}, {id: "c", start: 365, due: 730}},
			[]string{"a1 < - e1", "b1 < - e1", "c < a1 e1"}},
		{"a parallel contract bridges the gap", 30, []termRow{{id: "a1", start: 0, due: 365}, {id: "b", start: 300, due: 665}, {id: "a2", start: 600, due: 900}},
			[]string{"a1 < - e1", "b < - e1", "a2 < - e1"}},
		{"two win-backs", 0, []termRow{{id: "1", start: 0, due: 30}, {id: "2", start: 60, due: 90}, {id: "3", start: 90, due: 120}, {id: "4", start: 190, due: 220}},
			[]string{"1 < - e1", "2 < - e2", "3 < 2 e2", "4 < - e3"}},
	} {
		h, _ := linked(t, c.grace, c.terms)
		var got []string
		for _, k := range h.Contracts {
			previous := "-"
			if k.Previous >= 0 {
				previous = h.Contracts[k.Previous].ID
			}
			got = append(got, fmt.Sprintf("%s < %s e%d", k.ID, previous, k.Episode))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// Links agree with the definition, tried on every pair of terms.
func TestLinkAgreesWithDefinition(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		grace := rapid.IntRange(0, 12).Draw(t, "grace")
		var rows []termRow
		for i := range rapid.IntRange(1, 9).Draw(t, "terms") {
			start := rapid.Int64Range(0, 80).Draw(t, "start")
			rows = append(rows, termRow{id: fmt.Sprint(i), start: start, due: start + rapid.Int64Range(1, 40).Draw(t, "length"), value: 1})
		}
		h, _ := linked(t, grace, rows)
		day := func(t int64) int { return int(t / days) }
		for j := range h.Contracts {
			c := &h.Contracts[j]
			best, want := math.MaxInt, -1
			for k := range h.Contracts {
				p := &h.Contracts[k]
				gap := day(c.Start) - day(p.Due)
				if p.Start >= c.Start || p.Due >= c.Due || gap < -grace || gap > max(grace, 1) {
					continue
				}
				order := gap * 10
				if gap < 0 {
					order = -gap*10 + 5
				}
				if order < best {
					best, want = order, k
				}
			}
			if int(c.Previous) != want {
				t.Fatalf("grace %d, %+v: contract %s continues %d, want %d", grace, rows, c.ID, c.Previous, want)
			}
			if want >= 0 {
				found++
			}
		}
		for k := range h.Contracts { // Successors are the other way round
			var want, got []int32
			for j := range h.Contracts {
				p, c := &h.Contracts[k], &h.Contracts[j]
				if c.Previous >= 0 && day(h.Contracts[c.Previous].Due) == day(p.Due) && c.Start > p.Start && c.Due > p.Due {
					want = append(want, int32(j))
				}
			}
			for j := range h.Successors(int32(k)) {
				got = append(got, j)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("grace %d, %+v: successors of %d are %v, want %v", grace, rows, k, got, want)
			}
		}
	})
	if found == 0 {
		t.Error("no link was ever found")
	}
}

// What starts later changes neither the term that a contract continues nor its
// episode.
func TestLinkDoesNotLookAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grace := rapid.IntRange(0, 12).Draw(t, "grace")
		var rows []termRow
		for i := range rapid.IntRange(1, 9).Draw(t, "terms") {
			start := rapid.Int64Range(0, 80).Draw(t, "start")
			rows = append(rows, termRow{id: fmt.Sprint(i), start: start, due: start + rapid.Int64Range(1, 40).Draw(t, "length")})
		}
		cut := rapid.Int64Range(0, 80).Draw(t, "cut")
		known := slices.DeleteFunc(slices.Clone(rows), func(r termRow) bool { return r.start > cut })
		if len(known) == 0 {
			return
		}
		all, _ := linked(t, grace, rows)
		now, _ := linked(t, grace, known)
		for k := range now.Contracts {
			if got, want := &now.Contracts[k], &all.Contracts[k]; got.ID != want.ID || got.Previous != want.Previous || got.Episode != want.Episode {
				t.Fatalf("grace %d, cut %d, %+v: %+v becomes %+v", grace, cut, rows, got, want)
			}
		}
	})
}

// The share of value kept is that of yearly values, and of all terms of the
// account that are due together.
func TestKept(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name  string
		terms []termRow
		want  float64 // of the first term
	}{
		{"the same price", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 365, due: 730, value: 100}}, 1},
		{"in a leap year", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 365, due: 731, value: 100}}, 1},
		{"a contraction", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 365, due: 730, value: 80}}, 0.8},
		{"two years for the price of two", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 365, due: 1096, value: 200}}, 1},
		{"from a month to a year, at ten months' price", []termRow{{id: "1", start: 0, due: 30, value: 12}, {id: "2", start: 30, due: 395, value: 120}}, 120.0 / 144},
		{"two terms become one", []termRow{{id: "1", start: 0, due: 365, value: 60}, {id: "2", start: 100, due: 365, value: 40 * 265 / 365.0},
			{id: "3", start: 365, due: 730, value: 50}}, 50 / (60 + 40*265/365.0*12/9)}, // 265 days are 9 months
		{"one becomes two", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 365, due: 730, value: 70}, {id: "3", start: 370, due: 735, value: 50}}, 1.2},
		{"nothing came", []termRow{{id: "1", start: 0, due: 365, value: 100}}, nan},
		{"a win-back is no renewal", []termRow{{id: "1", start: 0, due: 365, value: 100}, {id: "2", start: 465, due: 730, value: 100}}, nan},
		{"no value", []termRow{{id: "1", start: 0, due: 365, value: nan}, {id: "2", start: 365, due: 730, value: 100}}, nan},
		{"free until now", []termRow{{id: "1", start: 0, due: 365, value: 0}, {id: "2", start: 365, due: 730, value: 100}}, nan},
		{"another currency", []termRow{{id: "1", start: 0, due: 365, value: 100, currency: "EUR"}, {id: "2", start: 365, due: 730, value: 100, currency: "USD"}}, nan},
	} {
		h, _ := linked(t, 30, c.terms)
		// A quotient of sums of quotients: a few roundings.
		if got := h.Contracts[0].Kept; math.IsNaN(got) != math.IsNaN(c.want) || math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: kept %v, want %v", c.name, got, c.want)
		}
	}
}

// Without value_known: start the successor's value is known too late.
func TestKeptNeedsAValueKnownAtTheStart(t *testing.T) {
	tables, s := joined()
	tables.Contracts.Columns[5].Floats[1] = 10
	for known, want := range map[string]float64{"start": 0.5, "end": math.NaN(), "": math.NaN()} {
		s.Contracts.ValueKnown = known
		h, err := NewHistory(context.Background(), tables, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Contracts[0].Kept; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("value_known %q: kept %v, want %v", known, got, want)
		}
	}
}

// The columns that say how a term ended, and what is refused in them.
func TestEndOfTermColumns(t *testing.T) {
	read := func(column Column, set func(*ContractSource)) (*History, error) {
		tables, s := joined()
		tables.Contracts.Columns = append(tables.Contracts.Columns, column)
		set(s.Contracts)
		return NewHistory(context.Background(), tables, s)
	}
	reason := TextColumn("why", []string{"card declined", "", "moved on", "", "", ""})
	h, err := read(reason, func(s *ContractSource) { s.Reason, s.Involuntary = "why", []string{"card declined", "bankrupt"} })
	if err != nil {
		t.Fatal(err)
	}
	// Contracts c1, c2, c3 are rows 2, 1, 3.
	if got := []int8{h.Contracts[0].Involuntary, h.Contracts[1].Involuntary, h.Contracts[2].Involuntary}; !slices.Equal(got, []int8{-1, 1, 0}) {
		t.Errorf("involuntary %v, want -1, 1, 0", got)
	}
	renews := TextColumn("auto", []string{"Yes", "no", "", "", "", ""})
	if h, err = read(renews, func(s *ContractSource) { s.AutoRenew = "auto" }); err != nil {
		t.Fatal(err)
	}
	if got := []int8{h.Contracts[0].AutoRenew, h.Contracts[1].AutoRenew, h.Contracts[2].AutoRenew}; !slices.Equal(got, []int8{0, 1, -1}) {
		t.Errorf("auto-renew %v, want 0, 1, -1", got)
	}
	money := Column{Name: "next", Kind: Float, Floats: []float64{4, 9, math.NaN(), 0, 0, 0}}
	if h, err = read(money, func(s *ContractSource) { s.RenewedValue = "next" }); err != nil {
		t.Fatal(err)
	}
	if got := []float64{h.Contracts[0].Kept, h.Contracts[1].Kept}; !slices.Equal(got, []float64{1.5, 0.8}) || !math.IsNaN(h.Contracts[2].Kept) {
		t.Errorf("kept %v, %v; want 9/6, 4/5, none", got, h.Contracts[2].Kept)
	}
	if h, err = read(money, func(s *ContractSource) { s.Kept = "next" }); err != nil || h.Contracts[0].Kept != 9 {
		t.Errorf("kept %v, %v; want it as declared", h.Contracts[0].Kept, err)
	}
	money.Floats[3] = -1
	for name, c := range map[string]struct {
		column Column
		set    func(*ContractSource)
		want   string
	}{
		"a negative share":        {money, func(s *ContractSource) { s.Kept = "next" }, `row 4: column "next" holds -1; expected 0 or more`},
		"perhaps":                 {TextColumn("auto", []string{"perhaps", "", "", "", "", ""}), func(s *ContractSource) { s.AutoRenew = "auto" }, `holds "perhaps"; expected true or false`},
		"a share that is no text": {reason, func(s *ContractSource) { s.Kept = "why" }, "a number is needed"},
	} {
		if _, err := read(c.column, c.set); !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// Outcomes that the contracts contradict are counted, and so are values that
// cannot be added.
func TestOutcomesAgainstContracts(t *testing.T) {
	h, s := linked(t, 30, []termRow{
		{id: "renewed", start: 0, due: 100, outcome: "renewed", value: 1, currency: "EUR"},
		{id: "back", start: 100, due: 200, outcome: "churned", value: 1, currency: "USD"}, // the next starts 10 days later
		{id: "left", start: 210, due: 300, outcome: "churned", value: 1, currency: "EUR"},
		{id: "alone", start: 400, due: 500, outcome: "renewed", value: 1, currency: "EUR"},
		{id: "recent", start: 1900, due: 1980, outcome: "renewed", value: 1}, // grace ends after the data do
	})
	got := map[string]string{}
	for _, f := range checked(t, h, s) {
		got[f.Check] += fmt.Sprintf("%d of %d %v %s; ", f.Rows, f.Of, f.Examples, f.Message)
	}
	for _, want := range []string{"1 of 2 [back]", "1 of 2 [alone]", "declared churned, although a contract continues them within the grace of 30 days",
		"declared renewed, although no contract continues them"} {
		if !strings.Contains(got["contradiction"], want) {
			t.Errorf("contradictions %q do not say %q", got["contradiction"], want)
		}
	}
	if !strings.Contains(got["currencies"], "values are in EUR and USD") {
		t.Errorf("currencies: %q", got["currencies"])
	}
	err := h.OneCurrency("a total")
	if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), "values are in EUR and USD, and a total would put them together; keep") {
		t.Errorf("two currencies: %v", err)
	}
	h.Contracts[1].Currency = "EUR"
	if err := h.OneCurrency("a total"); err != nil {
		t.Errorf("one currency and none given: %v", err)
	}
	// A table that holds no successors at all says nothing against a renewal.
	h, s = linked(t, 30, []termRow{{id: "alone", start: 0, due: 100, outcome: "renewed"}})
	for _, f := range checked(t, h, s) {
		if f.Check == "contradiction" {
			t.Errorf("no successors in the table: %s", f.Message)
		}
	}
}

// A slip in the values that mean churn is found where none of them is there.
func TestChurnedValues(t *testing.T) {
	for _, c := range []struct {
		churned  string
		outcomes []string
		want     string
	}{
		{"lost", []string{"renewed", "churned", ""},
			`no value of "outcome" is one of those that data.contracts.churned names (["lost"]); there are ["churned" "renewed"]`},
		{"churned", []string{"renewed", "churned", ""}, ""},
		{"churned", []string{"", "", ""}, ""}, // nothing has ended yet
	} {
		var rows []termRow
		for i, o := range c.outcomes {
			rows = append(rows, termRow{id: fmt.Sprint(i), start: int64(100 * i), due: int64(100*i + 100), outcome: o})
		}
		h, s := linked(t, 30, rows)
		s.Contracts.Churned = []string{c.churned}
		for i := range h.Contracts { // as read with the other values
			if c.churned == "lost" && h.Contracts[i].Y == 1 {
				h.Contracts[i].Y = 0
			}
		}
		got := ""
		for _, f := range checked(t, h, s) {
			if f.Check == "churned_values" {
				got += f.Message
			}
		}
		if got != c.want {
			t.Errorf("churned: [%s] of %q: %q, want %q", c.churned, c.outcomes, got, c.want)
		}
	}
}

// checked returns the findings of a history.
func checked(t *testing.T, h *History, s Sources) []Finding {
	t.Helper()
	findings, err := Check(h, s)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// A known_at that waits longer for one class than for the other is found, as
// is grace that makes up for it.
func TestUnequalMaturity(t *testing.T) {
	tables, s := joined()
	tables.Contracts.Columns[4] = TextColumn("outcome", []string{"renewed", "renewed", "lost", "", "", ""})
	known := Column{Name: "known", Kind: Date, Ints: []int64{75, 45, 400, 0, 0, 0}} // c2 and c1 5 days after they were due, c3 25
	tables.Contracts.Columns = append(tables.Contracts.Columns, known)
	s.Contracts.KnownAt = "known"
	for grace, want := range map[int]string{0: "churned outcomes are known 25 days after the due date, renewed ones 5 (medians)", 17: "churned outcomes are known 25 days after the due date, renewed ones 17", 18: "", 30: ""} {
		s.Contracts.GraceDays = grace
		h, err := NewHistory(context.Background(), tables, s)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range checked(t, h, s) {
			if f.Check == "unequal_maturity" {
				got = f.Message
			}
		}
		if (want == "") != (got == "") || !strings.HasPrefix(got, want) || (got != "") != strings.Contains(got, "outcome.grace of at least 25 days") {
			t.Errorf("grace %d: %q, want %q", grace, got, want)
		}
	}
}
