// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// on returns the midnight of a date in UTC.
func on(date string) int64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// one returns a history of one account with the given contracts and events of
// one type, and data that reach to the end of 2025.
func one(contracts []data.Contract, events ...data.Event) *data.History {
	for i := range contracts {
		c := &contracts[i]
		for _, p := range []*int64{&c.KnownAt, &c.Notice, &c.Signed, &c.RenewedAt} {
			if *p == 0 {
				*p = data.NoTime
			}
		}
	}
	for i := range events {
		events[i].Known = max(events[i].Known, events[i].Time)
		events[i].Day = int32(data.DayOf(events[i].Time, time.UTC))
	}
	h := &data.History{Location: time.UTC, Accounts: []data.Account{{ID: "a", Group: "a", Created: on("2023-12-01"), EndContract: int32(len(contracts)), EndVersion: 1}},
		Versions:  []data.Version{{From: data.NoTime}},
		Contracts: contracts, Newest: on("2025-12-31")}
	h.AddSource("app", []string{"use"}, on("2025-12-31"), [][]data.Event{events})
	h.Link(0)
	return h
}

// rowsOf builds the frame at an instant, or with asOf 0 the whole history.
func rowsOf(t *testing.T, h *data.History, o Outcome, asOf int64) *Built {
	t.Helper()
	spec := &Spec{Version: SpecVersion, Outcome: o, Features: []Feature{{Name: "uses", From: "app", Agg: Count, Kind: NumberKind}}}
	var opt Options
	if asOf != 0 {
		opt.AsOf = time.Unix(0, asOf)
	}
	b, err := Build(context.Background(), h, spec, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRenewalLabel(t *testing.T) {
	term := data.Contract{ID: "k1", Start: on("2024-01-01"), Due: on("2024-12-31")}
	with := func(y int8, known string) data.Contract {
		c := term
		c.Y = y
		if known != "" {
			c.KnownAt = on(known)
		}
		return c
	}
	next := func(start string) data.Contract {
		return data.Contract{ID: "k2", Start: on(start), Due: on("2026-12-31"), Y: -1}
	}
	for _, c := range []struct {
		name      string
		contracts []data.Contract
		grace     int
		declared  bool
		y         int8
		mature    string // "" means never
	}{
		{"declared churn", []data.Contract{with(1, "")}, 0, true, 1, "2024-12-31"},
		{"declared, with grace", []data.Contract{with(0, "")}, 30, true, 0, "2025-01-30"},
		{"known later than grace", []data.Contract{with(1, "2025-03-01")}, 30, true, 1, "2025-03-01"},
		{"renewed early: mature no sooner than a churn", []data.Contract{with(0, "2024-10-01")}, 0, true, 0, "2024-12-31"},
		{"not known yet", []data.Contract{with(-1, "")}, 0, true, Unknown, ""},
		{"derived: a successor on the due date", []data.Contract{with(-1, ""), next("2024-12-31")}, 30, false, 0, "2025-01-30"},
		{"derived: a successor on the first day of grace", []data.Contract{with(-1, ""), next("2024-12-01")}, 30, false, 0, "2025-01-30"},
		{"derived: an early renewal matures no sooner", []data.Contract{with(-1, ""), next("2024-12-05")}, 30, false, 0, "2025-01-30"},
		{"derived: the successor of a parallel contract", []data.Contract{with(-1, ""), {ID: "p1", Start: on("2024-01-11"), Due: on("2025-01-10"), Y: -1},
			{ID: "p2", Start: on("2025-01-11"), Due: on("2026-01-10"), Y: -1}}, 30, false, 1, "2025-01-30"},
		{"derived: a second contract in mid-term", []data.Contract{with(-1, ""), next("2024-11-30")}, 30, false, 1, "2025-01-30"},
		{"derived: an add-on that ends with the term", []data.Contract{with(-1, ""), {ID: "k2", Start: on("2024-12-10"), Due: on("2024-12-31"), Y: -1}}, 30, false, 1, "2025-01-30"},
		{"derived: a successor on the last day of grace", []data.Contract{with(-1, ""), next("2025-01-30")}, 30, false, 0, "2025-01-30"},
		{"derived: a win-back after grace", []data.Contract{with(-1, ""), next("2025-01-31")}, 30, false, 1, "2025-01-30"},
		{"derived: nothing came", []data.Contract{with(-1, "")}, 30, false, 1, "2025-01-30"},
		{"derived, without grace: the day after is too late", []data.Contract{with(-1, ""), next("2025-01-01")}, 0, false, 1, "2024-12-31"},
		{"derived: the data end before grace does", []data.Contract{with(-1, "")}, 400, false, Unknown, ""},
	} {
		h := one(c.contracts)
		h.Link(c.grace)
		got := renewalLabel(h, &Outcome{GraceDays: c.grace, Declared: c.declared}, 0)
		want := label{c.y, Never}
		if c.mature != "" {
			want.mature = on(c.mature)
		}
		if got != want {
			t.Errorf("%s: y %d mature %v, want y %d mature %v", c.name, got.y, time.Unix(0, got.mature).UTC(), want.y, time.Unix(0, want.mature).UTC())
		}
	}
}

// A snapshot at the midnight that ends the data is a row; one after it would see
// what is not there yet, and is counted.
func TestSnapshotsAfterTheData(t *testing.T) {
	h := one([]data.Contract{{ID: "k", Start: on("2025-06-01"), Due: on("2026-03-01"), Y: -1}}) // data end with 2025-12-31
	b := rowsOf(t, h, Outcome{Mode: Renewal, LeadDays: []int{90, 59, 58}}, 0)
	var got []string
	for _, r := range b.Frame.Rows {
		got = append(got, time.Unix(0, r.Snapshot).UTC().Format(time.DateOnly))
	}
	if diff := cmp.Diff([]string{"2025-12-01", "2026-01-01"}, got); diff != "" {
		t.Error(diff)
	}
	if len(b.Left) != 1 || b.Left[0].Rows != 1 || b.Left[0].Reason != string(afterData) {
		t.Errorf("left out: %+v", b.Left)
	}
}

func TestSnapshotsAndWeights(t *testing.T) {
	for _, c := range []struct {
		name  string
		start string
		want  []string
	}{
		{"a term of a year has them all", "2024-01-01", []string{"2024-10-02", "2024-11-01", "2024-12-01"}},
		{"a lead longer than the term falls on its start", "2024-10-20", []string{"2024-10-20", "2024-11-01", "2024-12-01"}},
		{"two of them", "2024-11-15", []string{"2024-11-15", "2024-12-01"}},
		{"all of them: one snapshot", "2024-12-10", []string{"2024-12-10"}},
	} {
		// The due date comes with a time of day: snapshots lie at the start of theirs.
		h := one([]data.Contract{{ID: "k", Start: on(c.start), Due: on("2024-12-31") + 15*int64(time.Hour)}})
		b := rowsOf(t, h, Outcome{Mode: Renewal, LeadDays: []int{60, 90, 30}, Declared: true}, 0)
		var got []string
		sum := 0.0
		for _, r := range b.Frame.Rows {
			at := time.Unix(0, r.Snapshot).UTC()
			got = append(got, at.Format(time.DateOnly))
			sum += r.Weight
			if at.Hour() != 0 {
				t.Errorf("%s: a snapshot at %v", c.name, at)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("%s: weights sum to %v, a renewal counts once", c.name, sum)
		}
	}
}

func TestAtRisk(t *testing.T) {
	const rolling, fixed = true, false
	previous := data.Contract{ID: "k0", Start: on("2023-12-01"), Due: on("2024-03-01"), RenewedAt: on("2024-03-20")}
	term := data.Contract{ID: "k1", Start: on("2024-03-01"), Due: on("2024-06-01")}
	for _, c := range []struct {
		name    string
		change  func(*data.Contract)
		rolling bool
		t       string
		want    refusal
	}{
		{"running", nil, fixed, "2024-05-01", ""},
		{"on its first day: a start is known when signed", nil, fixed, "2024-03-01", ""},
		{"a day before", nil, fixed, "2024-02-29", notStarted},
		{"on the due date", nil, fixed, "2024-06-01", alreadyDue},
		{"rolling: the renewal was seen on the day itself, so not before it", nil, rolling, "2024-03-20", notSeen},
		{"rolling: seen the day before", nil, rolling, "2024-03-21", ""},
		{"notice later", func(k *data.Contract) { k.Notice = on("2024-05-02") }, fixed, "2024-05-01", ""},
		{"notice that day", func(k *data.Contract) { k.Notice = on("2024-05-01") }, fixed, "2024-05-01", alreadyKnown},
		{"outcome known", func(k *data.Contract) { k.KnownAt = on("2024-05-01") }, fixed, "2024-05-01", alreadyKnown},
		{"outcome known later", func(k *data.Contract) { k.KnownAt = on("2024-06-01") }, fixed, "2024-05-01", ""},
		{"signed early", func(k *data.Contract) { k.Signed = on("2024-04-01") }, fixed, "2024-05-01", alreadyKnown},
	} {
		k := term
		if c.change != nil {
			c.change(&k)
		}
		h := one([]data.Contract{previous, k})
		if got := atRisk(h, &Outcome{Rolling: c.rolling, Declared: true}, 1, on(c.t)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStatusAsOf(t *testing.T) {
	o := Outcome{Mode: Renewal, LeadDays: []int{30, 60}, Declared: true}
	use := data.Event{Time: on("2024-01-05"), Value: 1}
	for _, c := range []struct {
		name, asOf string
		event      bool
		notice     int64
		want       Status
	}{
		{"inside the scoring range", "2024-11-01", true, 0, Scored},
		{"75 days before due, the longest lead and 15 more", "2024-10-17", true, 0, Scored},
		{"76 days before", "2024-10-16", true, 0, Early},
		{"notice given", "2024-11-01", true, on("2024-10-01"), Decided},
		{"nothing seen of the account", "2024-11-01", false, 0, NoHistory},
	} {
		h := one([]data.Contract{{ID: "k", Start: on("2024-01-01"), Due: on("2024-12-31"), Notice: c.notice, Y: 1}})
		if c.event {
			h = one(h.Contracts, use)
		}
		b := rowsOf(t, h, o, on(c.asOf))
		if len(b.Frame.Rows) != 1 || b.Frame.Rows[0].Status != c.want {
			t.Errorf("%s: %+v, want status %v", c.name, b.Frame.Rows, c.want)
			continue
		}
		if r := b.Frame.Rows[0]; r.Y != Unknown || r.Mature != Never {
			t.Errorf("%s: a row to be scored knows its outcome: %+v", c.name, r)
		}
	}
}

// A history without a date has no rows, in every zone and mode.
func TestEmptyHistory(t *testing.T) {
	for _, zone := range zones {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Skip("no time zones on this machine")
		}
		h := one(nil)
		h.Location, h.Newest, h.Sources[0].Newest = loc, data.NoTime, data.NoTime
		for _, o := range []Outcome{{Mode: Renewal, LeadDays: []int{30}}, {Mode: Activity, Of: "app", HorizonDays: 1, EveryDays: 1, ActiveWithinDays: 1}} {
			if b := rowsOf(t, h, o, 0); len(b.Frame.Rows) != 0 {
				t.Errorf("%s, %s: %d rows", zone, o.Mode, len(b.Frame.Rows))
			}
		}
	}
}

func TestActivity(t *testing.T) {
	// The grid has a point every 30 days from 2001-01-01; 2024-02-11 is one.
	grid := data.DayStart(activityEpoch+30*((data.DayOf(on("2024-02-11"), time.UTC)-activityEpoch)/30), time.UTC)
	at := func(days int) data.Event { return data.Event{Time: grid + int64(days)*day, Value: 1} }
	o := Outcome{Mode: Activity, Of: "app", HorizonDays: 60, EveryDays: 30, ActiveWithinDays: 40}
	late := at(70)
	late.Known = grid + 100*day
	h := one(nil, at(-10), at(60), late)
	b := rowsOf(t, h, o, 0)
	type row struct {
		days   int64 // after the first grid point
		y      int8
		mature int64
	}
	var got []row
	for _, r := range b.Frame.Rows {
		got = append(got, row{(r.Snapshot - grid) / day, r.Y, (r.Mature - grid) / day})
	}
	want := []row{
		{0, 1, 60},  // nothing in [0, 60): the event at 60 comes a moment too late
		{30, 0, 90}, // active 40 days before; the event at 60 was known at once
		// At 60 the event of that very instant is not visible, nor is there one in the 40 days before.
		{90, 1, 150}, // active by the event at 60; the one at 70 was known at 100 only
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Error(diff)
	}
	if len(b.Frame.Rows) > 0 && b.Frame.Rows[0].Contract != "" {
		t.Error("a row of activity mode has a contract")
	}
	asOf := rowsOf(t, h, o, grid+65*day)
	if len(asOf.Frame.Rows) != 1 || asOf.Frame.Rows[0].Y != Unknown {
		t.Errorf("as of an instant: %+v", asOf.Frame.Rows)
	}
}

func TestBuildRefuses(t *testing.T) {
	h := one([]data.Contract{{ID: "k", Start: on("2024-01-01"), Due: on("2024-12-31")}})
	renewal := Outcome{Mode: Renewal, LeadDays: []int{30}}
	linked30 := renewal
	linked30.GraceDays = 30
	uses := Feature{Name: "uses", From: "app", Agg: Count, Kind: NumberKind}
	for _, c := range []struct {
		outcome  Outcome
		features []Feature
		want     string
	}{
		{Outcome{Mode: "yearly"}, nil, `mode "yearly"`},
		{Outcome{Mode: Renewal}, nil, "no leads"},
		{Outcome{Mode: Renewal, LeadDays: []int{0}}, nil, "a lead of 0 days"},
		{Outcome{Mode: Activity, Of: "orders"}, nil, `of "orders" is not an event source`},
		{renewal, []Feature{uses, uses}, "defined twice"},
		{renewal, []Feature{{Name: "y", From: "app", Agg: Count}}, "key column"},
		{renewal, []Feature{{Name: "x", From: "orders", Agg: Count}}, `from "orders" is not an event source`},
		{renewal, []Feature{{Name: "x", From: "app", Agg: "median"}}, `agg "median"`},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Trend, WindowDays: 30, LongDays: 30}}, "a longer one"},
		{renewal, []Feature{{Name: "x", From: FromAccount, Agg: Attribute, Column: "plan"}}, `no attribute "plan"`},
		{renewal, []Feature{{Name: "x", From: FromContract, Agg: Last}}, `from "contract" is not an event source`},
		{renewal, []Feature{{Name: "x", From: "app", Type: "use", Agg: Distinct}}, "counts types"},
		{renewal, []Feature{{Name: "worth", From: FromContract, Agg: Value}}, `feature "worth": the value of a contract is known only at the end of its term`},
		{linked30, nil, "a grace of 30 days, but the terms of the history were linked with one of 0"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Count, Where: "value > 1"}}, "was not evaluated when the history was read"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Lateness, Due: "a", Paid: "b"}}, "over app[a, b] was not evaluated"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Decayed}}, "needs a half_life"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Weighted}}, "needs weights"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: Ratio}}, "a ratio needs of and to"},
		{renewal, []Feature{uses, {Name: "x", From: "app", Agg: Ratio, Of: "uses", To: "usse"}}, `to "usse" is no feature, and the other one is`},
		{renewal, []Feature{uses, {Name: "x", From: "app", Agg: Ratio, Of: "uses", To: "uses", WindowDays: 7}}, "has no window or where"},
		{renewal, []Feature{uses, {Name: "x", From: "app", Agg: PerSeat, Parameters: Parameters{Seats: "x"}}}, "seats names the feature itself"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: PerSeat}}, "per_seat needs seats, the name of a feature"},
		{renewal, []Feature{{Name: "x", From: "app", Agg: PerSeat, Parameters: Parameters{Seats: "sets"}}}, `seats "sets" is no feature; it must be one`},
		{renewal, []Feature{{Name: "plan", From: FromAccount, Agg: SegmentFact, Kind: LevelKind},
			{Name: "x", From: "app", Agg: PerSeat, Parameters: Parameters{Seats: "plan"}}}, `seats "plan" is a level; a number is needed`},
		{renewal, []Feature{uses, {Name: "x", From: "app", Agg: PerSeat, Parameters: Parameters{Seats: "z"}},
			{Name: "z", From: "app", Agg: Ratio, Of: "uses", To: "uses"}}, `seats "z" is computed from other features too; it must stand before`},
		{Outcome{Mode: Activity, Of: "app", HorizonDays: 1, EveryDays: 1, ActiveWithinDays: 1},
			[]Feature{{Name: "x", From: FromContract, Agg: TermNumber}}, "in activity mode there are no terms"},
	} {
		_, err := Build(context.Background(), h, &Spec{Outcome: c.outcome, Features: c.features}, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	b := rowsOf(t, one([]data.Contract{{ID: "k", Start: on("2025-12-20"), Due: on("2026-12-31")}}), renewal, 0)
	if got := b.Explain(); got != "0 snapshots of 1 terms or accounts are eligible (1: the snapshot lies after the newest event)" {
		t.Errorf("no rows: %q", got)
	}
}

// Sums of days stop at the ends of what 64 bits hold; wrapped, a window of a
// thousand years would begin in the future and a term mature before it began.
func TestAddDaysSaturates(t *testing.T) {
	noon := on("2024-06-01") + int64(12*time.Hour)
	for _, loc := range []*time.Location{time.UTC, time.FixedZone("", -5*60*60)} {
		if got := addDays(noon, -400_000, loc); got > data.NoTime+2*day || got == data.NoTime {
			t.Errorf("a thousand years before lies at %d", got)
		}
		if got := addDays(noon, 400_000, loc); got != math.MaxInt64 {
			t.Errorf("a thousand years after lies at %d", got)
		}
		if got := addDays(on("2261-12-31"), 200, loc); got != math.MaxInt64 {
			t.Errorf("200 days after the last one lie at %d", got)
		}
	}
}
