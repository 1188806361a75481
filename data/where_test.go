// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// One filter has one form, however it is spelt.
func TestParseFilter(t *testing.T) {
	tests := []struct{ text, want string }{
		{`type == 'login'`, ""},
		{` type=="login" `, "type == 'login'"},
		{`type == 'it''s "so"'`, ""},
		{`type == "it's ""so"""`, `type == 'it''s "so"'`},
		{"`type` == 'a' OR `or` == 'b' or `order id` == 'c' or `a``b` == 'd' or `1a` == 'e'",
			"type == 'a' or `or` == 'b' or `order id` == 'c' or `a``b` == 'd' or `1a` == 'e'"},
		{`größe_2 >= 1`, ""},
		{`x == 007 and y == -0 and z == 2.50 and u == -3.000 and v == 0.1`,
			`x == 7 and y == 0 and z == 2.5 and u == -3 and v == 0.1`},
		{`x == 9223372036854775807 and x != -9223372036854775808`, ""},
		{`x == 123456789.012345`, ""},
		{`x in ["b", 'a', 'b']`, `x in ('a', 'b')`},
		{`x not in (2.5, -1, 2, 10)`, `x not in (-1, 2, 2.5, 10)`},
		{`x in (3, 3.0)`, `x == 3`},
		{`x Not In (true)`, `x != true`},
		{`x in (false, true)`, ""},
		{`x is missing and y is NOT missing`, `x is missing and y is not missing`},
		{`a == 1 or b == 2 and not c == 3`, ""},
		{`a == 1 or (b == 2 and (not (c == 3)))`, `a == 1 or b == 2 and not c == 3`},
		{`(a == 1 or b == 2) and c == 3`, ""},
		{`not (a == 1 and b == 2) and not not c == 3`, ""},
		{`(a == 1 and (b == 2 and c == 3)) and ((d == 4))`, `a == 1 and b == 2 and c == 3 and d == 4`},
		{`a == 1 or (b == 2 or c == 3)`, `a == 1 or b == 2 or c == 3`},
		{strings.Repeat("(", 99) + "x == 1" + strings.Repeat(")", 99), "x == 1"},
	}
	for _, test := range tests {
		f, err := ParseFilter(test.text)
		if err != nil {
			t.Error(err)
			continue
		}
		want := test.want
		if want == "" {
			want = test.text
		}
		if got := f.String(); got != want {
			t.Errorf("%s: %s, want %s", test.text, got, want)
		}
	}
}

