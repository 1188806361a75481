// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

const nsPerDay = int64(24 * 60 * 60 * 1e9)

// endDay is 2026-07-01, where histories end by default, in days since
// 1970-01-01 (date -u -d 2026-07-01 +%s divided by 86,400).
const endDay = 20635

// A row is one event as the tables give it.
type row struct {
	id        int64
	ts, known int64
	kind      string
	value     float64
}

// An oracle answers questions about a history from its tables alone: slowly,
// in its own words, and with no code of the package under test.
type oracle struct {
	d      *demo.Demo
	events map[string][]row // by source, a slash and the account
}

func newOracle(d *demo.Demo) *oracle {
	o := &oracle{d: d, events: make(map[string][]row)}
	for i := range d.Events {
		t := &d.Events[i]
		account, kind := &t.Columns[1], &t.Columns[3] // a shop's have other names
		id, ts, value, loaded := t.Column("event_id"), t.Column("ts"), t.Column("value"), t.Column("loaded_at")
		for r := range t.Rows {
			e := row{id: id.Ints[r], ts: ts.Ints[r], known: ts.Ints[r], kind: kind.Text(r), value: value.Floats[r]}
			if loaded != nil {
				e.known = loaded.Ints[r]
			}
			key := sourceOf(t) + "/" + account.Text(r)
			o.events[key] = append(o.events[key], e)
		}
	}
	return o
}

// sourceOf returns the file's name without folder and extension.
func sourceOf(t *data.Table) string {
	return strings.TrimSuffix(strings.TrimPrefix(t.Name, "data/"), ".parquet")
}

// visible returns the events of one type (every type for "") in the days
// before the snapshot that were known by then, each id once, by time.
func (o *oracle) visible(source, account, kind string, days int, snapshot int64) []row {
	t := snapshot * nsPerDay
	known := make(map[int64]row)
	for _, e := range o.events[source+"/"+account] {
		if kind != "" && e.kind != kind || e.ts >= t || e.known >= t || e.ts < t-int64(days)*nsPerDay {
			continue
		}
		if first, ok := known[e.id]; !ok || e.known < first.known {
			known[e.id] = e
		}
	}
	rows := make([]row, 0, len(known))
	for _, e := range known {
		rows = append(rows, e)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.ts, b.ts), cmp.Compare(a.id, b.id)) })
	return rows
}

const allDays = 100_000

func lastOf(rows []row) float64 {
	if len(rows) == 0 {
		return math.NaN()
	}
	return rows[len(rows)-1].value
}

func sumOf(rows []row) float64 {
	var sum float64
	for _, e := range rows {
		sum += e.value
	}
	return sum
}

func meanOf(rows []row) float64 { return sumOf(rows) / float64(len(rows)) }

// text returns a value of the contracts or truth table by row.
func text(t *data.Table, name string, r int) string { return t.Column(name).Text(r) }

// date returns a date, and whether it is given.
func date(t *data.Table, name string, r int) (int64, bool) {
	c := t.Column(name)
	return c.Ints[r], !c.Missing(r)
}

// mustDate returns a date of a column without gaps.
func mustDate(tb testing.TB, t *data.Table, name string, r int) int64 {
	tb.Helper()
	d, ok := date(t, name, r)
	if !ok {
		tb.Fatalf("%s: row %d: %s is missing", t.Name, r, name)
	}
	return d
}

// line writes row r of a table out.
func line(t *data.Table, r int) string {
	var b strings.Builder
	for i := range t.Columns {
		switch c := &t.Columns[i]; {
		case c.Missing(r):
			b.WriteString("null")
		case c.Kind == data.Float:
			fmt.Fprint(&b, math.Float64bits(c.Floats[r]))
		case c.Kind == data.Text:
			fmt.Fprintf(&b, "%q", c.Text(r))
		default:
			fmt.Fprint(&b, c.Ints[r])
		}
		b.WriteByte('|')
	}
	return b.String()
}

// hash identifies all that Make returns, to the bit and in order.
func hash(d *demo.Demo) string {
	h := sha256.New()
	for _, t := range append(d.Tables(), *d.Truth.Table()) {
		fmt.Fprintln(h, t.Name, t.Rows, t.Names())
		for i := range t.Columns {
			c := &t.Columns[i]
			fmt.Fprintln(h, c.Kind, c.Floats, c.Ints, c.Codes, c.Dict, c.Null)
		}
	}
	truth := d.Truth
	truth.Contracts, truth.Snapshots, truth.Seed = data.Table{}, data.Table{}, 0 // the seed must show in what is made
	fmt.Fprintf(h, "%+v%s", truth, d.ProjectYAML)
	return hex.EncodeToString(h.Sum(nil)[:8])
}
