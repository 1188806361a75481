// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// leastSD is the standard deviation at which the scale of a bounded column
// stops falling.
const leastSD = 1e-3

// built is an additive model on its way to publication.
type built struct {
	stage *stage
	fit   *ridge // the published optimum, from zero
	logit predict.Logit
}

// build selects the contestant's columns on all rows, and fits its weights from
// zero: exactly where asked for, else as closely as choosing needs.
func (c *contest) build(ctx context.Context, x *contestant, exact bool) (*built, error) {
	mains := newRidge(c.base, noFold)
	if err := mains.solve(ctx, c.mains.penalty([]float64{0}, x.penalties), chooseTolerance, false); err != nil {
		return nil, err
	}
	if x.pairs > 0 && c.pairing == nil {
		c.pairing = newPairing(c.s, c.mains.terms)
	}
	st, err := c.stageOf(ctx, mains, x)
	if err != nil {
		return nil, err
	}
	if x.rules > 0 {
		t := c.newTabling(st, x.shape)
		if _, err := t.reach(ctx, x.rules); err != nil {
			return nil, err
		}
		st = t.stage
	}
	b := &built{stage: st, fit: st.fit}
	if exact {
		b.fit = newRidge(st.fit.m, noFold)
		if err := b.fit.solve(ctx, st.penalty(c.mains), newtonTolerance, true); err != nil {
			return nil, err
		}
	}
	c.setLogit(b)
	return b, nil
}

// setLogit writes the weights of a fit on raw columns as those of scaled ones.
func (c *contest) setLogit(b *built) {
	theta := b.fit.theta
	l := &b.logit
	l.Intercept = theta[0]
	l.Calibration = predict.Calibration{Method: CalibrationNone, Slope: 1}
	l.Terms = slices.Clone(c.mains.terms)
	at := 1
	for j := range l.Terms {
		t := &l.Terms[j]
		t.Columns = slices.Clone(t.Columns)
		for k := range t.Columns {
			column := &t.Columns[k]
			raw := at - 1
			if column.Kind == predict.Linear {
				column.Weight = theta[at]
				t.RefMean += float64(theta[at] * c.mains.mean[raw])
				at++
				continue
			}
			column.Mean = c.mains.mean[raw]
			column.SD = math.Pow(max(c.mains.sd[raw], leastSD), b.stage.sought.power)
			zero, scale := column.Affine()
			column.Weight = theta[at] / scale
			l.Intercept -= float64(column.Weight * zero)
			t.RefMean += float64(column.Weight * (zero + float64(scale*c.mains.mean[raw])))
			at++
		}
	}
	at = c.s.told.setCard(l, theta, at)
	for _, pair := range b.stage.pairs {
		p := c.pairing.pairs[pair]
		p.Cells = slices.Clone(p.Cells)
		for i := range p.Cells {
			cell := &p.Cells[i]
			cell.Weight = theta[at] * cell.SD
			l.Intercept += float64(theta[at] * cell.Mean)
			at++
		}
		l.Pairs = append(l.Pairs, p)
	}
	rules := b.stage.parts[len(b.stage.pairs):]
	part, column := 0, 0
	for _, boxes := range b.stage.tables {
		var t predict.Table
		for _, x := range boxes {
			for column == rules[part].cols {
				part, column = part+1, 0
			}
			mean := rules[part].mean[column]
			t.Rules = append(t.Rules, predict.Rule{
				Conditions: c.binning(b.stage.shape).conditions(x), Mean: mean, SD: 1, Weight: theta[at]})
			l.Intercept += float64(theta[at] * mean)
			at++
			column++
		}
		l.Tables = append(l.Tables, t)
	}
}

// setShares sets each part's share of the variance of z.
func (c *contest) setShares(b *built) {
	m, theta := b.fit.m, b.fit.theta
	var owner []int // of each column: its number among terms, pairs and tables; −1 for the intercept
	owner = append(owner, -1)
	for _, p := range c.mains.at {
		owner = append(owner, p.term)
	}
	n := c.owners()
	for k, p := range b.stage.parts[:len(b.stage.pairs)] {
		for range p.cols {
			owner = append(owner, n+k)
		}
	}
	n += len(b.stage.pairs)
	for k, t := range b.stage.tables {
		for range t {
			owner = append(owner, n+k)
		}
	}
	n += len(b.stage.tables)
	parts, sum, cross := make([]float64, n), make([]float64, n), make([]float64, n)
	mean, square := 0.0, 0.0
	for i := range m.rows {
		clear(parts)
		z := 0.0
		for e := m.start[i]; e < m.start[i+1]; e++ {
			f := float64(m.val[e] * theta[m.col[e]])
			z += f
			if o := owner[m.col[e]]; o >= 0 {
				parts[o] += f
			}
		}
		mean += float64(m.w[i] * z)
		square += float64(m.w[i] * z * z)
		for k, f := range parts {
			sum[k] += float64(m.w[i] * f)
			cross[k] += float64(m.w[i] * f * z)
		}
	}
	mean /= m.total
	variance := square/m.total - float64(mean*mean)
	share := func(k int) float64 {
		if variance <= 0 {
			return 0
		}
		return (cross[k]/m.total - float64(sum[k]/m.total*mean)) / variance
	}
	l := &b.logit
	for j := range l.Terms {
		l.Terms[j].Share = share(j)
	}
	if l.Scorecard != nil {
		l.Scorecard.Share = share(len(l.Terms))
	}
	for k := range l.Pairs {
		l.Pairs[k].Share = share(c.owners() + k)
	}
	for k := range l.Tables {
		l.Tables[k].Share = share(c.owners() + len(l.Pairs) + k)
	}
}
