// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// An exampleProject is a case of the public health-score literature as a project:
// testdata/examples/<name>/holdfast.yaml, a crowd that is drawn, and one
// account, byHand, whose features are worked out on paper.
type exampleProject struct {
	name    string
	streams []stream
	events  []handEvent        // of byHand; the same in every run
	created string             // of byHand; empty is as of the crowd
	want    map[string]float64 // features of byHand at handDay; NaN is missing
	pillars []string           // with a term in the model; nil asks for none
}

// A stream is one kind of event in the lives of the crowd.
type stream struct {
	source, kind string
	days         float64 // from one event to the next, on average, at a mood of 0
	lift         float64 // of the log rate of events, per unit of mood
	value        func(r *rand.Rand, mood float64) float64
}

// A handEvent is one event of byHand; at is its time in UTC.
type handEvent struct {
	source, at, kind string
	value            float64
}

// handDay is the snapshot of byHand: 30 days before his contract is due, and a
// whole multiple of 28 days after 2001-01-01 (8,932 days, 319 times 28), so
// that activity mode looks at him then as well. The windows [t - W, t) of 7,
// 30, 90 and 365 days begin on 2025-06-09, 05-17, 03-18 and 2024-06-16.
const (
	byHand  = "by-hand"
	handDay = "2025-06-16"
)

// crowdSize is enough for a fit, and no more.
const crowdSize = 240

// The crowd's days.
var (
	exampleStart = time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	exampleEnd   = time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
)

// Each case passes check, features and train as commands, and the features of
// the account worked out by hand are what was worked out.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			dir := t.TempDir()
			e.write(t, dir)
			frame := filepath.Join(dir, "frame.parquet")
			for _, args := range [][]string{
				{"-C", dir, "check"},
				{"-C", dir, "features", "--history", "-o", frame},
				{"-C", dir, "train"},
			} {
				var out, errs bytes.Buffer
				if code := run(context.Background(), args, &out, &errs); code != exitOK {
					t.Fatalf("holdfast %v: exit %d\n%s%s", args, code, &out, &errs)
				}
			}
			e.compare(t, frame)
			e.checkModel(t, dir)
		})
	}
}

