// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// coverageFigure draws the share of snapshots with a value as a heat map, one
// row a feature. Features that always have one are only counted.
func coverageFigure(d *evaluate.DataCheck) (f checkFigure, ok bool) {
	cov := d.Coverage
	total := cov.Total()
	if total == 0 || len(cov.Features) == 0 {
		return f, false
	}
	sparse := slices.DeleteFunc(slices.Clone(cov.Features), func(x features.FeatureCoverage) bool { return x.Valued == total })
	slices.SortStableFunc(sparse, func(a, b features.FeatureCoverage) int { return cmp.Compare(a.Valued, b.Valued) })
	f.Title = "Rows that fade: features that lose their values"
	f.Note = fmt.Sprintf("Share of snapshots with a value, by month. %d of %d features have a value in every snapshot.",
		len(cov.Features)-len(sparse), len(cov.Features))
	if n := len(sparse) - pageFeatures; n > 0 {
		f.Rest, sparse = fmt.Sprintf("%d features that lack fewer values are in coverage.csv.", n), sparse[:pageFeatures]
	}
	first := max(0, len(cov.Months)-pageMonths)
	if first > 0 {
		f.Rest = strings.TrimSpace(f.Rest + fmt.Sprintf(" Months before %s are in coverage.csv.", cov.Months[first]))
	}
	if len(sparse) == 0 {
		return f, true // the note says it all
	}
	months, rows := cov.Months[first:], cov.Snapshots[first:]
	f.Head = append([]string{"feature", "all"}, months...)
	alt := []string{f.Title + "."}
	for i, x := range sparse {
		cells := []string{x.Feature, percentOf(x.Valued, total)}
		for m, n := range x.ByMonth[first:] {
			cells = append(cells, percentOf(n, rows[m]))
		}
		f.Rows = append(f.Rows, cells)
		if i < 3 {
			alt = append(alt, fmt.Sprintf("%s has a value in %s.", x.Feature, percentOf(x.Valued, total)))
		}
	}
	f.Legend = []checkKey{{"heat h0", "none"}, {"heat h2", "20 %"}, {"heat h5", "50 %"},
		{"heat h8", "80 %"}, {"heat h10", "all"}}
	const row, top = 24, 2
	c := newCanvas(plotWidth, float64(top+row*len(sparse)+plotBottom), strings.Join(alt, " ")+" The table below has every value.")
	x := monthScale(len(months))
	x.low = 12
	for k, feature := range sparse {
		y := float64(top + row*k)
		c.text("start", x.low, y+11, feature.Feature)
		c.heatRow(x, y+14, 8, feature.ByMonth[first:], rows)
	}
	c.monthAxis(x, months, float64(top+row*len(sparse)))
	f.Picture = c.done()
	return f, true
}

// heatRow draws one row, each stretch of months with the same share (to a
// tenth) as one rectangle, its darkness being the share. Months without
// snapshots stay open.
func (c *canvas) heatRow(x scale, y, tall float64, valued, of []int) {
	tenth := func(m int) int {
		if of[m] == 0 {
			return -1
		}
		return int(math.Round(10 * float64(valued[m]) / float64(of[m])))
	}
	for from := 0; from < len(of); {
		to := from + 1
		for to < len(of) && tenth(to) == tenth(from) {
			to++
		}
		if t := tenth(from); t >= 0 {
			c.rect(fmt.Sprintf("heat h%d", t), x.at(float64(from)), y, x.at(float64(to))-x.at(float64(from)), tall)
		}
		from = to
	}
}
