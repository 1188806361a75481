// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// MaxSD is where standardised basis columns are clipped: 5 standard
// deviations. Unclipped, one outlier on one small history took the log loss
// from .560 to 1.87 (METHODS 3.3).
const MaxSD = 5

// The names of the levels that stand for more than themselves.
const (
	OtherLevel   = "other"     // pooled levels, and those that training never saw
	MissingLevel = "(missing)" // no value; a level like any other, pooled where rare
)

// apply returns the transformed value of x. Both maps are increasing, so that
// quantiles and clipping limits mean the same before and after.
func (t Transform) apply(x float64) float64 {
	if t != SignedLog {
		return x
	}
	if k := int(x); uint(k) < uint(len(logCounts)) && float64(k) == x {
		return logCounts[k]
	}
	return math.Copysign(math.Log1p(math.Abs(x)), x)
}

// logCounts are ln(1 + k): most skewed features are counts.
var logCounts = func() (logs [256]float64) {
	for k := range logs {
		logs[k] = math.Log1p(float64(k))
	}
	return logs
}()

// Raw returns u, the value of basis column k of a number term before it is
// standardised:
//
//	linear:     u = T(min(max(x, Low), High)), with x = Median where x is NaN
//	missing:    u = 1 where x is NaN, else 0
//	spline:     u = B_Index(x), cubic on the term's Knots
//	cumulated:  u = Σ_(m ≥ Index) B_m(x)
//	value:      u = 1 where At is the nearest to x of all value columns' At
//	spike:      u = 1 where x = At, else 0
//
// The last four are 0 where x is NaN. x, Low, High, Median, Knots and At are
// in the feature's own unit; T is the column's Transform. ±Inf is clipped like
// any other value.
func (t *Term) Raw(k int, x float64) float64 {
	b := &t.Columns[k]
	missing := x != x
	switch b.Kind {
	case Linear:
		if missing {
			x = t.Median
		}
		return b.Transform.apply(within(x, t.Low, t.High))
	case Missing:
		return indicator(missing)
	}
	if missing {
		return 0
	}
	switch b.Kind {
	case Spline, Cumulated:
		var v [TermDegree + 1]float64
		r := b.Index - BSplines(v[:], t.Knots, TermDegree, x)
		if b.Kind == Cumulated {
			cumulate(v[:])
			r = max(r, 0)
		}
		if r < 0 || r > TermDegree {
			return 0
		}
		return v[r]
	case Value:
		values, columns := t.values()
		return indicator(int(columns[nearest(midpoints(values), x)]) == k)
	case Spike:
		return indicator(x == b.At)
	default:
		panic(fmt.Sprintf("predict: Raw: basis kind %q is none of a number term", b.Kind))
	}
}

// values returns what the term's value columns stand for, rising, and their
// numbers.
func (t *Term) values() (values []float64, columns []int32) {
	for j := range t.Columns {
		if t.Columns[j].Kind == Value {
			columns = append(columns, int32(j))
		}
	}
	slices.SortFunc(columns, func(a, b int32) int { return cmp.Compare(t.Columns[a].At, t.Columns[b].At) })
	for _, j := range columns {
		values = append(values, t.Columns[j].At)
	}
	return values, columns
}

func indicator(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// Standardise returns the value of the basis column for a raw value u,
//
//	v = clip((u − Mean)/SD, −5, 5)
//
// without a unit; splines, cumulated splines, values and spikes are not
// clipped. It is the only place where this formula stands: training builds its
// design matrix with it and scoring its log-odds.
func (b *Basis) Standardise(u float64) float64 {
	if b.clipped() {
		return standardise(u, b.Mean, b.SD)
	}
	return (u - b.Mean) / b.SD
}

func standardise(u, mean, sd float64) float64 {
	return within((u-mean)/sd, -MaxSD, MaxSD)
}

// within returns min(max(x, low), high), which the compiler makes slow for the sake
// of the sign of a zero.
func within(x, low, high float64) float64 {
	if x < low {
		return low
	}
	if x > high {
		return high
	}
	return x
}

// clipped reports whether the column's standardised values are clipped.
func (b *Basis) clipped() bool {
	switch b.Kind {
	case Spline, Cumulated, Value, Spike:
		return false
	}
	return true
}

// Affine returns zero and scale such that
//
//	Standardise(u) = zero + scale u
//
// to rounding for every u that a column of its kind takes: 0 and 1 of clipped
// indicators, any of the kinds that are not clipped. It panics for a linear
// column, which has none.
func (b *Basis) Affine() (zero, scale float64) {
	switch {
	case b.Kind == Linear:
		panic("predict: Affine: a linear column is clipped and has no such form")
	case b.clipped():
		zero = b.Standardise(0)
		return zero, b.Standardise(1) - zero
	}
	return -b.Mean / b.SD, 1 / b.SD
}

// PerSD returns the effect of one standard deviation of the raw column on the
// uncalibrated log-odds, Weight ± 1.645 SE. It holds inside the clipping limits.
func (b *Basis) PerSD() Interval {
	return NewInterval(b.Weight, b.SE)
}

// PerUnit returns the effect of one unit of the raw column on the uncalibrated
// log-odds, Weight/SD ± 1.645 SE/SD. A unit of the raw column is one unit of x
// where Transform is the identity, and the step from 0 to 1 of an indicator.
func (b *Basis) PerUnit() Interval {
	return NewInterval(b.Weight/b.SD, b.SE/b.SD)
}

// NewInterval returns an estimate with its normal 90 % interval,
// estimate ± 1.645 se.
func NewInterval(estimate, se float64) Interval {
	return Interval{Estimate: estimate, Low: estimate - z95*se, High: estimate + z95*se}
}
