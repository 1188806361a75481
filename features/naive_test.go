// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
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

// drawnFilters are what features may ask of a row, and the same in Go.
var drawnFilters = map[string]func(e *rawEvent) bool{
	"":           func(*rawEvent) bool { return true },
	"value >= 1": func(e *rawEvent) bool { return e.value >= 1 },
	"kind != 'login' or value is missing": func(e *rawEvent) bool {
		return e.kind != "" && e.kind != "login" || math.IsNaN(e.value)
	},
	"id < 10 and due is not missing": func(e *rawEvent) bool { return e.id < 10 && e.due != 0 },
}

// drawnFeatures are every aggregate over one type and over all types.
func drawnFeatures() []Feature {
	var fs []Feature
	for _, kind := range []string{"", "login", "never"} {
		for _, w := range []int{7, 30, 0} {
			for _, agg := range EventAggs {
				f := Feature{Name: fmt.Sprintf("%s_%s_%d", agg, kind, w), From: "app", Type: kind, Agg: agg, WindowDays: w, Kind: NumberKind}
				if (agg == Distinct || agg == Ratio) && kind != "" || agg == Trend && w == 0 || kind == "never" && w != 30 {
					continue
				}
				fs = append(fs, f.completed()...)
			}
		}
	}
	for where := range drawnFilters {
		if where == "" {
			continue
		}
		for _, agg := range EventAggs {
			f := Feature{Name: fmt.Sprintf("%s_%s", agg, where), From: "app", Where: where, Agg: agg, WindowDays: 30, Kind: NumberKind}
			fs = append(fs, f.completed()...)
			f.Name, f.Type = "login_"+f.Name, "login"
			if agg != Distinct && agg != Ratio {
				fs = append(fs, f.completed()...)
			}
		}
	}
	slices.SortFunc(fs, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) }) // maps have no order
	fs = append(fs, Feature{Name: "ratio", From: "app", Agg: Ratio, Of: "count__7", To: "count__30", Kind: NumberKind})
	for _, agg := range []Agg{Tenure, TermNumber, TermDays, DaysToDue, PreviousLate, Value} {
		fs = append(fs, Feature{Name: "fact_" + string(agg), From: FromContract, Agg: agg, Kind: NumberKind})
	}
	return fs
}

// completed returns the feature with what its aggregate needs, in each way
// there is.
func (f Feature) completed() []Feature {
	fs := []Feature{f}
	add := &fs[0]
	switch f.Agg {
	case Trend:
		add.LongDays = 60
	case Decayed:
		add.HalfLifeDays = 10
	case Weighted:
		add.Weights = map[string]float64{"login": 2, "ticket": -.5, "never": 7}
	case PerSeat:
		add.Seats = "sum__30"
	case Ratio:
		add.Of, add.To = "login", "ticket"
	case CSAT:
		add.Positive, add.Prior, add.PriorWeight = 2.5, 60, 4
	case Lateness:
		add.Due, add.Paid = "due", "paid"
	case CLV:
		add.LifespanDays = 730
	}
	if slices.Contains([]Agg{Decayed, Weighted, PerSeat, TenureScaled}, f.Agg) {
		of := *add
		of.Name, of.Of = f.Name+"_sum", "sum"
		fs = append(fs, of)
	}
	if slices.Contains([]Agg{Sum, Max, LastChange}, f.Agg) {
		other := *add
		other.Name, other.Value = f.Name+"_id", "id"
		fs = append(fs, other)
	}
	return fs
}

