// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadZoo reads files of pyarrow and DuckDB with every type and encoding.
// testdata/zoo.py wrote them, and zoo.json from the values before.
func TestReadZoo(t *testing.T) {
	b, err := os.ReadFile("testdata/zoo.json")
	if err != nil {
		t.Fatal(err)
	}
	var zoo struct {
		Files   map[string][]string
		Columns map[string]struct {
			Kind   string
			Values []any // texts, integers as texts, floats, or nil
		}
	}
	if err := json.Unmarshal(b, &zoo); err != nil {
		t.Fatal(err)
	}
	for file, names := range zoo.Files {
		if strings.HasSuffix(file, ".arrow") {
			continue // for the tests of package ipc
		}
		path := "testdata/zoo_" + file + ".parquet"
		table, err := Read(Disk{}, path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(table.Names(), names) {
			t.Errorf("%s: columns %q, want %q", path, table.Names(), names)
			continue
		}
		for _, name := range names {
			c, want := table.Column(name), zoo.Columns[name]
			if c.Kind.String() != want.Kind {
				t.Errorf("%s: column %q is of kind %v, want %s", path, name, c.Kind, want.Kind)
				continue
			}
			if got := plainValues(c); !slices.Equal(got, want.Values) {
				t.Errorf("%s: column %q holds %v, want %v", path, name, got, want.Values)
			}
		}
	}
}

// plainValues returns a column's values as zoo.json has them.
func plainValues(c *Column) []any {
	values := make([]any, c.Len())
	for i := range values {
		switch {
		case c.Missing(i):
		case c.Kind == Float:
			values[i] = c.Floats[i]
		case c.Kind == Text:
			values[i] = c.Text(i)
		default:
			values[i] = strconv.FormatInt(c.Ints[i], 10)
		}
	}
	return values
}

func TestReadRealHistories(t *testing.T) {
	const folder = "../../shared/data/"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no " + folder)
	}
	// The counts are those of the PROVENANCE.txt beside the files.
	for file, rows := range map[string]int{
		"oulad/accounts.parquet": 21_333, "oulad/contracts.parquet": 126_456, "oulad/events.parquet": 411_646,
		"online_retail/accounts.parquet": 4_372, "online_retail/contracts.parquet": 8_421,
		"online_retail/events.parquet": 59_262, "ravenstack/contracts.parquet": 29_510,
		"ravenstack/events.parquet": 61_001, "tabular/telco/telco.parquet": 7_043,
	} {
		table, err := Read(Disk{}, folder+file, nil)
		if err != nil || table.Rows != rows {
			t.Errorf("%s: %v rows, %v; want %d", file, table, err, rows)
		}
	}
	contracts, err := Read(Disk{}, folder+"online_retail/contracts.parquet", []string{"outcome"})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i := range contracts.Rows {
		counts[contracts.Columns[0].Text(i)]++
	}
	if counts["churned"] != 1629 || counts["renewed"] != 2604 || counts[""] != 4188 {
		t.Errorf("outcomes %v, want 1629 churned, 2604 renewed and 4188 missing", counts)
	}
}

// ints and floats make one-column tables for the tests of patterns.
func ints(name string, v ...int64) *Table {
	return &Table{Rows: len(v), Columns: []Column{{Name: name, Kind: Int, Ints: v}}}
}

func floats(name string, v ...float64) *Table {
	return &Table{Rows: len(v), Columns: []Column{{Name: name, Kind: Float, Floats: v}}}
}

// stored returns a file system with the tables as Parquet files.
func stored(t *testing.T, files map[string]*Table) *memFS {
	m := newMemFS()
	for name, table := range files {
		m.files[name] = parquetBytes(t, table)
	}
	return m
}

