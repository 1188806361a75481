// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Kind is the type of a column's values in memory. Parquet's many physical
// and logical types come down to these six.
type Kind uint8

// The kinds of column, and the field of Column that holds their values.
const (
	Float Kind = iota // Floats; missing is NaN
	Int               // Ints
	Bool              // Ints, 0 or 1
	Date              // Ints: days since 1970-01-01, a calendar day without a zone
	Time              // Ints: nanoseconds since 1970-01-01T00:00:00Z; a stamp without a zone counts as UTC
	Text              // Codes into Dict; missing is -1
)

var kindNames = [...]string{"number", "integer", "boolean", "date", "timestamp", "text"}

// String names the kind as error messages and signatures do.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// A Column is one named column of a Table. Only the fields of its kind are
// set; every value slice has as many elements as the table has rows.
type Column struct {
	Name   string
	Kind   Kind
	Floats []float64
	Ints   []int64
	Codes  []int32
	Dict   []string // distinct values of a Text column, in order of first appearance
	Null   []bool   // for Int, Bool, Date and Time: true where missing; nil when nothing is
}

// Missing reports whether the value in row i is missing.
func (c *Column) Missing(i int) bool {
	switch c.Kind {
	case Float:
		return c.Floats[i] != c.Floats[i]
	case Text:
		return c.Codes[i] < 0
	default:
		return c.Null != nil && c.Null[i]
	}
}

// allMissing reports whether no row has a value.
func (c *Column) allMissing() bool {
	for i := range c.Len() {
		if !c.Missing(i) {
			return false
		}
	}
	return true
}

// Text returns the text in row i of a Text column, "" where it is missing.
func (c *Column) Text(i int) string {
	if c.Codes[i] < 0 {
		return ""
	}
	return c.Dict[c.Codes[i]]
}

// Len returns the number of rows.
func (c *Column) Len() int {
	switch c.Kind {
	case Float:
		return len(c.Floats)
	case Text:
		return len(c.Codes)
	default:
		return len(c.Ints)
	}
}

// A Table is a set of columns of equal length, read from one or more files.
type Table struct {
	Name    string // what messages call it: the path or glob as the user wrote it
	Rows    int
	Columns []Column
}

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Names returns the column names in order.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// CheckNames refuses a table in which two columns have one name.
func (t *Table) CheckNames() error {
	names := slices.Sorted(slices.Values(t.Names()))
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return fmt.Errorf("two columns are named %q; give each its own name", names[i])
		}
	}
	return nil
}

// Take returns the column with the given rows, in the given order. The
// dictionary of a Text column is shared.
func (c *Column) Take(rows []int) Column {
	d := Column{Name: c.Name, Kind: c.Kind, Dict: c.Dict}
	switch c.Kind {
	case Float:
		d.Floats = take(c.Floats, rows)
	case Text:
		d.Codes = take(c.Codes, rows)
	default:
		d.Ints = take(c.Ints, rows)
		if c.Null != nil {
			d.Null = take(c.Null, rows)
		}
	}
	return d
}

func take[T any](values []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = values[r]
	}
	return out
}

// Append adds the rows of another column of the same kind and, for texts, the
// same dictionary.
func (c *Column) Append(d *Column) {
	if c.Null == nil && d.Null != nil {
		c.Null = make([]bool, len(c.Ints))
	}
	if c.Null != nil {
		more := d.Null
		if more == nil {
			more = make([]bool, len(d.Ints))
		}
		c.Null = append(c.Null, more...)
	}
	c.Floats = append(c.Floats, d.Floats...)
	c.Ints = append(c.Ints, d.Ints...)
	c.Codes = append(c.Codes, d.Codes...)
}