// read returns the history as the feature reads it: with its value in place of
// the declared one, by which repeats are told apart as well.
func (h *rawHistory) read(f *Feature) *rawHistory {
	g := *h
	g.events = slices.Clone(h.events)
	for i := range g.events {
		for k, where := range slices.Sorted(maps.Keys(drawnFilters)) {
			if drawnFilters[where](&h.events[i]) {
				g.events[i].match |= 1 << k
			}
		}
		switch e := &g.events[i]; {
		case f.Value == "id":
			e.value = float64(e.id)
		case f.Due == "" || e.due == 0 && e.paid == 0:
			if f.Due != "" {
				e.value = math.NaN()
			}
		case e.due == 0:
			e.value = math.NaN()
		case e.paid == 0:
			e.value = float64(e.due<<20 + 1<<20 - 1)
		default:
			e.value = float64(e.due<<20 + e.paid - e.due + 1<<19)
		}
	}
	return &g
}

// naive computes one event feature from the raw rows, from its definition.
func (h *rawHistory) naive(f *Feature, account string, t int64) float64 {
	with := func(agg Agg, window int) *Feature {
		g := *f
		g.Name, g.Agg, g.WindowDays = "", agg, window
		return &g
	}
	switch {
	case f.Name == "ratio":
		return naiveRatio(h.naive(with(Count, 7), account, t), h.naive(with(Count, 30), account, t))
	case f.Agg == Ratio:
		of, to := with(Count, f.WindowDays), with(Count, f.WindowDays)
		of.Type, to.Type = "login", "ticket"
		return naiveRatio(h.naive(of, account, t), h.naive(to, account, t))
	case f.Agg == PerSeat:
		seats := h.naive(&Feature{From: "app", Agg: Sum, WindowDays: 30}, account, t)
		if seats <= 0 {
			return math.NaN()
		}
		return h.naive(with(f.added(), f.WindowDays), account, t) / seats
	}
	from := func(days int) int64 {
		if days == 0 {
			return math.MinInt64
		}
		// The first quarter of an hour that falls on that day.
		day := h.number(t) - int64(days)
		from := time.Unix((day-1)*86400, 0)
		for h.number(from.UnixNano()) != day {
			from = from.Add(15 * time.Minute)
		}
		return from.UnixNano()
	}
	seen := h.seen(f, account, t)
	inside := func(days int) (out []rawEvent) {
		start := from(days)
		for _, e := range seen {
			if e.at >= start {
				out = append(out, e)
			}
		}
		return out
	}
	in := inside(f.WindowDays)
	if f.Agg == Trend {
		long := float64(len(inside(f.LongDays)))
		return math.Log((float64(len(in)) + 1) / (long*float64(f.WindowDays)/float64(f.LongDays) + 1))
	}
	return h.naiveOver(f, in, account, t)
}

func naiveRatio(of, to float64) float64 {
	if to == 0 {
		return math.NaN()
	}
	return of / to
}

