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
// as clusteredVariance does for a dense design. Of M the upper triangle is set.
type sandwich struct {
	fit    *ridge
	scores []float64
}

// newSandwich takes a fit that was solved exactly, whose matrix was taken one
// step before the optimum, and its M.
func newSandwich(fit *ridge, scores []float64) *sandwich {
	if fit.m.bounded() != nil {
		fit.penalty = fit.onFace()
		fit.refactor()
	}
	return &sandwich{fit, scores}
}

// sandwich returns that of an additive fit, rows clustered by group.
func (c *contest) sandwich(b *built) *sandwich {
	m := b.fit.m
	few := newFewRows(m.cols)
	g := newGroupSums(few)
	rows := c.s.frame.Rows
	for i := range rows {
		g.rows[rows[i].Group]++
	}
	for from := 0; from < m.rows; from += fewest {
		var z, residual [fewest]float64
		n := min(fewest, m.rows-from)
		x := few.take(n)
		m.logOdds(z[:], b.fit.theta, from, from+n)
		for r := range n {
			i := from + r
			residual[r] = float64(m.w[i] * (predict.Sigmoid(z[r]) - m.y[i]))
			for e := m.start[i]; e < m.start[i+1]; e++ {
				x[r*few.stride+int(m.col[e])] = m.val[e]
			}
		}
		g.add(rows[from:from+n], residual[:])
	}
	return newSandwich(b.fit, g.products())
}

// inner returns (M + Λ) a.
func (s *sandwich) inner(a []float64) []float64 {
	n := s.fit.m.cols
	out := make([]float64, n)
	for i, ai := range a {
		row := s.scores[i*n : (i+1)*n]
		out[i] += float64((s.fit.penalty[i] + row[i]) * ai)
		for j := i + 1; j < n; j++ {
			out[i] += float64(row[j] * a[j])
			out[j] += float64(row[j] * ai)
		}
	}
	return out
}

// variances returns c'Vc of several combinations.
func (s *sandwich) variances(combinations [][]float64) []float64 {
	out := make([]float64, len(combinations))
	parallel(s.fit.m.workers, len(combinations), func(k int) {
		a := s.fit.pre.factor.solve(nil, combinations[k])
		out[k] = dot(a, s.inner(a))
	})
	return out
}

// times returns V c of several vectors.
func (s *sandwich) times(vectors [][]float64) [][]float64 {
	out := make([][]float64, len(vectors))
	parallel(s.fit.m.workers, len(vectors), func(k int) {
		a := s.fit.pre.factor.solve(nil, vectors[k])
		out[k] = s.fit.pre.factor.solve(nil, s.inner(a))
	})
	return out
}

// setEffects states the effects and curves of what was built.
func (c *contest) setEffects(b *built, s *sandwich) {
	stateEffects(&b.logit, b.fit.theta, c.s.frame, c.base.w, s.variances)
	stateCurves(&b.logit, c.mains.mean, rawColumn, c.s.frame, c.base.w, s.block)
}

// block returns V of n columns from number at on, row-major.
func (s *sandwich) block(at, n int) []float64 {
	units := make([][]float64, n)
	for k := range units {
		units[k] = make([]float64, s.fit.m.cols)
		units[k][at+k] = 1
	}
	var out []float64
	for _, row := range s.times(units) {
		out = append(out, row[at:at+n]...)
	}
	return out
}

// stateEffects states the terms' effects with their intervals, and the standard
// errors of linear, level and missing columns and of slopes, from weights of raw
// columns and the variances of their combinations. f and w are the rows that
// quantiles come from. Errors of single splines, other cells and rules are left at
// 0: such weights are read together or not at all.
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
