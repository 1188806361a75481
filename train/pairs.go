// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"slices"
	"sync"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

const (
	pairIntervals = 4     // of the quadratic splines of a side
	pairCells     = 5     // quantile cells of a number in the score test
	mostCells     = 200   // of a pair in the score test
	cellPenalty   = 5     // of a cell's weight in the score test, in renewals
	rareCell      = 0.004 // share of the rows in which a product must differ from 0 …
	leastProduct  = 1     // … and Σ w u² of a product u, in renewals
	rankRows      = 40000 // rows behind a ranking, at most
)

// A pairing is what is needed to rank and to build pairs of one sample. It
// looks at no outcome.
type pairing struct {
	s     *sample
	terms []predict.Term
	sides []predict.Side
	codes [][]uint8  // by term: the row's cell
	cells []int      // by term: how many there are
	mu    sync.Mutex // of the following, which folds share
	parts map[[2]int]*part
	pairs map[[2]int]predict.Pair
}

func newPairing(s *sample, terms []predict.Term) *pairing {
	p := &pairing{s: s, terms: terms, sides: make([]predict.Side, len(terms)), codes: make([][]uint8, len(terms)),
		cells: make([]int, len(terms)), parts: make(map[[2]int]*part), pairs: make(map[[2]int]predict.Pair)}
	for j := range terms {
		p.addSide(j)
	}
	return p
}

// addSide decides how a term enters pairs: levels and few values by a column
// each, other numbers by quadratic splines between quartiles. For the score
// test numbers are cut at quintiles.
func (p *pairing) addSide(j int) {
	t := &p.terms[j]
	c := p.s.frame.Column(t.Feature)
	side := predict.Side{Feature: t.Feature, Kind: predict.Level}
	n := len(p.s.frame.Rows)
	codes := make([]uint8, n)
	if t.Kind == string(features.LevelKind) {
		for k := range t.Columns {
			if name := t.Columns[k].Level; name != predict.OtherLevel {
				side.Levels = append(side.Levels, name)
			}
		}
		p.sides[j], p.cells[j] = side, len(side.Levels)+1
		if p.cells[j] > mostCells {
			p.cells[j] = 1
			return
		}
		in := predict.NewSideInput(&side, c)
		var buffer []predict.Entry
		for i := range n {
			buffer = in.Entries(buffer[:0], i)
			codes[i] = uint8(buffer[0].Column)
		}
		p.codes[j] = codes
		return
	}
	missing := slices.ContainsFunc(t.Columns, func(b predict.Basis) bool { return b.Kind == predict.Missing })
	side.Missing = missing
	v := valuesOf(p.s, t.Feature)
	var edges []float64
	if len(v.distinct) <= fewValues {
		side.Kind, side.Values = predict.Value, v.distinct
		edges = v.distinct[1:]
	} else {
		side.Kind, side.Knots = predict.Spline, v.knots(pairIntervals)
		for k := 1; k < pairCells; k++ {
			if q := v.quantile(float64(k) / pairCells); q > v.sorted[0].x {
				edges = append(edges, q)
			}
		}
		if edges = slices.Compact(edges); len(edges) == 0 {
			edges = v.distinct[1:2]
		}
	}
	if p.s.signOf(t.Feature) != 0 {
		monotoneSide(&side, v)
	}
	for i, x := range c.Num {
		if x != x {
			codes[i] = uint8(len(edges) + 1)
			if !missing {
				codes[i] = 0
			}
			continue
		}
		codes[i] = uint8(cellOf(edges, x))
	}
	p.sides[j], p.codes[j], p.cells[j] = side, codes, len(edges)+1
	if missing {
		p.cells[j]++
	}
}

// rank returns the pairs that are not in have, the most promising first: those
// with the largest score statistic over the cells of both features,
//
//	S = ½ Σ_c [G_c² / (H_c + 5) − H_c / (H_c + 5)],   G_c = Σ_{i in c} g_i,  H_c = Σ_{i in c} h_i
//
// which is how much one ridge step for every cell lowers the loss, less what
// it does by chance. g is −∂loss/∂z and h its second derivative, both 0 for
// rows that do not count. Only positive S are listed.
func (p *pairing) rank(g, h []float64, have [][2]int, workers int) [][2]int {
	type scored struct {
		score float64
		pair  [2]int
	}
	n, step := len(g), 1
	if n > rankRows {
		step = (n + rankRows - 1) / rankRows
	}
	lists := make([][]scored, len(p.terms))
	parallel(workers, len(p.terms), func(j int) {
		gc, hc := make([]float64, mostCells), make([]float64, mostCells)
		for k := j + 1; k < len(p.terms); k++ {
			cells := p.cells[j] * p.cells[k]
			if p.cells[j] < 2 || p.cells[k] < 2 || cells > mostCells || slices.Contains(have, [2]int{j, k}) || !p.allowed(j, k) {
				continue
			}
			gc, hc := gc[:cells], hc[:cells]
			clear(gc)
			clear(hc)
			a, b, width := p.codes[j], p.codes[k], p.cells[k]
			for i := 0; i < n; i += step {
				c := int(a[i])*width + int(b[i])
				gc[c] += g[i]
				hc[c] += h[i]
			}
			if score := cellScore(gc, hc); score > 0 {
				lists[j] = append(lists[j], scored{score, [2]int{j, k}})
			}
		}
	})
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	pairs := make([][2]int, len(all))
	for i := range all {
		pairs[i] = all[i].pair
	}
	return pairs
}

// part returns the columns of a pair: the products that are not 0 in at least
// .4 % of the rows, and whose squares sum to a renewal. A product of two ends of
// splines may be 10⁻⁵ in all rows and near 1 in one to be scored: with a column of
// standard deviation 10⁻⁶ its log-odds were beyond −700.
func (p *pairing) part(pair [2]int) (*part, predict.Pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if made := p.parts[pair]; made != nil {
		return made, p.pairs[pair]
	}
	sides := [2]predict.Side{p.sides[pair[0]], p.sides[pair[1]]}
	var in [2]predict.SideInput
	for k := range in {
		in[k] = predict.NewSideInput(&sides[k], p.s.frame.Column(sides[k].Feature))
	}
	width := int32(sides[1].Columns())
	var a, b []predict.Entry
	all := newBlock(len(p.s.frame.Rows), sides[0].Columns()*int(width), func(dst []predict.Entry, row int) []predict.Entry {
		a, b = in[0].Entries(a[:0], row), in[1].Entries(b[:0], row)
		for _, ea := range a {
			for _, eb := range b {
				dst = append(dst, predict.Entry{Column: ea.Column*width + eb.Column, Value: ea.Value * eb.Value})
			}
		}
		return dst
	})
	mean, sd, share := all.moments(p.s.weights(), p.s.total)
	marked := make([]bool, all.cols)
	cells := []predict.Cell{}
	made := &part{}
	for c := range marked {
		size := p.s.total * (float64(mean[c]*mean[c]) + float64(sd[c]*sd[c]))
		if share[c] > rareCell && size >= leastProduct && sd[c] > 1e-6 {
			marked[c] = true
			cells = append(cells, predict.Cell{I: c / int(width), J: c % int(width)})
			made.kind = append(made.kind, pairColumn)
		}
	}
	made.block = all.keep(marked)
	made.limits = cellLimits(p.s, &sides, cells)
	made.measure(p.s)
	for c := range cells {
		cells[c].Mean, cells[c].SD = made.mean[c], made.sd[c]
	}
	p.parts[pair], p.pairs[pair] = made, predict.Pair{Sides: sides, Cells: cells}
	return made, p.pairs[pair]
}
