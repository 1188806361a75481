// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A binning cuts every feature into cells for the tree learner. Cell 0 holds
// missing numbers, or the levels that are pooled; it looks at no outcome.
type binning struct {
	terms  []predict.Term
	width  int     // cells of any feature, at most
	codes  []uint8 // rows × terms
	level  []bool
	edges  [][]float64 // number: cell c ≥ 1 is edges[c−2] < x ≤ edges[c−1]
	levels [][]string  // level: cell c ≥ 1 is levels[c−1]
}

// newBinning cuts numbers between their values, or at quantiles where there
// are more than width, and gives the most common levels a cell each.
func newBinning(s *sample, terms []predict.Term, width int) *binning {
	n, d := len(s.frame.Rows), len(terms)
	b := &binning{terms: terms, width: width, codes: make([]uint8, n*d), level: make([]bool, d),
		edges: make([][]float64, d), levels: make([][]string, d)}
	for j := range terms {
		if s.signOf(terms[j].Feature) != 0 { // a rule could turn its curve: one cell, which is never cut
			continue
		}
		c := s.frame.Column(terms[j].Feature)
		if c.IsLevel() {
			b.level[j] = true
			b.cutLevels(j, c)
			continue
		}
		b.cutNumbers(s, j)
		for i, x := range c.Num {
			if x != x {
				continue
			}
			k, _ := slices.BinarySearch(b.edges[j], x) // the first edge ≥ x
			b.codes[i*d+j] = uint8(k + 1)
		}
	}
	return b
}

func (b *binning) cutNumbers(s *sample, j int) {
	v := valuesOf(s, b.terms[j].Feature)
	distinct := v.everyDistinct()
	last := distinct[len(distinct)-1]
	if len(distinct) <= b.width-1 {
		for k := 1; k < len(distinct); k++ {
			b.edges[j] = append(b.edges[j], distinct[k-1]/2+distinct[k]/2)
		}
		return
	}
	sum, want := 0.0, 1
	for i, e := range v.sorted {
		sum += e.w
		for want < b.width-1 && sum >= float64(want)*v.total/float64(b.width-1) {
			if e.x < last {
				// Between this value and the next one, so that the cut does not hang on either.
				k := i + 1
				for v.sorted[k].x == e.x {
					k++
				}
				b.edges[j] = append(b.edges[j], e.x/2+v.sorted[k].x/2)
			}
			want++
		}
	}
	b.edges[j] = slices.Compact(b.edges[j])
}

func (b *binning) cutLevels(j int, c *features.Column) {
	t := &b.terms[j]
	columns := slices.Clone(t.Columns)
	slices.SortStableFunc(columns, func(x, y predict.Basis) int { return cmp.Compare(y.Mean, x.Mean) })
	for k := range columns {
		if name := columns[k].Level; name != predict.OtherLevel && len(b.levels[j]) < b.width-1 {
			b.levels[j] = append(b.levels[j], name)
		}
	}
	number := make(map[string]uint8)
	for k, name := range b.levels[j] {
		number[name] = uint8(k + 1)
	}
	d := len(b.terms)
	for i, code := range c.Codes {
		name := predict.MissingLevel
		if code >= 0 {
			name = c.Levels[code]
		}
		b.codes[i*d+j] = number[name]
	}
}

// cells returns the number of cells of a feature, cell 0 included.
func (b *binning) cells(j int) int {
	if b.level[j] {
		return len(b.levels[j]) + 1
	}
	return len(b.edges[j]) + 2
}

// A mask marks the cells of one feature that a rule allows.
type mask [256 / 64]uint64

func (m *mask) set(c int)      { m[c>>6] |= 1 << (c & 63) }
func (m *mask) has(c int) bool { return m[c>>6]>>(c&63)&1 == 1 }
func (m mask) and(o mask) mask { return mask{m[0] & o[0], m[1] & o[1], m[2] & o[2], m[3] & o[3]} }
func (m mask) not() mask       { return mask{^m[0], ^m[1], ^m[2], ^m[3]} }

// A box is a rule on cells: a mask for each feature that it tests, by feature
// rising.
type box []struct {
	feature int
	cells   mask
}

// within returns the box cut down by one more test.
func (b box) within(feature int, m mask) box {
	out := slices.Clone(b)
	for k := range out {
		if out[k].feature == feature {
			out[k].cells = out[k].cells.and(m)
			return out
		}
	}
	out = append(out, struct {
		feature int
		cells   mask
	}{feature, m})
	slices.SortFunc(out, func(x, y struct {
		feature int
		cells   mask
	}) int {
		return x.feature - y.feature
	})
	return out
}

// holds reports whether a row, given by its codes, lies in the box.
func (b box) holds(codes []uint8) bool {
	for k := range b {
		if !b[k].cells.has(int(codes[b[k].feature])) {
			return false
		}
	}
	return true
}

// conditions writes a box as tests of values.
func (b *binning) conditions(x box) []predict.Condition {
	var out []predict.Condition
	for _, side := range x {
		c := predict.Condition{Feature: b.terms[side.feature].Feature}
		if b.level[side.feature] {
			c.Not = side.cells.has(0)
			for k, name := range b.levels[side.feature] {
				if side.cells.has(k+1) != c.Not {
					c.Levels = append(c.Levels, name)
				}
			}
			slices.Sort(c.Levels)
			out = append(out, c)
			continue
		}
		edges := b.edges[side.feature]
		first, last := -1, -1
		for k := range len(edges) + 1 {
			if side.cells.has(k + 1) {
				if first < 0 {
					first = k
				}
				last = k
			}
		}
		c.Missing = side.cells.has(0)
		if first < 0 { // missing alone: bounds that no number passes
			low := b.terms[side.feature].Low
			c.Above, c.AtMost = &low, &low
		} else {
			if first > 0 {
				c.Above = &edges[first-1]
			}
			if last < len(edges) {
				c.AtMost = &edges[last]
			}
		}
		out = append(out, c)
	}
	return out
}
