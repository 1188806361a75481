// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

const specFile = "../../features/SPEC.md"

// specProject is the project of the examples in features/SPEC.md.
const specProject = `version: 1
data:
  accounts: {path: accounts.parquet, key: id, created: created, segment: segment, phase: phase, attributes: [seats]}
  contracts: {path: contracts.parquet, key: id, account: account, start: start, due: due, value: value, value_known: start,
              renewed_at: renewed, auto_renew: auto}
  events: [{name: events, path: events.parquet, account: account, time: time, type: kind, value: value}]
outcome: {mode: renewal, leads: [30d]}
features:
  auto: false
  set:
    - {name: seats, from: account, agg: attribute, column: seats}
`

// Every aggregate has its row in SPEC.md, and each example there is what the
// program makes of the table that stands above it.
func TestSpecExamples(t *testing.T) {
	text, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	for table, aggs := range map[string][]features.Agg{"## Aggregates over events": features.EventAggs, "## Facts": features.FactAggs} {
		_, part, _ := strings.Cut(string(text), table)
		part, _, _ = strings.Cut(part, "\n## ")
		for _, agg := range aggs {
			row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\|.*\\{.*agg: %s.*\\}` = ", agg, agg))
			if !row.MatchString(part) {
				t.Errorf("%s: no row with an example of %s", table, agg)
			}
		}
	}
	dir := t.TempDir()
	project := specProject
	examples := regexp.MustCompile("`(\\{[^`]*agg: [^`]*\\})` = ([-a-z0-9.]*[a-z0-9])").FindAllStringSubmatch(string(text), -1)
	for i, e := range examples {
		from := ""
		if !strings.Contains(e[1], "from:") {
			from = "from: events, "
		}
		project += fmt.Sprintf("    - {name: example_%d, %s%s\n", i, from, e[1][1:])
	}
	writeSpecTables(t, dir, string(text))
	if err := os.WriteFile(filepath.Join(dir, projectFile), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	frame := filepath.Join(dir, "frame.parquet")
	if code := run(context.Background(), []string{"-C", dir, "features", "-o", frame}, &out, &errs); code != exitOK {
		t.Fatalf("exit %d\n%s", code, &errs)
	}
	f, err := data.Read(data.Disk{}, frame, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows != 1 {
		t.Fatalf("%d rows, want 1", f.Rows)
	}
	for i, e := range examples {
		c := f.Column(fmt.Sprintf("example_%d", i))
		want, err := strconv.ParseFloat(e[2], 64)
		switch {
		case err != nil && c.Kind == data.Text && c.Text(0) == e[2]:
		case err == nil && c.Kind != data.Text && math.Abs(c.Number(0)-want) <= .006: // SPEC.md rounds to two digits
		default:
			t.Errorf("%s is %v in SPEC.md; the program says %v", e[1], e[2], c)
		}
	}
}

// writeSpecTables writes the tables of the examples: the events as SPEC.md lists
// them, and the account and its term as it describes them.
func writeSpecTables(t *testing.T, dir, spec string) {
	t.Helper()
	day := func(s string) (int64, bool) {
		d, err := time.Parse(time.DateOnly, s)
		return d.Unix() / 86400, err == nil
	}
	var rows [][]string
	for _, m := range regexp.MustCompile(`(?m)^\| (2025.*) \|$`).FindAllStringSubmatch(spec, -1) {
		cells := strings.Split(m[1], "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	n := len(rows)
	number := func(s string) float64 {
		if s == "" {
			return math.NaN()
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	date := func(name string, n int, s func(i int) string) data.Column {
		return data.IntOf(name, data.Date, n, func(i int) (int64, bool) { return day(s(i)) })
	}
	one := func(s string) func(int) string { return func(int) string { return s } }
	for name, columns := range map[string][]data.Column{
		"accounts": {data.TextColumn("id", []string{"a"}), date("created", 1, one("2025-01-11")), data.FloatOf("seats", 1, func(int) float64 { return 4 }),
			data.TextColumn("segment", []string{"smb"}), data.TextColumn("phase", []string{"adoption"})},
		"contracts": {data.TextColumn("id", []string{"a-1"}), data.TextColumn("account", []string{"a"}), date("start", 1, one("2024-03-02")),
			date("due", 1, one("2025-03-02")), data.FloatOf("value", 1, func(int) float64 { return 1200 }), date("renewed", 1, one("")),
			data.IntOf("auto", data.Bool, 1, func(int) (int64, bool) { return 1, true })},
		"events": {data.TextOf("account", n, one("a")), date("time", n, func(i int) string { return rows[i][0] }),
			data.TextOf("kind", n, func(i int) string { return rows[i][1] }), data.FloatOf("value", n, func(i int) float64 { return number(rows[i][2]) }),
			date("due", n, func(i int) string { return rows[i][3] }), date("paid", n, func(i int) string { return rows[i][4] }),
			data.FloatOf("units", n, func(int) float64 { return 2 })},
	} {
		table := &data.Table{Name: name, Rows: columns[0].Len(), Columns: columns}
		if err := data.Write(data.Disk{}, filepath.Join(dir, name+".parquet"), table); err != nil {
			t.Fatal(err)
		}
	}
}
