// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// weightedSample is sampleOf with weights.
func weightedSample(w []float64, columns ...features.Column) *sample {
	s := sampleOf(columns...)
	for i := range s.frame.Rows {
		s.frame.Rows[i].Weight = w[i]
	}
	return newOrdered(s.frame, s.starts)
}

func kindsOf(t *predict.Term) map[predict.BasisKind]int {
	n := make(map[predict.BasisKind]int)
	for k := range t.Columns {
		n[t.Columns[k].Kind]++
	}
	return n
}

// Which columns a number gets beside its linear one.
func TestCurvesByKindOfNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	const n = 1000
	draw := func(f func(i int) float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	for _, test := range []struct {
		name                   string
		x                      []float64
		splines, values, spike int
		at                     float64
	}{
		{"smooth", draw(func(int) float64 { return r.NormFloat64() }), 11, 0, 0, 0}, // 8 intervals, degree 3
		{"six values", draw(func(i int) float64 { return float64(i % 6) }), 0, 6, 0, 0},
		{"seven values", draw(func(i int) float64 { return float64(i % 7) }), 9, 0, 0, 0}, // 6 intervals between 7 knots
		{"few and missing", draw(func(i int) float64 { return []float64{1, 2, nan}[i%3] }), 0, 2, 0, 0},
		{"a tenth is 3", draw(func(i int) float64 {
			if i%10 == 0 {
				return 3
			}
			return r.NormFloat64()
		}), 11, 0, 1, 3},
		{"a twentieth is 3", draw(func(i int) float64 { // not more than .05
			if i%20 == 0 {
				return 3
			}
			return r.NormFloat64()
		}), 11, 0, 0, 0},
		{"all but a fiftieth is 0", draw(func(i int) float64 {
			if i%50 == 0 {
				return r.Float64()
			}
			return 0
		}), 6, 0, 1, 0}, // knots cannot be quantiles: thirds of the distinct values
		{"twelve values, one of a half", draw(func(i int) float64 { return max(0, float64(i%22)-10) }), 7, 0, 0, 0}, // 0, 3, 6, 9, 11
	} {
		s := sampleOf(numberColumn("x", test.x...))
		terms, _ := newTerms(s, 1)
		terms = withCurves(s, terms, nil, 1)
		got := kindsOf(&terms[0])
		if got[predict.Linear] != 1 || got[predict.Spline] != test.splines || got[predict.Value] != test.values || got[predict.Spike] != test.spike {
			t.Errorf("%s: columns %v, want %d splines, %d values, %d spikes", test.name, got, test.splines, test.values, test.spike)
		}
		if last := terms[0].Columns[len(terms[0].Columns)-1]; test.spike == 1 && last.At != test.at {
			t.Errorf("%s: the spike stands at %v, want %v", test.name, last.At, test.at)
		}
	}
}

// Whatever the values and weights, knots rise from the lowest to the highest
// value, the splines sum to 1 where there is one, and are 0 where there is none.
func TestSplinesOfATerm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(-1e3, 1e3), rapid.Custom(func(t *rapid.T) float64 {
			return float64(rapid.IntRange(0, 9).Draw(t, "whole"))
		}), rapid.Just(0.0), rapid.Just(nan))
		x := rapid.SliceOfN(value, 40, 200).Draw(t, "x")
		w := rapid.SliceOfN(rapid.Float64Range(.1, 3), len(x), len(x)).Draw(t, "w")
		s := weightedSample(w, numberColumn("x", x...))
		terms, _ := newTerms(s, 1)
		if len(terms) == 0 {
			return
		}
		terms = withCurves(s, terms, nil, 1)
		part, u := termsPart(s, terms), &terms[0]
		if n := kindsOf(u); n[predict.Spline] == 0 {
			return
		}
		if u.Knots[0] != u.Low || u.Knots[len(u.Knots)-1] != u.High {
			t.Fatalf("knots %v, want them from %v to %v", u.Knots, u.Low, u.High)
		}
		for k := 1; k < len(u.Knots); k++ {
			if !(u.Knots[k] > u.Knots[k-1]) {
				t.Fatalf("knots %v do not rise", u.Knots)
			}
		}
		if len(u.Knots) < 3 || len(u.Knots) > curveIntervals+1 {
			t.Fatalf("%d knots", len(u.Knots))
		}
		values := part.dense()
		for i, xi := range s.frame.Columns[0].Num {
			sum, want := 0.0, 1.0
			for k := range u.Columns {
				if u.Columns[k].Kind == predict.Spline {
					sum += values[i*part.cols+k]
				}
			}
			if xi != xi {
				want = 0
			}
			if !near(sum, want, 1e-12) {
				t.Fatalf("x = %v: splines sum to %v, want %v", xi, sum, want)
			}
		}
	})
}