func TestParseFilterErrors(t *testing.T) {
	const tests = "a column, 'not' or '('"
	tooDeep := strings.Repeat("not ", 100) + "x == 1"
	for text, want := range map[string]string{
		``:                 "at character 1: found the end, expected " + tests,
		`type = 'login'`:   "at character 6: found =, expected ==, !=, <, <=, >, >=, in, not in, is missing or is not missing; equal is ==",
		`type == login`:    "at character 9: found login, expected a number, true, false or a text in quotes such as 'login'",
		`größe == 'a`:      "at character 10: found a quote ' without its end", // characters, not bytes
		`type <> 'a'`:      "at character 6: found <>, expected ==",
		`x == null`:        "at character 6: found null, expected a number, true, false or a text in quotes such as 'login'; a missing value",
		`x == 1 && y == 2`: "at character 8: found &&, expected 'and', 'or' or the end; write and",
		`x => 1`:           "at character 3: found =>, expected ==, !=, <, <=, >, >=, in, not in, is missing or is not missing; at least is >=",
		`x == 1 y == 2`:    "at character 8: found y, expected 'and', 'or' or the end",
		`1 < x`:            "at character 1: found 1, expected " + tests,
		`x < 3 < 4`:        "at character 7: found <, expected 'and', 'or' or the end",
		`x == 30d`:         "at character 6: found 30d, expected a number such as -30 or 2.5, without exponent or unit",
		`x == 1e6`:         "at character 6: found 1e6, expected a number such as",
		`x == 1.`:          "at character 6: found 1., expected a number such as",
		`x == 1.2.3`:       "at character 6: found 1.2.3, expected a number such as",
		`x == -`:           "at character 6: found -, expected a number such as",
		`x == 9223372036854775808`: "at character 6: found 9223372036854775808, expected an integer of 64 bits " +
			"or a number of up to 15 digits",
		`x == 1234567890.123456`: "at character 6: found 1234567890.123456, expected a number of up to 15 digits",
		`x in 'a'`:               "at character 6: found 'a', expected a list such as ('a', 'b')",
		`x in ()`:                "at character 7: found ), expected a number, true",
		`x in ('a' 'b')`:         "at character 11: found 'b', expected , or )",
		`x in ['a')`:             "at character 10: found ), expected , or ]",
		`x in (1, 2.5, 'a')`:     "at character 15: found 'a', a text, in a list that begins with a number; expected one type",
		`x not 'a'`:              "at character 7: found 'a', expected in",
		`x is 1`:                 "at character 6: found 1, expected missing or not missing",
		`x is not`:               "at character 9: found the end, expected missing or not missing",
		`(x == 1`:                "at character 8: found the end, expected 'and', 'or' or ')'",
		`x == 1)`:                "at character 7: found ), expected 'and', 'or' or the end",
		`and == 1`:               "at character 1: found and, expected " + tests,
		`x == 1 or`:              "at character 10: found the end, expected " + tests,
		`a.b == 1`:               `at character 2: found '.', expected a column, a value or an operator; a column of such a name is written in backquotes`,
		"`` == 1":                "at character 1: found a column without a name",
		tooDeep:                  "at character 401: nested more than 100 deep; write it flatter",
	} {
		_, err := ParseFilter(text)
		var e *FilterError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "where ") {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestFilterColumns(t *testing.T) {
	f, err := ParseFilter(`type == 'a' and (value > 1 or not type in ('b', 'c')) and seats is missing`)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Columns(); !slices.Equal(got, []string{"seats", "type", "value"}) {
		t.Errorf("%q", got)
	}
	before := f.String()
	g := f.Rename(map[string]string{"type": "event type", "none": "x", "": "y"})
	const want = "`event type` == 'a' and (value > 1 or not `event type` in ('b', 'c')) and seats is missing"
	if g.String() != want || f.String() != before {
		t.Errorf("%s, want %s; the filter itself is now %s", g, want, f)
	}
}

func TestBindErrors(t *testing.T) {
	kinds := everyKind().Kinds()
	for text, want := range map[string]string{
		`yes == true and idd == 'a'`: `at character 17: no column "idd" (did you mean id?); ` +
			`there are: at, day, id, integer, number, yes`,
		`qqqqq == 1`:                    `at character 1: no column "qqqqq"; there are`,
		`id == 3`:                       `at character 7: column "id" is of type text; found 3, expected a text in quotes`,
		`number == '3'`:                 `at character 11: column "number" is of type number; found '3', expected a number`,
		`number == 9007199254740993`:    `at character 11: column "number" is of type number; found 9007199254740993, expected a number of up to 2^53`,
		`integer in ('a', 'b')`:         `at character 13: column "integer" is of type integer; found 'a', expected a number`,
		`yes == 1`:                      `at character 8: column "yes" is of type boolean; found 1, expected true or false`,
		`yes < true`:                    `at character 1: column "yes" is a boolean, which is compared by == and != only`,
		`day == 20260131`:               `at character 8: column "day" is of type date; found 20260131, expected a day such as '2026-01-31'`,
		`day == '2026-02-30'`:           `expected a day such as '2026-01-31'`,
		`day == '2026-01-31T00:00:00Z'`: `expected a day such as '2026-01-31'`,
		`day == '1677-12-31'`:           `in the years 1678 to 2261`,
		`at > '2026-01-31 12:00'`:       `at character 6: column "at" is of type timestamp; found '2026-01-31 12:00', expected a day such as '2026-01-31' or an instant`,
		`at > '2026-01-31T12:00:00'`:    `or an instant such as '2026-01-31T12:00:00Z'`, // no zone
		`at > '2262-01-01T00:00:00Z'`:   `in the years 1678 to 2261`,
		`at > true`:                     `found true, expected a day`,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Bind(kinds, nil)
		var e *FilterError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// passing returns the rows of a table that pass a filter, as 0s and 1s.
func passing(t *testing.T, text string, table *Table, loc *time.Location) string {
	t.Helper()
	f, err := ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Bind(table.Kinds(), loc)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]bool, table.Rows)
	if err := b.Eval(rows, table); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(rows))
	for i, r := range rows {
		if out[i] = '0'; r {
			out[i] = '1'
		}
	}
	return string(out)
}

func TestFilterEval(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixNano()
	}
	null := []bool{false, false, false, false, true}
	table := &Table{Name: "t", Rows: 5, Columns: []Column{
		{Name: "x", Kind: Float, Floats: []float64{-1, 2.5, 0.1, math.Inf(1), math.NaN()}},
		{Name: "n", Kind: Int, Ints: []int64{2, 3, math.MaxInt64, -2, 0}, Null: null},
		{Name: "ok", Kind: Bool, Ints: []int64{0, 1, 1, 0, 0}, Null: null},
		{Name: "day", Kind: Date, Ints: []int64{0, 20484, 20485, -1, 0}, Null: null}, // 20484 is 2026-01-31
		{Name: "at", Kind: Time, Null: null, Ints: []int64{at("2026-01-30T22:59:59.999999999Z"),
			at("2026-01-30T23:00:00Z"), at("2026-01-31T22:59:59.999999999Z"), at("2026-01-31T23:00:00Z"), 0}},
		{Name: "s", Kind: Text, Codes: []int32{0, 1, 2, 0, -1}, Dict: []string{"a", "", "Ab"}},
		{Name: "id", Kind: Text, Codes: []int32{7, 6, 5, 4, -1}, // more entries than rows
			Dict: []string{"q", "r", "s", "t", "d", "c", "b", "a"}},
	}}
	tests := []struct{ text, want string }{
		{"x == 2.5", "01000"}, {"x != 2.5", "10110"}, {"x < 2.5", "10100"}, {"x <= 2.5", "11100"},
		{"x > 0.1", "01010"}, {"x >= 0.1", "01110"}, {"x in (-1, 0.1)", "10100"}, {"x not in (-1, 0.1)", "01010"},
		{"x is missing", "00001"}, {"x is not missing", "11110"}, {"not x == 2.5", "10111"},
		{"n < 2.5", "10010"}, {"n <= 2.5", "10010"}, {"n == 2.5", "00000"}, {"n != 2.5", "11110"},
		{"n > 2.5", "01100"}, {"n >= 2.5", "01100"}, {"n >= 3", "01100"}, {"n > -2.5", "11110"}, {"n < -1.5", "00010"},
		{"n == 9223372036854775807", "00100"}, {"n > 9223372036854775806", "00100"}, {"n == 0", "00000"},
		{"ok == true", "01100"}, {"ok != true", "10010"}, {"ok in (true, false)", "11110"},
		{"day == '2026-01-31'", "01000"}, {"day < '1970-01-01'", "00010"}, {"day >= '2026-01-31'", "01100"},
		{"day in ('1970-01-01', '2026-02-01')", "10100"},
		{"s == 'a'", "10010"}, {"s != 'a'", "01100"}, {"s == ''", "01000"}, {"s < 'a'", "01100"}, {"s >= 'Ab'", "10110"},
		{"s in ('Ab', '')", "01100"}, {"s not in ('Ab', '')", "10010"}, {"s is missing", "00001"},
		{"id <= 'b'", "11000"}, {"id not in ('a', 'd')", "01100"},
		// The day of 2026-01-31 in Berlin, one hour ahead of UTC.
		{"at == '2026-01-31'", "01100"}, {"at != '2026-01-31'", "10010"}, {"at < '2026-01-31'", "10000"},
		{"at <= '2026-01-31'", "11100"}, {"at > '2026-01-31'", "00010"}, {"at >= '2026-01-31'", "01110"},
		{"at == '2026-01-31T00:00:00+01:00'", "01000"}, {"at > '2026-01-31T22:59:59.999999998Z'", "00110"},
		{"at in ('2026-01-30', '2026-02-01')", "10010"},
		{"s == 'a' and n == 2 or x == 0.1", "10100"}, {"s == 'a' and (n == 2 or x == 0.1)", "10000"},
		{"not (s == 'a' or n == 3)", "00101"}, {"not s == 'a' and not n is missing", "01100"},
	}
	for _, test := range tests {
		if got := passing(t, test.text, table, berlin); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
	}
	if got := passing(t, "at == '2026-01-31'", table, nil); got != "00110" {
		t.Errorf("in UTC: %s", got)
	}
}

