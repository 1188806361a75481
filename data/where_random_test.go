// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyFilterTable draws a table whose values are close to those of anyTerm.
func anyFilterTable(t *rapid.T) *Table {
	rows := rapid.IntRange(0, 12).Draw(t, "rows")
	numbers := []float64{-2.5, -2, 0, 0.1, 2.5, 3, 1 << 53, 1e300, -1e300}
	integers := []int64{-3, -2, 0, 2, 3, 1 << 53, 1<<53 + 1, 1<<63 - 1, -1 << 63}
	missing := func() bool { return rapid.IntRange(0, 4).Draw(t, "missing") == 0 }
	text := TextOf("a `text`", rows, func(int) string { return rapid.SampledFrom(filterTexts).Draw(t, "text") })
	integer := func(name string, kind Kind, values func() int64) Column {
		return IntOf(name, kind, rows, func(int) (int64, bool) { return values(), !missing() })
	}
	number := FloatOf("x", rows, func(int) float64 { return rapid.SampledFrom(numbers).Draw(t, "number") })
	for i := range number.Floats {
		if missing() {
			number.Floats[i] = math.NaN()
		}
	}
	instants := func() int64 { // around the days of anyTerm, by quarters of an hour
		day := rapid.SampledFrom(filterDays).Draw(t, "day")
		at, _ := time.Parse(time.DateOnly, day)
		return at.UnixNano() + rapid.Int64Range(-8, 120).Draw(t, "quarters")*int64(15*time.Minute)
	}
	return &Table{Name: "t", Rows: rows, Columns: []Column{
		number,
		integer("n", Int, func() int64 { return rapid.SampledFrom(integers).Draw(t, "integer") }),
		integer("yes", Bool, func() int64 { return rapid.Int64Range(0, 1).Draw(t, "yes") }),
		integer("day", Date, func() int64 { return int64(DayOf(instants(), time.UTC)) }),
		integer("at", Time, instants), text,
	}}
}

var (
	filterTexts = []string{"", "a", "b", "it's", `"`, "\xff", "😀", "2026-01-31"}
	// The clocks of São Paulo skipped midnight on the second, and went back to
	// the day before on the third.
	filterDays = []string{"1969-12-31", "2017-10-15", "2018-02-18", "2026-03-29"}
	filterInts = []int64{-2, 0, 2, 3, 1 << 53}
)

// anyTerm draws a filter of the columns of anyFilterTable as the parser would
// return it.
func anyTerm(t *rapid.T, depth int) *term {
	op := rapid.SampledFrom([]operator{opAnd, opOr, opNot, opEqual, opUnequal, opLess, opAtMost, opGreater,
		opAtLeast, opIn, opNotIn, opMissing, opPresent}).Draw(t, "op")
	if depth == 0 {
		op = max(op, opEqual)
	}
	switch op {
	case opNot:
		return &term{op: op, parts: []*term{anyTerm(t, depth-1)}}
	case opAnd, opOr:
		out := &term{op: op}
		for range rapid.IntRange(2, 3).Draw(t, "parts") {
			if part := anyTerm(t, depth-1); part.op == op {
				out.parts = append(out.parts, part.parts...)
			} else {
				out.parts = append(out.parts, part)
			}
		}
		return out
	}
	out := &term{op: op, column: rapid.SampledFrom([]string{"x", "n", "yes", "day", "at", "a `text`"}).Draw(t, "column")}
	switch {
	case op >= opMissing:
		return out
	case out.column == "yes" && op >= opLess && op <= opAtLeast:
		out.op = opEqual
	}
	for range map[bool]int{true: 3, false: 1}[op == opIn || op == opNotIn] {
		out.values = append(out.values, anyLiteral(t, out.column))
	}
	slices.SortFunc(out.values, compareLiterals)
	out.values = slices.CompactFunc(out.values, func(a, b literal) bool { return compareLiterals(a, b) == 0 })
	if len(out.values) == 1 && op >= opIn {
		out.op = map[operator]operator{opIn: opEqual, opNotIn: opUnequal}[op]
	}
	return out
}

func anyLiteral(t *rapid.T, column string) literal {
	text := func(texts []string) literal {
		return literal{kind: Text, text: rapid.SampledFrom(texts).Draw(t, "literal")}
	}
	switch column {
	case "yes":
		return literal{kind: Bool, number: rapid.Int64Range(0, 1).Draw(t, "literal")}
	case "day":
		return text(filterDays)
	case "at":
		return text(append([]string{"2017-10-15T03:00:00Z", "2018-02-18T00:00:00-03:00"}, filterDays...))
	case "a `text`":
		return text(filterTexts)
	}
	if rapid.Bool().Draw(t, "whole") {
		return literal{kind: Int, number: rapid.SampledFrom(filterInts).Draw(t, "literal")}
	}
	return literal{kind: Float, float: rapid.SampledFrom([]float64{-2.5, 0.1, 2.5}).Draw(t, "literal")}
}

