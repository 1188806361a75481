// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

const (
	slopeEvents = 30 // churned (and renewed) of a segment from which it may have slopes of its own
	mostSlopes  = 12 // numbers whose slopes may differ, counted once for segments and once for phases
)

// slopePenalties are those tried, in renewals, the largest first: of the
// difference between a segment's weight and the common one, for a change of a
// number by a standard deviation.
var slopePenalties = []float64{300, 100, 30, 10}

// A sloping is what is needed to give the segments, or lifecycle phases, of a
// sample slopes of their own: beside the common weight w_j of a number, each
// segment g has a difference d_gj,
//
//	f_j(x) = w_j v_j + d_gj v_j,   v_j = the linear column of term j
//
// whose penalty draws it to 0, and so the slope to the common one: it is a pair
// of a level and a straight line. Sets of slopes are partially pooled; a
// separate model for each segment would have no common weight.
//
// Source: METHODS.md section 3; Gelman and Hill (2007), varying-slope models.
type sloping struct {
	s      *sample
	terms  []predict.Term
	levels []slopeLevels
	side   []*predict.Side // by term: how a number enters, nil for what may not
	mu     sync.Mutex      // of parts, which folds share
	parts  map[[2]int]*part
}

// slopeLevels are the segments, or phases, that may differ.
type slopeLevels struct {
	side  predict.Side
	codes []int32 // of each row: its place among the side's levels, or −1
}

// newSloping returns nil where no two segments, nor phases, have enough events.
func newSloping(s *sample, terms []predict.Term) *sloping {
	p := &sloping{s: s, terms: terms, side: make([]*predict.Side, len(terms)), parts: make(map[[2]int]*part)}
	for j := range terms {
		t := &terms[j]
		f := &s.frame.Column(t.Feature).Feature
		switch {
		case f.Kind == features.LevelKind && (f.Agg == features.SegmentFact || f.Agg == features.PhaseFact):
			if l := newSlopeLevels(s, t); len(l.side.Levels) > 1 {
				p.levels = append(p.levels, l)
			}
		case f.Kind == features.NumberKind && t.Low < t.High && s.signOf(t.Feature) == 0:
			b := &t.Columns[0] // the linear one, in which a missing value stands at the median
			p.side[j] = &predict.Side{Feature: t.Feature, Kind: predict.Linear, Transform: b.Transform,
				Low: t.Low, High: t.High, Mean: b.Mean, SD: b.SD}
		}
	}
	if len(p.levels) == 0 {
		return nil
	}
	return p
}

// newSlopeLevels finds the levels of a term, but for pooled and missing ones,
// with enough churned and renewed.
func newSlopeLevels(s *sample, t *predict.Term) slopeLevels {
	c := s.frame.Column(t.Feature)
	all := predict.Side{Feature: t.Feature, Kind: predict.Level}
	for k := range t.Columns {
		if name := t.Columns[k].Level; name != predict.OtherLevel && name != predict.MissingLevel {
			all.Levels = append(all.Levels, name)
		}
	}
	churned, renewed := make([]float64, len(all.Levels)+1), make([]float64, len(all.Levels)+1)
	for i, code := range levelsOf(&all, c) {
		r := &s.frame.Rows[i]
		churned[code] += float64(r.Weight * float64(r.Y))
		renewed[code] += float64(r.Weight * float64(1-r.Y))
	}
	l := slopeLevels{side: predict.Side{Feature: t.Feature, Kind: predict.Level}}
	for k, name := range all.Levels {
		if min(churned[k], renewed[k]) >= slopeEvents {
			l.side.Levels = append(l.side.Levels, name)
		}
	}
	if len(l.side.Levels) == 0 {
		return l
	}
	l.codes = levelsOf(&l.side, c)
	for i, code := range l.codes {
		if int(code) == len(l.side.Levels) {
			l.codes[i] = -1
		}
	}
	return l
}

// levelsOf returns the side's column of each row.
func levelsOf(side *predict.Side, c *features.Column) []int32 {
	in := predict.NewSideInput(side, c)
	codes := make([]int32, len(c.Codes))
	var buffer []predict.Entry
	for i := range codes {
		buffer = in.Entries(buffer[:0], i)
		codes[i] = buffer[0].Column
	}
	return codes
}

// rank returns the numbers whose slopes promise to differ, as pairs of a number
// of p.levels and one of the terms, the most promising first. The statistic is
// that of pairing.rank over segments g,
//
//	S = ½ Σ_g (G_g² − H_g)/(H_g + 5),   G_g = Σ_{i in g} g_i v_ij,  H_g = Σ_{i in g} h_i v_ij²
func (p *sloping) rank(g, h []float64, workers int) [][2]int {
	scores := make([]float64, len(p.levels)*len(p.terms))
	parallel(workers, len(p.terms), func(j int) {
		if p.side[j] == nil {
			return
		}
		v := p.line(j)
		for k := range p.levels {
			l := &p.levels[k]
			gc, hc := make([]float64, len(l.side.Levels)), make([]float64, len(l.side.Levels))
			for i, code := range l.codes {
				if code >= 0 {
					gc[code] += float64(g[i] * v[i])
					hc[code] += float64(h[i] * v[i] * v[i])
				}
			}
			scores[k*len(p.terms)+j] = cellScore(gc, hc)
		}
	})
	var ranked [][2]int
	for at, score := range scores {
		if score > 0 {
			ranked = append(ranked, [2]int{at / len(p.terms), at % len(p.terms)})
		}
	}
	of := func(pair [2]int) float64 { return scores[pair[0]*len(p.terms)+pair[1]] }
	slices.SortStableFunc(ranked, func(a, b [2]int) int { return cmp.Compare(of(b), of(a)) })
	return ranked
}