// number returns the calendar day of an instant.
func (h *rawHistory) number(at int64) int64 {
	y, m, d := time.Unix(0, at).In(h.loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// naiveOver computes an aggregate over the seen events of a window, in order.
func (h *rawHistory) naiveOver(f *Feature, in []rawEvent, account string, t int64) float64 {
	today := h.number(t)
	days, kinds := map[int64]bool{}, map[string]bool{}
	var values []float64
	for _, e := range in {
		days[h.number(e.at)] = true
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
	added := float64(len(in))
	if f.Of == "sum" {
		added = sum
	}
	life := float64(today - h.number(h.created[account]))
	if f.WindowDays > 0 {
		life = min(life, float64(f.WindowDays))
	}
	if life < 1 {
		life = math.NaN()
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
	case TenureScaled:
		return added / life
	case Streak:
		n := 0
		for day := h.number(t-int64(h.lag)) - 1; days[day]; day-- {
			n++
		}
		return float64(n)
	case Decayed, Weighted:
		total := 0.0
		for _, e := range in {
			x := 1.0
			if f.Of == "sum" {
				x = e.value
			}
			if f.Agg == Weighted {
				x *= f.Weights[e.kind]
			} else {
				x *= math.Pow(.5, float64(today-h.number(e.at))/float64(f.HalfLifeDays))
			}
			if !math.IsNaN(x) {
				total += x
			}
		}
		return total
	case Lateness:
		return h.naiveLateness(in, today, t)
	}
	if f.Agg == Recency || f.Agg == Tenure || f.Agg == LongestGap {
		if len(in) == 0 {
			return math.NaN()
		}
		if f.Agg == Tenure {
			return float64(today - h.number(in[0].at))
		}
		if f.Agg == Recency {
			return float64(today - h.number(in[len(in)-1].at))
		}
		ordered := slices.Sorted(maps.Keys(days))
		gap := int64(0)
		for i, day := range append(ordered[1:], today) {
			gap = max(gap, day-ordered[i])
		}
		return float64(gap)
	}
	if len(values) == 0 {
		return math.NaN()
	}
	n := float64(len(values))
	share := func(is func(v float64) bool) float64 {
		k := 0.0
		for _, v := range values {
			if is(v) {
				k++
			}
		}
		return k
	}
	switch f.Agg {
	case Mean:
		return sum / n
	case Min:
		return slices.Min(values)
	case Max:
		return slices.Max(values)
	case NPS:
		return 100*share(func(v float64) bool { return v >= 9 })/n - 100*share(func(v float64) bool { return v <= 6 })/n
	case CSAT:
		return (share(func(v float64) bool { return v >= 2.5 })*100 + 4*60) / (n + 4)
	case CLV:
		return sum / n * (n / (life / 365)) * 2
	case LastChange:
		if len(values) < 2 {
			return math.NaN()
		}
		return values[len(values)-1] - values[len(values)-2]
	}
	return values[len(values)-1] // Last
}

// naiveLateness looks at each payment as it stood at t.
func (h *rawHistory) naiveLateness(in []rawEvent, today, t int64) float64 {
	n, late := 0.0, 0.0
	for _, e := range in {
		paid := e.paid != 0 && e.paid < h.number(t-int64(h.lag))
		switch {
		case e.due == 0 || !paid && e.due >= today:
			continue
		case paid:
			late += float64(e.paid - e.due)
		default:
			late += float64(today - e.due)
		}
		n++
	}
	if n == 0 {
		return math.NaN()
	}
	return late / n
}

// seen returns the events of an account that a feature selects and that were
// visible at t, in order; of repeats of an id only the one known first, by the
// data package's rule.
func (h *rawHistory) seen(f *Feature, account string, t int64) []rawEvent {
	key := fmt.Sprint(f.Source(), "/", f.Type, "/", f.Where, "/", account, t)
	if events, ok := h.memo[key]; ok {
		return events
	}
	var out []rawEvent
	whole := h
	h, kind, passes := h.read(f), f.Type, drawnFilters[f.Where]
	for i, e := range h.events {
		known := max(e.known, e.at) + int64(h.lag)
		if e.account != account || (kind != "" && e.kind != kind) || e.at >= t || known >= t {
			continue
		}
		repeated := slices.ContainsFunc(h.events[:], func(o rawEvent) bool { return repeats(&h.events[i], &o) })
		first := slices.IndexFunc(h.events, func(o rawEvent) bool { return same(&e, &o) }) == i
		if !repeated && first && passes(&whole.events[i]) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, compareRaw)
	if whole.memo == nil {
		whole.memo = map[string][]rawEvent{}
	}
	whole.memo[key] = out
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
	if o.value != e.value && !(math.IsNaN(o.value) && math.IsNaN(e.value)) {
		return o.value < e.value || math.IsNaN(o.value)
	}
	return o.match < e.match
}

// same reports whether two rows are equal in all that matters.
func same(e, o *rawEvent) bool {
	return e.account == o.account && e.kind == o.kind && e.id == o.id && e.at == o.at &&
		max(e.known, e.at) == max(o.known, o.at) && e.match == o.match && (e.value == o.value || (math.IsNaN(e.value) && math.IsNaN(o.value)))
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
				if got := c.Num[i]; !(math.Abs(got-want) <= 1e-12*math.Abs(want)) && !(math.IsNaN(got) && math.IsNaN(want)) {
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
