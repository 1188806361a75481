// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"slices"
)

// A treeShape bounds the small trees whose leaves become rules.
type treeShape struct {
	name      string
	leaves    int
	depth     int
	penalty   float64 // λ of a rule's weight in the fit, in renewals
	gain      float64 // λ of a leaf's value in the search
	width     int     // cells of a feature
	leastPart float64 // a leaf holds this part of the rows, and 12 renewals
}

// Two shapes compete: shallow tables that read at a glance, and deeper ones.
var treeShapes = []treeShape{
	{name: "small", leaves: 4, depth: 3, penalty: 10, gain: 5, width: 48, leastPart: 1. / 400},
	{name: "deep", leaves: 10, depth: 6, penalty: 3, gain: 2, width: 120, leastPart: 1. / 800},
}

const (
	leastLeaf    = 12   // renewals in a leaf
	leastHessian = 2    // Σ w p (1 − p) in a leaf
	levelPenalty = 10   // added to the penalty of a split by one level
	coarseCells  = 8    // of the first split in the look-ahead
	lookRows     = 6000 // rows behind the look-ahead
)

// A tally sums gradients, second derivatives and weights over some rows.
type tally struct{ g, h, n float64 }

func (t tally) minus(o tally) tally { return tally{t.g - o.g, t.h - o.h, t.n - o.n} }

// A grower grows trees of one shape on the rows that a fit has seen. Splits
// maximise the second-order gain
//
//	½ [G_l²/(H_l + λ) + G_r²/(H_r + λ) − G²/(H + λ)]
//
// numbers are cut in two, missing ones going down, and levels are split one
// against the rest: subsets of many levels fit noise.
//
// Source: Chen and Guestrin (2016), XGBoost, equation 7.
type grower struct {
	b      *binning
	shape  treeShape
	rows   []int32 // that count
	look   []int32 // a random part of them
	w      []float64
	least  float64   // renewals in a leaf
	coarse [][]uint8 // by feature: the coarse cell of each cell
}

func newGrower(b *binning, shape treeShape, rows []int32, w []float64) *grower {
	g := &grower{b: b, shape: shape, rows: rows, w: w}
	total := 0.0
	for _, i := range rows {
		total += w[i]
	}
	g.least = max(leastLeaf, shape.leastPart*total)
	step := max(1, (len(rows)+lookRows-1)/lookRows)
	for k := 0; k < len(rows); k += step {
		g.look = append(g.look, rows[k])
	}
	d := len(b.terms)
	weight := make([]float64, d*256)
	for _, i := range rows {
		for j, c := range b.codes[int(i)*d : int(i)*d+d] {
			weight[j*256+int(c)] += w[i]
		}
	}
	g.coarse = make([][]uint8, d)
	for j := range d {
		g.coarse[j] = coarseOf(weight[j*256:j*256+256], total, b.level[j], g.least)
	}
	return g
}

// coarseOf maps cells to coarse ones: the common levels, or eighths of the
// weight.
func coarseOf(weight []float64, total float64, level bool, least float64) []uint8 {
	to := make([]uint8, len(weight))
	if !level {
		below, last, next := 0.0, -1, uint8(0)
		for c, w := range weight {
			eighth := min(int(below/total*coarseCells), coarseCells-1)
			if w > 0 && eighth != last {
				if last >= 0 {
					next++
				}
				last = eighth
			}
			to[c] = next
			below += w
		}
		return to
	}
	order := make([]int, 0, len(weight))
	for c, w := range weight {
		to[c] = coarseCells - 1
		if w >= least {
			order = append(order, c)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight[b], weight[a]) })
	for k, c := range order[:min(len(order), coarseCells-1)] {
		to[c] = uint8(k)
	}
	return to
}

// A split divides the rows by a mask on one feature.
type split struct {
	gain    float64
	feature int
	cells   mask
}

// histogram sums the rows by feature and cell: tallies of feature j stand in
// [j·width, (j+1)·width).
func (g *grower) histogram(dst []tally, rows []int32, grad, hess []float64) {
	d, width := len(g.b.terms), g.shape.width
	for _, i := range rows {
		t := tally{grad[i], hess[i], g.w[i]}
		for j, c := range g.b.codes[int(i)*d : int(i)*d+d] {
			h := &dst[j*width+int(c)]
			h.g += t.g
			h.h += t.h
			h.n += t.n
		}
	}
}

