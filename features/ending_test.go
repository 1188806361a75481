// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// ended returns a history whose terms end in every way there is, with a grace
// of 30 days and outcomes derived. Each account but one has a term of 2024.
func ended() *data.History {
	term := func(id, start, due string, kept float64) data.Contract {
		return data.Contract{ID: id, Start: on(start), Due: on(due), Kept: kept, Y: -1, KnownAt: data.NoTime, Notice: data.NoTime,
			Signed: data.NoTime, RenewedAt: data.NoTime, Involuntary: -1, AutoRenew: -1}
	}
	nan := math.NaN()
	failed := term("failed", "2024-01-01", "2024-12-31", nan)
	failed.Involuntary = 1
	signed := term("signed", "2024-01-01", "2024-12-31", 1.5)
	signed.Signed, signed.AutoRenew = on("2024-10-01"), 1
	terms := [][]data.Contract{
		{term("early", "2024-01-01", "2024-12-31", 0.9799), term("early-2", "2024-12-15", "2025-12-31", nan)},
		{term("on-time", "2024-01-01", "2024-12-31", 1), term("on-time-2", "2025-01-01", "2025-12-31", nan)},
		{term("late", "2024-01-01", "2024-12-31", nan), term("late-2", "2025-01-02", "2025-12-31", nan)},
		{signed, term("signed-2", "2024-12-31", "2025-12-31", nan)}, // signed before it was due
		{failed},
		{term("gone", "2024-01-01", "2024-12-31", nan), term("gone-2", "2025-06-01", "2026-12-31", nan)}, // back in June, for 19 months
		{term("open", "2025-01-01", "2025-12-15", nan)},                                                  // its grace ends after the data do
	}
	h := one(nil)
	h.Accounts = nil
	for i, contracts := range terms {
		h.Accounts = append(h.Accounts, data.Account{ID: fmt.Sprint("a", i), Group: fmt.Sprint("a", i)})
		for _, c := range contracts {
			c.Account = int32(i)
			h.Contracts = append(h.Contracts, c)
		}
	}
	h.Sources = nil
	h.AddSource("app", []string{"use"}, on("2025-12-31"), nil)
	h.Link(30)
	return h
}

var derived = Outcome{Mode: Renewal, LeadDays: []int{30}, GraceDays: 30}

// Every term is counted once by how it ended, and again by what else is known.
func TestOutcomeCounts(t *testing.T) {
	var got []string
	for _, c := range rowsOf(t, ended(), derived, 0).Outcomes {
		got = append(got, fmt.Sprintf("%d of %d %s: %s", c.Rows, c.Of, c.Table, c.Reason))
	}
	want := []string{
		"2 of 12 terms: renewed early",
		"1 of 12 terms: renewed on time",
		"1 of 12 terms: renewed late",
		"1 of 12 terms: churned",
		"1 of 12 terms: churned involuntarily",
		"6 of 12 terms: the outcome is not known yet",
		"1 of 2 churned terms: won back after grace, as a new episode",
		"1 of 4 renewed terms: kept less than 98 % of the value",
		"1 of 4 renewed terms: kept more than 102 % of the value",
		"1 of 4 renewed terms: kept an unknown share of the value",
		"1 of 12 terms: multi-year terms",
		"1 of 12 terms: terms that renew by themselves",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A row knows its slice, and what was kept once its outcome is known.
func TestRowsOfSlices(t *testing.T) {
	rows := map[string]Row{}
	for _, r := range rowsOf(t, ended(), derived, 0).Frame.Rows {
		rows[r.Contract] = r
	}
	for id, want := range map[string]struct {
		y           int8
		kept        float64
		termDays    int32
		autoRenew   int8
		involuntary bool
	}{
		"early":  {0, 0.9799, 365, Unknown, false},
		"late":   {0, math.NaN(), 365, Unknown, false},
		"failed": {1, 0, 365, Unknown, true},
		"gone":   {1, 0, 365, Unknown, false},
		"open":   {Unknown, math.NaN(), 348, Unknown, false},
	} {
		r, ok := rows[id]
		same := r.Kept == want.kept || (math.IsNaN(r.Kept) && math.IsNaN(want.kept))
		if !ok || r.Y != want.y || !same || r.TermDays != want.termDays || r.AutoRenew != want.autoRenew || r.Involuntary != want.involuntary {
			t.Errorf("%s: %+v, want %+v", id, r, want)
		}
	}
	// Signed in October, so decided at the snapshot of 1 December.
	if _, ok := rows["signed"]; ok {
		t.Error("a term signed before the snapshot has a row")
	}
	for _, r := range rowsOf(t, ended(), derived, on("2024-12-10")).Frame.Rows {
		if r.Y != Unknown || !math.IsNaN(r.Kept) || r.Involuntary {
			t.Errorf("a row to be scored knows how it ends: %+v", r)
		}
	}
}

// Where outcomes are derived, a term whose successor has started is decided.
func TestStartedSuccessorDecides(t *testing.T) {
	for _, c := range []struct {
		asOf string
		want Status
	}{{"2024-12-14", Scored}, {"2024-12-15", Decided}} {
		h := ended()
		h.Sources = nil
		h.AddSource("app", []string{"use"}, on("2025-12-31"), [][]data.Event{{{Time: on("2024-01-05"), Known: on("2024-01-05")}}})
		for _, r := range rowsOf(t, h, derived, on(c.asOf)).Frame.Rows {
			if r.Contract == "early" && r.Status != c.want {
				t.Errorf("as of %s: %v, want %v", c.asOf, r.Status, c.want)
			}
		}
	}
}

// In activity mode both classes mature after the source's lag, and snapshots
// are counted by what followed.
func TestActivityMaturesAfterTheLag(t *testing.T) {
	h := one(nil, data.Event{Time: on("2025-01-10"), Known: on("2025-01-12")}, data.Event{Time: on("2025-02-01"), Known: on("2025-02-03")})
	spec := &Spec{Version: SpecVersion, Outcome: Outcome{Mode: Activity, Of: "app", HorizonDays: 20, EveryDays: 10, ActiveWithinDays: 30},
		Sources: []Source{{Name: "app", LagDays: 2}}}
	b, err := Build(context.Background(), h, spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	classes := map[int8]int{}
	for _, r := range b.Frame.Rows {
		classes[r.Y]++
		if r.Y != Unknown && r.Mature != r.Due+2*day {
			t.Errorf("y %d matures %d days after the horizon, want the lag of 2", r.Y, (r.Mature-r.Due)/day)
		}
	}
	if classes[0] == 0 || classes[1] == 0 {
		t.Fatalf("classes %v: one is missing", classes)
	}
	want := []data.Count{{Table: "snapshots", Reason: "active within the horizon", Rows: classes[0], Of: len(b.Frame.Rows)},
		{Table: "snapshots", Reason: "not active within the horizon", Rows: classes[1], Of: len(b.Frame.Rows)}}
	if diff := cmp.Diff(want, b.Outcomes); diff != "" {
		t.Error(diff)
	}
}

// Values in two currencies are not compared: they are no automatic feature,
// and a feature asked for is refused.
func TestValueInTwoCurrencies(t *testing.T) {
	h := withFacts()
	spec := factSpec(h)
	h.Contracts[2].Currency = "USD"
	for _, f := range factSpec(h).Features {
		if f.Agg == Value {
			t.Errorf("%s is an automatic feature", f.Name)
		}
	}
	_, err := Build(context.Background(), h, spec, Options{})
	if !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), `values are in EUR and USD, and the feature "contract_value" would put them together`) {
		t.Errorf("error %v", err)
	}
}
