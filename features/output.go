// SPDX-License-Identifier: Apache-2.0

package features

import (
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// keyColumns are the names that Table puts before the features; no feature may
// have one of them.
var keyColumns = []string{"account_id", "contract_id", "snapshot", "due", "lead_days", "status", "mature", "y", "weight", "value"}

// Table returns the frame as a table for writing: the key columns
//
//	account_id, contract_id, snapshot, due, lead_days, status, mature, y, weight, value
//
// then one column per feature. Days are calendar days in loc; mature and y
// are missing where the outcome is not known.
func (f *Frame) Table(loc *time.Location) *data.Table {
	n := len(f.Rows)
	day := func(t int64) int64 { return int64(data.DayOf(t, loc)) }
	t := &data.Table{Name: "features", Rows: n, Columns: []data.Column{
		f.text("account_id", func(r *Row) string { return r.Account }),
		f.text("contract_id", func(r *Row) string { return r.Contract }),
		f.ints("snapshot", data.Date, func(r *Row) (int64, bool) { return day(r.Snapshot), true }),
		f.ints("due", data.Date, func(r *Row) (int64, bool) { return day(r.Due), true }),
		f.ints("lead_days", data.Int, func(r *Row) (int64, bool) { return int64(r.LeadDays), true }),
		f.text("status", func(r *Row) string { return r.Status.String() }),
		f.ints("mature", data.Date, func(r *Row) (int64, bool) {
			if r.Mature == Never {
				return 0, false
			}
			return day(r.Mature), true
		}),
		f.ints("y", data.Int, func(r *Row) (int64, bool) { return int64(r.Y), r.Y != Unknown }),
		f.floats("weight", func(r *Row) float64 { return r.Weight }),
		f.floats("value", func(r *Row) float64 { return r.Value }),
	}}
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.IsLevel() {
			t.Columns = append(t.Columns, data.Column{Name: c.Feature.Name, Kind: data.Text, Codes: c.Codes, Dict: c.Levels})
		} else {
			t.Columns = append(t.Columns, data.Column{Name: c.Feature.Name, Kind: data.Float, Floats: c.Num})
		}
	}
	return t
}

func (f *Frame) text(name string, value func(*Row) string) data.Column {
	values := make([]string, len(f.Rows))
	for i := range f.Rows {
		values[i] = value(&f.Rows[i])
	}
	return data.TextColumn(name, values)
}

func (f *Frame) floats(name string, value func(*Row) float64) data.Column {
	c := data.Column{Name: name, Kind: data.Float, Floats: make([]float64, len(f.Rows))}
	for i := range f.Rows {
		c.Floats[i] = value(&f.Rows[i])
	}
	return c
}

func (f *Frame) ints(name string, kind data.Kind, value func(*Row) (int64, bool)) data.Column {
	c := data.Column{Name: name, Kind: kind, Ints: make([]int64, len(f.Rows)), Null: make([]bool, len(f.Rows))}
	for i := range f.Rows {
		v, ok := value(&f.Rows[i])
		if c.Null[i] = !ok; ok {
			c.Ints[i] = v
		}
	}
	return c
}
