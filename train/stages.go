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
	fit    *ridge
	parts  []*part // after the terms'
	pairs  [][2]int
	tables [][]box
	shape  *treeShape
	sought penalties
}

// penalty returns the penalties of all columns.
func (st *stage) penalty(mains *part) []float64 {
	p := mains.penalty([]float64{0}, st.sought)
	for _, part := range st.parts {
		p = part.penalty(p, st.sought)
	}
	return p
}

// repenalised returns a copy of the stage for another penalty of the pairs.
func (st *stage) repenalised(pair float64) *stage {
	r, fit, pre := *st, *st.fit, *st.fit.pre
	fit.theta, fit.pre = slices.Clone(fit.theta), &pre
	r.fit, r.sought.pair = &fit, pair
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

// addPairs takes the most promising pairs stage by stage up to each of the
// counts, ranked anew after each on approximate leave-one-out residuals, and
// calls visit with every stage. It ends early where no pair promises anything,
// or columns would outnumber what rows can carry.
func (c *contest) addPairs(ctx context.Context, st *stage, counts []int, visit func(count int, st *stage) (more bool, err error)) error {
	for _, count := range counts {
		g, h := st.fit.m.slopes(st.fit.leaveOneOut(), st.fit.hold)
		ranked := c.pairing.rank(g, h, st.pairs, st.fit.m.workers)
		fresh := ranked[:min(len(ranked), count-len(st.pairs))]
		if len(fresh) == 0 {
			return nil
		}
		parts, cols := make([]*part, len(fresh)), st.fit.m.cols
		for k, pair := range fresh {
			parts[k] = c.pairing.part(pair)
			cols += parts[k].cols
		}
		if cols > c.mostColumns() {
			return nil
		}
		next, err := st.grown(ctx, c.mains, parts...)
		if err != nil {
			return err
		}
		next.pairs = append(append([][2]int{}, st.pairs...), fresh...)
		st = next
		if more, err := visit(count, st); err != nil || !more {
			return err
		}
	}
	return nil
}

// mostColumns bounds a design.
func (c *contest) mostColumns() int { return max(1000, 2*c.base.cols) }

// tableCounts are the numbers of rules at which the choice looks.
var tableCounts = []int{8, 15, 30, 45, 60, 90, 120, 150, 180, 240, 300}

// addTables grows two trees at a time on approximate leave-one-out residuals,
// adds their leaves as rules and refits all weights, and calls visit when the
// rules have reached each of the counts. visit returns false to end.
//
// Source: Friedman and Popescu (2008), RuleFit, with fully corrective boosting.
func (c *contest) addTables(
	ctx context.Context, st *stage, shape *treeShape, most int, visit func(count int, st *stage) bool,
) error {
	b := c.binning(shape)
	m := st.fit.m
	var rows []int32
	for _, k := range m.chunks {
		for i := k.from; i < k.to && k.fold != st.fit.hold; i++ {
			rows = append(rows, int32(i))
		}
	}
	grower := newGrower(b, *shape, rows, m.w)
	first := *st.fit
	first.invert()
	st = &stage{fit: &first, parts: st.parts, pairs: st.pairs, sought: st.sought}
	rules, next := 0, 0
	for next < len(tableCounts) && tableCounts[next] <= most {
		tables := c.twoTrees(grower, st)
		if len(tables) == 0 {
			return nil
		}
		for _, t := range tables {
			rules += len(t)
		}
		grown, err := st.tabled(ctx, c.mains, c.rulesPart(b, tables))
		if err != nil {
			return err
		}
		grown.tables = append(append([][]box{}, st.tables...), tables...)
		grown.shape = shape
		st = grown
		if rules < tableCounts[next] {
			continue
		}
		for next < len(tableCounts) && rules >= tableCounts[next] {
			next++
		}
		if !visit(tableCounts[next-1], st) {
			return nil
		}
	}
	return nil
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
