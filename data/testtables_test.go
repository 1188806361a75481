// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// everyKind is a small table with every kind of column, with values at the
// ends of their ranges and missing ones.
func everyKind() *Table {
	return &Table{Name: "t", Rows: 4, Columns: []Column{
		{Name: "number", Kind: Float, Floats: []float64{1.5, math.NaN(), -0.1, 1e300}},
		{Name: "integer", Kind: Int, Ints: []int64{math.MaxInt64, math.MinInt64, 0, 7},
			Null: []bool{false, false, true, false}},
		{Name: "yes", Kind: Bool, Ints: []int64{1, 0, 0, 1}, Null: []bool{false, false, true, false}},
		{Name: "day", Kind: Date, Ints: []int64{0, 20454, minSecond / secondsPerDay, maxSecond / secondsPerDay}},
		{Name: "at", Kind: Time, Ints: []int64{0, 1767225600123456789, -1, 0}, Null: []bool{false, false, false, true}},
		{Name: "id", Kind: Text, Codes: []int32{0, 1, -1, 0}, Dict: []string{"a,\"b\"\n", ""}},
	}}
}

// equal reports the first place where two tables differ in their names, kinds
// or values. The numbering of texts does not count.
func equal(t interface {
	Helper()
	Fatalf(string, ...any)
}, got, want *Table) {
	t.Helper()
	if got.Rows != want.Rows || !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("%d rows of %q, want %d rows of %q", got.Rows, got.Names(), want.Rows, want.Names())
	}
	for k := range want.Columns {
		g, w := &got.Columns[k], &want.Columns[k]
		if g.Kind != w.Kind || g.Len() != got.Rows {
			t.Fatalf("column %q: %d values of kind %v, want %d of kind %v", w.Name, g.Len(), g.Kind, want.Rows, w.Kind)
		}
		for i := range want.Rows {
			same := g.Missing(i) == w.Missing(i)
			switch {
			case !same || g.Missing(i):
			case g.Kind == Float:
				same = math.Float64bits(g.Floats[i]) == math.Float64bits(w.Floats[i])
			case g.Kind == Text:
				same = g.Text(i) == w.Text(i)
			default:
				same = g.Ints[i] == w.Ints[i]
			}
			if !same {
				t.Fatalf("column %q, row %d: %+v, want %+v", w.Name, i, g, w)
			}
		}
	}
}

// anyTable draws a table of any kinds, with ids that are hard to keep: line
// breaks, NUL, right-to-left marks, emoji, bytes that are not UTF-8, 10 kB.
func anyTable(t *rapid.T) *Table {
	rows := rapid.SampledFrom([]int{0, 1, 2, 7, 8, 9, 300}).Draw(t, "rows")
	table := &Table{Name: "t", Rows: rows}
	kinds := rapid.SliceOfN(rapid.SampledFrom([]Kind{Float, Int, Bool, Date, Time, Text}), 1, 6).Draw(t, "kinds")
	for i, kind := range kinds {
		missing := rapid.SampledFrom([]int{0, 3, 10}).Draw(t, "tenths missing")
		c := Column{Name: "c" + strings.Repeat("'", i), Kind: kind}
		codes := map[string]int32{}
		for range rows {
			if rapid.IntRange(0, 9).Draw(t, "missing") < missing {
				appendMissing(&c)
			} else {
				appendAny(t, &c, codes)
			}
		}
		if kind != Float && kind != Text && !slices.Contains(c.Null, true) {
			c.Null = nil
		}
		table.Columns = append(table.Columns, c)
	}
	return table
}

func appendMissing(c *Column) {
	switch c.Kind {
	case Float:
		c.Floats = append(c.Floats, math.NaN())
	case Text:
		c.Codes = append(c.Codes, -1)
	default:
		c.Ints, c.Null = append(c.Ints, 0), append(c.Null, true)
	}
}

var hardTexts = []string{
	"", "a\nb", "a\x00b", "\u202eabc", "😀", "=1+1", "'", "\"", "\xff\xfe", "\r\n", strings.Repeat("x", 10_000)}

func appendAny(t *rapid.T, c *Column, codes map[string]int32) {
	switch c.Kind {
	case Float:
		c.Floats = append(c.Floats, rapid.Float64().Draw(t, "number"))
		return
	case Text:
		text := rapid.OneOf(rapid.SampledFrom(hardTexts), rapid.StringN(0, 8, -1)).Draw(t, "text")
		if _, ok := codes[text]; !ok {
			codes[text] = int32(len(c.Dict))
			c.Dict = append(c.Dict, text)
		}
		c.Codes = append(c.Codes, codes[text])
		return
	}
	limits := map[Kind][2]int64{Int: {math.MinInt64, math.MaxInt64}, Bool: {0, 1},
		Date: {minSecond / secondsPerDay, maxSecond / secondsPerDay}, Time: {minSecond * 1e9, maxSecond * 1e9}}[c.Kind]
	v := rapid.Int64Range(limits[0], limits[1]).Draw(t, "integer")
	if c.Kind == Time && rapid.Bool().Draw(t, "whole") {
		v -= v % 1000
	}
	c.Ints, c.Null = append(c.Ints, v), append(c.Null, false)
}

// parquetBytes returns a table as a Parquet file.
func parquetBytes(t testing.TB, table *Table) []byte {
	t.Helper()
	m := newMemFS()
	if err := Write(m, "t.parquet", table); err != nil {
		t.Fatal(err)
	}
	return m.files["t.parquet"]
}