// Sorted returns the column with the dictionary of a Text column sorted and
// rid of texts that no row holds, so that codes do not depend on the order of
// rows or files.
func (c *Column) Sorted() Column {
	d := *c
	if c.Kind != Text {
		return d
	}
	used := make([]bool, len(c.Dict))
	for _, k := range c.Codes {
		if k >= 0 {
			used[k] = true
		}
	}
	d.Dict = nil
	for k, s := range c.Dict {
		if used[k] {
			d.Dict = append(d.Dict, s)
		}
	}
	slices.Sort(d.Dict)
	rank := make([]int32, len(c.Dict))
	for k, s := range c.Dict {
		if i, ok := slices.BinarySearch(d.Dict, s); ok {
			rank[k] = int32(i)
		}
	}
	d.Codes = make([]int32, len(c.Codes))
	for i, k := range c.Codes {
		if d.Codes[i] = -1; k >= 0 {
			d.Codes[i] = rank[k]
		}
	}
	return d
}

// AsText returns the column with its values as texts: integers in decimal
// form, so that ids may be of either type.
func (c *Column) AsText() Column {
	if c.Kind == Text {
		return *c
	}
	values := make([]string, c.Len())
	for i := range values {
		if !c.Missing(i) {
			values[i] = c.format(i)
		}
	}
	return TextColumn(c.Name, values)
}

// format writes a value that is there as text.
func (c *Column) format(i int) string {
	switch c.Kind {
	case Text:
		return c.Text(i)
	case Float:
		form := byte('g')
		if x := c.Floats[i]; x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			form = 'f' // an id that some tool wrote as a number: 1000000, not 1e+06
		}
		return strconv.FormatFloat(c.Floats[i], form, -1, 64)
	case Bool:
		return strconv.FormatBool(c.Ints[i] != 0)
	case Date:
		return time.Unix(c.Ints[i]*24*60*60, 0).UTC().Format(time.DateOnly)
	case Time:
		return time.Unix(0, c.Ints[i]).UTC().Format(time.RFC3339Nano)
	}
	return strconv.FormatInt(c.Ints[i], 10)
}

// Number returns the value in row i of any column but a Text one as a number:
// dates and timestamps as days since 1970-01-01; NaN where missing.
func (c *Column) Number(i int) float64 {
	switch {
	case c.Missing(i):
		return math.NaN()
	case c.Kind == Float:
		return c.Floats[i]
	case c.Kind == Time:
		return float64(c.Ints[i]) / float64(24*time.Hour)
	}
	return float64(c.Ints[i])
}

// TextColumn returns a Text column of the given values; "" is missing.
func TextColumn(name string, values []string) Column {
	c := Column{Name: name, Kind: Text, Codes: make([]int32, len(values))}
	seen := make(map[string]int32)
	for i, s := range values {
		if s == "" {
			c.Codes[i] = -1
			continue
		}
		k, ok := seen[s]
		if !ok {
			k = int32(len(c.Dict))
			seen[s] = k
			c.Dict = append(c.Dict, s)
		}
		c.Codes[i] = k
	}
	return c
}

// TextOf returns a Text column of n values read one by one; "" is missing.
func TextOf(name string, n int, value func(i int) string) Column {
	values := make([]string, n)
	for i := range values {
		values[i] = value(i)
	}
	return TextColumn(name, values)
}

// FloatOf returns a Float column of n values read one by one; NaN is missing.
func FloatOf(name string, n int, value func(i int) float64) Column {
	c := Column{Name: name, Kind: Float, Floats: make([]float64, n)}
	for i := range c.Floats {
		c.Floats[i] = value(i)
	}
	return c
}

// IntOf returns an Int, Bool, Date or Time column of n values read one by one;
// those that are not ok are missing.
func IntOf(name string, kind Kind, n int, value func(i int) (v int64, ok bool)) Column {
	c := Column{Name: name, Kind: kind, Ints: make([]int64, n)}
	for i := range c.Ints {
		v, ok := value(i)
		if ok {
			c.Ints[i] = v
			continue
		}
		if c.Null == nil {
			c.Null = make([]bool, n)
		}
		c.Null[i] = true
	}
	return c
}
