// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// A stage is a fit on its way from spline terms over pairs to tables, on all
// rows or on those outside one fold.
type stage struct {
	fit      *ridge
	parts    []*part        // after the terms': of products, then of rules
	products []predict.Pair // slopes, then pairs; weights are not set
	pairs    [][2]int
	tables   [][]box
	shape    *treeShape
	sought   penalties
}

// penalty returns the penalties of all columns.
func (st *stage) penalty(mains *part) []float64 {
	p := mains.penalty([]float64{0}, st.sought)
	for _, part := range st.parts {
		p = part.penalty(p, st.sought)
	}
	return p
}

// repenalised returns a copy of the stage for other penalties.
func (st *stage) repenalised(l penalties) *stage {
	r, fit, pre := *st, *st.fit, *st.fit.pre
	fit.theta, fit.pre = slices.Clone(fit.theta), &pre
	r.fit, r.sought = &fit, l
	return &r
}

// grown returns the stage with further columns, refitted.
func (st *stage) grown(ctx context.Context, mains *part, parts ...*part) (*stage, error) {
	g := *st
	g.parts = append(append([]*part{}, st.parts...), parts...)
	blocks := make([]*block, len(parts))
	for k := range parts {
		blocks[k] = parts[k].block
	}
	g.fit = st.fit.extend(st.fit.m.with(blocks...))
	return &g, g.fit.solve(ctx, g.penalty(mains), chooseTolerance, false)
}

// tabled is grown for the rules of a few tables, whose fits follow each other
// closely: the inverse is bordered, and they end early.
func (st *stage) tabled(ctx context.Context, mains *part, rules *part) (*stage, error) {
	g := *st
	g.parts = append(append([]*part{}, st.parts...), rules)
	g.fit = st.fit.border(st.fit.m.with(rules.block), rules.block, g.penalty(mains))
	return &g, g.fit.solve(ctx, g.fit.penalty, growTolerance, false)
}

// slopes stores −∂loss/∂z and its second derivative at log-odds z, 0 for the
// rows of the fold left out.
func (m *matrix) slopes(z []float64, hold int) (g, h []float64) {
	g, h = make([]float64, m.rows), make([]float64, m.rows)
	for _, c := range m.chunks {
		if c.fold == hold {
			continue
		}
		for i := c.from; i < c.to; i++ {
			p := predict.Sigmoid(z[i])
			g[i] = float64(m.w[i] * (m.y[i] - p))
			h[i] = float64(m.w[i] * p * (1 - p))
		}
	}
	return g, h
}

// morePairs returns the stage with the most promising pairs added until it has
// count of them, ranked on approximate leave-one-out residuals, and nil where no
// pair promises anything or columns would outnumber what rows can carry.
func (c *contest) morePairs(ctx context.Context, st *stage, count int) (*stage, error) {
	g, h := st.fit.m.slopes(st.fit.leaveOneOut(), st.fit.hold)
	ranked := c.pairing.rank(g, h, st.pairs, st.fit.m.workers)
	fresh := ranked[:min(len(ranked), count-len(st.pairs))]
	if len(fresh) == 0 {
		return nil, nil
	}
	parts, products, cols := make([]*part, len(fresh)), make([]predict.Pair, len(fresh)), st.fit.m.cols
	for k, pair := range fresh {
		parts[k], products[k] = c.pairing.part(pair)
		cols += parts[k].cols
	}
	if cols > c.mostColumns() {
		return nil, nil
	}
	next, err := st.grown(ctx, c.mains, parts...)
	if err != nil {
		return nil, err
	}
	next.pairs = append(append([][2]int{}, st.pairs...), fresh...)
	next.products = append(append([]predict.Pair{}, st.products...), products...)
	return next, nil
}

// mostColumns bounds a design.
func (c *contest) mostColumns() int { return max(1000, 2*c.base.cols) }

// A tabling adds tables to a stage: two trees at a time, grown on approximate
// leave-one-out residuals, whose leaves become rules; all weights are refitted
// after each two.
//
// Source: Friedman and Popescu (2008), RuleFit, with fully corrective boosting.
type tabling struct {
	c      *contest
	b      *binning
	grower *grower
	stage  *stage
	rules  int
}

func (c *contest) newTabling(st *stage, shape *treeShape) *tabling {
	b := c.binning(shape)
	var rows []int32
	for _, k := range st.fit.m.chunks {
		for i := k.from; i < k.to && k.fold != st.fit.hold; i++ {
			rows = append(rows, int32(i))
		}
	}
	first, sought := *st.fit, st.sought
	first.invert()
	sought.rule = shape.penalty
	return &tabling{c: c, b: b, grower: newGrower(b, *shape, rows, st.fit.m.w),
		stage: &stage{fit: &first, parts: st.parts, products: st.products, pairs: st.pairs, shape: shape, sought: sought}}
}

// reach grows tables until there are at least count rules; ok is false where no
// tree divides the rows any more.
func (t *tabling) reach(ctx context.Context, count int) (ok bool, err error) {
	for t.rules < count {
		tables := t.c.twoTrees(t.grower, t.stage)
		if len(tables) == 0 {
			return false, nil
		}
		for _, boxes := range tables {
			t.rules += len(boxes)
		}
		grown, err := t.stage.tabled(ctx, t.c.mains, t.c.rulesPart(t.b, tables))
		if err != nil {
			return false, err
		}
		grown.tables = append(append([][]box{}, t.stage.tables...), tables...)
		t.stage = grown
	}
	return true, nil
}

// twoTrees grows a tree from each of the two best first splits; the second
// sees what the first one explains, by half.
func (c *contest) twoTrees(g *grower, st *stage) [][]box {
	m := st.fit.m
	z := st.fit.leaveOneOut()
	grad, hess := m.slopes(z, st.fit.hold)
	var tables [][]box
	for k, root := range g.roots(grad, hess, 2, m.workers) {
		if k > 0 {
			grad, hess = m.slopes(z, st.fit.hold)
		}
		leaves := g.grow(root, grad, hess)
		var table []box
		for _, l := range leaves {
			table = append(table, l.box)
			sum, curve := 0.0, 0.0
			for _, i := range l.rows {
				sum += grad[i]
				curve += hess[i]
			}
			step := sum / (curve + g.shape.gain) / 2
			for _, i := range l.rows {
				z[i] += step
			}
		}
		if table != nil {
			tables = append(tables, table)
		}
	}
	return tables
}

// rulesPart evaluates rules on all rows.
func (c *contest) rulesPart(b *binning, tables [][]box) *part {
	d := len(b.terms)
	cols := 0
	p := &part{}
	for _, t := range tables {
		cols += len(t)
	}
	p.block = newBlock(c.base.rows, cols, func(dst []predict.Entry, row int) []predict.Entry {
		codes := b.codes[row*d : row*d+d]
		first := 0
		for _, t := range tables {
			for k := range t {
				if t[k].holds(codes) {
					dst = append(dst, predict.Entry{Column: int32(first + k), Value: 1})
					break
				}
			}
			first += len(t)
		}
		return dst
	})
	p.kind = make([]columnKind, cols)
	for k := range p.kind {
		p.kind[k] = ruleColumn
	}
	p.measure(c.s)
	return p
}