// Quantiles count weights: 1, 2, 3, 4 with weights 1, 1, 1, 5 have the median 4
// and the first quarter, 2 of 8, at 2.
func TestWeightedQuantiles(t *testing.T) {
	s := weightedSample([]float64{5, 1, 1, 1}, numberColumn("x", 4, 2, 3, 1))
	v := valuesOf(s, "x")
	for _, test := range []struct{ q, want float64 }{{0, 1}, {.125, 1}, {.25, 2}, {.26, 3}, {.5, 4}, {1, 4}} {
		if got := v.quantile(test.q); got != test.want {
			t.Errorf("quantile %v is %v, want %v", test.q, got, test.want)
		}
	}
	if v.mode != 4 || !near(v.most, 5./8, 1e-15) || !slices.Equal(v.distinct, []float64{1, 2, 3, 4}) {
		t.Errorf("mode %v with a share of %v; distinct %v", v.mode, v.most, v.distinct)
	}
}

// The columns of a part are those that scoring evaluates, term by term.
func TestTermsPartIsWhatScores(t *testing.T) {
	s := mustSample(t, history(400, -1, 4))
	terms, _ := newTerms(s, 1)
	terms = withCurves(s, terms, nil, 1)
	part := termsPart(s, terms)
	got := part.dense()
	for c, at := range part.at {
		u := &terms[at.term]
		column := s.frame.Column(u.Feature)
		mean := 0.0
		for i := range s.frame.Rows {
			var want float64
			switch b := &u.Columns[at.column]; {
			case column.IsLevel():
				if column.Levels[column.Codes[i]] == b.Level {
					want = 1
				}
			case b.Kind == predict.Linear:
				want = b.Standardise(u.Raw(at.column, column.Num[i]))
			default:
				want = u.Raw(at.column, column.Num[i])
			}
			if math.Abs(got[i*part.cols+c]-want) > 1e-15 {
				t.Fatalf("%s, column %d, row %d: %v, want %v", u.Feature, at.column, i, got[i*part.cols+c], want)
			}
			mean += want / float64(len(s.frame.Rows))
		}
		if !near(part.mean[c], mean, 1e-12) {
			t.Errorf("%s, column %d: mean %v, want %v", u.Feature, at.column, part.mean[c], mean)
		}
	}
}

// Knots keep their ends and stand apart: between two that differ by a subnormal
// number a spline would divide by nothing.
func TestKnotsStandApart(t *testing.T) {
	for _, test := range []struct{ knots, want []float64 }{
		{[]float64{-1, 0, 2.8e-309, 1}, []float64{-1, 0, 1}},
		{[]float64{0, 1, 1, 2, 2 - 1e-12, 2}, []float64{0, 1, 2}},
		{[]float64{-1e308, 0, 1e300, 1e308}, []float64{-1e308, 0, 1e300, 1e308}},
		{[]float64{3, 3, 3}, []float64{3}},
	} {
		if got := apart(slices.Clone(test.knots)); !slices.Equal(got, test.want) {
			t.Errorf("%v: kept %v, want %v", test.knots, got, test.want)
		}
	}
}
