// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// surveyed makes a history of random events over 5,000 accounts: two contracts
// each, the last of a third of them churned, and some accounts without either.
func surveyed(t *testing.T, loc *time.Location) (*History, Sources) {
	t.Helper()
	const accounts, events = 5000, 40_000
	random := rand.New(rand.NewPCG(7, 0))
	day := func(y int, m time.Month, d int) int64 {
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay
	}
	from, to := day(2023, 1, 1), day(2025, 1, 1)
	var ids, created, owner, start, due, who, at []int64
	var key, outcome, kind []string
	var value []float64
	for a := range int64(accounts) {
		ids, created = append(ids, a), append(created, from+random.Int64N(60))
		if a%10 == 9 {
			continue
		}
		for k := range int64(2) {
			key, owner = append(key, fmt.Sprint(a, "-", k)), append(owner, a)
			start, due = append(start, from+30+180*k), append(due, from+30+180*(k+1))
			outcome = append(outcome, []string{"renewed", "renewed", "lost"}[(a+k)%3])
		}
	}
	for range events {
		who = append(who, random.Int64N(accounts*19/20))
		at = append(at, (from*secondsPerDay+random.Int64N(8*(to-from))*secondsPerDay/8)*int64(time.Second))
		kind = append(kind, []string{"login", "login", "ticket", ""}[random.IntN(4)])
		value = append(value, []float64{1, 2, math.Pi, math.NaN()}[random.IntN(4)])
	}
	for range events / 10 { // loaded twice
		i := random.IntN(len(who))
		who, at, kind, value = append(who, who[i]), append(at, at[i]), append(kind, kind[i]), append(value, value[i])
	}
	tables := &Tables{
		Accounts: &Table{Name: "accounts", Rows: accounts, Columns: []Column{
			{Name: "id", Kind: Int, Ints: ids}, {Name: "created", Kind: Date, Ints: created}}},
		Contracts: &Table{Name: "contracts", Rows: len(key), Columns: []Column{TextColumn("key", key), {Name: "account", Kind: Int, Ints: owner},
			{Name: "start", Kind: Date, Ints: start}, {Name: "due", Kind: Date, Ints: due}, TextColumn("outcome", outcome)}},
		Events: []*Table{{Name: "usage", Rows: len(who), Columns: []Column{{Name: "account", Kind: Int, Ints: who},
			{Name: "at", Kind: Time, Ints: at}, TextColumn("kind", kind), {Name: "value", Kind: Float, Floats: value}}}},
	}
	s := Sources{Location: loc, Accounts: AccountSource{Key: "id", Created: "created"},
		Contracts: &ContractSource{Key: "key", Account: "account", Start: "start", Due: "due", Outcome: "outcome", Churned: []string{"lost"}},
		Events:    []EventSource{{Name: "usage", Account: "account", Time: "at", Type: "kind", Value: "value"}}}
	h, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

// The packed pass counts what a loop over events that are spelled out counts,
// in any time zone and with any number of workers.
func TestSurveyCountsWhatALoopCounts(t *testing.T) {
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Skip(err)
	}
	for _, loc := range []*time.Location{time.UTC, apia} {
		h, _ := surveyed(t, loc)
		if h.Parts() < 2 {
			t.Fatalf("%d parts, want several", h.Parts())
		}
		months, findings := map[string]int{}, map[string]int{}
		for a := range h.Accounts {
			events, err := h.EventsOf(0, a)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) == 0 {
				findings["without_events"]++
			}
			account, seen := &h.Accounts[a], map[string]bool{}
			contracts := h.Contracts[account.FirstContract:account.EndContract]
			for _, e := range events {
				name := "(no type)"
				if e.Type >= 0 {
					name = h.Sources[0].Types[e.Type]
				}
				at := time.Unix(0, e.Time).In(loc)
				months[name+" "+at.Format("2006-01")]++
				if e.Time < account.Created {
					findings["before_created"]++
				}
				if text := fmt.Sprint(e.Time, e.Type, e.Value); seen[text] {
					findings["repeats"]++
				} else {
					seen[text] = true
				}
				if len(contracts) == 0 {
					continue
				}
				last := contracts[len(contracts)-1]
				due := time.Unix(0, last.Due).In(loc)
				if e.Time < contracts[0].Start {
					findings["before_contract"]++
				}
				if !at.Before(due.AddDate(0, 0, 1)) {
					findings["after_end"]++
				}
				if !at.Before(due.AddDate(0, 0, 91)) && last.Y == 1 {
					findings["after_churn"]++
				}
			}
		}
		for _, workers := range []int{1, 3} {
			v, err := NewSurvey(h, workers)
			if err != nil {
				t.Fatal(err)
			}
			got, gotFindings := map[string]int{}, map[string]int{}
			for _, k := range v.Types {
				for m, n := range k.ByMonth {
					if n > 0 {
						got[k.Type+" "+v.Months[m]] = n
					}
				}
			}
			for _, f := range v.Findings {
				gotFindings[f.Check] += f.Rows
			}
			if diff := cmp.Diff(months, got); diff != "" {
				t.Errorf("%v, %d workers: %s", loc, workers, diff)
			}
			if diff := cmp.Diff(findings, gotFindings); diff != "" || len(findings) != 6 {
				t.Errorf("%v, %d workers: %s", loc, workers, diff)
			}
		}
	}
}

