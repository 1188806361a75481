// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// The mistakes of METHODS section 1, each made on purpose on a real history.
// What a project file can ask for is refused or found; what it cannot is done
// by hand here, to show what it would have been worth and that the frame has
// none of it.

const oneDay = 24 * int64(time.Hour)

// tablesOf reads the tables of a loaded history once more.
func tablesOf(t *testing.T, l *loaded) *data.Tables {
	t.Helper()
	tables, err := data.ReadTables(context.Background(), data.Disk{}, l.sources)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// rejoined joins tables under other sources and builds their history frame.
func rejoined(t *testing.T, tables *data.Tables, s data.Sources, spec features.Spec) (*data.History, *features.Built) {
	t.Helper()
	h, err := data.NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := features.Build(context.Background(), h, &spec, features.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return h, b
}

// Immature labels: a renewal counts from the day it was seen, a churn only when
// its time is over.
func TestMistakeImmatureLabels(t *testing.T) {
	l := history(t, "online_retail")
	honest := built(t, l, 2).Frame
	terms := make(map[string]*data.Contract)
	for i := range l.history.Contracts {
		terms[l.history.Contracts[i].ID] = &l.history.Contracts[i]
	}
	early := 0
	for i := range honest.Rows {
		r := &honest.Rows[i]
		if r.Y == features.Unknown {
			continue
		}
		if c := terms[r.Contract]; r.Y == 0 && c.RenewedAt < r.Matured() {
			early++
		}
		if r.Matured()-r.Due != 90*oneDay {
			t.Fatalf("%s: y %d matures %d days after it was due, both classes do after 90", r.Contract, r.Y, (r.Matured()-r.Due)/oneDay)
		}
	}
	origins, err := evaluate.Origins(honest, l.origins)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range origins {
		for _, i := range o.Train {
			if at := honest.Rows[i].Matured(); at > o.At.UnixNano() {
				t.Fatalf("origin %s trains on %s, which matures %s later", o.Name, honest.Rows[i].Contract, time.Duration(at-o.At.UnixNano()))
			}
		}
	}

	// The mistake as a project file makes it: known_at is the day the outcome was seen.
	tables, err := data.Read(data.Disk{}, l.sources.Contracts.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := tablesOf(t, l)
	all.Contracts = tables
	s, contracts := l.sources, *l.sources.Contracts
	contracts.KnownAt, s.Contracts = "outcome_date", &contracts
	h, b := rejoined(t, all, s, l.spec)
	found := ""
	findings, err := data.Check(h, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Check == "unequal_maturity" {
			found = f.Message
		}
	}
	if want := "churned outcomes are known 90 days after the due date, renewed ones 25 (medians)"; !strings.HasPrefix(found, want) {
		t.Errorf("check says %q, want %q", found, want)
	}
	if findings, err = data.Check(l.history, l.sources); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Check == "unequal_maturity" {
			t.Errorf("the project as it is: %s", f.Message)
		}
	}
	p, rate := meanPrediction(t, l, honest)
	naive, _ := meanPrediction(t, l, b.Frame)
	t.Logf("%d renewals were seen before they matured; mean p %.3f, from labels known early %.3f, observed %.3f", early, p, naive, rate)
	if naive > 0.8*p {
		t.Errorf("labels known early give a mean p of %.3f, mature ones %.3f: the mistake should show", naive, p)
	}

	// With the grace that check asks for, the labels mature as the true ones do.
	contracts.GraceDays = 90
	spec := l.spec
	spec.Outcome.GraceDays = 90
	_, b = rejoined(t, all, s, spec)
	for i := range b.Frame.Rows {
		if r, want := &b.Frame.Rows[i], &honest.Rows[i]; r.Contract != want.Contract || r.Y != want.Y || r.Mature != want.Mature {
			t.Fatalf("%s: y %d mature %d, want %s y %d mature %d", r.Contract, r.Y, r.Mature, want.Contract, want.Y, want.Mature)
		}
	}
}

// meanPrediction returns the mean prediction of our candidate over a backtest,
// and the observed rate.
func meanPrediction(t *testing.T, l *loaded, f *features.Frame) (p, rate float64) {
	t.Helper()
	a := &app{progress: new(progress), workers: 2}
	o := a.backtestOptions()
	o.Origins = l.origins
	r, err := evaluate.Backtest(context.Background(), f, a.candidates(l.project, &l.spec)[:1], o)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Report.Candidates[0].Pooled
	if m == nil {
		t.Fatalf("failed: %s", r.Report.Candidates[0].Failure)
	}
	return float64(m.MeanP), float64(m.Rate)
}

// Hindsight population: a term that is in the table although, at the snapshot,
// nobody had seen the renewal that began it.
func TestMistakeHindsightPopulation(t *testing.T) {
	l := history(t, "online_retail")
	rows := func(rolling bool) (n, ahead, churned, known int) {
		spec := l.spec
		spec.Outcome.Rolling = rolling
		spec.Features = nil
		b, err := features.Build(context.Background(), l.history, &spec, features.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		contracts := make(map[string]*data.Contract)
		for i := range l.history.Contracts {
			contracts[l.history.Contracts[i].ID] = &l.history.Contracts[i]
		}
		for _, r := range b.Frame.Rows {
			c := contracts[r.Contract]
			if c.Previous < 0 {
				continue
			}
			if seen := l.history.Contracts[c.Previous].RenewedAt; seen != data.NoTime && seen < r.Snapshot {
				continue
			}
			ahead++
			if r.Y != features.Unknown {
				known++
				churned += int(r.Y)
			}
		}
		return len(b.Frame.Rows), ahead, churned, known
	}
	n, ahead, _, _ := rows(true)
	if ahead != 0 {
		t.Errorf("%d of %d rows are of terms whose renewal had not been seen", ahead, n)
	}
	all, ahead, churned, known := rows(false)
	t.Logf("without renewed_at %d of %d rows would be of terms nobody knew of; %d of %d of them churned (%.1f %%)",
		ahead, all, churned, known, 100*float64(churned)/float64(known))
	if all-n != ahead || ahead < 500 {
		t.Errorf("%d rows more, %d of them with hindsight; the rule should take out exactly those", all-n, ahead)
	}

	// A term that starts after the snapshot is not there either, whatever the outcome.
	for _, name := range []string{"oulad", "online_retail"} {
		l := history(t, name)
		b := built(t, l, 2)
		start := make(map[string]int64)
		for i := range l.history.Contracts {
			start[l.history.Contracts[i].ID] = l.history.Contracts[i].Start
		}
		for _, r := range b.Frame.Rows {
			if start[r.Contract] > r.Snapshot || r.Due <= r.Snapshot {
				t.Fatalf("%s: %s starts on %v, is looked at on %v", name, r.Contract, time.Unix(0, start[r.Contract]), time.Unix(0, r.Snapshot))
			}
		}
	}
}

// A value that is only final at the end of the term: what was ordered in it.
func TestMistakeValueOfTheEnd(t *testing.T) {
	l := history(t, "online_retail")
	text := func(change ...string) string {
		return strings.NewReplacer(change...).Replace(`version: 1
data:
  accounts:  {path: accounts.parquet, key: account_id, created: created_at}
  contracts: {path: contracts.parquet, key: contract_id, account: account_id, start: start_date, due: renewal_date, value: amount, KNOWN
              outcome: outcome, churned: [churned], known_at: label_mature_at, renewed_at: outcome_date, attributes: [seq]}
  events:
    - {name: orders, path: events.parquet, account: account_id, time: ts, type: event_type, value: value}
outcome: {mode: renewal, leads: [30d], grace: 0d}
features: {windows: [30d], SET}
`)
	}
	ask := "set: [{name: worth, from: contract, agg: value}]"
	for name, c := range map[string]struct{ text, want string }{
		"asked for as a fact": {text("KNOWN", "", "SET", ask), "features.set: worth: the value is known only at the end of the term (value_known: end), so it cannot be a feature"},
		"among the attributes": {text("KNOWN", "value_known: end,", "SET", "auto: true", "[seq]", "[amount]"),
			`data.contracts.attributes: "amount" is the value, known only at the end of the term`},
	} {
		if _, err := parseProject([]byte(c.text), "."); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	p, err := parseProject([]byte(text("KNOWN", "", "SET", "auto: true")), "../../../shared/data/online_retail")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := data.ReadTables(context.Background(), data.Disk{}, p.sources)
	if err != nil {
		t.Fatal(err)
	}
	h, err := data.NewHistory(context.Background(), tables, p.sources)
	if err != nil {
		t.Fatal(err)
	}
	spec := p.spec(h)
	for _, f := range spec.Features {
		if f.Agg == features.Value {
			t.Errorf("%s is an automatic feature", f.Name)
		}
	}
	b, err := features.Build(context.Background(), h, &spec, features.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range h.Contracts {
		if c := &h.Contracts[i]; !math.IsNaN(c.Kept) {
			t.Fatalf("%s: what was kept (%v) comes from a value known a term later", c.ID, c.Kept)
		}
	}
	// What it would have been worth: more was ordered in terms that went on.
	auc := rowAUC(b.Frame, func(i int) float64 { return -b.Frame.Rows[i].Value })
	t.Logf("the amount ordered in the term ranks churn with an AUC of %.3f; it is money for reports in %d rows and in none of %d features of %s",
		auc, len(b.Frame.Rows), len(spec.Features), l.name)
	if auc < 0.6 {
		t.Errorf("AUC %.3f: the mistake should show", auc)
	}
	spec.Features = append(spec.Features, features.Feature{Name: "worth", From: features.FromContract, Agg: features.Value, Kind: features.NumberKind})
	if _, err := features.Build(context.Background(), h, &spec, features.Options{}); !errors.Is(err, features.ErrSpec) {
		t.Errorf("a spec that has the value builds: %v", err)
	}
}

// rowAUC returns how well x ranks the churned rows above the renewed ones.
func rowAUC(f *features.Frame, x func(i int) float64) float64 {
	var p, y, w []float64
	for i := range f.Rows {
		if f.Rows[i].Y == features.Unknown {
			continue
		}
		v := x(i)
		if math.IsNaN(v) {
			v = math.MaxFloat64 // never seen: as long ago as can be
		}
		p, y, w = append(p, v), append(y, float64(f.Rows[i].Y)), append(w, 1)
	}
	return evaluate.AUC(p, y, w)
}

// Events up to the due date, and up to the end of what decides the outcome:
// the snapshot is moved there by moving the due dates, and the dates by which
// the outcome is known are taken away, since with them there is no row at all.
func TestMistakeEventsAfterTheSnapshot(t *testing.T) {
	for _, c := range []struct {
		history string
		recency string
		days    []int // snapshots so many days after the due date
	}{
		{"oulad", "course_recency", []int{0, 30}},
		{"online_retail", "orders_recency", []int{0, 90}},
	} {
		l := history(t, c.history)
		f := built(t, l, 2).Frame
		auc := func(f *features.Frame) float64 {
			col := f.Column(c.recency)
			return rowAUC(f, func(i int) float64 { return col.Num[i] })
		}
		text := fmt.Sprintf("%s: recency ranks churn with an AUC of %.4f at the snapshot", c.history, auc(f))
		spec := l.spec
		spec.Features = nil
		for _, feature := range l.spec.Features {
			if feature.Name == c.recency {
				spec.Features = append(spec.Features, feature)
			}
		}
		tables := tablesOf(t, l)
		for _, after := range c.days {
			moved := *tables
			moved.Contracts = movedDue(tables.Contracts, l.sources.Contracts.Due, 30+after)
			_, b := rejoined(t, &moved, l.sources, spec)
			for _, r := range b.Frame.Rows {
				if r.Y != features.Unknown && r.Mature <= r.Snapshot {
					t.Fatalf("%s: %s has a row on %v, after its outcome was known", c.history, r.Contract, time.Unix(0, r.Snapshot))
				}
			}
			s, contracts := l.sources, *l.sources.Contracts
			contracts.KnownAt, s.Contracts = "", &contracts
			_, cheat := rejoined(t, &moved, s, spec)
			text += fmt.Sprintf(", %.4f %d days after the due date (%d rows; %d with known_at)", auc(cheat.Frame), after,
				len(cheat.Frame.Rows), len(b.Frame.Rows))
		}
		t.Log(text)

		// A project file cannot ask for a snapshot or a window beyond it.
		for old, c := range map[string][2]string{
			"leads: [30d]":                   {"leads: [0d]", "a lead of 0 days; leads are one day or more"},
			"leads: [30d], grace":            {"leads: [-30d], grace", `outcome.leads: found "-30d"; expected a duration`},
			"windows: [7d, 30d, 90d], auto:": {"windows: [-7d], auto:", `features.windows: found "-7d"`},
			"value: value}":                  {"value: value, lag: -1d}", `lag: found "-1d"; expected a duration`},
		} {
			text := readText(t, l, projectFile)
			if !strings.Contains(text, old) {
				t.Fatalf("the project file has no %q", old)
			}
			p, err := parseProject([]byte(strings.Replace(text, old, c[0], 1)), ".")
			if err == nil {
				spec := p.spec(l.history)
				_, err = features.Build(context.Background(), l.history, &spec, features.Options{})
			}
			if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), c[1]) {
				t.Errorf("%s: error %v, want %q", c[0], err, c[1])
			}
		}
	}
}

// ofAccount returns the rows of one account in every table.
func ofAccount(t *data.Tables, s data.Sources, account string) *data.Tables {
	of := func(t *data.Table, key string) *data.Table {
		return t.Take(data.RowsOf(t.Column(key), map[string]bool{account: true}))
	}
	out := &data.Tables{Accounts: of(t.Accounts, s.Accounts.Key)}
	if t.Contracts != nil {
		out.Contracts = of(t.Contracts, s.Contracts.Account)
	}
	for i, e := range t.Events {
		out.Events = append(out.Events, of(e, s.Events[i].Account))
	}
	return out
}

// movedDue returns the contracts with all due dates so many days later.
func movedDue(t *data.Table, due string, days int) *data.Table {
	all := make([]int, t.Rows)
	for i := range all {
		all[i] = i
	}
	out := t.Take(all)
	c := out.Column(due)
	for i := range c.Ints {
		c.Ints[i] += int64(days)
	}
	return out
}

func readText(t *testing.T, l *loaded, name string) string {
	t.Helper()
	f, err := (data.Disk{}).Open(l.dir + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := make([]byte, 1<<16)
	n, _ := f.ReadAt(text, 0)
	return string(text[:n])
}

// Whatever lies at the snapshot or after it, its features stay bit for bit:
// thousands of rows from the snapshot to the end of grace, and none at all.
func TestMistakeFloodAfterTheSnapshot(t *testing.T) {
	for name, days := range map[string]int64{"oulad": 30, "online_retail": 120} {
		l := history(t, name)
		tables := tablesOf(t, l)
		f := built(t, l, 2).Frame
		compared := 0
		for i := 7; i < len(f.Rows); i += len(f.Rows) / 12 {
			row := &f.Rows[i]
			mine := ofAccount(tables, l.sources, row.Account)
			for k, e := range mine.Events {
				mine.Events[k] = flooded(e, &l.sources.Events[k], row.Snapshot, days)
			}
			if got, want := rebuilt(t, l, mine, row), rowText(f, i); got != want {
				t.Fatalf("%s: account %s at %v:\n%s\nwas\n%s", name, row.Account, time.Unix(0, row.Snapshot).UTC(), got, want)
			}
			compared++
		}
		t.Logf("%s: %d snapshots stay as they are under a row every hour of the %d days after them", name, compared, days)
	}
}

// flooded returns the events before the instant t and then one of each type
// every hour, from t itself on, for so many days.
func flooded(e *data.Table, s *data.EventSource, t, days int64) *data.Table {
	at := timeOf(e, s.Time)
	var rows []int
	for r := range e.Rows {
		if at(r) < t {
			rows = append(rows, r)
		}
	}
	kept := len(rows)
	if e.Rows == 0 {
		return e
	}
	for h := range days * 24 {
		rows = append(rows, int(h)%e.Rows)
	}
	out := e.Take(rows)
	when := out.Column(s.Time)
	for i := kept; i < out.Rows; i++ {
		when.Ints[i] = t + int64(i-kept)*int64(time.Hour)
		if when.Kind == data.Date {
			when.Ints[i] = (t + int64(i-kept)*int64(time.Hour)) / oneDay
		}
	}
	return out
}
