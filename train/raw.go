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
	terms  *termsInput
	card   *predict.CardInput
	parts  []float64 // of the card's criteria
	pairs  []pairInput
	tables [][]predict.RuleInput
}

// A pairInput evaluates the cells of a pair.
type pairInput struct {
	sides [2]predict.SideInput
	width int
	cell  []int32 // by product, i·width + j: its number among the cells, or −1
}

func newRawInput(l *predict.Logit, f *features.Frame) (*rawInput, error) {
	in := &rawInput{logit: l, frame: f, terms: newTermsInput(f, l.Terms)}
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

// matrix returns the columns of all rows as one chunk of fold 0.
func (in *rawInput) matrix() *matrix {
	n := len(in.frame.Rows)
	m := &matrix{rows: n, cols: in.logit.Columns(), start: make([]int, n+1), y: make([]float64, n), w: make([]float64, n),
		chunks: []chunk{{0, n, 0}}, workers: 1}
	const few = 64 // rows that tell how many entries there will be
	var entries, a, b []predict.Entry
	for i := range n {
		if i == few {
			more := len(m.col) / few * (n - few) * 17 / 16
			m.col, m.val = slices.Grow(m.col, more), slices.Grow(m.val, more)
		}
		r := &in.frame.Rows[i]
		m.y[i], m.w[i] = float64(r.Y), r.Weight
		m.total += r.Weight
		m.col, m.val = append(m.col, 0), append(m.val, 1)
		entries = in.terms.entries(entries[:0], i)
		at := int32(in.terms.columns)
		if in.card != nil {
			entries = append(entries, predict.Entry{Column: at, Value: (in.card.Score(in.parts, i) - in.logit.Scorecard.Mean) / in.logit.Scorecard.SD})
			at++
		}
		for k := range in.pairs {
			p := &in.pairs[k]
			a, b = p.sides[0].Entries(a[:0], i), p.sides[1].Entries(b[:0], i)
			for _, ea := range a {
				for _, eb := range b {
					if c := p.cell[int(ea.Column)*p.width+int(eb.Column)]; c >= 0 {
						entries = append(entries, predict.Entry{Column: at + c, Value: ea.Value * eb.Value})
					}
				}
			}
			at += int32(len(in.logit.Pairs[k].Cells))
		}
		for _, rules := range in.tables {
			for k := range rules {
				if rules[k].Holds(i) {
					entries = append(entries, predict.Entry{Column: at + int32(k), Value: 1})
					break
				}
			}
			at += int32(len(rules))
		}
		for _, e := range entries {
			m.col, m.val = append(m.col, e.Column+1), append(m.val, e.Value)
		}
		m.start[i+1] = len(m.col)
	}
	return m
}
