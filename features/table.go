// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// TableOptions says what the columns of a ready table are.
type TableOptions struct {
	Label    string   // column with the outcome; empty when scoring
	Positive string   // value of Label that means churn; needed unless it is 0/1 or true/false
	ID       string   // identifies a row; rows of one id share a fold
	Time     string   // when the row was taken; splits then go by time
	Drop     []string // columns to leave out

	before   int             // rows of the table before these ones
	outcomes map[string]bool // values of the label; nil to find them in the table at hand
}

// TableSpec describes the columns of a ready table: numbers, booleans and
// dates as numbers, texts as levels.
func TableSpec(t *data.Table, o TableOptions) (*Spec, error) {
	for _, name := range append([]string{o.Label, o.ID, o.Time}, o.Drop...) {
		if name != "" && t.Column(name) == nil {
			return nil, data.MissingColumns(t.Name, []string{name}, t.Names())
		}
	}
	s := &Spec{Version: SpecVersion, Timezone: "UTC", Outcome: Outcome{Mode: Table}}
	for i := range t.Columns {
		c := &t.Columns[i]
		if slices.Contains([]string{o.Label, o.ID, o.Time}, c.Name) || slices.Contains(o.Drop, c.Name) {
			continue
		}
		f := Feature{Name: c.Name, From: FromTable, Column: c.Name, Agg: Attribute, Kind: NumberKind, Input: c.Kind.String(),
			Pillar: "table", Direction: Free, Label: c.Name}
		if c.Kind == data.Text {
			f.Kind = LevelKind
		}
		s.Features = append(s.Features, f)
	}
	if len(s.Features) == 0 {
		return nil, fmt.Errorf("%s: no column is left to learn from: %w", t.Name, data.ErrBadData)
	}
	return s, nil
}

// TableFrame makes a frame of a ready table under a spec, in the table's
// order. Columns the spec does not name are ignored; missing ones and those of
// another type are errors. Without an id a row's group is its content, so that
// repeated rows share a fold.
func TableFrame(t *data.Table, spec *Spec, o TableOptions) (*Frame, error) {
	f := &Frame{SpecDigest: spec.Digest(), Rows: make([]Row, t.Rows), Columns: make([]Column, len(spec.Features))}
	if err := signature(t, spec); err != nil {
		return nil, err
	}
	for i, feature := range spec.Features {
		c := t.Column(feature.inTable().Column)
		f.Columns[i] = Column{Feature: feature}
		if err := f.Columns[i].take(t, c, o.before); err != nil {
			return nil, err
		}
	}
	y, err := labels(t, o)
	if err != nil {
		return nil, err
	}
	at, err := tableTimes(t, o)
	if err != nil {
		return nil, err
	}
	id, group := rowIDs(t, o), f.groups(t, o)
	for r := range f.Rows {
		f.Rows[r] = Row{Account: id(r), Group: group(r), Snapshot: at(r), Due: at(r), Mature: at(r), Y: y(r), Weight: 1, Value: nan, Kept: nan,
			AutoRenew: Unknown}
	}
	return f, nil
}