func TestReadPatterns(t *testing.T) {
	m := stored(t, map[string]*Table{
		"e/b.parquet":                            ints("x", 3),
		"e/a.parquet":                            ints("x", 1, 2),
		"e/c.csv":                                ints("x", 9),
		"e/.a.parquet":                           ints("x", 9),
		"e/deep/er/a.parquet":                    ints("x", 4),
		"e/_temporary/a.parquet":                 ints("x", 9),
		"s/a/x.parquet":                          ints("x", 2),
		"s/a-b/x.parquet":                        ints("x", 1),
		"h/year=2024/kind=a b/x.parquet":         ints("x", 1),
		"h/year=2025/kind=c%3Dd/x.parquet":       ints("x", 2, 3),
		"h/year=" + nullPartition + "/x.parquet": ints("x", 4),
	})
	tests := []struct {
		pattern string
		want    []int64
	}{
		{"e/a.parquet", []int64{1, 2}},
		{"e/*.parquet", []int64{1, 2, 3}},
		{"e/?.parquet", []int64{1, 2, 3}},
		{"?/b*t", []int64{3}},
		{"e/**/*.parquet", []int64{1, 2, 3, 4}},
		{"**/er/*.parquet", []int64{4}},
		{"e/**/**/a.parquet", []int64{1, 2, 4}},
		{"e/*/er/a.parquet", []int64{4}},
		{"e/d**/*/a.parquet", []int64{4}},
		{"s/*/x.parquet", []int64{1, 2}}, // by the whole path: - comes before /
	}
	for _, test := range tests {
		table, err := Read(m, test.pattern, nil)
		if err != nil || !slices.Equal(table.Columns[0].Ints, test.want) || table.Name != test.pattern {
			t.Errorf("%s: %v, %v; want %v", test.pattern, table, err, test.want)
		}
	}
	for _, pattern := range []string{"e/z*.parquet", "none/*.parquet", "none.parquet", "e/a.parquet/*"} {
		_, err := Read(m, pattern, nil)
		if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), pattern+": no ") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	if _, err := Read(m, "e", nil); err == nil || !strings.Contains(err.Error(), `write "e/**/*.parquet"`) {
		t.Errorf("a folder: %v", err)
	}

	want := &Table{Rows: 4, Columns: []Column{
		{Name: "x", Kind: Int, Ints: []int64{1, 2, 3, 4}},
		{Name: "year", Kind: Int, Ints: []int64{2024, 2025, 2025, 0}, Null: []bool{false, false, false, true}},
		{Name: "kind", Kind: Text, Codes: []int32{0, 1, 1, -1}, Dict: []string{"a b", "c=d"}}}}
	table, err := Read(m, "h/**/*.parquet", nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, table, want)
	// Folders before the first wildcard belong to the place, not to the data.
	table, err = Read(m, "h/year=2024/*/x.parquet", nil)
	if err != nil || !slices.Equal(table.Names(), []string{"x", "kind"}) {
		t.Errorf("%v, %v; want the columns x and kind", table, err)
	}
}

