// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// ICI returns the integrated calibration index and E90: with s(p) the observed
// rate, smoothed over p,
//
//	ICI = Σᵢ wᵢ |pᵢ - s(pᵢ)| / Σᵢ wᵢ,  E90 = the .9 quantile of |pᵢ - s(pᵢ)|
//
// s is a local linear fit (smoother). Rows of equal p share their mean outcome,
// so that the order of rows does not matter; more than 5,000 rows are first put
// together in 2,000 bins of equal mass. The quantile is of type 7, with weights
// by weightedQuantile. p, y and w are as Measure describes; a constant p has
// |p - ȳ| for both. Without rows, or with a NaN among p or w, they are NaN.
//
// Source: Austin and Steyerberg, Statistics in Medicine 38 (2019); val.prob of
// Harrell's rms (Eavg and E90), with which it agrees for w = 1 and no ties.
func ICI(p, y, w []float64) (ici, e90 float64) {
	if !defined(p, y, w) {
		return math.NaN(), math.NaN()
	}
	r, _ := runsOf(p, y, w, ascending(p))
	return newICI(r).of(r.y)
}

// An iciMeter measures ICI and E90 of any outcomes of the same runs.
type iciMeter struct {
	*runs
	smooth *smoother
	total  float64   // Σw
	fitted []float64 // s(p), of the last call
	errors []weighted
}

func newICI(r *runs) *iciMeter {
	return &iciMeter{runs: r, smooth: newSmoother(r), total: sum(r.w),
		fitted: make([]float64, len(r.p)), errors: make([]weighted, len(r.p))}
}

// of measures the weighted mean outcomes y of the runs.
func (m *iciMeter) of(y []float64) (ici, e90 float64) {
	ici = m.mean(y)
	for j := range m.errors {
		m.errors[j] = weighted{math.Abs(m.p[j] - m.fitted[j]), m.w[j] / float64(m.n[j]), m.n[j]}
	}
	return ici, weightedQuantile(m.errors, 0.9)
}

// mean measures ICI alone.
func (m *iciMeter) mean(y []float64) float64 {
	m.smooth.apply(m.fitted, y)
	var e float64
	for j := range m.p {
		e += float64(m.w[j] * math.Abs(m.p[j]-m.fitted[j]))
	}
	return e / m.total
}

// weighted is a value that n rows of the weight w have.
type weighted struct {
	v, w float64
	n    int
}

// weightedQuantile returns the q-quantile of values with weights: linear
// between the sorted values v₁ … v_n at the places
//
//	t₁ = 0,  t_{k+1} = t_k + (w_k + w_{k+1})/2,  for q t_n
//
// which is type 7 of Hyndman and Fan where all w are equal. It sorts x.
func weightedQuantile(x []weighted, q float64) float64 {
	slices.SortFunc(x, func(a, b weighted) int { return cmp.Or(cmp.Compare(a.v, b.v), cmp.Compare(a.w, b.w)) })
	var all float64
	for k := range x {
		all += float64(x[k].w * float64(x[k].n-1))
		if k > 0 {
			all += (x[k-1].w + x[k].w) / 2
		}
	}
	want, at := float64(q*all), 0.0
	for k := range x {
		if k > 0 {
			step := (x[k-1].w + x[k].w) / 2
			if at+step >= want {
				return x[k-1].v + float64((want-at)/step*(x[k].v-x[k-1].v))
			}
			at += step
		}
		if at += float64(x[k].w * float64(x[k].n-1)); at >= want {
			return x[k].v
		}
	}
	return x[len(x)-1].v
}