// ScanTable makes frames of a ready table that need not fit in memory, in blocks
// of at most rows rows, and hands each over with the part of the table it is made
// of, which is valid until each returns. Frames are as TableFrame makes them, but
// their level dictionaries are each block's own. Columns are decoded by so many
// workers, of all processors where that is 0.
func ScanTable(
	fsys data.FS, path string, spec *Spec, o TableOptions, rows, workers int, each func(*data.Table, *Frame) error,
) error {
	if o.Label != "" {
		o.outcomes = make(map[string]bool)
		err := data.ScanBatches(fsys, path, []string{o.Label}, rows, workers, func(t *data.Table) error {
			addValues(o.outcomes, &t.Columns[0])
			if len(o.outcomes) > 2 {
				return labelError(t, o, "a label has two values")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return data.ScanBatches(fsys, path, nil, rows, workers, func(t *data.Table) error {
		f, err := TableFrame(t, spec, o)
		if err != nil {
			return err
		}
		o.before += t.Rows
		return each(t, f)
	})
}

// take fills a frame column from a column of the table that it accepts.
func (c *Column) take(t *data.Table, from *data.Column, before int) error {
	isText := from.Kind == data.Text
	if c.IsLevel() {
		c.Codes = make([]int32, t.Rows)
		if isText {
			sorted := from.Sorted()
			c.Codes, c.Levels = sorted.Codes, sorted.Dict
			return nil
		}
		for r := range c.Codes {
			c.Codes[r] = -1
		}
		return nil
	}
	c.Num = make([]float64, t.Rows)
	for r := range c.Num {
		if c.Num[r] = nan; !isText {
			c.Num[r] = from.Number(r)
		}
		if math.IsInf(c.Num[r], 0) {
			return &data.RowError{Table: t.Name, Row: before + r + 1, Column: from.Name, Problem: "is infinite; give a finite number or null"}
		}
	}
	return nil
}

// inTable returns the feature as a column of a ready table: its own column or,
// where it is a feature of a project, the one that Frame.Table writes.
func (f Feature) inTable() Feature {
	if f.From == FromTable {
		return f
	}
	f.Column, f.Input = f.Name, data.Float.String()
	if f.Kind == LevelKind {
		f.Input = data.Text.String()
	}
	return f
}

// signature checks that the table has every column of the spec, in its kind.
func signature(t *data.Table, spec *Spec) error {
	var missing, wanted []string
	for _, f := range spec.Features {
		f = f.inTable()
		c := t.Column(f.Column)
		if c == nil {
			missing = append(missing, f.Column)
			wanted = append(wanted, f.expected())
			continue
		}
		if !f.accepts(c) {
			return &data.RowError{Table: t.Name, Column: f.Column, Problem: fmt.Sprintf(
				"is of type %v; the model was trained on type %s", c.Kind, f.Input)}
		}
	}
	if missing != nil {
		return fmt.Errorf("%w; the model expects %s", data.MissingColumns(t.Name, missing, t.Names()), strings.Join(wanted, ", "))
	}
	return nil
}

// expected names the feature's column and its type.
func (f *Feature) expected() string { return fmt.Sprintf("%s (%s)", f.Column, f.Input) }

// labels returns a reader of y. It reads Unknown where the label is missing,
// and everywhere without a label column.
func labels(t *data.Table, o TableOptions) (func(int) int8, error) {
	c := t.Column(o.Label)
	if c == nil {
		return func(int) int8 { return Unknown }, nil
	}
	values := o.outcomes
	if values == nil {
		values = make(map[string]bool)
		addValues(values, c)
	}
	positive, err := positiveOf(t, o, values)
	if err != nil {
		return nil, err
	}
	asText := c.AsText()
	text := asText.Text
	return func(i int) int8 {
		switch {
		case c.Missing(i):
			return Unknown
		case text(i) == positive:
			return 1
		}
		return 0
	}, nil
}

// addValues adds the values of a label to those that are known; three are enough
// to see that it is none.
func addValues(values map[string]bool, c *data.Column) {
	text := c.AsText()
	for i := range c.Len() {
		if !c.Missing(i) {
			values[text.Text(i)] = true
		}
	}
}

// positiveOf returns the value of the label that means churn.
func positiveOf(t *data.Table, o TableOptions, values map[string]bool) (string, error) {
	o.outcomes = values
	if len(values) > 2 {
		return "", labelError(t, o, "a label has two values")
	}
	positive := o.Positive
	for v := range values {
		switch low := strings.ToLower(v); {
		case o.Positive != "":
		case low == "1" || low == "true":
			if positive != "" {
				return "", labelError(t, o, "give --positive VALUE to say which means churn")
			}
			positive = v
		case low != "0" && low != "false":
			return "", labelError(t, o, "give --positive VALUE to say which means churn")
		}
	}
	if o.Positive != "" && !values[o.Positive] {
		return "", labelError(t, o, fmt.Sprintf("--positive %q is not among them", o.Positive))
	}
	return positive, nil
}

func labelError(t *data.Table, o TableOptions, problem string) error {
	var found []string
	for v := range o.outcomes {
		found = append(found, fmt.Sprintf("%q", v))
	}
	sort.Strings(found)
	n := len(found)
	if n > 5 {
		found = append(found[:5], fmt.Sprintf("and %d more", n-5))
	}
	return &data.RowError{Table: t.Name, Column: o.Label, Problem: fmt.Sprintf("holds %s; %s", strings.Join(found, ", "), problem)}
}

// tableTimes returns a reader of the time column, 0 without one.
func tableTimes(t *data.Table, o TableOptions) (func(int) int64, error) {
	name := o.Time
	c := t.Column(name)
	if c == nil {
		return func(int) int64 { return 0 }, nil
	}
	if c.Kind != data.Date && c.Kind != data.Time {
		return nil, &data.RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf("is of type %v; --time needs a date or a timestamp", c.Kind)}
	}
	for i := range t.Rows {
		if c.Missing(i) {
			return nil, &data.RowError{Table: t.Name, Row: o.before + i + 1, Column: name, Problem: "is empty; every row needs its time"}
		}
	}
	return func(i int) int64 {
		if c.Kind == data.Date {
			return data.DayStart(int(c.Ints[i]), time.UTC)
		}
		return c.Ints[i]
	}, nil
}

// rowIDs returns a reader of the id of a row: its number from 1 without an id
// column.
func rowIDs(t *data.Table, o TableOptions) func(int) string {
	c := t.Column(o.ID)
	if c == nil {
		return func(r int) string { return strconv.Itoa(o.before + r + 1) }
	}
	text := c.AsText()
	return text.Text
}

// groups returns the fold group of each row: its id, or a hash of its content.
func (f *Frame) groups(t *data.Table, o TableOptions) func(int) string {
	if o.ID != "" {
		return rowIDs(t, o)
	}
	quoted := make([][]string, len(f.Columns)) // levels, by column and code
	for i := range f.Columns {
		for _, name := range f.Columns[i].Levels {
			quoted[i] = append(quoted[i], strconv.Quote(name)+";")
		}
	}
	var b []byte
	return func(r int) string {
		h := fnv.New64a()
		for i := range f.Columns {
			switch c := &f.Columns[i]; {
			case !c.IsLevel():
				b = append(strconv.AppendUint(b[:0], math.Float64bits(c.Num[r]), 16), ';')
				h.Write(b)
			case c.Codes[r] >= 0:
				h.Write([]byte(quoted[i][c.Codes[r]]))
			default:
				h.Write([]byte("-;"))
			}
		}
		return strconv.FormatUint(h.Sum64(), 16)
	}
}
