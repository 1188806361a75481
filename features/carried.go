// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-churn/holdfast/data"
)

// A carried frame is a table that loses nothing of a frame, for the way between
// processes of one run: first the account, then the number of the row among those
// of the account, by which any engine can bring rows back into the frame's order;
// then what else a frame knows of a row, instants as nanoseconds; then the features
// as f0, f1, … in the order of the spec, so that no name of theirs clashes with
// another.
//
// Texts that are empty, and numbers that are NaN, are null.

// carriedFact is a column of a carried frame that is no feature.
type carriedFact struct {
	name string
	text func(*Row) *string
	num  func(*Row) *float64
	get  func(*Row) int64
	set  func(*Row, int64)
}

var carriedFacts = []carriedFact{
	{name: "account_id", text: func(r *Row) *string { return &r.Account }},
	{name: "contract_id", text: func(r *Row) *string { return &r.Contract }},
	{name: "group", text: func(r *Row) *string { return &r.Group }},
	{name: "segment", text: func(r *Row) *string { return &r.Segment }},
	{name: "phase", text: func(r *Row) *string { return &r.Phase }},
	{name: "currency", text: func(r *Row) *string { return &r.Currency }},
	{name: "snapshot", get: func(r *Row) int64 { return r.Snapshot }, set: func(r *Row, v int64) { r.Snapshot = v }},
	{name: "due", get: func(r *Row) int64 { return r.Due }, set: func(r *Row, v int64) { r.Due = v }},
	{name: "mature", get: func(r *Row) int64 { return r.Mature }, set: func(r *Row, v int64) { r.Mature = v }},
	{name: "last_event", get: func(r *Row) int64 { return r.LastEvent }, set: func(r *Row, v int64) { r.LastEvent = v }},
	{name: "lead_days", get: func(r *Row) int64 { return int64(r.LeadDays) }, set: func(r *Row, v int64) { r.LeadDays = int32(v) }},
	{name: "term_days", get: func(r *Row) int64 { return int64(r.TermDays) }, set: func(r *Row, v int64) { r.TermDays = int32(v) }},
	{name: "y", get: func(r *Row) int64 { return int64(r.Y) }, set: func(r *Row, v int64) { r.Y = int8(v) }},
	{name: "status", get: func(r *Row) int64 { return int64(r.Status) }, set: func(r *Row, v int64) { r.Status = Status(v) }},
	{name: "auto_renew", get: func(r *Row) int64 { return int64(r.AutoRenew) }, set: func(r *Row, v int64) { r.AutoRenew = int8(v) }},
	{name: "involuntary", get: involuntary, set: func(r *Row, v int64) { r.Involuntary = v != 0 }},
	{name: "weight", num: func(r *Row) *float64 { return &r.Weight }},
	{name: "value", num: func(r *Row) *float64 { return &r.Value }},
	{name: "kept", num: func(r *Row) *float64 { return &r.Kept }},
}

func involuntary(r *Row) int64 {
	if r.Involuntary {
		return 1
	}
	return 0
}

// Carry returns the frame as a carried one. The rows of an account must be beside
// each other, from its first one.
func (f *Frame) Carry() *data.Table {
	t := &data.Table{Name: "frame", Rows: len(f.Rows)}
	for i, c := range carriedFacts {
		if i == 1 {
			t.Columns = append(t.Columns, f.rowNumbers())
		}
		switch {
		case c.text != nil:
			t.Columns = append(t.Columns, f.text(c.name, func(r *Row) string { return *c.text(r) }))
		case c.num != nil:
			t.Columns = append(t.Columns, f.floats(c.name, func(r *Row) float64 { return *c.num(r) }))
		default:
			t.Columns = append(t.Columns, f.ints(c.name, data.Int, func(r *Row) (int64, bool) { return c.get(r), true }))
		}
	}
	for k := range f.Columns {
		if c := &f.Columns[k]; c.IsLevel() {
			t.Columns = append(t.Columns, data.Column{Name: carriedName(k), Kind: data.Text, Codes: c.Codes, Dict: c.Levels})
		} else {
			t.Columns = append(t.Columns, data.Column{Name: carriedName(k), Kind: data.Float, Floats: c.Num})
		}
	}
	return t
}

