// SPDX-License-Identifier: Apache-2.0

package features

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuessDirection(t *testing.T) {
	for _, c := range []struct {
		source, kind string
		want         Direction
	}{
		{"tickets", "opened", Risky},
		{"tickets", "csat", Healthy}, // the type goes before the source
		{"ticket_csat", "", Healthy}, // an opinion is narrower than where it was given
		{"tickets", "escalated", Risky},
		{"usage", "login", Healthy},
		{"usage", "errors", Risky},
		{"nps", "response", Healthy},
		{"invoices", "paid", Free},
		{"invoices", "issued", Free}, // not an issue
		{"payments", "late", Risky},
		{"news", "latest", Free}, // not late
		{"orders", "return", Risky},
		{"orders", "order", Healthy},
		{"touchpoints", "sponsor_change", Risky},
		{"Events", "FeatureUse", Healthy}, // one word to plain, which begins with feature
		{"x", "y", Free},
	} {
		if got, word := GuessDirection(c.source, c.kind); got != c.want {
			t.Errorf("%s, %s: %s for %q, want %s", c.source, c.kind, got, word, c.want)
		}
	}
}

func TestPropose(t *testing.T) {
	got := Propose([]Stream{
		{Name: "usage", PerMonth: 20, Types: []StreamType{{"login", 8, false}, {"export", 0.2, false}, {"heartbeat", 9, false}}},
		{Name: "nps", PerMonth: 0.1, Valued: true, Types: []StreamType{{"response", 0.1, true}}},
		{Name: "tickets", PerMonth: 1, Types: []StreamType{{"opened", 0.5, false}, {"csat", 0.3, true}}},
		{Name: "payments", PerMonth: 1, Types: []StreamType{{"days late", 1, true}, {"paid", 1, true}}},
	}, []int{30, 90})
	want := []Proposal{
		{Feature{Name: "usage_trend_30d_90d", From: "usage", Agg: Trend, WindowDays: 30, LongDays: 90, Kind: NumberKind, Unit: "log ratio",
			Pillar: "product_utilization", Direction: Healthy, Label: "usage: trend of events, 30 against 90 days"}, "usage"},
		{Feature{Name: "usage_login_count_30d", From: "usage", Type: "login", Agg: Count, WindowDays: 30, Kind: NumberKind, Unit: "events",
			Pillar: "product_utilization", Direction: Healthy, Label: "usage, login: events in 30 days"}, "login"},
		// Less than one a month: the longest window.
		{Feature{Name: "usage_export_count_90d", From: "usage", Type: "export", Agg: Count, WindowDays: 90, Kind: NumberKind, Unit: "events",
			Pillar: "product_utilization", Direction: Healthy, Label: "usage, export: events in 90 days"}, "export"},
		{Feature{Name: "usage_heartbeat_count_30d", From: "usage", Type: "heartbeat", Agg: Count, WindowDays: 30, Kind: NumberKind, Unit: "events",
			Pillar: "product_utilization", Direction: Healthy, Label: "usage, heartbeat: events in 30 days"}, "usage"},
		{Feature{Name: "nps_last", From: "nps", Agg: Last, Kind: NumberKind,
			Pillar: "sentiment", Direction: Healthy, Label: "nps: last value"}, "nps"},
		{Feature{Name: "tickets_opened_count_90d", From: "tickets", Type: "opened", Agg: Count, WindowDays: 90, Kind: NumberKind, Unit: "events",
			Pillar: "sentiment", Direction: Risky, Label: "tickets, opened: events in 90 days"}, "ticket"},
		{Feature{Name: "tickets_csat_mean", From: "tickets", Type: "csat", Agg: Mean, Kind: NumberKind,
			Pillar: "sentiment", Direction: Healthy, Label: "tickets, csat: mean so far"}, "csat"},
		{Feature{Name: "payments_days_late_mean_90d", From: "payments", Type: "days late", Agg: Mean, WindowDays: 90, Kind: NumberKind,
			Pillar: "relationship", Direction: Risky, Label: "payments, days late: mean in 90 days"}, "late"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	many := Stream{Name: "logins"}
	for i := range 100 {
		many.Types = append(many.Types, StreamType{Name: string(rune('!' + i)), PerMonth: 1})
	}
	if n := len(Propose([]Stream{many}, nil)); n == 0 || n > maxProposals {
		t.Errorf("%d features of a hundred types", n)
	}
}

// Counts and trends must have the names of the automatic features that they
// replace: else both would be in the model.
func TestProposalsReplaceAutomaticFeatures(t *testing.T) {
	windows := []int{30, 90}
	b := autoBuilder{windows: windows, names: map[string]bool{}}
	b.counts("usage", "", false)
	b.counts("usage", "Log In", false)
	automatic := map[string]bool{}
	for _, f := range b.features {
		automatic[f.Name] = true
	}
	types := []StreamType{{"Log In", 3, false}, {"x", 0, false}}
	for _, p := range Propose([]Stream{{Name: "usage", PerMonth: 9, Types: types}}, windows)[:2] {
		if !automatic[p.Name] {
			t.Errorf("%s is not among %v", p.Name, automatic)
		}
	}
}
