// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"
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