// spelt writes a filter in one of many ways.
func spelt(t *rapid.T, f *term) string {
	word := func(s string) string {
		if rapid.Bool().Draw(t, "capitals") {
			return strings.ToUpper(s)
		}
		return s
	}
	space := rapid.SampledFrom([]string{" ", "\n\t"}).Draw(t, "space")
	var s string
	switch f.op {
	case opAnd, opOr:
		var parts []string
		for _, p := range f.parts {
			part := spelt(t, p)
			if p.op == opOr {
				part = "(" + part + ")"
			}
			parts = append(parts, part)
		}
		s = strings.Join(parts, space+word(operators[f.op])+" ")
	case opNot:
		s = word("not") + space + "(" + spelt(t, f.parts[0]) + ")"
	default:
		s = columnText(f.column) + space + word(operators[f.op]) + " "
		var values []string
		for _, v := range f.values {
			switch v.kind {
			case Text:
				values = append(values, `"`+strings.ReplaceAll(v.text, `"`, `""`)+`"`)
			case Float:
				values = append(values, v.String()+"00")
			default:
				values = append(values, word(v.String()))
			}
		}
		if list := strings.Join(values, ","); len(values) > 1 {
			s += "[" + list + "," + values[0] + "]"
		} else {
			s += list
		}
	}
	if rapid.Bool().Draw(t, "parentheses") {
		s = "( " + s + ")"
	}
	return s
}

// naive evaluates a filter for one row from the values as a person would read
// them: numbers as fractions, days as their texts.
func naive(f *term, table *Table, row int, loc *time.Location) bool {
	switch f.op {
	case opAnd:
		return !slices.ContainsFunc(f.parts, func(p *term) bool { return !naive(p, table, row, loc) })
	case opOr:
		return slices.ContainsFunc(f.parts, func(p *term) bool { return naive(p, table, row, loc) })
	case opNot:
		return !naive(f.parts[0], table, row, loc)
	}
	c := table.Column(f.column)
	if f.op >= opMissing || c.Missing(row) {
		return f.op == opMissing && c.Missing(row) || f.op == opPresent && !c.Missing(row)
	}
	var order []int
	for _, v := range f.values {
		order = append(order, naiveCompare(c, row, v, loc))
	}
	switch f.op {
	case opEqual, opIn:
		return slices.Contains(order, 0)
	case opUnequal, opNotIn:
		return !slices.Contains(order, 0)
	case opLess:
		return order[0] < 0
	case opAtMost:
		return order[0] <= 0
	case opGreater:
		return order[0] > 0
	}
	return order[0] >= 0
}

func naiveCompare(c *Column, row int, v literal, loc *time.Location) int {
	switch c.Kind {
	case Text:
		return strings.Compare(c.Text(row), v.text)
	case Bool:
		return cmp.Compare(c.Ints[row], v.number)
	case Date:
		return strings.Compare(c.format(row), v.text)
	case Time:
		at := time.Unix(0, c.Ints[row])
		if instant, err := time.Parse(time.RFC3339, v.text); err == nil {
			return at.Compare(instant)
		}
		return strings.Compare(at.In(loc).Format(time.DateOnly), v.text)
	}
	value, _ := new(big.Rat).SetString(fmt.Sprint(v))
	if c.Kind == Int {
		return new(big.Rat).SetInt64(c.Ints[row]).Cmp(value)
	}
	// The number that the decimal is written for, 0.1 for 0.1.
	nearest, _ := value.Float64()
	return cmp.Compare(c.Floats[row], nearest)
}

// Whatever the filter and its spelling: it has one form, which parses to it, and
// passes the rows that a reading of each by itself passes.
func TestFilterRandom(t *testing.T) {
	saoPaulo, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		tree := anyTerm(t, 3)
		text := spelt(t, tree)
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if f.String() != tree.String() {
			t.Fatalf("%s\nhas the form %s\nwant          %s", text, f, tree)
		}
		if again, err := ParseFilter(f.String()); err != nil || again.String() != f.String() {
			t.Fatalf("%s becomes %v, %v", f, again, err)
		}
		table := anyFilterTable(t)
		loc := rapid.SampledFrom([]*time.Location{time.UTC, saoPaulo}).Draw(t, "zone")
		b, err := f.Bind(table.Kinds(), loc)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]bool, table.Rows)
		if err := b.Eval(rows, table); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if want := naive(tree, table, i, loc); rows[i] != want {
				t.Fatalf("%s, row %d: %v, want %v in %+v", f, i, rows[i], want, table.Columns)
			}
		}
	})
}

// FuzzFilter feeds the parser any text: an error with a place in it, or a filter
// whose form parses to the same form.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		`type == 'login'`, `a in ("x", 'it''s') and not (b >= -2.50 or c is not missing)`, "`order id` not in [1, 2]",
		`x == 1e6`, `x == `, `((x == 1`, "x == 'a", `größe<3`, `x IN (TRUE)`, "\xff == '\xff'", `not not not x != false`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			if e := err.(*FilterError); e.At < 1 || e.At > len(text)+1 || e.Problem == "" {
				t.Errorf("%q: %+v", text, e)
			}
			return
		}
		form := filter.String()
		again, err := ParseFilter(form)
		if err != nil || again.String() != form {
			t.Errorf("%q has the form %q, which has %v, %v", text, form, again, err)
		}
		kinds := map[string]Kind{}
		for i, c := range filter.Columns() {
			kinds[c] = Kind((len(text) + i) % 6)
		}
		filter.Bind(kinds, nil)
	})
}
