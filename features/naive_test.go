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
				value: rapid.SampledFrom([]float64{0, 1, 2.5, -3, 1e10, math.NaN()}).Draw(t, "value")}
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
	var created, start, due, known, renewed, at, loaded, id []int64
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
			{Name: "value", Kind: data.Float, Floats: value}, {Name: "id", Kind: data.Int, Ints: id}}}},
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

// drawnFeatures are every aggregate over one type and over all types.
func drawnFeatures() []Feature {
	var fs []Feature
	for _, kind := range []string{"", "login", "never"} {
		for _, w := range []int{7, 30, 0} {
			for _, agg := range EventAggs {
				if agg == Distinct && kind != "" || agg == Ratio {
					continue // counts types; is of other features
				}
				f := Feature{Name: fmt.Sprintf("%s_%s_%d", agg, kind, w), From: "app", Type: kind, Agg: agg, WindowDays: w, Kind: NumberKind}
				if agg == Trend {
					if w == 0 {
						continue
					}
					f.LongDays = 60
				}
				fs = append(fs, f)
			}
		}
	}
	fs = append(fs, Feature{Name: "ratio", From: "app", Agg: Ratio, Of: "count__7", To: "count__30", Kind: NumberKind})
	for _, agg := range []Agg{Tenure, TermNumber, TermDays, DaysToDue, PreviousLate, Value} {
		fs = append(fs, Feature{Name: "fact_" + string(agg), From: FromContract, Agg: agg, Kind: NumberKind})
	}
	return fs
}

// naive computes one event feature from the raw rows, from its definition.
func (h *rawHistory) naive(f *Feature, account string, t int64) float64 {
	if f.Agg == Ratio {
		week, month := *f, *f
		week.Agg, week.WindowDays, month.Agg, month.WindowDays = Count, 7, Count, 30
		if n := h.naive(&month, account, t); n > 0 {
			return h.naive(&week, account, t) / n
		}
		return math.NaN()
	}
	seen := h.seen(account, f.Type, t)
	from := func(days int) int64 {
		if days == 0 {
			return math.MinInt64
		}
		// The first quarter of an hour that falls on that date.
		date := time.Unix(0, t).In(h.loc).AddDate(0, 0, -days).Format(time.DateOnly)
		from, _ := time.Parse(time.DateOnly, date)
		for from = from.Add(-24 * time.Hour); from.In(h.loc).Format(time.DateOnly) != date; {
			from = from.Add(15 * time.Minute)
		}
		return from.UnixNano()
	}
	inside := func(days int) (out []rawEvent) {
		for _, e := range seen {
			if e.at >= from(days) {
				out = append(out, e)
			}
		}
		return out
	}
	in := inside(f.WindowDays)
	date := func(t int64) string { return time.Unix(0, t).In(h.loc).Format(time.DateOnly) }
	days, kinds := map[string]bool{}, map[string]bool{}
	var values []float64
	for _, e := range in {
		days[date(e.at)] = true
		if e.kind != "" {
			kinds[e.kind] = true
		}
		if !math.IsNaN(e.value) {
			values = append(values, e.value)
		}
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch f.Agg {
	case Count:
		return float64(len(in))
	case Sum:
		return sum
	case ActiveDays:
		return float64(len(days))
	case Distinct:
		return float64(len(kinds))
	case Trend:
		long := float64(len(inside(f.LongDays)))
		return math.Log((float64(len(in)) + 1) / (long*float64(f.WindowDays)/float64(f.LongDays) + 1))
	case Recency, Tenure:
		if len(in) == 0 {
			return math.NaN()
		}
		e := in[len(in)-1]
		if f.Agg == Tenure {
			e = in[0]
		}
		a, _ := time.Parse(time.DateOnly, date(t))
		b, _ := time.Parse(time.DateOnly, date(e.at))
		return a.Sub(b).Hours() / 24
	}
	if len(values) == 0 {
		return math.NaN()
	}
	switch f.Agg {
	case Mean:
		return sum / float64(len(values))
	case Min:
		return slices.Min(values)
	case Max:
		return slices.Max(values)
	}
	return values[len(values)-1] // Last
}

// seen returns the events of an account that were visible at t, in order; of
// repeats of an id only the one known first, by the data package's rule.
func (h *rawHistory) seen(account, kind string, t int64) []rawEvent {
	var out []rawEvent
	for i, e := range h.events {
		known := max(e.known, e.at) + int64(h.lag)
		if e.account != account || (kind != "" && e.kind != kind) || e.at >= t || known >= t {
			continue
		}
		repeated := slices.ContainsFunc(h.events[:], func(o rawEvent) bool { return repeats(&h.events[i], &o) })
		first := slices.IndexFunc(h.events, func(o rawEvent) bool { return same(&e, &o) }) == i
		if !repeated && first {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, compareRaw)
	return out
}

// repeats reports whether o stands for the same event as e and comes first.
func repeats(e, o *rawEvent) bool {
	if e.account != o.account || e.kind != o.kind || e.id != o.id {
		return false
	}
	if ke, ko := max(e.known, e.at), max(o.known, o.at); ke != ko {
		return ko < ke
	}
	if e.at != o.at {
		return o.at < e.at
	}
	return o.value < e.value || (math.IsNaN(o.value) && !math.IsNaN(e.value))
}

// same reports whether two rows are equal in all that matters.
func same(e, o *rawEvent) bool {
	return e.account == o.account && e.kind == o.kind && e.id == o.id && e.at == o.at &&
		max(e.known, e.at) == max(o.known, o.at) && (e.value == o.value || (math.IsNaN(e.value) && math.IsNaN(o.value)))
}

func compareRaw(a, b rawEvent) int {
	switch {
	case a.at != b.at:
		return int(min(max(a.at-b.at, -1), 1))
	case a.kind != b.kind:
		return map[bool]int{true: -1, false: 1}[a.kind < b.kind]
	case a.id != b.id:
		return map[bool]int{true: -1, false: 1}[a.id < b.id]
	}
	return 0 // one id of one type is one event
}

// buildDrawn builds the history frame of a drawn history.
func buildDrawn(t fataler, h *rawHistory) *Frame {
	t.Helper()
	tables, sources := h.tables()
	return buildTables(t, tables, sources)
}

func buildTables(t fataler, tables *data.Tables, sources data.Sources) *Frame {
	t.Helper()
	history, err := data.NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	spec := &Spec{Version: SpecVersion, Outcome: drawnOutcome, Features: drawnFeatures()}
	b, err := Build(context.Background(), history, spec, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	return b.Frame
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
				// Sums of multiples of a half are exact, so equality is fair.
				want := h.naive(&c.Feature, f.Rows[i].Account, f.Rows[i].Snapshot)
				if got := c.Num[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
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
		cut.events, perturbed.events = nil, nil
		for _, e := range h.events {
			if e.at < at && max(e.known, e.at)+int64(h.lag) < at {
				cut.events = append(cut.events, e)
				perturbed.events = append(perturbed.events, e)
				continue
			}
			e.value, e.id = e.value*-7+1, e.id+1000
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
