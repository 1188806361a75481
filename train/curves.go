// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Thresholds of METHODS.md section 3, step 2.
const (
	curveIntervals = 8    // of a cubic spline, between quantiles
	mostCurves     = 30   // numbers that get a curve, if there are more
	fewValues      = 6    // distinct values up to which each gets a column
	spikeShare     = 0.05 // of the rows in one value, from which it gets a column …
	spikeValues    = 12   // … if there are more distinct values than this
)

// withCurves returns copies of the terms in which every number has, beside its
// linear column, those of a cubic B-spline, or one for each of a few values,
// and a spike where one value is common; of the features named in curved only,
// unless it is nil. A number whose direction binds gets a monotone curve alone.
// Scales are 1 until the weights are published.
func withCurves(s *sample, terms []predict.Term, curved []string, workers int) []predict.Term {
	out := slices.Clone(terms)
	parallel(workers, len(out), func(j int) {
		t := &out[j]
		if t.Kind != string(features.NumberKind) || t.Low == t.High || curved != nil && !slices.Contains(curved, t.Feature) {
			return
		}
		v := valuesOf(s, t.Feature)
		t.Columns = slices.Clone(t.Columns)
		if s.signOf(t.Feature) != 0 {
			addMonotone(t, v)
			return
		}
		if len(v.distinct) <= fewValues {
			for _, x := range v.distinct {
				t.Columns = append(t.Columns, predict.Basis{Kind: predict.Value, At: x, SD: 1})
			}
			return
		}
		if t.Knots = v.knots(curveIntervals); len(t.Knots) < 3 {
			t.Knots = nil
			return
		}
		for k := range len(t.Knots) - 1 + 3 {
			t.Columns = append(t.Columns, predict.Basis{Kind: predict.Spline, Index: k, SD: 1})
		}
		if len(v.distinct) > spikeValues && v.most > spikeShare {
			t.Columns = append(t.Columns, predict.Basis{Kind: predict.Spike, At: v.mode, SD: 1})
		}
	})
	return out
}

// A curveChooser chooses the numbers that get a curve.
type curveChooser struct {
	terms  []predict.Term
	linear *contestant
	on     *contest // of the linear model's columns; nil where all numbers get a curve
}

func newCurveChooser(s *sample, terms []predict.Term, linear *contestant, workers int) *curveChooser {
	c := &curveChooser{terms: terms, linear: linear}
	if manyNumbers(terms) {
		as := terms
		if linear.untouched {
			as, _ = untransformed(s, terms)
		}
		c.on = contestOf(s, as, workers)
	}
	return c
}

// choose returns the numbers that get a curve: all, as nil, where there are at most
// mostCurves, else those that worthCurves ranks first by the approximate
// leave-one-out residuals of the linear model, on the rows outside the fold hold.
// Hundreds of columns for features that are as good as linear would cost minutes
// and say nothing.
func (c *curveChooser) choose(ctx context.Context, hold int) ([]string, error) {
	if c.on == nil {
		return nil, nil
	}
	fit := newRidge(c.on.base, hold)
	if err := fit.solve(ctx, c.on.mains.penalty([]float64{0}, c.linear.penalties), chooseTolerance, false); err != nil {
		return nil, err
	}
	return worthCurves(c.on.s, c.terms, fit.leaveOneOut(), hold, c.on.workers), nil
}

// worthCurves returns the mostCurves numbers with the largest score statistic, over
// eight cells of equal weight, of the residuals of the linear model at log-odds z
// (pairing.rank has the formula), but for the rows of the fold hold.
func worthCurves(s *sample, terms []predict.Term, z []float64, hold, workers int) []string {
	scores := make([]float64, len(terms))
	slopes, curves := make([]float64, len(z)), make([]float64, len(z)) // of the loss of each row
	for i := range z {
		r, p := &s.frame.Rows[i], predict.Sigmoid(z[i])
		slopes[i], curves[i] = float64(r.Weight*(float64(r.Y)-p)), float64(r.Weight*p*(1-p))
	}
	if hold != noFold {
		from, to := s.starts[hold], s.starts[hold+1]
		clear(slopes[from:to])
		clear(curves[from:to])
	}
	parallel(workers, len(terms), func(j int) {
		scores[j] = math.Inf(-1)
		if terms[j].Kind != string(features.NumberKind) || terms[j].Low == terms[j].High {
			return
		}
		edges := valuesOf(s, terms[j].Feature).knots(curveIntervals)
		edges = edges[1 : len(edges)-1]
		g, h := make([]float64, len(edges)+1), make([]float64, len(edges)+1)
		for i, x := range s.frame.Column(terms[j].Feature).Num {
			if x != x {
				continue
			}
			k := cellOf(edges, x)
			g[k] += slopes[i]
			h[k] += curves[i]
		}
		scores[j] = cellScore(g, h)
	})
	order := make([]int, len(terms))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	names := []string{}
	for _, j := range order[:mostCurves] {
		if scores[j] > 0 {
			names = append(names, terms[j].Feature)
		}
	}
	return names
}

