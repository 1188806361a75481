// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// Coverage counts in how many snapshots each feature has a value, by the month
// of the snapshot.
type Coverage struct {
	Months    []string          `json:"months"`    // consecutive, such as 2024-05
	Snapshots []int             `json:"snapshots"` // of each month
	Features  []FeatureCoverage `json:"features"`  // in the frame's order
}

// FeatureCoverage is the coverage of one feature.
type FeatureCoverage struct {
	Feature string `json:"feature"`
	Valued  int    `json:"valued"`   // snapshots with a value
	ByMonth []int  `json:"by_month"` // the same, aligned with Coverage.Months
}

// CoverageOf counts the values of a frame. Counts and sums over nothing are 0,
// which is a value: what a source does not hold shows in its events by month.
func CoverageOf(f *Frame, loc *time.Location) *Coverage {
	at := make([]int, len(f.Rows))
	c := &Coverage{Features: make([]FeatureCoverage, len(f.Columns))}
	c.Months = monthsOf(at, loc, func(i int) int64 { return f.Rows[i].Snapshot })
	c.Snapshots = make([]int, len(c.Months))
	for _, m := range at {
		c.Snapshots[m]++
	}
	for k := range f.Columns {
		column, of := &f.Columns[k], &c.Features[k]
		of.Feature, of.ByMonth = column.Feature.Name, make([]int, len(c.Months))
		for i, m := range at {
			if column.hasValue(i) {
				of.ByMonth[m]++
				of.Valued++
			}
		}
	}
	return c
}

// hasValue reports whether the feature is not missing in row i.
func (c *Column) hasValue(i int) bool {
	if c.IsLevel() {
		return c.Codes[i] >= 0
	}
	return c.Num[i] == c.Num[i]
}

// Total returns the number of snapshots.
func (c *Coverage) Total() int {
	n := 0
	for _, rows := range c.Snapshots {
		n += rows
	}
	return n
}

// monthsOf stores in at the place of each row's instant among the consecutive
// months from the first to the last, and returns the names of those.
func monthsOf(at []int, loc *time.Location, instant func(int) int64) []string {
	first, last := 0, -1
	for i := range at {
		y, m, _ := time.Unix(0, instant(i)).In(loc).Date()
		at[i] = y*12 + int(m) - 1
		if i == 0 {
			first = at[i]
		}
		first, last = min(first, at[i]), max(last, at[i])
	}
	names := []string{}
	for m := first; m <= last; m++ {
		names = append(names, time.Date(m/12, time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"))
	}
	for i := range at {
		at[i] -= first
	}
	return names
}

// Late months and what counts as a fall, for Findings.
const (
	lateMonths   = 3
	coverageFall = 0.25
	fewSnapshots = 30
)

// Findings names the features without any value, and those whose coverage in
// the last three months with snapshots is 25 points or more below that before:
// a model would learn from values that the accounts of today do not have.
func (c *Coverage) Findings() []data.Finding {
	late := c.late()
	var empty, fell []string
	var early, recent int
	for m, n := range c.Snapshots {
		if m < late {
			early += n
		} else {
			recent += n
		}
	}
	for i := range c.Features {
		f := &c.Features[i]
		if f.Valued == 0 && early+recent > 0 {
			empty = append(empty, f.Feature)
			continue
		}
		valued := 0
		for _, n := range f.ByMonth[late:] {
			valued += n
		}
		if early < fewSnapshots || recent < fewSnapshots {
			continue
		}
		before, now := float64(f.Valued-valued)/float64(early), float64(valued)/float64(recent)
		if before-now >= coverageFall {
			fell = append(fell, fmt.Sprintf("%s (%.0f %% to %.0f %%)", f.Feature, 100*before, 100*now))
		}
	}
	out := []data.Finding{}
	if len(fell) > 0 {
		out = append(out, data.Finding{Severity: data.Warning, Check: "coverage_fell", Subject: "features", Message: fmt.Sprintf(
			"%d features have a value in far fewer snapshots from %s on: %s", len(fell), c.Months[late], data.Listed(fell))})
	}
	if len(empty) > 0 {
		out = append(out, data.Finding{Severity: data.Note, Check: "no_coverage", Subject: "features", Message: fmt.Sprintf(
			"%d features have no value in any snapshot: %s", len(empty), data.Listed(empty))})
	}
	return out
}

// late returns the place of the third-last month with snapshots.
func (c *Coverage) late() int {
	seen := 0
	for m := len(c.Snapshots) - 1; m >= 0; m-- {
		if c.Snapshots[m] > 0 {
			if seen++; seen == lateMonths {
				return m
			}
		}
	}
	return 0
}
