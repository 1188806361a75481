// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// withFacts is a history of two accounts with every kind of fact; account b
// lacks what may be missing.
func withFacts() *data.History {
	h := &data.History{Location: time.UTC, Newest: on("2025-06-01"), ValueAtStart: true,
		Accounts: []data.Account{
			{ID: "a", Group: "g", Created: on("2024-01-01"), EndContract: 2, EndVersion: 3},
			{ID: "b", Group: "b", Created: data.NoTime, FirstContract: 2, EndContract: 3, FirstVersion: 3, EndVersion: 4}},
		// Account a grew up to the day of the snapshot, and changes after it.
		Versions: []data.Version{{From: data.NoTime, Segment: "micro", Phase: "new"}, {From: on("2025-06-01"), Segment: "smb", Phase: "live"},
			{From: on("2025-06-02"), Segment: "ent", Phase: "leaving"}, {From: data.NoTime}},
		AccountAttributes: []data.Column{
			data.TextColumn("plan", []string{"free", "pro", "max", ""}),
			{Name: "seats", Kind: data.Int, Ints: []int64{1, 7, 99, 0}, Null: []bool{false, false, false, true}},
			{Name: "since", Kind: data.Date, Ints: []int64{1, 19000, 1, 19001}}},
		ContractAttributes: []data.Column{{Name: "auto", Kind: data.Bool, Ints: []int64{1, 0, 1}}},
		Show:               []data.Column{data.TextColumn("owner", []string{"Ada", "Bob"})},
	}
	for i, c := range []data.Contract{
		{ID: "a1", Account: 0, Previous: -1, Start: on("2024-01-01"), Due: on("2024-12-31"), RenewedAt: on("2025-01-05"), Value: 100, Currency: "EUR"},
		{ID: "a2", Account: 0, Previous: 0, Start: on("2024-12-31"), Due: on("2025-07-31"), RenewedAt: data.NoTime, Value: math.NaN(), Episode: 2},
		{ID: "b1", Account: 1, Previous: -1, Start: on("2025-01-01"), Due: on("2025-06-30"), RenewedAt: data.NoTime, Value: 50, Episode: 1, AutoRenew: -1},
	} {
		c.Y, c.KnownAt, c.Notice, c.Signed = -1, data.NoTime, data.NoTime, data.NoTime
		if i == 0 {
			c.Y = 0
		}
		h.Contracts = append(h.Contracts, c)
	}
	return h
}

func factSpec(h *data.History) *Spec {
	o := Outcome{Mode: Renewal, LeadDays: []int{30}, Declared: true, Rolling: true}
	s := &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: o}
	s.Features = append(Auto(h, o, AutoOptions{WindowDays: []int{30}, ValueKnown: true}),
		Feature{Name: "episode", From: FromContract, Agg: Episode, Kind: NumberKind},
		Feature{Name: "came_back", From: FromContract, Agg: WinBack, Kind: NumberKind})
	return s
}

// Facts are read as SPEC.md says, and written as a table with the same values.
func TestFactsAndTable(t *testing.T) {
	h := withFacts()
	b, err := Build(context.Background(), h, factSpec(h), Options{AsOf: time.Unix(0, on("2025-06-01"))})
	if err != nil {
		t.Fatal(err)
	}
	table := b.Frame.Table(time.UTC)
	cell := func(row int, name string) string {
		c := table.Column(name)
		if c == nil {
			t.Fatalf("no column %s", name)
		}
		if c.Missing(row) {
			return "-"
		}
		text := c.AsText()
		return text.Text(row)
	}
	want := map[string][2]string{ // contracts a2 and b1; a1 is over
		"account_id": {"a", "b"}, "contract_id": {"a2", "b1"}, "snapshot": {"2025-06-01", "2025-06-01"},
		"due": {"2025-07-31", "2025-06-30"}, "lead_days": {"60", "29"}, "status": {"early", "no_history"},
		"y": {"-", "-"}, "mature": {"-", "-"}, "value": {"-", "50"},
		"segment": {"smb", "-"}, "phase": {"live", "-"}, "plan": {"pro", "-"}, "seats": {"7", "-"}, "since": {"19000", "19001"},
		"tenure_days": {"517", "-"}, "auto": {"0", "1"}, "term_number": {"2", "1"}, "term_length_days": {"212", "180"},
		"days_to_due": {"60", "29"}, "previous_renewal_late_days": {"5", "0"}, "contract_value": {"-", "50"}, "kept": {"-", "-"},
		"episode": {"2", "1"}, "came_back": {"1", "0"}, "auto_renew": {"0", "-"},
	}
	for name, cells := range want {
		if got := [2]string{cell(0, name), cell(1, name)}; got != cells {
			t.Errorf("%s: %v, want %v", name, got, cells)
		}
	}
	if owner := b.Show[0]; owner.Text(0) != "Ada" || owner.Text(1) != "Bob" {
		t.Errorf("pass-through columns do not follow the rows: %+v", owner)
	}
	if r := b.Frame.Rows[0]; r.Group != "g" || r.Phase != "live" || b.Frame.Rows[1].Currency != "" {
		t.Errorf("%+v", b.Frame.Rows)
	}
}

// A spec meets a history that was read with other types than it was made for.
func TestAttributeTypes(t *testing.T) {
	h := withFacts()
	spec := factSpec(h)
	h.AccountAttributes[0] = data.Column{Name: "plan", Kind: data.Int, Ints: []int64{1, 2, 3, 4}}
	_, err := Build(context.Background(), h, spec, Options{})
	if !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), `column "plan": is of type integer; the spec was made for text`) {
		t.Errorf("a text that became an integer: %v", err)
	}
	// A column without any value has no type of its own.
	h.AccountAttributes[0].Null = []bool{true, true, true, true}
	h.AccountAttributes[1] = data.TextColumn("seats", []string{"", "", "", ""})
	b, err := Build(context.Background(), h, spec, Options{AsOf: time.Unix(0, on("2025-06-01"))})
	if err != nil {
		t.Fatal(err)
	}
	if plan, seats := b.Frame.Column("plan"), b.Frame.Column("seats"); plan.Codes[0] != -1 || seats.Num[0] == seats.Num[0] {
		t.Errorf("plan %v, seats %v: want missing", plan.Codes, seats.Num)
	}
}

func TestSpecDigest(t *testing.T) {
	h := withFacts()
	a, b := factSpec(h), factSpec(h)
	if a.Digest() != b.Digest() || len(a.Digest()) != 16 {
		t.Errorf("digests %s and %s of equal specs", a.Digest(), b.Digest())
	}
	b.Features[0].WindowDays++
	if a.Digest() == b.Digest() {
		t.Error("another window has the same digest")
	}
	rules, other := a.Rules(), b.Rules()
	if diff := cmp.Diff(rules, other); diff != "" || a.Features == nil {
		t.Errorf("the rules hold features, or took them away: %s", diff)
	}
}

// A cancelled build ends with the context's error.
func TestBuildStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := withFacts()
	if _, err := Build(ctx, h, factSpec(h), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
