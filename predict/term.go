// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// A termPart is a term prepared for scoring: f_j(x) is a constant, a linear
// column and what the nonzero columns add to it, so that a row costs no more
// than the few columns that are not 0 there.
type termPart struct {
	column *features.Column
	byCode []float64 // of levels: f_j by code, code −1 (missing) first

	missing   float64 // f_j where x is NaN
	constant  float64 // Σ of Weight × Standardise(0) over all columns but linear ones
	linear    []linearPart
	low, high float64 // clip the linear columns
	knots     []float64
	splines   []float64 // coefficients of the B-splines; nil without any
	midpoints []float64
	values    []float64 // coefficients of the values, rising; nil without any
	spikes    []spikePart
}

type linearPart struct {
	log              bool // the transform is SignedLog
	mean, sd, weight float64
}

type spikePart struct{ at, coefficient float64 }

func newTermPart(t *Term, in *Input) *termPart {
	p := &termPart{column: in.column, low: t.Low, high: t.High, knots: t.Knots, midpoints: in.midpoints}
	for k := range t.Columns {
		if b := &t.Columns[k]; b.Kind != Linear {
			zero, _ := b.Affine()
			p.constant += float64(b.Weight * zero)
		}
	}
	if in.own != nil {
		p.byCode = make([]float64, len(in.own))
		for code, j := range in.own {
			p.byCode[code] = p.constant
			if j >= 0 {
				p.byCode[code] += t.Columns[j].coefficient()
			}
		}
		return p
	}
	for k := range t.Columns {
		p.missing += float64(t.Columns[k].Weight * t.Columns[k].Standardise(t.Raw(k, math.NaN())))
	}
	p.bindNumber(t, in)
	return p
}

// coefficient returns what one unit of the raw column adds to z.
func (b *Basis) coefficient() float64 {
	_, scale := b.Affine()
	return b.Weight * scale
}

// bindNumber collects the coefficients of a number term. The sum of the
// B-splines from one on adds to the coefficients of each of them, so that
// cumulated splines cost what plain ones do:
//
//	Σ_i c_i Σ_(m ≥ i) B_m = Σ_m (Σ_(i ≤ m) c_i) B_m
func (p *termPart) bindNumber(t *Term, in *Input) {
	if in.splines != nil || in.cumulated != nil {
		p.splines = make([]float64, SplineCount(len(t.Knots), TermDegree))
	}
	for k := range t.Columns {
		switch b := &t.Columns[k]; b.Kind {
		case Linear:
			p.linear = append(p.linear, linearPart{b.Transform == SignedLog, b.Mean, b.SD, b.Weight})
		case Spline:
			p.splines[b.Index] += b.coefficient()
		case Cumulated:
			for m := b.Index; m < len(p.splines); m++ {
				p.splines[m] += b.coefficient()
			}
		case Spike:
			p.spikes = append(p.spikes, spikePart{b.At, b.coefficient()})
		}
	}
	for _, j := range in.values {
		p.values = append(p.values, t.Columns[j].coefficient())
	}
}

// add adds f_j to dst for the rows from … from+len(dst)−1.
func (p *termPart) add(dst []float64, from int) {
	if p.byCode != nil {
		for i, code := range p.column.Codes[from : from+len(dst)] {
			dst[i] += p.byCode[code+1]
		}
		return
	}
	for i, x := range p.column.Num[from : from+len(dst)] {
		dst[i] += p.at(x)
	}
}

// at returns f_j(x) of a number.
func (p *termPart) at(x float64) float64 {
	if x != x {
		return p.missing
	}
	f := p.constant
	for k := range p.linear {
		l := &p.linear[k]
		u := min(max(x, p.low), p.high)
		if l.log {
			u = SignedLog.apply(u)
		}
		f += float64(l.weight * standardise(u, l.mean, l.sd))
	}
	if p.splines != nil {
		var b [TermDegree + 1]float64
		first := BSplines(b[:], p.knots, TermDegree, x)
		for r, c := range p.splines[first : first+TermDegree+1] {
			f += float64(c * b[r])
		}
	}
	if p.values != nil {
		f += p.values[nearest(p.midpoints, x)]
	}
	for _, s := range p.spikes {
		if x == s.at {
			f += s.coefficient
		}
	}
	return f
}
