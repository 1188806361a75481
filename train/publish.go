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
	if x.slope > 0 && c.sloping == nil {
		c.sloping = newSloping(c.s, c.mains.terms)
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

// setLogit writes the columns of a fit, and its weights on raw columns as those
// of scaled ones.
func (c *contest) setLogit(b *built) {
	l := &b.logit
	l.Calibration = predict.Calibration{Method: CalibrationNone, Slope: 1}
	l.Terms = slices.Clone(c.mains.terms)
	raw := 0
	for j := range l.Terms {
		t := &l.Terms[j]
		t.Columns = slices.Clone(t.Columns)
		for k := range t.Columns {
			if column := &t.Columns[k]; column.Kind != predict.Linear {
				column.Mean = c.mains.mean[raw]
				column.SD = math.Pow(max(c.mains.sd[raw], leastSD), b.stage.sought.power)
			}
			raw++
		}
	}
	if c.s.told.card != nil {
		l.Scorecard = c.s.told.card.Clone()
	}
	means := slices.Clone(c.mains.mean)
	for _, p := range b.stage.products {
		p.Cells = slices.Clone(p.Cells)
		for i := range p.Cells {
			means = append(means, p.Cells[i].Mean)
		}
		l.Pairs = append(l.Pairs, p)
	}
	rules := b.stage.parts[len(b.stage.products):]
	part, column := 0, 0
	for _, boxes := range b.stage.tables {
		var t predict.Table
		for _, x := range boxes {
			for column == rules[part].cols {
				part, column = part+1, 0
			}
			mean := rules[part].mean[column]
			t.Rules = append(t.Rules, predict.Rule{
				Conditions: c.binning(b.stage.shape).conditions(x), Mean: mean, SD: 1})
			means = append(means, mean)
			column++
		}
		l.Tables = append(l.Tables, t)
	}
	setRaw(l, b.fit.theta, means)
}

// setShares sets each part's share of the variance of z over the rows of m.
func setShares(l *predict.Logit, m *matrix, theta []float64) {
	shares, owner := shareOwners(l)
	n := len(shares)
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
	for k := range shares {
		*shares[k] = 0
		if variance > 0 {
			*shares[k] = (cross[k]/m.total - float64(sum[k]/m.total*mean)) / variance
		}
	}
}

// shareOwners returns where the share of each part of a logit stands, and the
// part that each raw column belongs to; the intercept is of none, −1.
func shareOwners(l *predict.Logit) (shares []*float64, owner []int) {
	owner = append(owner, -1)
	part := func(share *float64, columns int) {
		for range columns {
			owner = append(owner, len(shares))
		}
		shares = append(shares, share)
	}
	for j := range l.Terms {
		part(&l.Terms[j].Share, len(l.Terms[j].Columns))
	}
	if l.Scorecard != nil {
		part(&l.Scorecard.Share, 1)
	}
	for k := range l.Pairs {
		part(&l.Pairs[k].Share, len(l.Pairs[k].Cells))
	}
	for k := range l.Tables {
		part(&l.Tables[k].Share, len(l.Tables[k].Rules))
	}
	return shares, owner
}
