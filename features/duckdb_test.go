// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// A duckCase is testdata/aggregates.json, which aggregates.py writes: rows of a
// small history, features, and each feature by contract as DuckDB computes it.
type duckCase struct {
	Zone      string
	Lead      int
	Accounts  [][]any // id, created, seats
	Contracts [][]any // id, account, start, due
	App       [][]any // account, at, loaded, kind, id, value, margin, due, paid
	Visits    [][]any // account, at, value
	Features  []Feature
	Want      map[string][]*float64 // by contract, sorted; null is missing
}

// Two programs rarely round alike; they add in other orders.
const duckTolerance = 1e-9

func TestAggregatesAgreeWithDuckDB(t *testing.T) {
	text, err := os.ReadFile("testdata/aggregates.json")
	if err != nil {
		t.Fatal(err)
	}
	var c duckCase
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	f := c.build(t)
	compared := map[Agg]int{}
	for k := range c.Features {
		feature := &c.Features[k]
		column := f.Columns[slices.IndexFunc(f.Columns, func(c Column) bool { return c.Feature.Name == feature.Name })]
		for i, want := range c.Want[feature.Name] {
			got := column.Num[i] // rows are in the order of contracts
			switch {
			case want == nil && math.IsNaN(got):
			case want != nil && math.Abs(got-*want) <= duckTolerance*math.Max(1, math.Abs(*want)):
				compared[feature.Agg]++
			default:
				text, _ := json.Marshal(want)
				t.Errorf("%s of %+v: %v, want %s", f.Rows[i].Contract, *feature, got, text)
			}
		}
	}
	for _, agg := range EventAggs {
		if compared[agg] < 20 {
			t.Errorf("%s: %d values compared, want 20 or more", agg, compared[agg])
		}
	}
}

// build makes the frame of the case.
func (c *duckCase) build(t *testing.T) *Frame {
	t.Helper()
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	tables := &data.Tables{
		Accounts:  duckTable(c.Accounts, "id", "created:date", "seats:number"),
		Contracts: duckTable(c.Contracts, "id", "account", "start:date", "due:date"),
		Events: []*data.Table{
			duckTable(c.App, "account", "at:time", "loaded:time", "kind", "id:number", "value:number", "margin:number", "due:date", "paid:date"),
			duckTable(c.Visits, "account", "at:time", "value:number"),
		},
	}
	sources := data.Sources{Location: loc,
		Accounts:  data.AccountSource{Key: "id", Created: "created", Attributes: []string{"seats"}},
		Contracts: &data.ContractSource{Key: "id", Account: "account", Start: "start", Due: "due"},
	}
	declared := []data.EventSource{
		{Name: "app", Account: "account", Time: "at", KnownAt: "loaded", Type: "kind", Value: "value", ID: "id"},
		{Name: "visits", Account: "account", Time: "at", Value: "value", Lag: 24 * time.Hour},
	}
	spec := &Spec{Version: SpecVersion, Outcome: Outcome{Mode: Renewal, LeadDays: []int{c.Lead}}, Features: slices.Clone(c.Features)}
	seats := Feature{Name: "seats", From: FromAccount, Column: "seats", Agg: Attribute, Kind: NumberKind, Input: data.Float.String()}
	spec.Features = append(spec.Features, seats)
	if sources.Events, err = Sources(declared, spec.Features); err != nil {
		t.Fatal(err)
	}
	for range sources.Events[2:] {
		tables.Events = append(tables.Events, tables.Events[0]) // further readings are of app
	}
	h, err := data.NewHistory(context.Background(), tables, sources)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Build(context.Background(), h, spec, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Frame.Rows) != len(c.Contracts) {
		t.Fatalf("%d rows of %d contracts", len(b.Frame.Rows), len(c.Contracts))
	}
	return b.Frame
}

// duckTable makes a table of rows; a column is a text unless its name says
// otherwise.
func duckTable(rows [][]any, columns ...string) *data.Table {
	t := &data.Table{Name: "rows", Rows: len(rows)}
	for k, column := range columns {
		name, kind, _ := strings.Cut(column, ":")
		seconds := func(i int) (int64, bool) {
			switch v := rows[i][k].(type) {
			case string:
				day, err := time.Parse(time.DateOnly, v)
				return day.Unix(), err == nil
			case float64:
				return int64(v), true
			}
			return 0, false
		}
		switch kind {
		case "":
			t.Columns = append(t.Columns, data.TextOf(name, t.Rows, func(i int) string { s, _ := rows[i][k].(string); return s }))
		case "number":
			t.Columns = append(t.Columns, data.FloatOf(name, t.Rows, func(i int) float64 {
				if v, ok := rows[i][k].(float64); ok {
					return v
				}
				return math.NaN()
			}))
		case "date":
			t.Columns = append(t.Columns, data.IntOf(name, data.Date, t.Rows, func(i int) (int64, bool) { s, ok := seconds(i); return s / 86400, ok }))
		case "time":
			t.Columns = append(t.Columns, data.IntOf(name, data.Time, t.Rows, func(i int) (int64, bool) { s, ok := seconds(i); return s * 1e9, ok }))
		}
	}
	return t
}
