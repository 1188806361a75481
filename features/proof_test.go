// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// provable is a made history of so many accounts with three terms of 30 days
// each and an event every other day, some of them known ten days late. dates
// says that instants are dates rather than time stamps.
func provable(accounts int, dates bool) (*data.Tables, data.Sources) {
	var id, contract, owner, outcome, account, kind []string
	var created, start, due, known, renewed, at, loaded, number []int64
	var value, amount []float64
	first := data.DayOf(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano(), time.UTC)
	stamp := func(day int) int64 {
		if dates {
			return int64(day)
		}
		return data.DayStart(day, time.UTC) + int64(5*time.Hour)
	}
	for a := range accounts {
		id = append(id, fmt.Sprintf("a%d", a))
		created = append(created, stamp(first-10))
		for term := range 3 {
			from := first + a%7 + 30*term
			contract, owner = append(contract, fmt.Sprintf("a%d-%d", a, term)), append(owner, id[a])
			start, due = append(start, stamp(from)), append(due, stamp(from+30))
			renewed, known = append(renewed, stamp(from+29)), append(known, stamp(from+31))
			outcome = append(outcome, []string{"renewed", "churned"}[(a+term)%2])
			amount = append(amount, float64(100+a))
		}
		for n := range 45 {
			day := first + 2*n
			account, kind = append(account, id[a]), append(kind, []string{"login", "ticket"}[n%2])
			at, loaded = append(at, stamp(day)), append(loaded, stamp(day+n%3/2*10))
			number, value = append(number, int64(100*a+n)), append(value, float64(n+a))
		}
	}
	when := func(name string, v []int64) data.Column {
		if dates {
			return data.Column{Name: name, Kind: data.Date, Ints: v}
		}
		return data.Column{Name: name, Kind: data.Time, Ints: v}
	}
	t := &data.Tables{
		Accounts: &data.Table{Name: "accounts", Rows: len(id), Columns: []data.Column{data.TextColumn("id", id), when("created", created)}},
		Contracts: &data.Table{Name: "contracts", Rows: len(contract), Columns: []data.Column{
			data.TextColumn("id", contract), data.TextColumn("account", owner), when("start", start), when("due", due),
			data.TextColumn("outcome", outcome), when("known", known), when("renewed", renewed),
			{Name: "amount", Kind: data.Float, Floats: amount}}},
		Events: []*data.Table{{Name: "events", Rows: len(at), Columns: []data.Column{
			data.TextColumn("account", account), when("at", at), when("loaded", loaded), data.TextColumn("kind", kind),
			{Name: "value", Kind: data.Float, Floats: value}, {Name: "id", Kind: data.Int, Ints: number}}}},
	}
	return t, data.Sources{Location: time.UTC,
		Accounts: data.AccountSource{Key: "id", Created: "created"},
		Contracts: &data.ContractSource{Key: "id", Account: "account", Start: "start", Due: "due", Outcome: "outcome",
			Churned: []string{"churned"}, KnownAt: "known", RenewedAt: "renewed", Value: "amount"},
		Events: []data.EventSource{{Name: "app", Account: "account", Time: "at", KnownAt: "loaded", Type: "kind", Value: "value", ID: "id"}},
	}
}

// provableSpec is the automatic spec of a history.
func provableSpec(h *data.History, s data.Sources) *Spec {
	o := Outcome{Mode: Renewal, LeadDays: []int{20, 10}, Declared: true, Rolling: s.Contracts.RenewedAt != ""}
	return &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: o, Features: Auto(h, o, AutoOptions{
		WindowDays: []int{7, 30}, ValueKnown: s.Contracts.ValueKnown == "start"})}
}

// joinFunc makes histories.
type joinFunc = func(context.Context, *data.Tables, data.Sources) (*data.History, error)

