// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	hour = int64(time.Hour)
	days = 24 * hour
)

// joined is a small set of tables: three accounts, contracts on days, events
// with repeats, orphans, a missing time and integer ids.
func joined() (*Tables, Sources) {
	t := &Tables{
		Accounts: &Table{Name: "accounts.parquet", Rows: 3, Columns: []Column{
			{Name: "id", Kind: Int, Ints: []int64{30, 10, 20}},
			{Name: "created", Kind: Date, Ints: []int64{5, 0, 0}, Null: []bool{false, false, true}},
			TextColumn("segment", []string{"smb", "", "ent"}),
			TextColumn("plan", []string{"pro", "basic", ""}),
			TextColumn("parent", []string{"p", "", "p"})}},
		Contracts: &Table{Name: "contracts.parquet", Rows: 6, Columns: []Column{
			TextColumn("key", []string{"c2", "c1", "c3", "gone", "undated", "backwards"}),
			{Name: "account", Kind: Int, Ints: []int64{10, 10, 20, 99, 10, 10}},
			{Name: "start", Kind: Date, Ints: []int64{40, 10, 10, 10, 10, 50}},
			{Name: "due", Kind: Date, Ints: []int64{70, 40, 375, 40, 0, 40}, Null: []bool{false, false, false, false, true, false}},
			TextColumn("outcome", []string{"", "renewed", "lost", "lost", "lost", "lost"}),
			{Name: "amount", Kind: Float, Floats: []float64{5, 6, math.NaN(), 8, 9, 1}}}},
		Events: []*Table{{Name: "usage.parquet", Rows: 7, Columns: []Column{
			{Name: "account", Kind: Int, Ints: []int64{10, 10, 10, 77, 10, 20, 10}},
			{Name: "at", Kind: Time, Ints: []int64{9 * days, 3 * days, 3 * days, 3 * days, 0, 2*days + hour, 3 * days}, Null: []bool{false, false, false, false, true, false, false}},
			{Name: "loaded", Kind: Time, Ints: []int64{9 * days, 5 * days, 4 * days, 0, 0, 0, 4 * days}},
			TextColumn("kind", []string{"b", "a", "a", "a", "a", "b", "b"}),
			{Name: "value", Kind: Int, Ints: []int64{1, 2, 3, 4, 5, 6, 7}},
			TextColumn("id", []string{"e1", "e2", "e2", "e4", "e5", "e6", "e2"})}}},
	}
	s := Sources{Location: time.UTC,
		Accounts:  AccountSource{Path: "accounts.parquet", Key: "id", Created: "created", Segment: "segment", Group: "parent", Attributes: []string{"plan"}},
		Contracts: &ContractSource{Path: "contracts.parquet", Key: "key", Account: "account", Start: "start", Due: "due", Outcome: "outcome", Churned: []string{"lost"}, Value: "amount"},
		Events:    []EventSource{{Name: "usage", Account: "account", Time: "at", KnownAt: "loaded", Type: "kind", Value: "value", ID: "id", Lag: time.Hour}}}
	return t, s
}

func TestNewHistory(t *testing.T) {
	tables, sources := joined()
	h, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	accounts := []Account{
		{ID: "10", Group: "10", Created: 0, FirstContract: 0, EndContract: 2, FirstVersion: 0, EndVersion: 1},
		{ID: "20", Group: "p", Created: NoTime, FirstContract: 2, EndContract: 3, FirstVersion: 1, EndVersion: 2},
		{ID: "30", Group: "p", Created: 5 * days, FirstVersion: 2, EndVersion: 3},
	}
	if diff := cmp.Diff(accounts, h.Accounts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Version{{From: NoTime}, {From: NoTime, Segment: "ent"}, {From: NoTime, Segment: "smb"}}, h.Versions); diff != "" {
		t.Error(diff)
	}
	type contract struct {
		id       string
		previous int32
		y        int8
		start    int64
		value    float64
	}
	var contracts []contract
	for _, c := range h.Contracts {
		contracts = append(contracts, contract{c.ID, c.Previous, c.Y, c.Start / days, c.Value})
	}
	want := []contract{{"c1", -1, 0, 10, 6}, {"c2", 0, -1, 40, 5}, {"c3", -1, 1, 10, math.NaN()}}
	if diff := cmp.Diff(want, contracts, cmp.AllowUnexported(contract{}), cmp.Comparer(func(a, b float64) bool { return a == b || (a != a && b != b) })); diff != "" {
		t.Error(diff)
	}
	// Of the two rows a/e2 the one loaded first stays; b/e2 is another event.
	events := []Event{
		{Time: 3 * days, Known: 4*days + hour, Value: 3, Type: 0, Day: 3},
		{Time: 3 * days, Known: 4*days + hour, Value: 7, Type: 1, Day: 3},
		{Time: 9 * days, Known: 9*days + hour, Value: 1, Type: 1, Day: 9},
		{Time: 2*days + hour, Known: 2*days + 2*hour, Value: 6, Type: 1, Day: 2}, // loaded before it happened: known when it happened
	}
	if diff := cmp.Diff([][]Event{events[:3], events[3:], nil}, allEvents(t, h, 0), cmpopts.IgnoreUnexported(Event{}), cmpopts.IgnoreFields(Event{}, "Class")); diff != "" {
		t.Error(diff)
	}
	if h.Newest != 9*days {
		t.Errorf("newest event on day %d, want 9", h.Newest/days)
	}
	var dropped []string
	for _, c := range h.Dropped {
		dropped = append(dropped, c.Table+" "+strings.Join(c.Examples, ",")+" "+c.Reason)
	}
	if diff := cmp.Diff([]string{
		"contracts.parquet gone the account is not in the accounts table",
		"contracts.parquet undated start or due is missing",
		"contracts.parquet backwards due is not after start",
		"usage 77 the account is not in the accounts table",
		"usage 10 the time is missing",
		"usage  the id repeats; the row known first is kept",
	}, dropped); diff != "" {
		t.Error(diff)
	}
}

