// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"pgregory.net/rapid"
)

const day = int64(24 * time.Hour)

// A rawEvent is an event as a user's table holds it.
type rawEvent struct {
	account, kind string
	id, at, known int64
	value         float64
	due, paid     int64 // days since 1970-01-01, 0 where missing
	match         int   // bits of the drawn filters that it passes, in their sorted order
}

// A rawHistory is a small random history, kept in a form that a reference can
// re-read from the start for each snapshot.
type rawHistory struct {
	loc       *time.Location
	created   map[string]int64
	contracts []data.Contract // ID, Start, Due, Y, KnownAt, RenewedAt; Account counts into accounts
	accounts  []string
	events    []rawEvent
	lag       time.Duration
	loads     bool // rows say when they were known
	memo      map[string][]rawEvent
}

// zones have clocks that change in the drawn time, on either half of the
// globe; Cairo skipped the midnight of 2024-04-26.
var zones = []string{"UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Africa/Cairo"}

// drawHistory draws up to four accounts over about 200 days round a change of
// daylight saving time, with ties, duplicates by id, late rows and gaps.
func drawHistory(t *rapid.T) *rawHistory {
	loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	h := &rawHistory{loc: loc, created: map[string]int64{}, loads: rapid.Bool().Draw(t, "loads"),
		lag: time.Duration(rapid.IntRange(0, 2).Draw(t, "lag")) * 24 * time.Hour}
	start := data.DayOf(time.Date(2024, 1, 20, 0, 0, 0, 0, time.UTC).UnixNano(), time.UTC)
	hours := rapid.Int64Range(0, 200*24)
	days := []int64{0, int64(start) + 20, int64(start) + 50, int64(start) + 51, int64(start) + 80, int64(start) + 120}
	for i := range rapid.IntRange(1, 4).Draw(t, "accounts") {
		id := fmt.Sprintf("a%d", i)
		h.accounts = append(h.accounts, id)
		h.created[id] = data.DayStart(start-rapid.IntRange(0, 50).Draw(t, "age"), loc)
		first := start + rapid.IntRange(0, 60).Draw(t, "first")
		length := rapid.SampledFrom([]int{14, 30, 90}).Draw(t, "term")
		for k := range rapid.IntRange(0, 4).Draw(t, "terms") {
			c := data.Contract{ID: fmt.Sprintf("%s-%d", id, k), Account: int32(i), Y: int8(rapid.IntRange(0, 1).Draw(t, "y"))}
			c.Start, c.Due = data.DayStart(first+k*length, loc), data.DayStart(first+(k+1)*length, loc)
			c.KnownAt = addDays(c.Due, rapid.IntRange(0, 20).Draw(t, "known"), loc)
			c.RenewedAt = addDays(c.Due, rapid.IntRange(-5, 20).Draw(t, "renewed"), loc)
			h.contracts = append(h.contracts, c)
		}
		for range rapid.IntRange(0, 25).Draw(t, "events") {
			// Whole and half hours make ties, and events right on day boundaries.
			at := data.DayStart(start, loc) + hours.Draw(t, "at")*int64(time.Hour)
			e := rawEvent{account: id, kind: rapid.SampledFrom([]string{"login", "ticket", ""}).Draw(t, "kind"), at: at,
				known: at + rapid.SampledFrom([]int64{0, 0, 0, 1, day, 10 * day}).Draw(t, "late"),
				id:    rapid.Int64Range(0, 30).Draw(t, "id"),
				value: rapid.SampledFrom([]float64{0, 1, 2.5, -3, 9, 7, 1e10, math.NaN()}).Draw(t, "value"),
				due:   rapid.SampledFrom(days).Draw(t, "due"), paid: rapid.SampledFrom(days).Draw(t, "paid")}
			if !h.loads {
				e.known = e.at
			}
			h.events = append(h.events, e)
		}
	}
	return h
}

// tables returns the history as a user's tables.
func (h *rawHistory) tables() (*data.Tables, data.Sources) {
	var created, start, due, known, renewed, at, loaded, id, dueOn, paidOn []int64
	var contract, owner, outcome, account, kind []string
	var value []float64
	for _, a := range h.accounts {
		created = append(created, h.created[a])
	}
	for _, c := range h.contracts {
		contract, owner = append(contract, c.ID), append(owner, h.accounts[c.Account])
		start, due = append(start, c.Start), append(due, c.Due)
		known, renewed = append(known, c.KnownAt), append(renewed, c.RenewedAt)
		outcome = append(outcome, []string{"renewed", "churned"}[c.Y])
	}
	for _, e := range h.events {
		account, kind, id = append(account, e.account), append(kind, e.kind), append(id, e.id)
		at, loaded, value = append(at, e.at), append(loaded, e.known), append(value, e.value)
		dueOn, paidOn = append(dueOn, e.due), append(paidOn, e.paid)
	}
	date := func(name string, days []int64) data.Column {
		c := data.Column{Name: name, Kind: data.Date, Ints: days, Null: make([]bool, len(days))}
		for i, d := range days {
			c.Null[i] = d == 0
		}
		return c
	}
	stamp := func(name string, ns []int64) data.Column { return data.Column{Name: name, Kind: data.Time, Ints: ns} }
	t := &data.Tables{
		Accounts: &data.Table{Name: "accounts", Rows: len(h.accounts), Columns: []data.Column{
			data.TextColumn("id", h.accounts), stamp("created", created)}},
		Contracts: &data.Table{Name: "contracts", Rows: len(contract), Columns: []data.Column{
			data.TextColumn("id", contract), data.TextColumn("account", owner), stamp("start", start), stamp("due", due),
			data.TextColumn("outcome", outcome), stamp("known", known), stamp("renewed", renewed)}},
		Events: []*data.Table{{Name: "events", Rows: len(at), Columns: []data.Column{
			data.TextColumn("account", account), stamp("at", at), stamp("loaded", loaded), data.TextColumn("kind", kind),
			{Name: "value", Kind: data.Float, Floats: value}, {Name: "id", Kind: data.Int, Ints: id}, date("due", dueOn), date("paid", paidOn)}}},
	}
	s := data.Sources{Location: h.loc,
		Accounts: data.AccountSource{Key: "id", Created: "created"},
		Contracts: &data.ContractSource{Key: "id", Account: "account", Start: "start", Due: "due", Outcome: "outcome",
			Churned: []string{"churned"}, KnownAt: "known", RenewedAt: "renewed", ValueKnown: "start"},
		Events: []data.EventSource{{Name: "app", Account: "account", Time: "at", KnownAt: "loaded", Type: "kind", Value: "value", ID: "id", Lag: h.lag}},
	}
	if !h.loads {
		s.Events[0].KnownAt = ""
	}
	return t, s
}