func TestReadColumns(t *testing.T) {
	m := stored(t, map[string]*Table{"t.parquet": everyKind()})
	table, err := Read(m, "t.parquet", []string{"id", "day", "id"})
	if err != nil || !slices.Equal(table.Names(), []string{"id", "day"}) {
		t.Errorf("%v, %v; want the columns id and day", table, err)
	}
	if table, err = Read(m, "t.parquet", []string{}); err != nil || len(table.Columns) != 0 || table.Rows != 4 {
		t.Errorf("%v, %v; want 4 rows and no column", table, err)
	}
	_, err = Read(m, "t.parquet", []string{"id", "nubmer", "zzz"})
	const want = `t.parquet: no column "nubmer" (did you mean "number"?), "zzz"; ` +
		`there are: number, integer, yes, day, at, id`
	var missing *ColumnError
	if !errors.As(err, &missing) || err.Error() != want || !errors.Is(err, ErrBadData) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestReadDrift(t *testing.T) {
	date := &Table{Rows: 1, Columns: []Column{{Name: "x", Kind: Date, Ints: []int64{2}}}}
	times := func(v []int64, null ...bool) *Table {
		return &Table{Rows: len(v), Columns: []Column{{Name: "x", Kind: Time, Ints: v, Null: null}}}
	}
	at := times([]int64{5, 0}, false, true)
	text := &Table{Rows: 1, Columns: []Column{TextColumn("x", []string{"a"})}}
	const day = 24 * 60 * 60 * 1_000_000_000
	tests := []struct {
		name string
		a, b *Table
		want *Table // nil for an error
	}{
		{"integer, number", ints("x", 1), floats("x", 0.5), floats("x", 1, 0.5)},
		{"number, integer", floats("x", math.NaN()), ints("x", 2), floats("x", math.NaN(), 2)},
		{"date, timestamp", date, at, times([]int64{2 * day, 5, 0}, false, false, true)},
		{"timestamp, date", at, date, times([]int64{5, 0, 2 * day}, false, true, false)},
		{"integer, text", ints("x", 1), text, nil},
		{"number, date", floats("x", 1), date, nil},
		{"other column", ints("x", 1), ints("y", 1), nil},
		{"fewer columns", everyKind(), ints("integer", 1), nil},
		{"more columns", ints("integer", 1), everyKind(), nil},
	}
	for _, test := range tests {
		table, err := Read(stored(t, map[string]*Table{"d/a.parquet": test.a, "d/b.parquet": test.b}), "d/*", nil)
		switch {
		case test.want != nil && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != nil:
			equal(t, table, test.want)
		case !errors.Is(err, ErrBadData):
			t.Errorf("%s: %v; want an error", test.name, err)
		case !strings.Contains(err.Error(), "d/a.parquet") || !strings.Contains(err.Error(), "d/b.parquet"):
			t.Errorf("%s: %v; want both files named", test.name, err)
		}
	}
}

// Widening loses nothing: an integer that no number can hold is refused, not
// rounded into its neighbour's id.
func TestReadRefusesLossyWidening(t *testing.T) {
	const large = 1<<53 + 1
	_, err := Read(stored(t, map[string]*Table{"d/a.parquet": ints("id", 7, large), "d/b.parquet": floats("id", 1)}), "d/*", nil)
	if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), "holds 9007199254740993, too large") {
		t.Errorf("%v", err)
	}
}

// Scan hands over row groups one by one, and they make up what Read returns.
func TestScan(t *testing.T) {
	big := benchEvents(2*rowGroupRows + 5)
	m := stored(t, map[string]*Table{"d/a.parquet": big, "d/b.parquet": benchEvents(0), "d/c.parquet": benchEvents(3)})
	var rows []int
	var ids []string
	err := Scan(m, "d/*", []string{"account_id"}, func(part *Table) error {
		rows = append(rows, part.Rows)
		for i := range part.Rows {
			ids = append(ids, part.Columns[0].Text(i))
		}
		return nil
	})
	if err != nil || !slices.Equal(rows, []int{rowGroupRows, rowGroupRows, 5, 3}) {
		t.Fatalf("groups of %v rows, %v", rows, err)
	}
	whole, err := Read(m, "d/*", nil)
	if err != nil || whole.Rows != len(ids) {
		t.Fatal(whole, err)
	}
	for i, id := range ids {
		if whole.Columns[0].Text(i) != id {
			t.Fatalf("row %d: %q in the scan, %q in the whole", i, id, whole.Columns[0].Text(i))
		}
	}
	stop := errors.New("stop")
	if err := Scan(m, "d/*", nil, func(*Table) error { return stop }); err != stop {
		t.Errorf("%v, want the error of the callback as it is", err)
	}
	calls := 0
	err = Scan(m, "d/b.parquet", nil, func(part *Table) error {
		calls++
		equal(t, part, benchEvents(0))
		return nil
	})
	if err != nil || calls != 1 {
		t.Errorf("%d calls for an empty file, %v; want 1", calls, err)
	}
}

// The texts of a column are numbered by first appearance, whatever the order
// of the dictionaries in the file.
func TestReadNumbersTextsByFirstAppearance(t *testing.T) {
	c := Column{Name: "x", Kind: Text, Codes: []int32{2, 0, 2, -1, 1}, Dict: []string{"b", "c", "a", "unused"}}
	m := stored(t, map[string]*Table{"t.parquet": {Rows: 5, Columns: []Column{c}}})
	table, err := Read(m, "t.parquet", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := table.Columns[0]
	if !slices.Equal(got.Dict, []string{"a", "b", "c"}) || !slices.Equal(got.Codes, []int32{0, 1, 0, -1, 2}) {
		t.Errorf("%+v", got)
	}
}
