// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/predict"
)

// Forward chaining, METHODS.md section 4, counted in renewals.
const (
	chainEvents = 100 // churned in training below which it is not tried
	blockEvents = 20  // churned (and renewed) that a block's fit must have seen
	chainShare  = 0.3 // of the rows by weight, the latest by snapshot, make the slice
	chainBlocks = 6
)

// A calibrationSlice holds predictions for rows that their fits had not seen.
type calibrationSlice struct {
	name    string // forward_chained or out_of_fold
	z, y, w []float64
	part    []int   // the block or fold of each row
	bends   bool    // are tried
	forward bool    // parts follow each other in time: a later one may not teach an earlier
	group   []int32 // of each row, numbered
	rows    []int   // of the sample
	words   string  // what it consists of
}

// without returns the slice that may teach about a part, without groups: the other
// parts, or, where parts follow each other in time, those before; and the part's
// places in c.
func (c *calibrationSlice) without(part int) (past *calibrationSlice, test []int) {
	past = new(calibrationSlice)
	for i, p := range c.part {
		switch {
		case p == part:
			test = append(test, i)
		case !c.forward || p < part:
			past.z, past.y, past.w = append(past.z, c.z[i]), append(past.y, c.y[i]), append(past.w, c.w[i])
			if c.rows != nil { // a slice may know no sample
				past.rows = append(past.rows, c.rows[i])
			}
		}
	}
	return past, test
}

// parts returns the numbers of the slice's parts, rising.
func (c *calibrationSlice) parts() []int {
	return slices.Compact(slices.Sorted(slices.Values(c.part)))
}

// takeRows copies what the slice needs of the sample: its rows' outcomes,
// weights and groups.
func (c *calibrationSlice) takeRows(s *sample) {
	group, _ := groupsOf(s.frame.Rows)
	for _, i := range c.rows {
		r := &s.frame.Rows[i]
		c.y = append(c.y, float64(r.Y))
		c.w = append(c.w, r.Weight)
		c.group = append(c.group, group[i])
	}
}

// outOfFold returns the slice of cross-validated predictions of all rows.
func outOfFold(s *sample, cv *crossValidation, why string) *calibrationSlice {
	rows := "all rows"
	if s.part {
		rows = "the sampled rows"
	}
	words := "cross-validated predictions of " + rows + " (" + why + ")"
	slice := &calibrationSlice{name: "out_of_fold", z: cv.z, words: words}
	for k := range s.folds() {
		for i := s.starts[k]; i < s.starts[k+1]; i++ {
			slice.rows, slice.part = append(slice.rows, i), append(slice.part, k)
		}
	}
	slice.takeRows(s)
	return slice
}

// forwardChained returns predictions for the last part of the rows by
// snapshot. The stretch is cut into blocks of equal length; the rows of each
// are predicted by a fit, cleaning and standardising included, on the rows
// whose outcome was known at its start. The slice is nil, with the reason,
// where that leaves nothing.
func forwardChained(ctx context.Context, s *sample, fit *fitter) (*calibrationSlice, string, error) {
	if s.churn < chainEvents {
		why := fmt.Sprintf("%.0f churned in training, %d needed to calibrate on later rows", s.churn, chainEvents)
		return nil, why, nil
	}
	slice := &calibrationSlice{name: "forward_chained", forward: true}
	used := 0
	edges := blockEdges(s)
	var m *predict.Model
	fitted := -1 // rows behind m: what is known only grows, so equal counts are equal rows
	for b := range len(edges) - 1 {
		from, to := edges[b], edges[b+1]
		var known, next []int
		for i := range s.frame.Rows {
			switch r := &s.frame.Rows[i]; {
			case r.Matured() <= from && r.Snapshot < from:
				known = append(known, i)
			case r.Snapshot >= from && r.Snapshot < to:
				next = append(next, i)
			}
		}
		if len(next) == 0 {
			continue
		}
		if len(known) != fitted {
			past := s.sub(known)
			if past.churn < blockEvents || past.total-past.churn < blockEvents {
				continue
			}
			var err error
			if m, err = fit.quickly(ctx, past); err != nil {
				return nil, "", fmt.Errorf("calibration block %d of %d: %w", b+1, len(edges)-1, err)
			}
			fitted = len(known)
		}
		z, err := m.LogOdds(nil, s.frame.Select(next))
		if err != nil {
			return nil, "", err
		}
		slice.z = append(slice.z, z...)
		slice.rows = append(slice.rows, next...)
		for range next {
			slice.part = append(slice.part, b)
		}
		used++
	}
	if used == 0 {
		return nil, "outcomes mature too late: no block of later rows has a past to train on", nil
	}
	slice.takeRows(s)
	slice.words = fmt.Sprintf("%d forward-chained blocks, snapshots from %s to %s",
		used, day(edges[0]), day(edges[len(edges)-1]-1))
	return slice, "", nil
}

// blockEdges cuts the time from the 70th percentile of the snapshots, weighted,
// to the last one into equal lengths. Edge b is the start of block b; the last
// edge lies past every snapshot.
func blockEdges(s *sample) []int64 {
	last := int64(math.MinInt64)
	times := make([]weighted, len(s.frame.Rows))
	origin := s.frame.Rows[0].Snapshot
	for i := range s.frame.Rows {
		r := &s.frame.Rows[i]
		// Differences of some decades are exact to a microsecond as float64.
		times[i] = weighted{float64(r.Snapshot - origin), r.Weight}
		last = max(last, r.Snapshot)
	}
	first := origin + int64(quantile(times, 1-chainShare))
	blocks := int64(chainBlocks)
	if last-first < blocks {
		blocks = 1
	}
	var edges []int64
	for b := range blocks {
		edges = append(edges, first+(last-first)/blocks*b)
	}
	return append(edges, last+1)
}

// day writes an instant as its UTC date.
func day(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format(time.DateOnly)
}