// line returns the linear column of a number, 0 where it is missing.
func (p *sloping) line(j int) []float64 {
	in := predict.NewSideInput(p.side[j], p.s.frame.Column(p.terms[j].Feature))
	v := make([]float64, len(p.s.frame.Rows))
	var buffer []predict.Entry
	for i := range v {
		if buffer = in.Entries(buffer[:0], i); len(buffer) > 0 {
			v[i] = buffer[0].Value
		}
	}
	return v
}

// part returns the columns of a number's slopes, one a segment, and what
// publishes them. Weights are differences per standard deviation of the number,
// so that the scale of a cell is 1.
func (p *sloping) part(pair [2]int) (*part, predict.Pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.levels[pair[0]]
	made := p.parts[pair]
	if made == nil {
		v := p.line(pair[1])
		made = &part{kind: slices.Repeat([]columnKind{slopeColumn}, len(l.side.Levels))}
		made.block = newBlock(len(v), len(l.side.Levels), func(dst []predict.Entry, row int) []predict.Entry {
			if l.codes[row] < 0 || v[row] == 0 {
				return dst
			}
			return append(dst, predict.Entry{Column: l.codes[row], Value: v[row]})
		})
		made.measure(p.s)
		p.parts[pair] = made
	}
	product := predict.Pair{Sides: [2]predict.Side{l.side, *p.side[pair[1]]}}
	for k := range l.side.Levels {
		product.Cells = append(product.Cells, predict.Cell{I: k, Mean: made.mean[k], SD: 1})
	}
	return made, product
}

// withSlopes returns the stage with the most promising slopes, ranked on
// approximate leave-one-out residuals, at the penalties that it seeks; the stage
// itself where none promises anything.
func (c *contest) withSlopes(ctx context.Context, st *stage) (*stage, error) {
	g, h := st.fit.m.slopes(st.fit.leaveOneOut(), st.fit.hold)
	ranked := c.sloping.rank(g, h, st.fit.m.workers)
	ranked = ranked[:min(len(ranked), mostSlopes)]
	if len(ranked) == 0 {
		return st, nil
	}
	parts, products := make([]*part, len(ranked)), make([]predict.Pair, len(ranked))
	for k, pair := range ranked {
		parts[k], products[k] = c.sloping.part(pair)
	}
	next, err := st.grown(ctx, c.mains, parts...)
	if err != nil {
		return nil, err
	}
	next.products = append(append([]predict.Pair{}, st.products...), products...)
	return next, nil
}

// slopesOn returns the contestants with slopes of segments and phases on top of
// linear or spline terms, one a penalty; none where too few events tell segments
// apart.
func (c *contest) slopesOn(ctx context.Context, under *contestant) ([]*contestant, error) {
	if c.sloping = newSloping(c.s, c.mains.terms); c.sloping == nil {
		return nil, nil
	}
	if c.fits == nil { // of a contest of linear terms
		c.fits = c.foldFits(c.base)
		if _, err := c.mainsAt(ctx, under.penalties); err != nil {
			return nil, err
		}
	}
	stages := make([]*stage, len(c.folds))
	err := c.everyFold(func(k int) (err error) {
		st := &stage{fit: c.fits[k].alone(), sought: under.penalties}
		st.sought.slope = slopePenalties[0]
		stages[k], err = c.withSlopes(ctx, st)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*contestant
	for _, lambda := range slopePenalties {
		x := &contestant{name: "slopes", penalties: under.penalties, curves: under.curves, untouched: under.untouched}
		x.slope = lambda
		if err := c.repenalise(ctx, stages, x); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// pooled returns the contestant of linear or spline terms with slopes of segments
// and phases, where these are better: out of fold by more than a standard error
// and, where rows have a time, on later rows too. Segments whose fortunes change
// from one quarter to the next are better left together.
func (c *contest) pooled(ctx context.Context, under *contestant) (*contestant, error) {
	if c.alike {
		return under, nil
	}
	on := c
	if !under.curves {
		on = contestOf(c.s, c.terms, c.workers)
	}
	list, err := on.slopesOn(ctx, under)
	if err != nil {
		return nil, err
	}
	c.tried = append(c.tried, list...)
	best := c.better(under, list)
	if best == under || c.later == nil {
		return best, nil
	}
	if best.later, err = c.later(ctx, under, best); err != nil || !best.later.Holds {
		return under, err
	}
	return best, nil
}

// laterGain compares two contestants on forward-chained predictions of the latest
// rows: the one with slopes holds where it lowers the loss by more than a
// standard error, by group, and in two thirds of the blocks.
func (f *fitter) laterGain(ctx context.Context, s *sample, under, with *contestant) (*predict.Gain, error) {
	var slices [2]*calibrationSlice
	for k, x := range []*contestant{under, with} {
		fit := *f
		fit.chosen = x
		var err error
		if slices[k], _, err = forwardChained(ctx, s, &fit); err != nil {
			return nil, err
		}
	}
	g := &predict.Gain{}
	a, b := slices[0], slices[1]
	if a == nil || b == nil { // too little of a past: nothing is shown
		return g, nil
	}
	d, blocks := make([]float64, len(a.z)), map[int]float64{}
	for i, z := range a.z {
		d[i] = float64(a.w[i] * (predict.Softplus(z) - predict.Softplus(b.z[i]) - float64(a.y[i]*(z-b.z[i]))))
		blocks[a.part[i]] += d[i]
	}
	g.Mean, g.SE = groupedMean(d, a.w, a.group)
	g.Blocks = len(blocks)
	for _, sum := range blocks {
		if sum > 0 {
			g.Better++
		}
	}
	g.Holds = g.Mean > g.SE && 3*g.Better >= 2*g.Blocks
	return g, nil
}