// A table with other columns than the filter was bound to is refused.
func TestFilterEvalOfAnotherTable(t *testing.T) {
	f, err := ParseFilter("x == 1 and y == 2")
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Bind(map[string]Kind{"x": Int, "y": Int}, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := func(c Column) *Table { return &Table{Name: "t", Rows: 1, Columns: append(ints("x", 1).Columns, c)} }
	if err := b.Eval(make([]bool, 1), other(floats("y", 1).Columns[0])); !errors.Is(err, ErrBadData) ||
		err.Error() != `t: column "y" is of type number, integer is needed` {
		t.Error(err)
	}
	if err := b.Eval(make([]bool, 1), other(floats("yy", 1).Columns[0])); !errors.Is(err, ErrBadData) ||
		!strings.Contains(err.Error(), `t: no column "y"; there are: x, yy`) {
		t.Error(err)
	}
}

// BenchmarkFilter evaluates a filter as features have them over one table.
func BenchmarkFilter(b *testing.B) {
	const rows = 1_000_000
	table := benchEvents(rows)
	f, err := ParseFilter("event_type in ('login', 'report') and value > 50 and ts >= '2024-01-03'")
	if err != nil {
		b.Fatal(err)
	}
	bound, err := f.Bind(table.Kinds(), nil)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]bool, rows)
	for b.Loop() {
		if err := bound.Eval(dst, table); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// A test for one text of a column comes out of a filter where the rest can
// stand without it.
func TestFilterEqual(t *testing.T) {
	for where, want := range map[string][2]string{
		"type == 'a'":             {"a", ""},
		"type in ('a')":           {"a", ""},
		"(type == 'a') and x > 1": {"a", "x > 1"},
		"x > 1 and type == 'a' and (y == 1 or z == 2)": {"a", "x > 1 and (y == 1 or z == 2)"},
		"type == 'a' and type == 'b'":                  {"a", "type == 'b'"},
		"type == 'a' or x > 1":                         {"", "type == 'a' or x > 1"},
		"not type == 'a'":                              {"", "not type == 'a'"},
		"type != 'a' and kind == 'a'":                  {"", "type != 'a' and kind == 'a'"},
		"type in ('a', 'b')":                           {"", "type in ('a', 'b')"},
	} {
		f, err := ParseFilter(where)
		if err != nil {
			t.Fatal(err)
		}
		text, rest, ok := f.Equal("type")
		left := ""
		if rest != nil {
			left = rest.String()
		}
		if ok != (want[0] != "") || text != want[0] || left != want[1] {
			t.Errorf("%s: %q, %q, %v; want %q", where, text, left, ok, want)
		}
	}
}
