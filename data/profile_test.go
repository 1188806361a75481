// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProfile(t *testing.T) {
	nan := math.NaN()
	table := &Table{Rows: 4, Columns: []Column{
		{Name: "n", Kind: Float, Floats: []float64{0, math.Copysign(0, -1), nan, -2.5}}, // both zeros are one value
		{Name: "d", Kind: Date, Ints: []int64{5, 0, 3, 5}, Null: []bool{false, true, false, false}},
		{Name: "t", Kind: Time, Ints: []int64{0, 36e5 * 1e6, 0, 0}}, // an hour is a 24th of a day
		{Name: "s", Kind: Text, Codes: []int32{1, 0, 1, -1}, Dict: []string{"x", "y", "unused"}},
		{Name: "none", Kind: Text, Codes: []int32{-1, -1, -1, -1}},
		{Name: "id", Kind: Int, Ints: []int64{4, 3, 2, 1}},
	}}
	want := []ColumnProfile{
		{Name: "n", Kind: Float, Rows: 4, Missing: 1, Distinct: 2, Min: -2.5, Max: 0, Levels: []Level{{"0", 2}, {"-2.5", 1}}},
		{Name: "d", Kind: Date, Rows: 4, Missing: 1, Distinct: 2, Min: 3, Max: 5, Levels: []Level{{"1970-01-06", 2}, {"1970-01-04", 1}}},
		{Name: "t", Kind: Time, Rows: 4, Distinct: 2, Min: 0, Max: 1. / 24,
			Levels: []Level{{"1970-01-01T00:00:00Z", 3}, {"1970-01-01T01:00:00Z", 1}}},
		{Name: "s", Kind: Text, Rows: 4, Missing: 1, Distinct: 2, Min: nan, Max: nan, Levels: []Level{{"y", 2}, {"x", 1}}},
		{Name: "none", Kind: Text, Rows: 4, Missing: 4, Min: nan, Max: nan},
		{Name: "id", Kind: Int, Rows: 4, Distinct: 4, Min: 1, Max: 4, Levels: []Level{{"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}}},
	}
	sameNaN := cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })
	got := table.Profile()
	if diff := cmp.Diff(want, got, sameNaN); diff != "" {
		t.Error(diff)
	}
	for i, unique := range []bool{false, false, false, false, false, true} {
		if got[i].Unique() != unique {
			t.Errorf("column %q is unique: %v", got[i].Name, got[i].Unique())
		}
	}
}

// A sample of a table of ten files is spread over them; of a small table it
// is all. Only the columns of all files are read.
func TestTakeSample(t *testing.T) {
	m := newMemFS()
	for f := range 10 {
		table := &Table{Rows: 10, Columns: []Column{
			IntOf("n", Int, 10, func(i int) (int64, bool) { return int64(10*f + i), true }),
			TextOf("s", 10, func(i int) string { return []string{"", "a", "b"}[(10*f+i)%3] }),
			FloatOf("x", 10, func(i int) float64 { return float64(10*f + i) }),
			IntOf("d", Date, 10, func(i int) (int64, bool) { return int64(10*f + i), i != 1 }),
		}}
		if f > 0 { // a column that came later
			table.Columns = append(table.Columns, Column{Name: "later", Kind: Int, Ints: make([]int64, 10)})
		}
		if err := Write(m, fmt.Sprintf("u/m=%d/p.parquet", f), table); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		rows  int
		whole bool
		want  []int64 // values of n
	}{
		{16, false, []int64{0, 1, 10, 11, 20, 21, 30, 31, 50, 51, 60, 61, 70, 71, 98, 99}}, // 8 places of 10, of the last the last
		{8, false, []int64{0, 10, 20, 30, 50, 60, 70, 99}},
		{100, true, nil},
		{1000, true, nil},
	} {
		s, err := TakeSample(m, "u/**/*.parquet", c.rows)
		if err != nil {
			t.Fatal(err)
		}
		n := s.Column("n").Ints
		if c.whole {
			for i := range int64(100) {
				c.want = append(c.want, i)
			}
		}
		if diff := cmp.Diff(c.want, n); diff != "" || s.Total != 100 || s.Whole() != c.whole || s.Rows != len(n) {
			t.Errorf("%d rows wanted: %d of %d read: %s", c.rows, s.Rows, s.Total, diff)
		}
		for i, v := range n { // rows stay whole
			if got, want := s.Column("s").Text(i), []string{"", "a", "b"}[v%3]; got != want {
				t.Errorf("row %d: text %q, want %q", v, got, want)
			}
			if s.Column("x").Floats[i] != float64(v) || s.Column("d").Missing(i) != (v%10 == 1) || s.Column("m").Ints[i] != v/10 {
				t.Errorf("row %d: %v", v, s.Table)
			}
		}
		if diff := cmp.Diff([]string{"n", "s", "x", "d", "m"}, s.Names()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"m"}, s.Folders); diff != "" {
			t.Error(diff)
		}
	}
}
