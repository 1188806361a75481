// SPDX-License-Identifier: Apache-2.0

package features

import (
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// A TableStream turns a ready table that comes in pieces into frames under a
// spec, piece by piece, as TableFrame does with a table that is held whole. Its
// rows have no id, label or time.
type TableStream struct {
	spec  *Spec
	from  []Feature // as columns of the table
	frame Frame
	rows  []Row
}

// NewTableStream returns a stream of frames under a spec.
func NewTableStream(spec *Spec) *TableStream {
	s := &TableStream{spec: spec}
	s.frame = Frame{SpecDigest: spec.Digest(), Columns: make([]Column, len(spec.Features))}
	for i, feature := range spec.Features {
		s.frame.Columns[i].Feature = feature
		s.from = append(s.from, feature.inTable())
	}
	return s
}

// Columns names the columns of the table that the frames are made of.
func (s *TableStream) Columns() []string {
	var names []string
	for i := range s.from {
		names = append(names, s.from[i].Column)
	}
	return names
}

// Expects lists those of the named columns with their types, for messages.
func (s *TableStream) Expects(names []string) string {
	var wanted []string
	for i := range s.from {
		if f := &s.from[i]; slices.Contains(names, f.Column) {
			wanted = append(wanted, f.expected())
		}
	}
	return strings.Join(wanted, ", ")
}

// Frame returns the frame of one piece, in its order. The frame shares memory
// with the piece and with the frame before, whose columns it keeps in place.
// Levels are in order of first appearance. Numbers must be finite or NaN.
func (s *TableStream) Frame(t *data.Table) (*Frame, error) {
	for len(s.rows) < t.Rows {
		s.rows = append(s.rows, Row{})
	}
	s.frame.Rows = s.rows[:t.Rows]
	for i := range s.frame.Columns {
		c := &s.frame.Columns[i]
		from := column(t, i, s.from[i].Column)
		if from == nil || !s.from[i].accepts(from) {
			return nil, signature(t, s.spec)
		}
		switch {
		case c.IsLevel() && from.Kind == data.Text:
			c.Codes, c.Levels = from.Codes, from.Dict
		case c.IsLevel():
			c.Codes, c.Levels = c.Codes[:0], nil
			for range t.Rows {
				c.Codes = append(c.Codes, -1)
			}
		case from.Kind == data.Float:
			c.Num = from.Floats
		default:
			c.Num = c.Num[:0]
			for r := range t.Rows {
				x := nan
				if from.Kind != data.Text { // of which none has a value
					x = from.Number(r)
				}
				c.Num = append(c.Num, x)
			}
		}
	}
	return &s.frame, nil
}

// column is Table.Column of a column that is likely to stand at place i.
func column(t *data.Table, i int, name string) *data.Column {
	if i < len(t.Columns) && t.Columns[i].Name == name {
		return &t.Columns[i]
	}
	return t.Column(name)
}