// proved proves a history whose frame and whose rebuilt snapshots come from
// the same way of joining.
func proved(t *testing.T, tables *data.Tables, s data.Sources, join joinFunc, workers int) *Proof {
	t.Helper()
	h, err := join(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	spec := provableSpec(h, s)
	b, err := Build(context.Background(), h, spec, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := &prover{sources: s, spec: spec, frame: b.Frame, canary: newCanary(s, spec), join: join}
	proof, err := p.prove(context.Background(), tables, Sample(b.Frame, 30, 1), ProofOptions{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// A sound engine passes every trial, on time stamps and on dates, with and
// without declared outcomes' dates, lags, ids and contracts' further roles.
func TestProveSound(t *testing.T) {
	for name, change := range map[string]func(*data.Sources){
		"all roles":         func(*data.Sources) {},
		"no known_at":       func(s *data.Sources) { s.Events[0].KnownAt = "" },
		"a lag":             func(s *data.Sources) { s.Events[0].Lag = 48 * time.Hour },
		"no id":             func(s *data.Sources) { s.Events[0].ID = "" },
		"no type":           func(s *data.Sources) { s.Events[0].Type = "" },
		"no outcome date":   func(s *data.Sources) { s.Contracts.KnownAt = "" },
		"value known":       func(s *data.Sources) { s.Contracts.ValueKnown = "start" },
		"terms do not roll": func(s *data.Sources) { s.Contracts.RenewedAt = "" },
		"another zone":      func(s *data.Sources) { s.Location = time.FixedZone("east", 9*60*60) },
	} {
		for _, dates := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dates %v", name, dates), func(t *testing.T) {
				tables, s := provable(40, dates)
				change(&s)
				p := proved(t, tables, s, data.NewHistory, 2)
				if p.Snapshots != 30 || p.Of != 40 || p.Empty() {
					t.Fatalf("%d snapshots of %d accounts, empty: %v; want 30 of 40", p.Snapshots, p.Of, p.Empty())
				}
				for _, trial := range p.Trials {
					if trial.Leaks > 0 || trial.Snapshots != 30 {
						t.Errorf("%s: %d snapshots, %d leaks: %v", trial.Name, trial.Snapshots, trial.Leaks, trial.First)
					}
				}
				if one := proved(t, tables, s, data.NewHistory, 1); !reflect.DeepEqual(one, p) {
					t.Error("the proof depends on the number of workers")
				}
			})
		}
	}
}

// Engines that break the point-in-time rule are caught, by the trials named.
func TestProveCatches(t *testing.T) {
	shift := func(c *data.Column, by int64) data.Column {
		d := c.Take(all(&data.Table{Rows: c.Len()}))
		for i := range d.Ints {
			d.Ints[i] += by
		}
		return d
	}
	// shifted moves event times, so that the engine sees so much of the future.
	shifted := func(by time.Duration) joinFunc {
		return func(ctx context.Context, t *data.Tables, s data.Sources) (*data.History, error) {
			with := *t
			with.Events = nil
			for i, e := range t.Events {
				moved := &data.Table{Name: e.Name, Rows: e.Rows}
				for _, c := range e.Columns {
					if c.Name == s.Events[i].Time || c.Name == s.Events[i].KnownAt {
						c = shift(&c, -int64(by))
					}
					moved.Columns = append(moved.Columns, c)
				}
				with.Events = append(with.Events, moved)
			}
			return data.NewHistory(ctx, &with, s)
		}
	}
	cases := []struct {
		name   string
		join   joinFunc
		caught []string
	}{
		{"the time known is ignored", func(ctx context.Context, t *data.Tables, s data.Sources) (*data.History, error) {
			s.Events = slices.Clone(s.Events)
			for i := range s.Events {
				s.Events[i].KnownAt, s.Events[i].Lag = "", 0
			}
			return data.NewHistory(ctx, t, s)
		}, []string{Truncated, Perturbed, Canary}},
		// No event of the history lies at a snapshot: only made-up ones do.
		{"events at the snapshot are seen", shifted(1), []string{Perturbed, Canary}},
		{"events of the next day are seen", shifted(24 * time.Hour), []string{Truncated, Perturbed, Canary}},
		{"events of a day are seen a day late", shifted(-24 * time.Hour), []string{Canary}},
		{"the outcome is an event of the day its term starts", outcomeAsEvent, []string{Truncated, Perturbed}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tables, s := provable(40, false)
			p := proved(t, tables, s, c.join, 2)
			var caught []string
			for _, trial := range p.Trials {
				if trial.Leaks > 0 {
					caught = append(caught, trial.Name)
					of := map[string]string{Truncated: "app_", Perturbed: "app_", Canary: "canary_"}[trial.Name]
					if !strings.HasPrefix(trial.First.Feature, of) || trial.First.Was == trial.First.Got {
						t.Errorf("%s: %v does not name a feature %s and two values", trial.Name, trial.First, of)
					}
				}
			}
			if !reflect.DeepEqual(caught, c.caught) {
				t.Errorf("caught by %q, want %q", caught, c.caught)
			}
			if l := p.Leaked(); l == nil || l.Name != c.caught[0] {
				t.Errorf("Leaked is %v, want the trial %s", l, c.caught[0])
			}
		})
	}
}

// outcomeAsEvent joins each outcome as an event of the term's first day.
func outcomeAsEvent(ctx context.Context, t *data.Tables, s data.Sources) (*data.History, error) {
	with := *t
	e := t.Events[0].Take(all(t.Events[0]))
	k := t.Contracts
	owner, outcome, start := k.Column("account"), k.Column("outcome"), k.Column("start")
	for i := range e.Columns {
		switch c := &e.Columns[i]; c.Name {
		case "account":
			*c = data.TextOf("account", e.Rows+k.Rows, func(r int) string {
				if r < e.Rows {
					return c.Text(r)
				}
				return owner.Text(r - e.Rows)
			})
		case "kind":
			*c = data.TextOf("kind", e.Rows+k.Rows, func(r int) string {
				if r < e.Rows {
					return c.Text(r)
				}
				return outcome.Text(r - e.Rows)
			})
		case "at", "loaded":
			c.Ints = append(c.Ints, start.Ints...)
		case "value":
			c.Floats = append(c.Floats, make([]float64, k.Rows)...)
		case "id":
			for r := range k.Rows {
				c.Ints = append(c.Ints, int64(1e6+r))
			}
		}
	}
	e.Rows += k.Rows
	with.Events = append([]*data.Table{e}, t.Events[1:]...)
	return data.NewHistory(ctx, &with, s)
}

// A value that is final only at the end of its term, and an outcome, are found
// when they are declared as attributes.
func TestProveCatchesAttributes(t *testing.T) {
	for _, name := range []string{"amount", "outcome", "known"} {
		tables, s := provable(40, false)
		s.Contracts.Attributes = []string{name}
		p := proved(t, tables, s, data.NewHistory, 2)
		for _, trial := range p.Trials[:2] {
			if trial.Leaks == 0 || trial.First.Feature != name {
				t.Errorf("attribute %s, %s: %d leaks, first %v", name, trial.Name, trial.Leaks, trial.First)
			}
		}
	}
}

// In activity mode, snapshots have no contract.
func TestProveActivity(t *testing.T) {
	tables, s := provable(40, false)
	s.Contracts, tables.Contracts = nil, nil
	h, err := data.NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	o := Outcome{Mode: Activity, Of: "app", HorizonDays: 10, EveryDays: 7, ActiveWithinDays: 30}
	spec := &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: o, Features: Auto(h, o, AutoOptions{WindowDays: []int{7, 30}})}
	b, err := Build(context.Background(), h, spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prove(context.Background(), tables, s, spec, b.Frame, Sample(b.Frame, 100, 1), ProofOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l := p.Leaked(); l != nil || p.Snapshots != 40 || p.Of != 40 {
		t.Errorf("%d snapshots of %d accounts, leaked: %+v", p.Snapshots, p.Of, l)
	}
}

// Versions of an account count from their valid-from on: later ones are part of
// the future that the trials change, and an engine that takes the newest for
// every snapshot is caught.
func TestProveVersions(t *testing.T) {
	tables, s := provable(40, false)
	first := tables.Accounts.Column("created").Ints[0]
	once := tables.Accounts
	rows := append(all(once), all(once)...)
	versions := once.Take(append(rows, all(once)[1:]...)) // account 0 has two versions, the others three
	n := versions.Rows
	versions.Columns = append(versions.Columns,
		data.IntOf("from", data.Time, n, func(i int) (int64, bool) { return first + int64(15+35*(i/once.Rows))*dayLength, true }),
		data.TextOf("plan", n, func(i int) string { return []string{"free", "team", "firm"}[i/once.Rows] }),
		data.FloatOf("seats", n, func(i int) float64 { return float64(i) }))
	tables.Accounts = versions
	s.Accounts.ValidFrom, s.Accounts.Segment, s.Accounts.Attributes = "from", "plan", []string{"seats"}
	p := proved(t, tables, s, data.NewHistory, 2)
	if l := p.Leaked(); l != nil {
		t.Errorf("%s: %s", l.Name, l.First)
	}
	if len(p.Assumed) != 0 {
		t.Errorf("assumed constant: %q", p.Assumed)
	}
	newest := func(ctx context.Context, t *data.Tables, s data.Sources) (*data.History, error) {
		s.Accounts.ValidFrom = ""
		last := map[string]int{}
		var order []int
		for i, id := 0, t.Accounts.Column("id"); i < t.Accounts.Rows; i++ {
			last[id.Text(i)] = i
		}
		for i, id := 0, t.Accounts.Column("id"); i < t.Accounts.Rows; i++ {
			if last[id.Text(i)] == i {
				order = append(order, i)
			}
		}
		with := *t
		with.Accounts = t.Accounts.Take(order)
		return data.NewHistory(ctx, &with, s)
	}
	p = proved(t, tables, s, newest, 2)
	for _, trial := range p.Trials[:2] {
		if trial.Leaks == 0 || !slices.Contains([]string{"segment", "seats"}, trial.First.Feature) {
			t.Errorf("%s: %d leaks, first %v", trial.Name, trial.Leaks, trial.First)
		}
	}
}
