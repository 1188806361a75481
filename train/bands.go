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

// newSandwich takes a fit that was solved exactly: its matrix was taken one step
// before the optimum.
func newSandwich(fit *ridge, groups []int32) *sandwich {
	m := fit.m
	if m.bounded() != nil {
		fit.penalty = fit.onFace()
		fit.refactor()
	}
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

// together is the number of combinations whose variances share a pass.
const together = 8

// variances returns c'Vc of several combinations.
func (s *sandwich) variances(combinations [][]float64, workers int) []float64 {
	sums := make([]float64, len(combinations))
	parallel(workers, (len(combinations)+together-1)/together, func(k int) {
		from := k * together
		to := min(from+together, len(combinations))
		copy(sums[from:to], s.some(combinations[from:to]))
	})
	return sums
}

func (s *sandwich) some(combinations [][]float64) []float64 {
	m := s.fit.m
	var sums [together]float64
	a := make([][together]float64, m.cols) // A⁻¹c by column
	for k, c := range combinations {
		for j, v := range s.factor.solve(nil, c) {
			a[j][k] = v
			sums[k] += float64(s.fit.penalty[j] * v * v)
		}
	}
	from := 0
	for _, to := range s.ends {
		for k, v := range s.score(a, from, to) {
			sums[k] += float64(v * v)
		}
		from = to
	}
	return sums[:len(combinations)]
}

// score returns s_g·a of several vectors, a by column, for the group whose rows
// are s.order[from:to].
func (s *sandwich) score(a [][together]float64, from, to int) (score [together]float64) {
	m := s.fit.m
	for _, i := range s.order[from:to] {
		for e := m.start[i]; e < m.start[i+1]; e++ {
			v, row := float64(m.val[e]*s.resid[i]), &a[m.col[e]]
			for k := range score {
				score[k] += float64(v * row[k])
			}
		}
	}
	return score
}

// times returns V c of several vectors.
func (s *sandwich) times(vectors [][]float64, workers int) [][]float64 {
	out := make([][]float64, len(vectors))
	parallel(workers, (len(vectors)+together-1)/together, func(b int) {
		from := b * together
		s.timesSome(out[from:min(from+together, len(vectors))], vectors[from:])
	})
	return out
}

func (s *sandwich) timesSome(out, vectors [][]float64) {
	m := s.fit.m
	a, t := make([][together]float64, m.cols), make([][together]float64, m.cols) // A⁻¹c, (M + Λ)A⁻¹c
	for k := range out {
		for j, v := range s.factor.solve(nil, vectors[k]) {
			a[j][k], t[j][k] = v, float64(s.fit.penalty[j]*v)
		}
	}
	from := 0
	for _, to := range s.ends {
		score := s.score(a, from, to)
		for _, i := range s.order[from:to] {
			for e := m.start[i]; e < m.start[i+1]; e++ {
				v, row := float64(m.val[e]*s.resid[i]), &t[m.col[e]]
				for k := range score {
					row[k] += float64(v * score[k])
				}
			}
		}
		from = to
	}
	for k := range out {
		column := make([]float64, m.cols)
		for j := range column {
			column[j] = t[j][k]
		}
		out[k] = s.factor.solve(nil, column)
	}
}

// varianceOf returns the variance of an additive fit.
func (c *contest) varianceOf(b *built, s *sandwich) *variance {
	return rawVariance(&b.logit, b.fit.m, func(v [][]float64) [][]float64 { return s.times(v, c.workers) })
}

// setEffects states the effects of what was built: see stateEffects.
func (c *contest) setEffects(b *built, s *sandwich) {
	stateEffects(&b.logit, b.fit.theta, c.s.frame, c.base.w, func(combinations [][]float64) []float64 {
		return s.variances(combinations, c.workers)
	})
}

// stateEffects states the terms' effects with their intervals, and the standard
// errors of linear, level and missing columns and of slopes, from weights of raw columns and
// the variances of their combinations. f and w are the rows that quantiles come
// from. Errors of single splines, other cells and rules are left at 0: such weights are
// read together or not at all.
func stateEffects(
	l *predict.Logit, theta []float64, f *features.Frame, w []float64, variances func(combinations [][]float64) []float64,
) {
	var combinations [][]float64
	var use []func(variance float64)
	ask := func(at int, c []float64, f func(variance float64)) {
		full := make([]float64, len(theta))
		copy(full[at:], c)
		combinations, use = append(combinations, full), append(use, f)
	}
	at := 1
	for j := range l.Terms {
		t := &l.Terms[j]
		if len(t.Columns) == 0 { // of a card's feature
			continue
		}
		for k := range t.Columns {
			column := &t.Columns[k]
			if kindOf(column) != plainColumn {
				continue
			}
			scale := 1.0
			if column.Kind != predict.Linear {
				_, scale = column.Affine()
			}
			ask(at+k, []float64{1 / scale}, func(v float64) { column.SE = math.Sqrt(max(v, 0)) })
		}
		contrast, words := rawContrast(t, f.Column(t.Feature), w)
		estimate := dot(contrast, theta[at:at+len(contrast)])
		ask(at, contrast, func(v float64) { t.Effect = predict.NewInterval(estimate, math.Sqrt(max(v, 0))) })
		t.Contrast = words
		at += len(t.Columns)
	}
	if l.Scorecard != nil {
		ask(at, []float64{1}, func(v float64) { l.Scorecard.SE = math.Sqrt(max(v, 0)) })
		at++
	}
	for k := range l.Pairs {
		p := &l.Pairs[k]
		for i := range p.Cells {
			if cell := &p.Cells[i]; p.OfSlopes() {
				ask(at+i, []float64{cell.SD}, func(v float64) { cell.SE = math.Sqrt(max(v, 0)) })
			}
		}
		at += len(p.Cells)
	}
	for k, v := range variances(combinations) {
		use[k](v)
	}
}

// rawContrast returns what a term's effect compares, as a difference of raw
// columns and in words, as contrastOf does.
func rawContrast(t *predict.Term, column *features.Column, w []float64) ([]float64, string) {
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
	low, high, words := quartiles(t, column, w)
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