// compare looks up byHand in the frame.
func (e *exampleProject) compare(t *testing.T, path string) {
	t.Helper()
	f, err := data.Read(data.Disk{}, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	account, day := f.Column("account_id").AsText(), dayNumber(handDay)
	row := -1
	for r := range f.Rows {
		if account.Text(r) == byHand && f.Column("snapshot").Ints[r] == day {
			row = r
		}
	}
	if row < 0 {
		t.Fatalf("%s has no snapshot on %s", byHand, handDay)
	}
	for name, want := range e.want {
		c := f.Column(name)
		if c == nil {
			t.Errorf("the frame has no feature %s", name)
			continue
		}
		if got := c.Number(row); !(math.Abs(got-want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

// checkModel asks that the trained model tells more than the base rate, and for
// a term of each pillar.
func (e *exampleProject) checkModel(t *testing.T, dir string) {
	t.Helper()
	models := registry.Registry{FS: data.Disk{}, Dir: filepath.Join(dir, "models")}
	m, _, err := models.Load(registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("out of fold: log loss %.3f, base rate %.3f; %d rows", m.OutOfFold.LogLoss, m.OutOfFold.BaseLoss, m.Provenance.Rows)
	if m.OutOfFold.LogLoss >= m.OutOfFold.BaseLoss {
		t.Errorf("log loss %.3f out of fold, want below the base rate's %.3f", m.OutOfFold.LogLoss, m.OutOfFold.BaseLoss)
	}
	var found []string
	for _, term := range m.Terms {
		found = append(found, term.Pillar)
	}
	for _, want := range e.pillars {
		if !slices.Contains(found, want) {
			t.Errorf("no term is of the pillar %s; dropped: %v", want, m.Dropped)
		}
	}
}

// write makes the project in dir.
func (e *exampleProject) write(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "examples", e.name, projectFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := data.WriteBytes(data.Disk{}, filepath.Join(dir, projectFile), text); err != nil {
		t.Fatal(err)
	}
	p, err := readProject(data.Disk{}, filepath.Join(dir, projectFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	c := e.crowd(p.sources.Contracts != nil)
	tables := map[string]*data.Table{p.sources.Accounts.Path: c.accounts(e.created)}
	if k := p.sources.Contracts; k != nil {
		tables[k.Path] = c.contracts()
	}
	for _, s := range p.sources.Events {
		tables[s.Path] = c.eventTable(s.Name)
	}
	for path, table := range tables {
		if err := data.Write(data.Disk{}, path, table); err != nil {
			t.Fatal(err)
		}
	}
}

// A crowd is the accounts of an example and what happened to them.
type crowd struct {
	ids     []string
	due     []time.Time
	churned []bool
	events  map[string][]crowdEvent // by source
}

type crowdEvent struct {
	account string
	at      time.Time
	kind    string
	value   float64
}

// crowd draws the lives of the accounts. Each has a mood, from which how much
// happens follows and whether it churns, with log-odds -.5 - 1.5 mood: at the
// due date under contracts, else on a day at random from which on it is silent.
func (e *exampleProject) crowd(contracts bool) *crowd {
	c := &crowd{events: make(map[string][]crowdEvent)}
	r := rand.New(rand.NewPCG(20250616, 1))
	span := int(exampleEnd.Sub(exampleStart).Hours()) / 24
	for i := range crowdSize {
		mood := r.NormFloat64()
		id, end := fmt.Sprintf("crowd-%03d", i), exampleEnd
		churned := r.Float64() < 1/(1+math.Exp(.5+1.5*mood))
		c.add(id, exampleStart.AddDate(0, 0, span/2+r.IntN(span/3)), churned)
		if churned && !contracts {
			end = exampleStart.AddDate(0, 0, span/4+r.IntN(span/2))
		}
		for _, s := range e.streams {
			for at := exampleStart; ; {
				gap := s.days * math.Exp(-s.lift*mood) * r.ExpFloat64()
				at = at.Add(time.Duration(gap * 24 * float64(time.Hour)).Truncate(time.Second))
				if !at.Before(end) {
					break
				}
				value := math.NaN()
				if s.value != nil {
					value = s.value(r, mood)
				}
				c.events[s.source] = append(c.events[s.source], crowdEvent{id, at, s.kind, value})
			}
		}
	}
	hand, _ := time.Parse(time.DateOnly, handDay)
	c.add(byHand, hand.AddDate(0, 0, 30), false)
	for _, v := range e.events {
		at, err := time.Parse("2006-01-02 15:04", v.at)
		if err != nil {
			panic(err)
		}
		c.events[v.source] = append(c.events[v.source], crowdEvent{byHand, at, v.kind, v.value})
	}
	return c
}

func (c *crowd) add(id string, due time.Time, churned bool) {
	c.ids, c.due, c.churned = append(c.ids, id), append(c.due, due), append(c.churned, churned)
}

func (c *crowd) accounts(hand string) *data.Table {
	n := len(c.ids)
	start := func(i int) (int64, bool) {
		if c.ids[i] == byHand && hand != "" {
			return dayNumber(hand), true
		}
		return exampleStart.Unix() / 86400, true
	}
	return &data.Table{Name: "accounts", Rows: n, Columns: []data.Column{
		data.TextColumn("account_id", c.ids), data.IntOf("created_at", data.Date, n, start)}}
}

// contracts gives each account one term of a year, whose outcome was known 30
// days after it was due.
func (c *crowd) contracts() *data.Table {
	n := len(c.ids)
	date := func(name string, months, days int) data.Column {
		return data.IntOf(name, data.Date, n, func(i int) (int64, bool) {
			return c.due[i].AddDate(0, months, days).Unix() / 86400, true
		})
	}
	outcome := func(i int) string {
		if c.churned[i] {
			return "churned"
		}
		return "renewed"
	}
	return &data.Table{Name: "contracts", Rows: n, Columns: []data.Column{
		data.TextOf("contract_id", n, func(i int) string { return c.ids[i] + "-1" }),
		data.TextColumn("account_id", c.ids),
		date("start_date", -12, 0), date("due_date", 0, 0), date("known_at", 0, 30),
		data.TextOf("outcome", n, outcome),
	}}
}

func (c *crowd) eventTable(source string) *data.Table {
	events := c.events[source]
	n := len(events)
	table := &data.Table{Name: source, Rows: n, Columns: []data.Column{
		data.TextOf("account_id", n, func(i int) string { return events[i].account }),
		data.IntOf("ts", data.Time, n, func(i int) (int64, bool) { return events[i].at.UnixNano(), true }),
		data.TextOf("type", n, func(i int) string { return events[i].kind }),
		data.FloatOf("value", n, func(i int) float64 { return events[i].value }),
	}}
	if source == "payments" { // paid on the day of the event, so many days after it was due
		paid := func(i int) bool { return events[i].kind == "paid" }
		table.Columns = append(table.Columns,
			data.IntOf("due_on", data.Date, n, func(i int) (int64, bool) {
				if !paid(i) {
					return 0, false
				}
				return events[i].at.Unix()/86400 - int64(events[i].value), true
			}),
			data.IntOf("paid_on", data.Date, n, func(i int) (int64, bool) { return events[i].at.Unix() / 86400, paid(i) }))
	}
	return table
}

// dayNumber returns the days since 1970-01-01 of a date.
func dayNumber(date string) int64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t.Unix() / 86400
}