// best returns the split with the largest gain; gain is negative where none is
// allowed. part is the share of the rows that the histogram holds.
func (g *grower) best(hist []tally, part float64) split {
	found := split{gain: -1}
	d, width := len(g.b.terms), g.shape.width
	var all tally
	for _, t := range hist[:width] {
		all.g, all.h, all.n = all.g+t.g, all.h+t.h, all.n+t.n
	}
	parent := all.g * all.g / (all.h + g.shape.gain)
	cell := -1
	for j := range d {
		lambda := g.shape.gain
		if g.b.level[j] {
			lambda += levelPenalty
		}
		var left tally
		for c := range g.b.cells(j) {
			t := hist[j*width+c]
			if g.b.level[j] {
				left = t
			} else {
				left.g, left.h, left.n = left.g+t.g, left.h+t.h, left.n+t.n
			}
			right := all.minus(left)
			if left.n < g.least*part || right.n < g.least*part || left.h < leastHessian*part || right.h < leastHessian*part {
				continue
			}
			gain := (left.g*left.g/(left.h+lambda) + right.g*right.g/(right.h+lambda) - parent) / 2
			if gain > found.gain {
				found.gain, found.feature, cell = gain, j, c
			}
		}
	}
	if cell >= 0 {
		found.cells = g.maskOf(found.feature, cell)
	}
	return found
}

// maskOf marks one cell of a level, or the cells up to c of a number.
func (g *grower) maskOf(feature, c int) mask {
	var m mask
	if g.b.level[feature] {
		m.set(c)
		return m
	}
	for k := range c + 1 {
		m.set(k)
	}
	return m
}

// roots returns the n best first splits on different features, by the gain of
// the split and that of the best split of either side: two features that say
// nothing alone are found by looking one step ahead.
func (g *grower) roots(grad, hess []float64, n int, workers int) []split {
	d, width := len(g.b.terms), g.shape.width
	part := float64(len(g.look)) / float64(len(g.rows))
	found := make([]split, d)
	looked := g.promising(grad, hess)
	parallel(workers, d, func(j int) {
		found[j].gain = -1
		if !looked[j] {
			return
		}
		cells := make([]tally, coarseCells*d*width)
		var by [coarseCells][]int32
		for _, i := range g.look {
			c := g.coarse[j][g.b.codes[int(i)*d+j]]
			by[c] = append(by[c], i)
		}
		for c := range by {
			g.histogram(cells[c*d*width:(c+1)*d*width], by[c], grad, hess)
		}
		all, left, right := make([]tally, d*width), make([]tally, d*width), make([]tally, d*width)
		for c := range coarseCells {
			addTallies(all, cells[c*d*width:(c+1)*d*width])
		}
		for c := range coarseCells - 1 {
			if g.b.level[j] {
				clear(left)
			}
			addTallies(left, cells[c*d*width:(c+1)*d*width])
			for k := range right {
				right[k] = all[k].minus(left[k])
			}
			var a, b tally
			for k := range width {
				a.g, a.h, a.n = a.g+left[k].g, a.h+left[k].h, a.n+left[k].n
				b.g, b.h, b.n = b.g+right[k].g, b.h+right[k].h, b.n+right[k].n
			}
			if min(a.n, b.n) < g.least*part {
				continue
			}
			lambda := g.shape.gain * part
			sum := tally{a.g + b.g, a.h + b.h, 0}
			gain := (a.g*a.g/(a.h+lambda) + b.g*b.g/(b.h+lambda) - sum.g*sum.g/(sum.h+lambda)) / 2
			gain += max(g.best(left, part).gain, 0) + max(g.best(right, part).gain, 0)
			if gain > found[j].gain {
				found[j] = split{gain: gain, feature: j}
				for k, to := range g.coarse[j] {
					if int(to) == c || !g.b.level[j] && int(to) < c {
						found[j].cells.set(k)
					}
				}
			}
		}
	})
	slices.SortStableFunc(found, func(a, b split) int { return cmp.Compare(b.gain, a.gain) })
	for k := range found {
		if found[k].gain <= 0 {
			return found[:min(k, n)]
		}
	}
	return found[:min(n, d)]
}