var drawnOutcome = Outcome{Mode: Renewal, LeadDays: []int{30, 10}, Declared: true, Rolling: true}

// buildDrawn builds the history frame of a drawn history.
func buildDrawn(t fataler, h *rawHistory) *Frame {
	t.Helper()
	tables, sources := h.tables()
	return buildTables(t, tables, sources)
}

func buildTables(t fataler, tables *data.Tables, sources data.Sources) *Frame {
	t.Helper()
	spec := &Spec{Version: SpecVersion, Outcome: drawnOutcome, Features: drawnFeatures()}
	events, err := Sources(sources.Events, spec.Features)
	if err != nil {
		t.Fatal(err)
	}
	tables.Events = slices.Repeat(tables.Events[:1], len(events)) // readings are of the same table
	sources.Events = events
	history, err := data.NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Build(context.Background(), history, spec, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	return b.Frame
}

// size returns the sum of the values' absolute values.
func (h *rawHistory) size() (sum float64) {
	for _, e := range h.events {
		if e.value == e.value {
			sum += math.Abs(e.value)
		}
	}
	return sum
}

// Every feature of every snapshot equals one computed from the raw rows by the
// definition, whatever the time zone, ties, duplicates and late rows.
func TestBuildAgreesWithNaiveReference(t *testing.T) {
	rows := 0
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		f := buildDrawn(t, h)
		rows += len(f.Rows)
		for i := range f.Rows {
			for k := range f.Columns {
				c := &f.Columns[k]
				if c.Feature.From != "app" {
					continue
				}
				// Sums of multiples of a half are exact; powers and quotients are rounded.
				want := h.naive(&c.Feature, f.Rows[i].Account, f.Rows[i].Snapshot)
				slack := 1e-12 * math.Abs(want)
				if c.Feature.Agg == Decayed { // terms of both signs may cancel but for their rounding
					slack += 1e-15 * h.size()
				}
				if got := c.Num[i]; !(math.Abs(got-want) <= slack) && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Fatalf("%s at %v: %s = %v, want %v", f.Rows[i].Account, time.Unix(0, f.Rows[i].Snapshot).In(h.loc), c.Feature.Name, got, want)
				}
			}
		}
	})
	if rows == 0 {
		t.Error("no row was ever compared")
	}
}

// Cutting off all that a snapshot could not see, or making it up anew, leaves
// the snapshot's features as they are, bit for bit.
func TestFutureChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		whole := buildDrawn(t, h)
		if len(whole.Rows) == 0 {
			return
		}
		i := rapid.IntRange(0, len(whole.Rows)-1).Draw(t, "row")
		at := whole.Rows[i].Snapshot
		cut, perturbed := *h, *h
		cut.memo, perturbed.memo = nil, nil
		cut.events, perturbed.events = nil, nil
		for _, e := range h.events {
			if e.at < at && max(e.known, e.at)+int64(h.lag) < at {
				perturbed.events = append(perturbed.events, e)
				if e.paid >= h.number(at-int64(h.lag)) { // what is paid later is not paid yet
					e.paid = 0
				}
				cut.events = append(cut.events, e)
				continue
			}
			e.value, e.id, e.due = e.value*-7+1, e.id+1000, e.due+1
			perturbed.events = append(perturbed.events, e, e)
		}
		for name, other := range map[string]*rawHistory{"truncated": &cut, "perturbed": &perturbed} {
			// The end of the data moves with the events; hold it where it was.
			other.events = append(other.events, rawEvent{account: h.accounts[0], kind: "end", id: -1, at: at + 300*day, known: at + 300*day})
			f := buildDrawn(t, other)
			j := slices.IndexFunc(f.Rows, func(r Row) bool { return r.Contract == whole.Rows[i].Contract && r.Snapshot == at })
			if j < 0 {
				t.Fatalf("%s: the snapshot is gone", name)
			}
			for k := range f.Columns {
				if math.Float64bits(f.Columns[k].Num[j]) != math.Float64bits(whole.Columns[k].Num[i]) {
					t.Fatalf("%s: %s is %v, was %v", name, f.Columns[k].Feature.Name, f.Columns[k].Num[j], whole.Columns[k].Num[i])
				}
			}
		}
	})
}

// A fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(...any)
}