// manyNumbers reports whether only some numbers get a curve.
func manyNumbers(terms []predict.Term) bool {
	numbers := 0
	for j := range terms {
		if terms[j].Kind == string(features.NumberKind) {
			numbers++
		}
	}
	return numbers > mostCurves
}

// cellOf returns the number of the cell of x: how many edges, which rise, are at
// or below it.
func cellOf(edges []float64, x float64) int {
	k, found := slices.BinarySearch(edges, x)
	if found {
		k++
	}
	return k
}

// cellScore returns ½ Σ_c (G_c² − H_c)/(H_c + 5).
func cellScore(g, h []float64) float64 {
	score := 0.0
	for c := range g {
		score += (float64(g[c]*g[c]) - h[c]) / (h[c] + cellPenalty) / 2
	}
	return score
}

// values are the observed numbers of a feature.
type values struct {
	sorted   []weighted // by x
	total    float64
	distinct []float64 // rising; no more than spikeValues+1 are listed
	mode     float64   // the value with the largest weight, the smallest of equals
	most     float64   // its share
}

func valuesOf(s *sample, feature string) *values {
	v := new(values)
	for i, x := range s.frame.Column(feature).Num {
		if x == x {
			v.sorted = append(v.sorted, weighted{x, s.frame.Rows[i].Weight})
		}
	}
	slices.SortFunc(v.sorted, func(a, b weighted) int { return cmp.Compare(a.x, b.x) })
	best, run := -1.0, 0.0
	for i, e := range v.sorted {
		v.total += e.w
		if i == 0 || e.x != v.sorted[i-1].x {
			run = 0
			if len(v.distinct) <= spikeValues {
				v.distinct = append(v.distinct, e.x)
			}
		}
		run += e.w
		if run > best*(1+1e-9) {
			best, v.mode = run, e.x
		}
	}
	v.most = best / v.total
	return v
}

// quantile returns the smallest value at or below which lies a share q of the
// weight.
func (v *values) quantile(q float64) float64 {
	need, sum := float64(q*v.total)-float64(1e-9*v.total), 0.0
	for _, e := range v.sorted {
		if sum += e.w; sum >= need {
			return e.x
		}
	}
	return v.sorted[len(v.sorted)-1].x
}

// everyDistinct returns all values, rising.
func (v *values) everyDistinct() []float64 {
	var distinct []float64
	for i, e := range v.sorted {
		if i == 0 || e.x != v.sorted[i-1].x {
			distinct = append(distinct, e.x)
		}
	}
	return distinct
}

// knots cuts the range into up to n intervals of equal weight. Where that
// leaves fewer than two, because most values are equal, the distinct values
// are cut instead. There are only two knots where even these stand too close.
func (v *values) knots(n int) []float64 {
	var knots []float64
	for k := range n + 1 {
		knots = append(knots, v.quantile(float64(k)/float64(n)))
	}
	knots[0], knots[n] = v.sorted[0].x, v.sorted[len(v.sorted)-1].x
	knots = apart(knots)
	if len(knots) >= 3 {
		return knots
	}
	distinct := v.everyDistinct()
	at := func(q float64) float64 { return distinct[int(math.Round(q*float64(len(distinct)-1)))] }
	if n > 4 {
		return apart([]float64{at(0), at(1. / 3), at(2. / 3), at(1)})
	}
	return apart([]float64{at(0), at(0.5), at(1)})
}

// apart returns rising knots without those that stand nearer than 1e-9 of the
// range to their neighbour: a spline between them would divide by nothing. The
// first and the last stay.
func apart(knots []float64) []float64 {
	last := knots[len(knots)-1]
	least := 1e-9*last - 1e-9*knots[0]
	out := knots[:1]
	for _, k := range knots[1 : len(knots)-1] {
		if k-out[len(out)-1] > least && last-k > least {
			out = append(out, k)
		}
	}
	if last > out[0] {
		out = append(out, last)
	}
	return out
}
