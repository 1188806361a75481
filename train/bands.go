// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A sandwich gives the variance of linear combinations of an optimum's weights,
//
//	c'Vc = a'(M + Λ)a,   A a = c,   A = X'WX + Λ,   M = Σ_g s_g s_g'
//
// as clusteredVariance does for a dense design, but one combination at a time:
// of some hundred columns a few dozen combinations are read.
type sandwich struct {
	fit    *ridge
	factor cholesky
	resid  []float64 // w (p − y)
	order  []int     // rows by group
	ends   []int     // of each group in order
}

func newSandwich(fit *ridge, groups []int32) *sandwich {
	m := fit.m
	fit.renew(true)
	s := &sandwich{fit: fit, factor: fit.pre.factor, resid: make([]float64, m.rows), order: make([]int, m.rows)}
	m.logOdds(s.resid, fit.theta, 0, m.rows)
	n := 0
	for i, z := range s.resid {
		s.resid[i] = float64(m.w[i] * (predict.Sigmoid(z) - m.y[i]))
		n = max(n, int(groups[i])+1)
	}
	starts := make([]int, n+1)
	for _, g := range groups {
		starts[g+1]++
	}
	for g := range n {
		starts[g+1] += starts[g]
	}
	s.ends = make([]int, n)
	copy(s.ends, starts)
	for i, g := range groups {
		s.order[s.ends[g]] = i
		s.ends[g]++
	}
	return s
}

// variance returns c'Vc.
func (s *sandwich) variance(c []float64) float64 {
	m := s.fit.m
	a := s.factor.solve(nil, c)
	sum := 0.0
	for j, l := range s.fit.penalty {
		sum += float64(l * a[j] * a[j])
	}
	from := 0
	for _, to := range s.ends {
		score := 0.0
		for _, i := range s.order[from:to] {
			x := 0.0
			for e := m.start[i]; e < m.start[i+1]; e++ {
				x += float64(m.val[e] * a[m.col[e]])
			}
			score += float64(x * s.resid[i])
		}
		sum += float64(score * score)
		from = to
	}
	return max(sum, 0)
}

// setEffects states the terms' effects with their intervals, and the standard
// errors of linear, level and missing columns. Those of single splines, cells
// and rules are left at 0: such weights are read together or not at all.
func (c *contest) setEffects(b *built) {
	s := newSandwich(b.fit, c.groups)
	l := &b.logit
	starts := make([]int, len(l.Terms))
	at := 1
	for j := range l.Terms {
		starts[j] = at
		at += len(l.Terms[j].Columns)
	}
	parallel(c.workers, len(l.Terms), func(j int) {
		t := &l.Terms[j]
		for k := range t.Columns {
			column := &t.Columns[k]
			if c.mains.kind[starts[j]+k-1] != plainColumn {
				continue
			}
			scale := 1.0
			if column.Kind != predict.Linear {
				_, scale = column.Affine()
			}
			unit := make([]float64, b.fit.m.cols)
			unit[starts[j]+k] = 1 / scale
			column.SE = math.Sqrt(s.variance(unit))
		}
		contrast, words := c.contrast(t)
		full := make([]float64, b.fit.m.cols)
		copy(full[starts[j]:], contrast)
		t.Effect = predict.NewInterval(dot(full, b.fit.theta), math.Sqrt(s.variance(full)))
		t.Contrast = words
	})
}

// contrast returns what a term's effect compares, as a difference of raw
// columns and in words, as contrastOf does.
func (c *contest) contrast(t *predict.Term) ([]float64, string) {
	column := c.s.frame.Column(t.Feature)
	if column.IsLevel() {
		d, words := levelContrast(t)
		for k := range d {
			switch {
			case d[k] > 0:
				d[k] = 1
			case d[k] < 0:
				d[k] = -1
			}
		}
		return d, words
	}
	if t.Low == t.High { // known or missing is all there is
		return []float64{1}, "missing against known"
	}
	low, high, words := quartiles(t, column, c.base.w)
	pair := features.Column{Feature: column.Feature, Num: []float64{low, high}}
	d := make([]float64, len(t.Columns))
	in := predict.NewInput(t, &pair)
	for i, sign := range []float64{-1, 1} {
		for _, e := range in.Entries(nil, i) {
			d[e.Column] += sign * e.Value
		}
		for k := range t.Columns {
			if t.Columns[k].Kind == predict.Linear {
				d[k] += sign * t.Columns[k].Standardise(t.Raw(k, pair.Num[i]))
			}
		}
	}
	return d, words
}
