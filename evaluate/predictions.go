// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// predictionTable lists every prediction with its outcome in the columns
//
//	origin, account_id, contract_id, snapshot, due, lead_days, candidate, p_churn, y, value, segment
//
// ordered by candidate, origin and frame row. Days are calendar days in loc;
// origin is one as well, or the name of a fold. Where the frame has no times,
// snapshot, due and lead_days are missing.
func predictionTable(f *features.Frame, origins []Origin, candidates []Candidate, predictions [][]prediction,
	loc *time.Location, timed bool) *data.Table {
	// Text is looked up once for every test row, not once for every candidate.
	var tested []*features.Row
	starts := make([]int, len(origins))
	for o := range origins {
		starts[o] = len(tested)
		for _, r := range origins[o].Test {
			tested = append(tested, &f.Rows[r])
		}
	}
	var rows []*features.Row
	var at, origin, candidate []int32
	var p []float64
	for c := range candidates {
		for o := range origins {
			if predictions[o][c].err != nil {
				continue
			}
			for i, r := range origins[o].Test {
				rows, at = append(rows, &f.Rows[r]), append(at, int32(starts[o]+i))
				origin, candidate = append(origin, int32(o)), append(candidate, int32(c))
				p = append(p, predictions[o][c].p[i])
			}
		}
	}
	day := func(t int64) int64 { return int64(data.DayOf(t, loc)) }
	names := make([]string, len(candidates))
	for c := range candidates {
		names[c] = candidates[c].Name
	}
	return &data.Table{Name: "predictions", Rows: len(rows), Columns: []data.Column{
		originColumn(origins, origin, timed, day),
		text(tested, at, "account_id", func(r *features.Row) string { return r.Account }),
		text(tested, at, "contract_id", func(r *features.Row) string { return r.Contract }),
		times(rows, "snapshot", data.Date, timed, func(r *features.Row) int64 { return day(r.Snapshot) }),
		times(rows, "due", data.Date, timed, func(r *features.Row) int64 { return day(r.Due) }),
		times(rows, "lead_days", data.Int, timed, func(r *features.Row) int64 { return int64(r.LeadDays) }),
		{Name: "candidate", Kind: data.Text, Codes: candidate, Dict: names},
		{Name: "p_churn", Kind: data.Float, Floats: p},
		times(rows, "y", data.Int, true, func(r *features.Row) int64 { return int64(r.Y) }),
		data.FloatOf("value", len(rows), func(i int) float64 { return rows[i].Value }),
		text(tested, at, "segment", func(r *features.Row) string { return r.Segment }),
	}}
}

func originColumn(origins []Origin, of []int32, timed bool, day func(int64) int64) data.Column {
	if timed {
		c := data.Column{Name: "origin", Kind: data.Date, Ints: make([]int64, len(of))}
		for i, o := range of {
			c.Ints[i] = day(origins[o].At.UnixNano())
		}
		return c
	}
	names := make([]string, len(origins))
	for o := range origins {
		names[o] = origins[o].Name
	}
	return data.Column{Name: "origin", Kind: data.Text, Codes: of, Dict: names}
}

// text is a column of the rows tested[at[i]].
func text(tested []*features.Row, at []int32, name string, value func(*features.Row) string) data.Column {
	c := data.TextOf(name, len(tested), func(i int) string { return value(tested[i]) })
	codes := make([]int32, len(at))
	for i, k := range at {
		codes[i] = c.Codes[k]
	}
	c.Codes = codes
	return c
}

// times reads what only rows with a time have; without one all is missing.
func times(rows []*features.Row, name string, kind data.Kind, timed bool,
	value func(*features.Row) int64) data.Column {
	return data.IntOf(name, kind, len(rows), func(i int) (int64, bool) {
		if !timed {
			return 0, false
		}
		return value(rows[i]), true
	})
}