// monthly makes a survey of one source from counts by month, type by type.
func monthly(t *testing.T, first time.Month, counts map[string][]int) *Survey {
	t.Helper()
	types := make([]string, 0, len(counts))
	for name := range counts {
		types = append(types, name)
	}
	slices.Sort(types)
	var events []Event
	newest := NoTime
	for k, name := range types {
		for m, n := range counts[name] {
			for i := range n {
				at := time.Date(2024, first+time.Month(m), 1, i%24, i/24%60, k, 0, time.UTC).UnixNano()
				events, newest = append(events, Event{Time: at, Known: at, Value: float64(i), Type: int32(k)}), max(newest, at)
			}
		}
	}
	h := &History{Location: time.UTC, Accounts: []Account{{ID: "a", Created: NoTime}}}
	h.AddSource("s", types, newest, [][]Event{events})
	v, err := NewSurvey(h, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts map[string][]int
		want   []string
	}{
		{"steady", map[string][]int{"x": {40, 40, 40, 40}, "y": {1, 0, 0, 1}}, nil},
		{"a type that ended two months ago", map[string][]int{"x": {40, 40, 40, 40}, "y": {60, 60, 0, 0}}, []string{
			"ended s.y: none of its 120 events is newer than 2024-02, and the data go on to 2024-04; features of recent snapshots see nothing"}},
		{"one month is no end", map[string][]int{"x": {40, 40, 40, 40}, "y": {60, 60, 1, 0}}, nil},
		{"too few to say", map[string][]int{"x": {40, 40, 40, 40}, "y": {9, 9, 0, 0}}, nil},
		{"a gap", map[string][]int{"x": {40, 0, 0, 40, 40}}, []string{"gap s: there is no event in 2024-02, 2024-03, and some before and after"}},
	} {
		var got []string
		for _, f := range monthly(t, 1, c.counts).Findings {
			got = append(got, f.Check+" "+f.Subject+": "+f.Message)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// Ten years are listed; older events and rare types are added up.
func TestSurveyIsBounded(t *testing.T) {
	long := make([]int, 130)
	for i := range long {
		long[i] = 1
	}
	v := monthly(t, 1, map[string][]int{"x": long})
	if k := v.Types[0]; len(v.Months) != 120 || v.Months[0] != "2024-11" || k.Events != 130 || k.Outside != 10 || len(k.ByMonth) != 120 {
		t.Errorf("%d months from %s, %d events, %d outside", len(v.Months), v.Months[0], k.Events, k.Outside)
	}
	many := map[string][]int{}
	for i := range 130 {
		many[fmt.Sprintf("t%03d", i)] = []int{1, 200 - i}
	}
	v = monthly(t, 1, many)
	// The last 30 types have 1 + 200 - i events each, i from 100 to 129.
	if last := v.Types[len(v.Types)-1]; len(v.Types) != 101 || last.Type != "(30 other types)" || last.Events != 30+(71+100)*30/2 ||
		!slices.Equal(last.ByMonth, []int{30, (71 + 100) * 30 / 2}) || v.Types[0].Name() != "s.t000" {
		t.Errorf("%d types, the last %+v", len(v.Types), last)
	}
}

// contradicted makes a history of three accounts whose contracts contradict
// each other, the accounts and themselves.
func contradicted(t *testing.T) []Finding {
	t.Helper()
	days := func(name string, at ...int64) Column {
		c := Column{Name: name, Kind: Date, Ints: at, Null: make([]bool, len(at))}
		for i := range at {
			c.Null[i] = at[i] < 0
		}
		return c
	}
	tables := &Tables{
		Accounts: &Table{Name: "accounts", Rows: 3, Columns: []Column{TextColumn("id", []string{"a", "b", "c"}), days("created", 100, 0, 0),
			TextColumn("plan", []string{"pro", "basic", "basic"}), {Name: "seats", Kind: Int, Ints: []int64{5, 7, 7}}}},
		Contracts: &Table{Name: "contracts", Rows: 5, Columns: []Column{
			TextColumn("key", []string{"k1", "k2", "k3", "k4", "k5"}), TextColumn("account", []string{"a", "a", "b", "b", "b"}),
			days("start", 100, 90, 10, 10, 30), days("due", 130, 100, 40, 40, 60),
			TextColumn("outcome", []string{"lost", "kept", "kept", "kept", "kept"}),
			days("known", 99, 100, 40, 40, 60), days("notice", -1, 89, -1, -1, 30), days("signed", -1, -1, -1, 9, -1), days("renewed", -1, -1, -1, -1, 29),
			TextColumn("Plan", []string{"pro", "basic", "basic", "", "pro"}), {Name: "seats", Kind: Float, Floats: []float64{5, 5, 7, 7, math.NaN()}}}},
	}
	s := Sources{Accounts: AccountSource{Key: "id", Created: "created", Attributes: []string{"plan", "seats"}},
		Contracts: &ContractSource{Key: "key", Account: "account", Start: "start", Due: "due", Outcome: "outcome", Churned: []string{"lost"},
			KnownAt: "known", Notice: "notice", Signed: "signed", RenewedAt: "renewed", Attributes: []string{"Plan", "seats"}}}
	h, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	return checkContracts(h, s)
}

func TestContradictions(t *testing.T) {
	var got []string
	for _, f := range contradicted(t) {
		got = append(got, fmt.Sprintf("%s %s %s %d/%d %s", f.Severity, f.Check, f.Subject, f.Rows, f.Of, strings.Join(f.Examples, ",")))
	}
	if diff := cmp.Diff([]string{
		"warning repeated_term contracts 1/5 k4",
		"note overlap contracts 1/5 k5",                    // k5 starts on day 30, k3 is due on day 40; k4 is counted already
		"warning contract_before_created contracts 1/5 k2", // k1 starts on the day itself
		"warning before_start contracts.known 1/5 k1",
		"warning before_start contracts.notice 1/5 k2", // k5's is given on its first day
		"warning before_start contracts.signed 1/5 k4",
		"warning before_start contracts.renewed 1/5 k5",
		"note without_contract accounts 1/3 c",
		"warning disagrees accounts.plan 2/4 k2,k5", // k4 has none
	}, got); diff != "" {
		t.Error(diff)
	}
}