func carriedName(feature int) string { return "f" + strconv.Itoa(feature) }

// rowNumbers numbers the rows of each account.
func (f *Frame) rowNumbers() data.Column {
	n := int64(-1)
	return data.IntOf("row", data.Int, len(f.Rows), func(i int) (int64, bool) {
		if n++; i > 0 && f.Rows[i].Account != f.Rows[i-1].Account {
			n = 0
		}
		return n, true
	})
}

// SummedColumns are the columns of a carried frame that sums over its rows need.
func SummedColumns(spec *Spec) []string {
	names := []string{"account_id", "row", "group", "y", "weight"}
	for k := range spec.Features {
		names = append(names, carriedName(k))
	}
	return names
}

// CarriedColumns are the names of all columns of a carried frame.
func CarriedColumns(spec *Spec) []string {
	return (&Frame{Columns: make([]Column, len(spec.Features))}).Carry().Names()
}

// CarriedFrame returns the frame that a table carries; facts that it lacks are
// left zero, a feature that it lacks or has of another kind is an error that wraps
// data.ErrBadData.
func CarriedFrame(t *data.Table, spec *Spec, digest string) (*Frame, error) {
	f := &Frame{SpecDigest: digest, Rows: make([]Row, t.Rows), Columns: make([]Column, len(spec.Features))}
	for _, c := range carriedFacts {
		column := t.Column(c.name)
		if column == nil {
			continue
		}
		if err := c.read(f.Rows, column); err != nil {
			return nil, err
		}
	}
	for k := range f.Columns {
		c := &f.Columns[k]
		c.Feature = spec.Features[k]
		column := t.Column(carriedName(k))
		switch {
		case column == nil:
			return nil, carriedError("column %s is missing", carriedName(k))
		case c.IsLevel() && column.Kind == data.Text:
			c.Codes, c.Levels = column.Codes, column.Dict
		case !c.IsLevel() && column.Kind == data.Float:
			c.Num = column.Floats
		default:
			return nil, carriedError("column %s is of kind %v", carriedName(k), column.Kind)
		}
	}
	return f, nil
}

// read sets a fact of all rows.
func (c *carriedFact) read(rows []Row, column *data.Column) error {
	kind := data.Int
	switch {
	case c.text != nil:
		kind = data.Text
	case c.num != nil:
		kind = data.Float
	}
	if column.Kind != kind {
		return carriedError("column %s is of kind %v", c.name, column.Kind)
	}
	for i := range rows {
		switch {
		case c.num != nil:
			*c.num(&rows[i]) = column.Floats[i]
		case c.set != nil && column.Missing(i):
			return carriedError("column %s is null in row %d", c.name, i+1)
		case c.set != nil:
			c.set(&rows[i], column.Ints[i])
		case column.Codes[i] >= 0:
			*c.text(&rows[i]) = column.Dict[column.Codes[i]]
		}
	}
	return nil
}

// Columns returns the columns of the frames of a history under a spec, without
// values: with all levels that the history knows.
func Columns(h *data.History, spec *Spec) []Column { return newTemplate(h, spec).columns }

// Recode numbers the levels of a frame as some columns do, which have all of them.
func (f *Frame) Recode(columns []Column) {
	for k := range f.Columns {
		c, levels := &f.Columns[k], columns[k].Levels
		to := make([]int32, len(c.Levels))
		for code, name := range c.Levels {
			to[code] = int32(slices.Index(levels, name))
		}
		for i, code := range c.Codes {
			if code >= 0 {
				c.Codes[i] = to[code]
			}
		}
		c.Levels = levels
	}
}

func carriedError(format string, args ...any) error {
	return fmt.Errorf("a frame between processes: %s: %w", fmt.Sprintf(format, args...), data.ErrBadData)
}
