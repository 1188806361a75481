// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// Every label comes with the dates that made it.
func TestLabelWords(t *testing.T) {
	h := ended()
	h.Contracts[0].Kept = 0.8
	got := map[string]string{}
	for a := range h.Accounts {
		for _, v := range Terms(h, &derived, int32(a), on("2025-01-10")) {
			got[h.Contracts[v.Contract].ID] = v.Label
		}
	}
	declared := one([]data.Contract{
		{ID: "d1", Start: on("2023-01-01"), Due: on("2023-12-31"), KnownAt: on("2024-02-01"), Y: 1, Involuntary: 1},
		{ID: "d2", Start: on("2023-12-31"), Due: on("2024-12-31"), KnownAt: on("2025-01-30"), Y: 0},
		{ID: "d3", Start: on("2025-01-20"), Due: on("2025-12-31"), Y: -1},
	})
	for _, v := range Terms(declared, &Outcome{LeadDays: []int{30}, Declared: true}, 0, on("2024-01-01")) {
		got[declared.Contracts[v.Contract].ID] = v.Label
	}
	for id, want := range map[string]string{
		"early":   "due 2024-12-31, grace 30 d: the successor early-2 started 2024-12-15, within grace: renewed, y = 0, mature from 2025-01-30; it kept 80 % of the yearly value",
		"late":    "due 2024-12-31, grace 30 d: the successor late-2 started 2025-01-02, within grace: renewed, y = 0, mature from 2025-01-30",
		"failed":  "due 2024-12-31, grace 30 d: no contract continued it by 2025-01-30: churned, involuntarily, y = 1, mature from 2025-01-30",
		"gone":    "due 2024-12-31, grace 30 d: no contract continued it by 2025-01-30: churned, y = 1, mature from 2025-01-30; the account came back with gone-2 on 2025-06-01, a new episode",
		"late-2":  "due 2025-12-31, grace 30 d: the data end on 2025-12-31, before its grace does on 2026-01-30; y is not known and the term does not train",
		"d1":      "due 2023-12-31, grace 0 d: declared churned, known at 2024-02-01, although d2 continues it from 2023-12-31, involuntarily, y = 1, mature from 2024-02-01; the account came back with d3 on 2025-01-20, a new episode",
		"d2":      "due 2024-12-31, grace 0 d: declared renewed, known at 2025-01-30, y = 0, mature from 2025-01-30; it kept 0 % of the yearly value",
		"d3":      "due 2025-12-31, grace 0 d: no outcome is declared that was known; y is not known and the term does not train",
		"early-2": "due 2025-12-31, grace 30 d: the data end on 2025-12-31, before its grace does on 2026-01-30; y is not known and the term does not train",
	} {
		if got[id] != want {
			t.Errorf("%s:\n%s\nwant\n%s", id, got[id], want)
		}
	}
}

// Terms are explained as Build lists them: the same snapshots and weights, and
// the same refusals.
func TestTermsAgreeWithBuild(t *testing.T) {
	for _, o := range []Outcome{derived, {Mode: Renewal, LeadDays: []int{90, 60, 30}, GraceDays: 30, Rolling: true}} {
		h := ended()
		b := rowsOf(t, h, o, 0)
		var want, got []string
		for _, r := range b.Frame.Rows {
			want = append(want, fmt.Sprintf("%s %d %d %.3f %d %d", r.Contract, r.Snapshot, r.LeadDays, r.Weight, r.Y, r.Mature))
		}
		refused := 0
		for a := range h.Accounts {
			for _, v := range Terms(h, &o, int32(a), on("2025-01-10")) {
				for _, s := range v.Snapshots {
					if s.Refused != "" {
						refused++
						continue
					}
					got = append(got, fmt.Sprintf("%s %d %d %.3f %d %d", h.Contracts[v.Contract].ID, s.At, s.LeadDays, s.Weight, v.Y, v.Mature))
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		left := 0
		for _, c := range b.Left {
			left += c.Rows
		}
		if refused != left || refused == 0 {
			t.Errorf("%d snapshots are left out, Build says %d", refused, left)
		}
	}
}

func TestTermStates(t *testing.T) {
	h := ended()
	var got []string
	for _, v := range Terms(h, &derived, 5, on("2025-06-01")) {
		got = append(got, fmt.Sprintf("%s %s %d days, term %d, %q", h.Contracts[v.Contract].ID, v.State, v.LeadDays, v.Number, v.Refused))
	}
	for _, v := range Terms(h, &derived, 5, on("2025-05-31"))[1:] {
		got = append(got, fmt.Sprintf("%s %s, %q", h.Contracts[v.Contract].ID, v.State, v.Refused))
	}
	if diff := cmp.Diff([]string{
		`gone over -152 days, term 1, "the term was already due"`,
		`gone-2 running 578 days, term 1, ""`,
		`gone-2 not started, "the term had not started"`,
	}, got); diff != "" {
		t.Error(diff)
	}
}

// Rows are seen, not yet known, or after; the rule is that of the features.
func TestEventsView(t *testing.T) {
	h := one(nil, data.Event{Time: on("2025-01-01"), Known: on("2025-01-01")}, data.Event{Time: on("2025-01-02"), Known: on("2025-01-09")},
		data.Event{Time: on("2025-01-03"), Type: -1}, data.Event{Time: on("2025-01-05")})
	events, err := h.EventsOf(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	v := Events(&h.Sources[0], events, on("2025-01-05"))
	if v.Seen != 2 || v.After != 1 || len(v.NotYet) != 1 || v.NotYet[0].Known != on("2025-01-09") ||
		v.First != on("2025-01-01") || v.Last != on("2025-01-03") || !cmp.Equal(v.ByType, []int{1, 1}) {
		t.Errorf("%+v", v)
	}
}

func TestActivityView(t *testing.T) {
	h := one(nil, data.Event{Time: on("2025-01-10"), Known: on("2025-01-20")})
	spec := &Spec{Outcome: Outcome{Mode: Activity, Of: "app", HorizonDays: 10}}
	for at, want := range map[string]string{
		"2025-01-05": "horizon 10 d, to 2025-01-15: app has a row on 2025-01-10: stayed, y = 0, mature from 2025-01-20",
		"2025-01-11": "horizon 10 d, to 2025-01-21: app has no row: churned, y = 1, mature from 2025-01-21",
		"2025-12-30": "horizon 10 d, to 2026-01-09: the rows of app end on 2025-12-31, before it does; y is not known",
	} {
		if _, _, got, err := ActivityView(h, spec, 0, on(at)); err != nil || got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
}
