// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"pgregory.net/rapid"
)

// Of sources held by day the frame is the same, bit for bit, as of those held
// with their times.
func TestByDayChangesNothing(t *testing.T) {
	var tallies []Feature
	for _, f := range drawnFeatures() {
		if f.isFact() || slices.Contains(fromTally, f.Agg) {
			tallies = append(tallies, f)
		}
	}
	spec := &Spec{Version: SpecVersion, Outcome: drawnOutcome, Features: tallies}
	held, rows := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		h.loads, h.lag = rapid.IntRange(0, 9).Draw(t, "loaded") == 0, 0
		for i := range h.events {
			if e := &h.events[i]; e.value == 1e10 && rapid.Bool().Draw(t, "exact") {
				e.value = 100_000_000.5 // of too many digits to be packed, but whole millionths
			}
		}
		if len(h.contracts) > 0 && rapid.IntRange(0, 9).Draw(t, "midday") == 0 {
			h.contracts[0].Start += day / 2
		}
		build := func(byDay bool) (*Frame, bool) {
			tables, sources := h.tables()
			sources.Events[0].ID = ""
			events, err := Sources(sources.Events, tallies)
			if err != nil {
				t.Fatal(err)
			}
			if byDay {
				AskDays(events, spec.Outcome, tallies)
			}
			tables.Events, sources.Events = slices.Repeat(tables.Events[:1], len(events)), events
			history, err := data.NewHistory(context.Background(), tables, sources)
			if err != nil {
				t.Fatal(err)
			}
			b, err := Build(context.Background(), history, spec, Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			return b.Frame, history.Sources[0].ByDay()
		}
		want, _ := build(false)
		got, byDay := build(true)
		if byDay {
			held++
			rows += len(got.Rows)
		}
		if !slices.EqualFunc(got.Rows, want.Rows, func(a, b Row) bool { return a.Contract == b.Contract && a.Status == b.Status && a.Y == b.Y }) {
			t.Fatalf("%+v, want %+v", got.Rows, want.Rows)
		}
		for k := range want.Columns {
			for i, v := range want.Columns[k].Num {
				if g := got.Columns[k].Num[i]; math.Float64bits(g) != math.Float64bits(v) {
					t.Fatalf("%s of %+v is %v, want %v", want.Columns[k].Feature.Name, want.Rows[i], g, v)
				}
			}
		}
	})
	if rows == 0 {
		t.Error("no row was made of a source by day")
	}
	t.Logf("%d histories by day, %d rows", held, rows)
}

// What needs times is not built from a source without them.
func TestByDayRefuses(t *testing.T) {
	tables := &data.Tables{Accounts: &data.Table{Name: "accounts", Rows: 1, Columns: []data.Column{data.TextColumn("id", []string{"a"})}},
		Events: []*data.Table{{Name: "events", Rows: 1, Columns: []data.Column{data.TextColumn("account", []string{"a"}),
			{Name: "at", Kind: data.Time, Ints: []int64{on("2024-01-01") + 1}}}}}}
	h, err := data.NewHistory(context.Background(), tables, data.Sources{Location: time.UTC, Accounts: data.AccountSource{Key: "id"},
		Events: []data.EventSource{{Name: "app", Account: "account", Time: "at", ByDay: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if !h.Sources[0].ByDay() {
		t.Fatal("the source is not by day")
	}
	count := Feature{Name: "n", From: "app", Agg: Count, Kind: NumberKind}
	streak := Feature{Name: "n", From: "app", Agg: Streak, Kind: NumberKind}
	renewal := Outcome{Mode: Renewal, LeadDays: []int{30}}
	for name, c := range map[string]struct {
		outcome Outcome
		feature Feature
		asOf    int64 // 0 for the whole history
		earlier int64 // an instant beside it
		refused bool
	}{
		"a count":      {renewal, count, on("2024-02-01"), on("2024-01-31"), false},
		"a streak":     {renewal, streak, on("2024-02-01"), on("2024-01-31"), true},
		"at one":       {renewal, count, on("2024-02-01") + int64(time.Hour), on("2024-01-31"), true},
		"earlier":      {renewal, count, on("2024-02-01"), on("2024-01-31") + int64(time.Hour), true},
		"the activity": {Outcome{Mode: Activity, Of: "app", HorizonDays: 30, EveryDays: 10, ActiveWithinDays: 30}, count, 0, 0, true},
	} {
		o := Options{}
		if c.asOf != 0 {
			o.AsOf, o.Earlier = time.Unix(0, c.asOf), []time.Time{time.Unix(0, c.earlier)}
		}
		spec := &Spec{Version: SpecVersion, Outcome: c.outcome, Features: []Feature{c.feature}}
		_, err := Build(context.Background(), h, spec, o)
		if (err != nil) != c.refused || err != nil && !errors.Is(err, ErrSpec) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
