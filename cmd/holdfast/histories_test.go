// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// shared is where the real histories lie, beside the checkout. They are not
// part of the repository.
const shared = "../../../shared/data"

// history loads one of the real histories as its own project file says.
func history(t testing.TB, name string) *loaded {
	t.Helper()
	dir := filepath.Join(shared, name)
	if _, err := (data.Disk{}).Stat(filepath.Join(dir, projectFile)); err != nil {
		t.Skipf("the history %s is not beside the checkout: %v", name, err)
	}
	a := &app{fsys: data.Disk{}, dir: dir, progress: new(progress)}
	l, err := a.load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// built builds the history frame of a loaded project.
func built(t testing.TB, l *loaded, workers int) *features.Built {
	t.Helper()
	b, err := features.Build(context.Background(), l.history, &l.spec, features.Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenName maps a column of golden_features.parquet to the automatic feature
// that must reproduce it.
func goldenName(column string) (feature string, ok bool) {
	facts := map[string]string{"seq": "seq", "episode": "episode", "term_days": "term_length_days", "tenure": "tenure_days",
		"prev_late": "previous_renewal_late_days", "types30": "orders_distinct_30d", "days30": "orders_active_days_30d", "days90": "orders_active_days_90d"}
	if f, found := facts[column]; found {
		return f, true
	}
	what, kind, found := strings.Cut(column, "__")
	if !found {
		return "", false
	}
	suffix, found := map[string]string{"n7": "count_7d", "n30": "count_30d", "n90": "count_90d", "s30": "sum_30d", "s90": "sum_90d",
		"sall": "sum_all", "rec": "recency", "trend": "trend_30d_90d"}[what]
	if kind == "ALL" {
		return "orders_" + suffix, found
	}
	return "orders_" + kind + "_" + suffix, found
}

// Every column that FEATURE_DEFINITIONS.md defines is reproduced for every
// snapshot: counts and days exactly, sums and trends to a relative 1e-9.
func TestGoldenFeatures(t *testing.T) {
	l := history(t, "online_retail")
	golden, err := data.Read(data.Disk{}, filepath.Join(shared, "online_retail", "golden_features.parquet"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f := built(t, l, 2).Frame
	rowOf := make(map[string]int)
	mature := 0
	for i := range f.Rows {
		rowOf[f.Rows[i].Contract] = i
		if f.Rows[i].Y != features.Unknown {
			mature++
		}
	}
	if mature != golden.Rows || golden.Rows != 4040 {
		t.Fatalf("%d snapshots with a known outcome, golden has %d, the definitions say 4,040", mature, golden.Rows)
	}
	id := golden.Column("contract_id")
	compared := 0
	for _, c := range golden.Columns {
		name, ok := goldenName(c.Name)
		if !ok {
			continue
		}
		got := f.Column(name)
		if got == nil {
			t.Errorf("%s: no feature %s", c.Name, name)
			continue
		}
		compared++
		for r := range golden.Rows {
			i, ok := rowOf[id.Text(r)]
			if !ok {
				t.Fatalf("golden contract %s has no row", id.Text(r))
			}
			want, x := c.Number(r), got.Num[i]
			if strings.HasPrefix(c.Name, "rec__") && !(x <= 400) {
				x = 400 // the golden recency is capped at 400, and 400 when never
			}
			exact := !strings.HasPrefix(c.Name, "s") && !strings.HasPrefix(c.Name, "trend") || c.Name == "seq"
			if x != want && (exact || math.Abs(x-want) > 1e-9*math.Max(1, math.Abs(want))) {
				t.Errorf("%s of %s = %v, want %v", c.Name, id.Text(r), x, want)
				break
			}
		}
	}
	// 8 facts, 7 columns for each of 4 types, trend and two counts for all types together and a trend for each type.
	if want := 8 + 4*7 + 4 + 3; compared != want {
		t.Errorf("compared %d columns, want %d", compared, want)
	}
	y, got := golden.Column("y"), 0
	for r := range golden.Rows {
		if int64(f.Rows[rowOf[id.Text(r)]].Y) == y.Ints[r] {
			got++
		}
	}
	if got != golden.Rows {
		t.Errorf("%d of %d labels agree", got, golden.Rows)
	}
}

// 200 snapshots of as many accounts, rebuilt without their future, with another
// one and with a canary, give the same bytes. Facts have no valid-from and are
// exempt: they are assumed constant.
func TestHistoriesDoNotLeak(t *testing.T) {
	for name, assumed := range map[string]int{"online_retail": 3, "oulad": 10, "ravenstack": 8} {
		t.Run(name, func(t *testing.T) {
			l := history(t, name)
			a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2}
			p, err := a.proveFeatures(context.Background(), l, built(t, l, 2).Frame, 200)
			if err != nil {
				t.Fatal(err)
			}
			if p.Snapshots != 200 || len(p.Trials) != 3 || len(p.Assumed) != assumed {
				t.Errorf("%d snapshots, %d trials, assumed constant %q; want 200, 3 and %d", p.Snapshots, len(p.Trials), p.Assumed, assumed)
			}
			for _, trial := range p.Trials {
				t.Logf("%s: %d snapshots, %d rows, %d values", trial.Name, trial.Snapshots, trial.Rows, trial.Values)
				if trial.Leaks > 0 {
					t.Errorf("%s: %d leaks: %s", trial.Name, trial.Leaks, trial.First)
				}
				if trial.Snapshots < 190 {
					t.Errorf("%s: only %d snapshots had a future to change", trial.Name, trial.Snapshots)
				}
			}
		})
	}
}

// rebuilt returns the text of one snapshot's features, built from other tables
// as of that snapshot.
func rebuilt(t *testing.T, l *loaded, tables *data.Tables, row *features.Row) string {
	t.Helper()
	h, err := data.NewHistory(context.Background(), tables, l.sources)
	if err != nil {
		t.Fatal(err)
	}
	b, err := features.Build(context.Background(), h, &l.spec, features.Options{AsOf: time.Unix(0, row.Snapshot), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Frame.Rows, func(r features.Row) bool { return r.Contract == row.Contract })
	if i < 0 {
		return "the snapshot is gone"
	}
	return rowText(b.Frame, i)
}

// rowText writes a row's features with every bit.
func rowText(f *features.Frame, i int) string {
	var b strings.Builder
	for k := range f.Columns {
		c := &f.Columns[k]
		switch {
		case !c.IsLevel():
			fmt.Fprintf(&b, "%s=%x ", c.Feature.Name, math.Float64bits(c.Num[i]))
		case c.Codes[i] < 0:
			fmt.Fprintf(&b, "%s=- ", c.Feature.Name)
		default:
			fmt.Fprintf(&b, "%s=%q ", c.Feature.Name, c.Levels[c.Codes[i]])
		}
	}
	return b.String()
}

// timeOf reads a date or timestamp column in UTC; missing is long ago.
func timeOf(t *data.Table, name string) func(int) int64 {
	c := t.Column(name)
	return func(i int) int64 {
		switch {
		case c.Missing(i):
			return data.NoTime
		case c.Kind == data.Date:
			return c.Ints[i] * 24 * 60 * 60 * 1e9
		}
		return c.Ints[i]
	}
}
