// SPDX-License-Identifier: Apache-2.0

package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/sjwhitworth/golearn/base"

	"github.com/holdfast-churn/holdfast/features"
)

const (
	// bins is the most distinct values a number keeps. golearn tries every
	// midpoint between two of them and counts all labels anew each time: on
	// 1,000 rows and 90 columns a depth of 5 took 3.3 s with the values as they
	// are and 0.2 s in 16 bins.
	bins = 16
	// maxLevels is the most levels of a column that get an indicator, the
	// common ones first.
	maxLevels = 16
)

// An encoding turns the columns of a frame into columns of numbers: a number
// into that of its quantile bin among the training rows, 0 … 15, with the
// median for missing; levels into an indicator each.
type encoding struct {
	numbers []numberCode
	levels  []levelCode
}

type numberCode struct {
	name   string
	cuts   []float64 // ascending; the bin of x is the number of cuts ≤ x
	median float64   // bin that stands in for missing
}

type levelCode struct {
	name, level string
}

// newEncoding derives the encoding from the given training rows.
func newEncoding(f *features.Frame, rows []int) *encoding {
	e := &encoding{}
	for k := range f.Columns {
		c := &f.Columns[k]
		if c.IsLevel() {
			for _, level := range commonLevels(c, rows) {
				e.levels = append(e.levels, levelCode{c.Feature.Name, level})
			}
			continue
		}
		if code, varies := newNumberCode(c, rows); varies {
			e.numbers = append(e.numbers, code)
		}
	}
	return e
}

func (e *encoding) width() int { return len(e.numbers) + len(e.levels) }

// newNumberCode cuts at the 1/16 … 15/16 quantiles; a column that one bin
// holds does not vary.
func newNumberCode(c *features.Column, rows []int) (code numberCode, varies bool) {
	var x []float64
	for _, r := range rows {
		if v := c.Num[r]; !math.IsNaN(v) {
			x = append(x, v)
		}
	}
	slices.Sort(x)
	code.name = c.Feature.Name
	for k := 1; k < bins; k++ {
		if len(x) == 0 {
			return code, false
		}
		// A cut at the minimum would leave the first bin empty.
		if cut := x[k*len(x)/bins]; cut > x[0] && (len(code.cuts) == 0 || cut > code.cuts[len(code.cuts)-1]) {
			code.cuts = append(code.cuts, cut)
		}
	}
	if len(code.cuts) > 0 {
		code.median = code.bin(x[len(x)/2])
	}
	return code, len(code.cuts) > 0
}

func (n *numberCode) bin(x float64) float64 {
	if math.IsNaN(x) {
		return n.median
	}
	k, found := slices.BinarySearch(n.cuts, x)
	if found {
		k++
	}
	return float64(k)
}

// commonLevels returns the most common levels of the rows, ties by name.
func commonLevels(c *features.Column, rows []int) []string {
	counts := make([]int, len(c.Levels))
	for _, r := range rows {
		if k := c.Codes[r]; k >= 0 {
			counts[k]++
		}
	}
	var seen []int
	for k, n := range counts {
		if n > 0 {
			seen = append(seen, k)
		}
	}
	slices.SortFunc(seen, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(c.Levels[a], c.Levels[b]))
	})
	var names []string
	for _, k := range seen[:min(len(seen), maxLevels)] {
		names = append(names, c.Levels[k])
	}
	return names
}

// grid returns the encoded rows as golearn wants them, the columns in the
// order of the encoding; with labels, the outcome is the class column.
func (e *encoding) grid(f *features.Frame, rows []int, labels bool) (*base.DenseInstances, error) {
	g := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, e.width())
	for j := range specs {
		specs[j] = g.AddAttribute(base.NewFloatAttribute(fmt.Sprintf("x%d", j)))
	}
	var label base.AttributeSpec
	if labels {
		y := base.NewFloatAttribute("y")
		label = g.AddAttribute(y)
		if err := g.AddClassAttribute(y); err != nil {
			return nil, err
		}
	}
	if err := g.Extend(len(rows)); err != nil {
		return nil, err
	}
	for j := range specs {
		value, err := e.column(f, j)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			g.Set(specs[j], i, base.PackFloatToBytes(value(r)))
		}
	}
	if labels {
		for i, r := range rows {
			g.Set(label, i, base.PackFloatToBytes(float64(f.Rows[r].Y)))
		}
	}
	return g, nil
}

// column returns a reader of encoded column j.
func (e *encoding) column(f *features.Frame, j int) (func(row int) float64, error) {
	if j < len(e.numbers) {
		n := &e.numbers[j]
		c := f.Column(n.name)
		if c == nil || c.IsLevel() {
			return nil, fmt.Errorf("no column of numbers %q in the frame to predict", n.name)
		}
		return func(row int) float64 { return n.bin(c.Num[row]) }, nil
	}
	l := &e.levels[j-len(e.numbers)]
	c := f.Column(l.name)
	if c == nil || !c.IsLevel() {
		return nil, fmt.Errorf("no column of levels %q in the frame to predict", l.name)
	}
	code := int32(slices.Index(c.Levels, l.level))
	return func(row int) float64 {
		if code >= 0 && c.Codes[row] == code {
			return 1
		}
		return 0
	}, nil
}
