// SPDX-License-Identifier: Apache-2.0

package train

import (
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// The columns of a logit, in the order of its weights θ: the intercept; those of
// the terms; the scorecard's; the cells of the pairs; the rules of the tables.
// They are raw, but for linear columns and the scorecard's, which are
// standardised.

// setRaw writes weights θ of raw columns as those of the logit's scaled ones, and
// the parts' mean contributions from the means of the raw columns over the
// training rows, the intercept's left out. For a column v = zero + scale u,
//
//	Weight = θ/scale,   Intercept = θ₀ − Σ Weight zero,   RefMean = Σ Weight (zero + scale mean)
func setRaw(l *predict.Logit, theta, means []float64) {
	l.Intercept = theta[0]
	at := 1
	for j := range l.Terms {
		t := &l.Terms[j]
		t.RefMean = 0
		for k := range t.Columns {
			column := &t.Columns[k]
			if column.Kind == predict.Linear {
				column.Weight = theta[at]
				t.RefMean += float64(theta[at] * means[at-1])
				at++
				continue
			}
			zero, scale := column.Affine()
			column.Weight = theta[at] / scale
			l.Intercept -= float64(column.Weight * zero)
			t.RefMean += float64(column.Weight * (zero + float64(scale*means[at-1])))
			at++
		}
	}
	if l.Scorecard != nil {
		l.Scorecard.Weight = theta[at]
		at++
	}
	for k := range l.Pairs {
		p := &l.Pairs[k]
		p.RefMean = 0
		for i := range p.Cells {
			cell := &p.Cells[i]
			cell.Weight = theta[at] * cell.SD
			l.Intercept += float64(theta[at] * cell.Mean)
			p.RefMean += float64(theta[at] * (means[at-1] - cell.Mean))
			at++
		}
	}
	for k := range l.Tables {
		t := &l.Tables[k]
		t.RefMean = 0
		for i := range t.Rules {
			rule := &t.Rules[i]
			rule.Weight = theta[at]
			l.Intercept += float64(theta[at] * rule.Mean)
			t.RefMean += float64(theta[at] * (means[at-1] - rule.Mean))
			at++
		}
	}
}

// rawOf returns the weights θ of which setRaw makes the logit's. They are for a
// start and right to rounding.
func rawOf(l *predict.Logit) []float64 {
	theta := []float64{l.Intercept}
	for j := range l.Terms {
		for k := range l.Terms[j].Columns {
			column := &l.Terms[j].Columns[k]
			if column.Kind == predict.Linear {
				theta = append(theta, column.Weight)
				continue
			}
			zero, scale := column.Affine()
			theta[0] += float64(column.Weight * zero)
			theta = append(theta, float64(column.Weight*scale))
		}
	}
	if l.Scorecard != nil {
		theta = append(theta, l.Scorecard.Weight)
	}
	for k := range l.Pairs {
		for _, cell := range l.Pairs[k].Cells {
			raw := cell.Weight / cell.SD
			theta[0] -= float64(raw * cell.Mean)
			theta = append(theta, raw)
		}
	}
	for k := range l.Tables {
		for i := range l.Tables[k].Rules {
			rule := &l.Tables[k].Rules[i]
			raw := rule.Weight / rule.SD
			theta[0] -= float64(raw * rule.Mean)
			theta = append(theta, raw)
		}
	}
	return theta
}

// linearPenalty returns the penalties of the raw columns of linear terms under
// which they have the weights of standardised columns at a penalty of lambda:
// λ/scale² for v = zero + scale u.
func linearPenalty(l *predict.Logit, lambda float64) []float64 {
	penalty := []float64{0}
	for j := range l.Terms {
		for k := range l.Terms[j].Columns {
			column := &l.Terms[j].Columns[k]
			scale := 1.0
			if column.Kind != predict.Linear {
				_, scale = column.Affine()
			}
			penalty = append(penalty, lambda/float64(scale*scale))
		}
	}
	return penalty
}

// A rawInput evaluates the columns of a logit on the rows of one frame.
type rawInput struct {
	logit  *predict.Logit
	frame  *features.Frame
	terms  []predict.Input
	card   *predict.CardInput
	parts  []float64 // of the card's criteria
	pairs  []pairInput
	tables [][]predict.RuleInput
	a, b   []predict.Entry // of the sides of a pair
}

// A pairInput evaluates the cells of a pair.
type pairInput struct {
	sides [2]predict.SideInput
	width int
	cell  []int32 // by product, i·width + j: its number among the cells, or −1
}

func newRawInput(l *predict.Logit, f *features.Frame) (*rawInput, error) {
	in := &rawInput{logit: l, frame: f}
	for j := range l.Terms {
		in.terms = append(in.terms, predict.NewInput(&l.Terms[j], f.Column(l.Terms[j].Feature)))
	}
	if l.Scorecard != nil {
		var err error
		if in.card, err = predict.NewCardInput(l.Scorecard, f); err != nil {
			return nil, err
		}
		in.parts = make([]float64, len(l.Scorecard.Items()))
	}
	for k := range l.Pairs {
		p := &l.Pairs[k]
		x := pairInput{width: p.Sides[1].Columns()}
		for i := range x.sides {
			x.sides[i] = predict.NewSideInput(&p.Sides[i], f.Column(p.Sides[i].Feature))
		}
		x.cell = slices.Repeat([]int32{-1}, p.Sides[0].Columns()*x.width)
		for i, c := range p.Cells {
			x.cell[c.I*x.width+c.J] = int32(i)
		}
		in.pairs = append(in.pairs, x)
	}
	for k := range l.Tables {
		rules := make([]predict.RuleInput, len(l.Tables[k].Rules))
		for i := range rules {
			var err error
			if rules[i], err = predict.NewRuleInput(l.Tables[k].Rules[i].Conditions, f); err != nil {
				return nil, err
			}
		}
		in.tables = append(in.tables, rules)
	}
	return in, nil
}

// fill stores the columns of rows from … from+rows−1 in dst, rows×stride, which
// holds zeros.
func (in *rawInput) fill(dst []float64, stride, from, rows int) {
	for r := range rows {
		dst[r*stride] = 1
	}
	at := 1
	for j := range in.terms {
		in.terms[j].Weighed(dst[at:], stride, from, from+rows)
		at += len(in.logit.Terms[j].Columns)
	}
	if in.card != nil {
		for r := range rows {
			dst[r*stride+at] = (in.card.Score(in.parts, from+r) - in.logit.Scorecard.Mean) / in.logit.Scorecard.SD
		}
		at++
	}
	for k := range in.pairs {
		for r := range rows {
			in.fillPair(dst[r*stride+at:], &in.pairs[k], from+r)
		}
		at += len(in.logit.Pairs[k].Cells)
	}
	for _, rules := range in.tables {
		for r := range rows {
			if k := slices.IndexFunc(rules, func(rule predict.RuleInput) bool { return rule.Holds(from + r) }); k >= 0 {
				dst[r*stride+at+k] = 1
			}
		}
		at += len(rules)
	}
}

// fillPair stores the cells of a pair in a row.
func (in *rawInput) fillPair(dst []float64, p *pairInput, row int) {
	in.a, in.b = p.sides[0].Entries(in.a[:0], row), p.sides[1].Entries(in.b[:0], row)
	for _, a := range in.a {
		for _, b := range in.b {
			if c := p.cell[int(a.Column)*p.width+int(b.Column)]; c >= 0 {
				dst[c] = a.Value * b.Value
			}
		}
	}
}

// matrix returns the columns of all rows as one chunk of fold 0.
func (in *rawInput) matrix() *matrix {
	n, cols := len(in.frame.Rows), in.logit.Columns()
	m := &matrix{rows: n, cols: cols, start: make([]int, n+1), y: make([]float64, n), w: make([]float64, n),
		chunks: []chunk{{0, n, 0}}, workers: 1}
	x := make([]float64, blockRows*cols)
	m.chunks[0].blocks(func(from, rows int) {
		clear(x)
		in.fill(x, cols, from, rows)
		for r := range rows {
			row := &in.frame.Rows[from+r]
			m.y[from+r], m.w[from+r] = float64(row.Y), row.Weight
			m.total += row.Weight
			for j, v := range x[r*cols : (r+1)*cols] {
				if v != 0 {
					m.col, m.val = append(m.col, int32(j)), append(m.val, v)
				}
			}
			m.start[from+r+1] = len(m.col)
		}
		if from == 0 { // these rows tell how many entries there will be
			more := len(m.col) / rows * (n - rows) * 17 / 16
			m.col, m.val = slices.Grow(m.col, more), slices.Grow(m.val, more)
		}
	})
	return m
}
