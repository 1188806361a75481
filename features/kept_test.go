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
)

// What a renewal kept counts from the instant its outcome was mature, and not
// where it is not known.
func TestKeptShares(t *testing.T) {
	h := ended()
	for i := range h.Contracts {
		h.Contracts[i].Kept = math.NaN()
	}
	h.Contracts[0].Kept = 0.8 // "early", mature from 2025-01-30
	for day, want := range map[string][]float64{"2025-01-29": nil, "2025-01-30": {0.8}} {
		if got := KeptShares(h, &derived, on(day)); !slices.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", day, got, want)
		}
	}
}

// OnlyScored leaves out rows without a probability, and changes no other.
func TestOnlyScored(t *testing.T) {
	h := ended()
	all, early := 0, 0
	for day := on("2024-01-05"); day < on("2025-12-01"); day += int64(20 * 24 * time.Hour) {
		build := func(only bool) []Row {
			b, err := Build(context.Background(), h, &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: derived}, Options{AsOf: time.Unix(0, day).UTC(), OnlyScored: only})
			if err != nil {
				t.Fatal(err)
			}
			return b.Frame.Rows
		}
		rows := build(false)
		all += len(rows)
		rows = slices.DeleteFunc(rows, func(r Row) bool {
			if r.Status == Early || r.Status == Decided {
				early++
				return true
			}
			return false
		})
		if got := build(true); len(got) != len(rows) {
			t.Errorf("%d rows, want %d", len(got), len(rows))
		}
	}
	if early == 0 || early == all {
		t.Errorf("%d of %d rows are early or decided: nothing was tried", early, all)
	}
}

// Several instants in one build give the rows of a build for each, bit for bit,
// in renewal and in activity mode.
func TestEarlierInstants(t *testing.T) {
	h, _ := spilled(t)
	terms := ended()
	count := []Feature{{Name: "n", From: "app", Agg: Count, Kind: NumberKind}}
	for name, c := range map[string]struct {
		h    *data.History
		spec *Spec
	}{
		"renewal":  {terms, &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: derived}},
		"activity": {h, &Spec{Version: SpecVersion, Outcome: Outcome{Mode: Activity, Of: "app", HorizonDays: 30, EveryDays: 10, ActiveWithinDays: 30}, Features: count}},
	} {
		var dates []time.Time
		one := make(map[string]bool)
		for day := on("2024-01-05"); day < on("2025-12-01"); day += int64(20 * 24 * time.Hour) {
			dates = append(dates, time.Unix(0, day).UTC())
			for _, row := range asOfRows(t, c.h, c.spec, Options{AsOf: dates[len(dates)-1]}) {
				one[row] = true
			}
		}
		last := len(dates) - 1
		got := asOfRows(t, c.h, c.spec, Options{AsOf: dates[last], Earlier: dates[:last]})
		if len(got) != len(one) || len(one) < 10 {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(one))
		}
		for _, row := range got {
			if !one[row] {
				t.Fatalf("%s: %s is no row of a build for one instant", name, row)
			}
		}
	}
}

// asOfRows builds and returns each row with its features as a text.
func asOfRows(t *testing.T, h *data.History, spec *Spec, o Options) []string {
	t.Helper()
	b, err := Build(context.Background(), h, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range b.Frame.Rows {
		row := fmt.Sprintf("%+v", b.Frame.Rows[i])
		for k := range b.Frame.Columns {
			row += fmt.Sprint(" ", b.Frame.Columns[k].Num[i])
		}
		out = append(out, row)
	}
	return out
}