// mostRoots is the number of features that are looked at as first splits.
const mostRoots = 40

// promising marks the features to look at as first splits: all, or where there
// are more than mostRoots those with the best split of their own.
func (g *grower) promising(grad, hess []float64) []bool {
	d, width := len(g.b.terms), g.shape.width
	looked := make([]bool, d)
	if d <= mostRoots {
		for j := range looked {
			looked[j] = true
		}
		return looked
	}
	hist := make([]tally, d*width)
	g.histogram(hist, g.look, grad, hess)
	gains, order := make([]float64, d), make([]int, d)
	for j := range d {
		order[j] = j
		var all, left tally
		for _, t := range hist[j*width : (j+1)*width] {
			all.g, all.h = all.g+t.g, all.h+t.h
		}
		for c := range g.b.cells(j) {
			t := hist[j*width+c]
			if g.b.level[j] {
				left = t
			} else {
				left.g, left.h = left.g+t.g, left.h+t.h
			}
			right := all.minus(left)
			gains[j] = max(gains[j], left.g*left.g/(left.h+g.shape.gain)+right.g*right.g/(right.h+g.shape.gain))
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(gains[b], gains[a]) })
	for _, j := range order[:mostRoots] {
		looked[j] = true
	}
	return looked
}

func addTallies(dst, t []tally) {
	for k := range dst {
		dst[k].g, dst[k].h, dst[k].n = dst[k].g+t[k].g, dst[k].h+t[k].h, dst[k].n+t[k].n
	}
}

// A leaf is a node of a growing tree, and at last a rule.
type leaf struct {
	rows  []int32
	box   box
	depth int
	hist  []tally
	next  split
}

// grow returns the leaves of a tree with the given first split, the leaf with
// the most to gain divided first; nil if the root does not divide.
func (g *grower) grow(root split, grad, hess []float64) []leaf {
	d := len(g.b.terms)
	first := leaf{rows: g.rows, hist: make([]tally, d*g.shape.width), next: root}
	g.histogram(first.hist, g.rows, grad, hess)
	leaves := []leaf{first}
	for len(leaves) < g.shape.leaves {
		k := 0
		for i := range leaves {
			if leaves[i].next.gain > leaves[k].next.gain {
				k = i
			}
		}
		parent := &leaves[k]
		if parent.next.gain <= 0 {
			break
		}
		in, out := g.divide(parent)
		if len(in) == 0 || len(out) == 0 {
			parent.next.gain = -1
			continue
		}
		small := in
		if len(out) < len(in) {
			small = out
		}
		hist := make([]tally, len(parent.hist))
		g.histogram(hist, small, grad, hess)
		rest := parent.hist
		for i := range rest {
			rest[i] = rest[i].minus(hist[i])
		}
		a := leaf{rows: in, depth: parent.depth + 1, hist: hist, next: split{gain: -1},
			box: parent.box.within(parent.next.feature, parent.next.cells)}
		b := leaf{rows: out, depth: parent.depth + 1, hist: rest, next: split{gain: -1},
			box: parent.box.within(parent.next.feature, parent.next.cells.not())}
		if len(small) != len(in) || &small[0] != &in[0] {
			a.hist, b.hist = rest, hist
		}
		if a.depth < g.shape.depth {
			a.next, b.next = g.best(a.hist, 1), g.best(b.hist, 1)
		}
		leaves = slices.Replace(leaves, k, k+1, a, b)
	}
	if len(leaves) < 2 {
		return nil
	}
	return leaves
}

func (g *grower) divide(p *leaf) (in, out []int32) {
	d := len(g.b.terms)
	for _, i := range p.rows {
		if p.next.cells.has(int(g.b.codes[int(i)*d+p.next.feature])) {
			in = append(in, i)
		} else {
			out = append(out, i)
		}
	}
	return in, out
}