// Where rows say from when they are true, an account has one for each version;
// the first creation date and the newest columns to show count.
func TestVersions(t *testing.T) {
	tables := &Tables{Accounts: &Table{Name: "accounts.parquet", Rows: 4, Columns: []Column{
		TextColumn("id", []string{"b", "a", "b", "b"}),
		{Name: "from", Kind: Date, Ints: []int64{30, 0, 0, 10}, Null: []bool{false, true, true, false}},
		TextColumn("segment", []string{"ent", "smb", "", "mid"}),
		TextColumn("owner", []string{"new", "x", "old", "older"}),
		{Name: "seats", Kind: Int, Ints: []int64{3, 9, 1, 2}}}}}
	s := Sources{Accounts: AccountSource{Key: "id", ValidFrom: "from", Segment: "segment", Attributes: []string{"seats"}, Show: []string{"owner"}}}
	h, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Version{{NoTime, "smb", ""}, {NoTime, "", ""}, {10 * days, "mid", ""}, {30 * days, "ent", ""}}, h.Versions); diff != "" {
		t.Error(diff)
	}
	if b := h.Accounts[1]; len(h.Accounts) != 2 || b.FirstVersion != 1 || b.EndVersion != 4 {
		t.Errorf("accounts %+v", h.Accounts)
	}
	if seats, owner := h.AccountAttributes[0].Ints, h.Show[0]; !slices.Equal(seats, []int64{9, 1, 2, 3}) || owner.Text(1) != "new" {
		t.Errorf("seats %v, owner %q", seats, owner.Text(1))
	}
	tables.Accounts.Columns[1].Ints[0] = 10
	want := `accounts.parquet: row 4: column "from" two versions of account ` + Marked("b") + " begin at the same time"
	if _, err := NewHistory(context.Background(), tables, s); !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// allEvents returns the events of one source by account.
func allEvents(t *testing.T, h *History, source int) [][]Event {
	t.Helper()
	var all [][]Event
	for a := range h.Accounts {
		events, err := h.EventsOf(source, a)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, append([]Event(nil), events...))
	}
	return all
}

// The order of rows in the files changes nothing.
func TestHistoryDoesNotDependOnRowOrder(t *testing.T) {
	tables, sources := joined()
	want, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range append([]*Table{tables.Accounts, tables.Contracts}, tables.Events...) {
		rows := make([]int, table.Rows)
		for i := range rows {
			rows[i] = table.Rows - 1 - i
		}
		for i := range table.Columns {
			table.Columns[i] = table.Columns[i].Take(rows)
		}
	}
	got, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	got.Dropped, want.Dropped = nil, nil // examples of contracts follow the files
	same := []cmp.Option{cmpopts.IgnoreUnexported(History{}, Source{}, Event{}), cmpopts.EquateNaNs(), cmpopts.IgnoreFields(Source{}, "Classes"), cmpopts.IgnoreFields(Event{}, "Class"),
		cmp.Comparer(func(a, b *time.Location) bool { return a == b })}
	if diff := cmp.Diff(want, got, same...); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(allEvents(t, want, 0), allEvents(t, got, 0), same...); diff != "" {
		t.Error(diff)
	}
	if a, b := want.Sources[0].digest, got.Sources[0].digest; a != b {
		t.Errorf("digests of events %x and %x", a, b)
	}
}

func TestNewHistoryRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Tables, *Sources)
		want   string
	}{
		"a repeated account": {func(t *Tables, _ *Sources) { t.Accounts.Columns[0].Ints[1] = 30 }, `column "id": 1 rows repeat a key, for example ` + Marked("30") + " (rows 2)"},
		"an account without key": {func(t *Tables, _ *Sources) { t.Accounts.Columns[0].Null = []bool{false, true, false} },
			`accounts.parquet: row 2: column "id" is empty`},
		"a repeated contract": {func(t *Tables, _ *Sources) {
			t.Contracts.Columns[0] = TextColumn("key", []string{"c", "c", "c", "d", "e", "f"})
		}, "2 rows repeat a key"},
		"a start that is text": {func(_ *Tables, s *Sources) { s.Contracts.Start = "outcome" }, `column "outcome": is of type text, a date or a timestamp is needed`},
		"a value that is text": {func(_ *Tables, s *Sources) { s.Events[0].Value = "kind" }, `column "kind": is of type text, a number is needed`},
		"an infinite value": {func(t *Tables, _ *Sources) {
			t.Events[0].Columns[4] = Column{Name: "value", Kind: Float, Floats: []float64{0, 0, math.Inf(1), 0, 0, 0, 0}}
		}, `usage.parquet: row 3: column "value" is infinite`},
	} {
		tables, sources := joined()
		c.change(tables, &sources)
		if _, err := NewHistory(context.Background(), tables, sources); !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// A declared known_at that is null is not a time that is known: neither an
// outcome nor an event counts without it.
func TestNullKnownAt(t *testing.T) {
	tables, sources := joined()
	tables.Events[0].Columns[2].Null = []bool{true, false, false, false, false, false, false}
	tables.Contracts.Columns = append(tables.Contracts.Columns, Column{Name: "known", Kind: Date,
		Ints: []int64{70, 0, 400, 0, 0, 0}, Null: []bool{false, true, false, false, false, false}})
	sources.Contracts.KnownAt = "known"
	h, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	if y := []int8{h.Contracts[0].Y, h.Contracts[1].Y, h.Contracts[2].Y}; !slices.Equal(y, []int8{-1, -1, 1}) {
		t.Errorf("outcomes %v; c1 has one without known_at, c2 has none, c3 was lost", y)
	}
	if n := len(allEvents(t, h, 0)[0]); n != 2 {
		t.Errorf("account 10 has %d events, want 2: one was never seen", n)
	}
	var reasons []string
	for _, c := range h.Dropped {
		reasons = append(reasons, c.Reason)
	}
	for _, want := range []string{"the outcome has no known_at, so it counts as not known", "known_at is missing, so the row was never seen"} {
		if !slices.Contains(reasons, want) {
			t.Errorf("%q is not counted: %q", want, reasons)
		}
	}
}

// One wrong stamp does not move the end of the data; a real end does.
func TestNewest(t *testing.T) {
	counts := newDayCounts()
	for i := range 2000 {
		counts.add(int64(i) * hour)
	}
	end := 1999 * hour
	if got, stray := counts.newest(); got != end || stray != 0 {
		t.Errorf("newest is hour %d with %d stray", got/hour, stray)
	}
	counts.add(end + 4000*days)
	counts.add(end + 4001*days)
	if got, stray := counts.newest(); got != end || stray != 2 {
		t.Errorf("newest is hour %d with %d stray, want hour %d with 2", got/hour, stray, end/hour)
	}
	few := newDayCounts()
	for _, at := range []int64{0, hour, end + 4000*days, end + 4001*days} {
		few.add(at)
	}
	if got, stray := few.newest(); got != end+4001*days || stray != 0 {
		t.Errorf("of four events none is stray: %d, %d", got/hour, stray)
	}
	none := newDayCounts()
	if got, _ := none.newest(); got != NoTime {
		t.Errorf("no events end at %d", got)
	}
}

// A term that starts the day after the last one was due follows it; dates
// written as timestamps are dates in every zone.
func TestDatesAndLinks(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	tables, sources := joined()
	sources.Location = newYork
	tables.Contracts.Columns[2] = Column{Name: "start", Kind: Time, Ints: []int64{41 * days, 10 * days, 10 * days, 10 * days, 10 * days, 50 * days}}
	h, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Contracts[1]; got.ID != "c2" || got.Previous != 0 || DayOf(got.Start, newYork) != 41 {
		t.Errorf("%+v: want c2 after contract 0, starting on day 41", got)
	}
}

func TestDays(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	// Clocks in London went forward on 2024-03-31 and back on 2024-10-27.
	for _, c := range []struct {
		stamp string
		want  string
	}{{"2024-03-31T23:30:00Z", "2024-04-01"}, {"2024-10-26T22:59:59Z", "2024-10-26"}, {"2024-10-26T23:00:00Z", "2024-10-27"}, {"1969-12-31T12:00:00Z", "1969-12-31"}} {
		at, _ := time.Parse(time.RFC3339, c.stamp)
		day := DayOf(at.UnixNano(), london)
		start := time.Unix(0, DayStart(day, london)).In(london)
		if got := start.Format(time.DateOnly); got != c.want || start.Hour() != 0 {
			t.Errorf("%s falls on %v, want %s", c.stamp, start, c.want)
		}
	}
	// Sao Paulo skipped the midnight of 2018-11-04: the day began at one o'clock.
	if saoPaulo, err := time.LoadLocation("America/Sao_Paulo"); err == nil {
		noon := time.Date(2018, 11, 4, 12, 0, 0, 0, saoPaulo)
		if start := time.Unix(0, DayStart(DayOf(noon.UnixNano(), saoPaulo), saoPaulo)).In(saoPaulo); start.Day() != 4 || start.Hour() != 1 {
			t.Errorf("the day without midnight starts at %v", start)
		}
	}
	if got := MidnightAfter(time.Date(2024, 3, 30, 12, 0, 0, 0, london).UnixNano(), london); !got.Equal(time.Date(2024, 3, 31, 0, 0, 0, 0, london)) {
		t.Errorf("midnight after is %v", got)
	}
}

func TestCheck(t *testing.T) {
	tables, sources := joined()
	sources.Accounts.Attributes = []string{"plan"}
	tables.Accounts.Columns[1] = Column{Name: "created", Kind: Date, Ints: []int64{5, 4, 0}, Null: []bool{false, false, true}}
	tables.Events[0].Columns[5] = TextColumn("id", []string{"e2", "e2", "e2", "e4", "e5", "e6", "e2"})
	h, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	sources.Accounts.Attributes = []string{"plan", "Final_Status"}
	var got []string
	found, err := Check(h, sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		got = append(got, string(f.Severity)+" "+f.Check+" "+f.Subject)
	}
	for _, want := range []string{"warning before_created usage.a", "warning before_created usage.b", "warning leak_suspect accounts.Final_Status", "note assumed_constant facts", "warning left_out usage"} {
		if !slices.Contains(got, want) {
			t.Errorf("no finding %q in %q", want, got)
		}
	}
	// Two of seven rows repeat an id: too many for one that identifies events.
	if !slices.ContainsFunc(found, func(f Finding) bool {
		return f.Subject == "usage" && strings.Contains(f.Message, "the id repeats") && strings.HasSuffix(f.Message, "declare another one as id, or none")
	}) {
		t.Errorf("the id of usage is not doubted in %+v", found)
	}
	if slices.Contains(got, "warning leak_suspect accounts.plan") {
		t.Error("plan is no leak")
	}
	empty := tables.Accounts.Columns
	for i := range empty {
		empty[i] = empty[i].Take(nil)
	}
	tables.Accounts, sources.Accounts.Attributes = &Table{Name: "accounts.parquet", Columns: empty}, nil
	if h, err = NewHistory(context.Background(), tables, sources); err != nil {
		t.Fatal(err)
	}
	if f, err := Check(h, sources); err != nil || !slices.ContainsFunc(f, func(f Finding) bool { return f.Severity == Fatal && f.Check == "no_accounts" }) {
		t.Errorf("an empty accounts table: %+v", f)
	}
}

// A known_at that stands for never stays in the future, whatever the lag; a lag
// below zero would let rows be seen before they were known.
func TestLagSaturates(t *testing.T) {
	tables, sources := joined()
	last := time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC).UnixNano()
	tables.Events[0].Columns[2].Ints[0] = last
	sources.Events[0].Lag = 365 * 24 * time.Hour
	h, err := NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	events := allEvents(t, h, 0)[0]
	if e := events[len(events)-1]; e.Time != 9*days || e.Known < last {
		t.Errorf("%+v: want the event of day 9, known after 2261", e)
	}
	sources.Events[0].Lag = -time.Hour
	if _, err := NewHistory(context.Background(), tables, sources); err == nil || !strings.Contains(err.Error(), "events usage: a lag of -1h0m0s; expected zero or more") {
		t.Errorf("error %v for a negative lag", err)
	}
}
