// SPDX-License-Identifier: Apache-2.0

package features

import (
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// keyColumns are the names that Table puts before the features; no feature may
// have one of them.
var keyColumns = []string{"account_id", "contract_id", "snapshot", "due", "lead_days", "status", "mature", "y", "weight", "value", "kept"}

// Table returns the frame as a table for writing: the key columns
//
//	account_id, contract_id, snapshot, due, lead_days, status, mature, y, weight, value, kept
//
// then one column per feature. Days are calendar days in loc; mature, y and
// kept are missing where the outcome is not known.
func (f *Frame) Table(loc *time.Location) *data.Table {
	n := len(f.Rows)
	days := data.Days{Location: loc}
	day := func(t int64) int64 { return int64(days.Of(t)) }
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
		f.floats("kept", func(r *Row) float64 { return r.Kept }),
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

// text makes a column of texts that come in runs, or of which no two are
// alike: one entry of the dictionary for each run.
func (f *Frame) text(name string, value func(*Row) string) data.Column {
	c := data.Column{Name: name, Kind: data.Text, Codes: make([]int32, len(f.Rows))}
	for i := range f.Rows {
		text := value(&f.Rows[i])
		if n := len(c.Dict); n == 0 || c.Dict[n-1] != text {
			c.Dict = append(c.Dict, text)
		}
		if c.Codes[i] = int32(len(c.Dict) - 1); text == "" {
			c.Codes[i] = -1
		}
	}
	return c
}

func (f *Frame) floats(name string, value func(*Row) float64) data.Column {
	return data.FloatOf(name, len(f.Rows), func(i int) float64 { return value(&f.Rows[i]) })
}

func (f *Frame) ints(name string, kind data.Kind, value func(*Row) (int64, bool)) data.Column {
	return data.IntOf(name, kind, len(f.Rows), func(i int) (int64, bool) { return value(&f.Rows[i]) })
}
