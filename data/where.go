// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Filter says which rows of a table are meant: type == 'login' and seats > 2.
//
//	filter  = and { "or" and } .
//	and     = not { "and" not } .
//	not     = "not" not | "(" filter ")" | test .
//	test    = column ( compare value
//	                 | [ "not" ] "in" list
//	                 | "is" [ "not" ] "missing" ) .
//	compare = "==" | "!=" | "<" | "<=" | ">" | ">=" .
//	list    = "(" value { "," value } ")" | "[" value { "," value } "]" .
//	value   = text | number | "true" | "false" .
//	number  = [ "-" ] digits [ "." digits ] .
//	text    = "'" characters "'" | `"` characters `"` .    a quote inside is written twice
//	column  = letter { letter | digit } | "`" characters "`" .    _ is a letter
//
// Words are written in small letters or capitals. A number is an integer of 64
// bits, or has up to 15 digits with some after the point, so that it is compared
// exactly. What is compared with what is settled by the column's kind:
//
//   - numbers and integers with a number;
//   - texts with a text, byte by byte;
//   - booleans with true or false, by ==, != and in only;
//   - dates with a text such as '2026-01-31';
//   - timestamps with such a day, by the calendar day that they fall on (== is
//     the whole day, <= includes it), or with an instant that has a zone, such
//     as '2026-01-31T12:00:00Z'.
//
// Every test of a missing value is false, that by != and by not in too, but for
// "is missing". not turns false into true: not (x == 1) holds where x is
// missing, x != 1 does not.
//
// A Filter does not change once parsed and may be used by several goroutines.
type Filter struct {
	text string
	root *term
}

// A term is one node of a filter.
type term struct {
	op     operator
	parts  []*term // of and and or: two or more; of not: one
	column string
	values []literal // of a comparison: one; of in and not in: two or more, sorted
	at     int       // where its column stands in the text, in bytes
}

type operator uint8

const (
	opAnd operator = iota
	opOr
	opNot
	opEqual
	opUnequal
	opLess
	opAtMost
	opGreater
	opAtLeast
	opIn
	opNotIn
	opMissing
	opPresent
)

var operators = [...]string{"and", "or", "not", "==", "!=", "<", "<=", ">", ">=", "in", "not in",
	"is missing", "is not missing"}

// A literal is one value of a filter.
type literal struct {
	kind   Kind // Text, Int, Float (with digits after the point) or Bool
	text   string
	number int64 // of a Bool 0 or 1
	float  float64
	at     int
}

// A FilterError is a filter that cannot be understood, or that does not fit the
// columns it is for.
type FilterError struct {
	Text    string // the filter
	At      int    // character of it, from 1
	Problem string // what was found there and what was expected
}

func (e *FilterError) Error() string {
	return fmt.Sprintf("where %q: at character %d: %s", e.Text, e.At, e.Problem)
}

// filterError returns a FilterError at a byte of the text.
func filterError(text string, at int, format string, args ...any) error {
	at = utf8.RuneCountInString(text[:at]) + 1
	return &FilterError{Text: text, At: at, Problem: fmt.Sprintf(format, args...)}
}

// Columns returns the names of the columns that the filter needs, sorted.
func (f *Filter) Columns() []string {
	var names []string
	f.root.walk(func(t *term) {
		if t.column != "" {
			names = append(names, t.column)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// Rename returns the filter with other names for its columns; those that are
// not in names stay. Its errors still point into the text as it was written.
func (f *Filter) Rename(names map[string]string) *Filter {
	root := f.root.clone()
	root.walk(func(t *term) {
		if name, ok := names[t.column]; ok && t.column != "" {
			t.column = name
		}
	})
	return &Filter{text: f.text, root: root}
}

// walk calls visit for the term and all below it.
func (t *term) walk(visit func(*term)) {
	visit(t)
	for _, p := range t.parts {
		p.walk(visit)
	}
}

func (t *term) clone() *term {
	c := *t
	c.parts = slices.Clone(t.parts)
	for i, p := range c.parts {
		c.parts[i] = p.clone()
	}
	return &c
}

// String returns the filter in its canonical form, which parses to the same
// filter: one space between words, quotes and parentheses only where they must
// be, lists sorted and without repeats, a list of one as a comparison. Filters
// that differ only in spelling have one form.
func (f *Filter) String() string { return f.root.String() }

func (t *term) String() string {
	switch t.op {
	case opAnd, opOr:
		parts := make([]string, len(t.parts))
		for i, p := range t.parts {
			parts[i] = p.within(t.op)
		}
		return strings.Join(parts, " "+operators[t.op]+" ")
	case opNot:
		return "not " + t.parts[0].within(opNot)
	}
	s := columnText(t.column) + " " + operators[t.op]
	if len(t.values) == 0 {
		return s
	}
	values := make([]string, len(t.values))
	for i, v := range t.values {
		values[i] = v.String()
	}
	if t.op == opIn || t.op == opNotIn {
		return s + " (" + strings.Join(values, ", ") + ")"
	}
	return s + " " + values[0]
}

// within returns the form of a term as a part of another, in parentheses where
// it binds less closely.
func (t *term) within(outer operator) string {
	if t.op == opOr || t.op == opAnd && outer == opNot {
		return "(" + t.String() + ")"
	}
	return t.String()
}

func (v literal) String() string {
	switch v.kind {
	case Text:
		return "'" + strings.ReplaceAll(v.text, "'", "''") + "'"
	case Float:
		return strconv.FormatFloat(v.float, 'f', -1, 64)
	case Bool:
		return strconv.FormatBool(v.number != 0)
	}
	return strconv.FormatInt(v.number, 10)
}

// columnText writes the name of a column, in backquotes where it is not a word.
func columnText(name string) string {
	if n := wordLength(name); n == len(name) && n > 0 && !reserved(name) {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// compareLiterals orders values of one type as a list has them.
func compareLiterals(a, b literal) int {
	if a.kind == Float || b.kind == Float {
		return cmp.Compare(a.asFloat(), b.asFloat()) // exact: no Float has more than 15 digits
	}
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text))
}

func (v literal) asFloat() float64 {
	if v.kind == Float {
		return v.float
	}
	return float64(v.number)
}

// Equal takes a test column == 'text' out of the filter: it returns the text
// and the filter that the rows with it have yet to pass, nil for none. ok is
// false where the filter does not ask for one text of the column.
func (f *Filter) Equal(column string) (text string, rest *Filter, ok bool) {
	is := func(t *term) bool { return t.op == opEqual && t.column == column && t.values[0].kind == Text }
	if is(f.root) {
		return f.root.values[0].text, nil, true
	}
	if f.root.op != opAnd {
		return "", f, false
	}
	i := slices.IndexFunc(f.root.parts, is)
	if i < 0 {
		return "", f, false
	}
	left := slices.Delete(slices.Clone(f.root.parts), i, i+1)
	root := &term{op: opAnd, parts: left}
	if len(left) == 1 {
		root = left[0]
	}
	return f.root.parts[i].values[0].text, &Filter{text: f.text, root: root}, true
}
