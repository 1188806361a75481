// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
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
	if t == SignedLog {
		return math.Copysign(math.Log1p(math.Abs(x)), x)
	}
	return x
}

// Raw returns u, the value of basis column k of a number term before it is
// standardised:
//
//	linear:   u = T(min(max(x, Low), High)), with x = Median where x is NaN
//	missing:  u = 1 where x is NaN, else 0
//
// x, Low, High and Median are in the feature's own unit; T is the column's
// Transform. ±Inf is clipped like any other value.
func (t *Term) Raw(k int, x float64) float64 {
	b := &t.Columns[k]
	missing := x != x
	switch b.Kind {
	case Linear:
		if missing {
			x = t.Median
		}
		return b.Transform.apply(min(max(x, t.Low), t.High))
	case Missing:
		if missing {
			return 1
		}
		return 0
	default:
		panic(fmt.Sprintf("predict: Raw: basis kind %q is none of a number term", b.Kind))
	}
}

// Standardise returns the value of the basis column for a raw value u,
//
//	v = clip((u − Mean)/SD, −5, 5)
//
// without a unit. It is the only place where this formula stands: training
// builds its design matrix with it and scoring its log-odds.
func (b *Basis) Standardise(u float64) float64 {
	return min(max((u-b.Mean)/b.SD, -MaxSD), MaxSD)
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
	const z95 = 1.6448536269514722 // 95 % quantile of the standard normal
	return Interval{Estimate: estimate, Low: estimate - z95*se, High: estimate + z95*se}
}

// An Input is one term bound to the column of a frame that feeds it. It
// evaluates the term's basis columns; both must outlive it.
type Input struct {
	term   *Term
	column *features.Column
	// For levels: the values of all basis columns for code c stand in
	// table[(c+1)·K : (c+2)·K], code −1 (missing) first; unseen[c+1] says
	// that training never met the level.
	table  []float64
	unseen []bool
}

// NewInput binds a term to its column. It panics if one holds levels and the
// other numbers, which equal spec digests exclude.
func NewInput(t *Term, c *features.Column) Input {
	if (t.Kind == string(features.LevelKind)) != c.IsLevel() {
		panic("predict: NewInput: term and column are of different kinds")
	}
	in := Input{term: t, column: c}
	if !c.IsLevel() {
		return in
	}
	k := len(t.Columns)
	in.table = make([]float64, (len(c.Levels)+1)*k)
	in.unseen = make([]bool, len(c.Levels)+1)
	for code := -1; code < len(c.Levels); code++ {
		name := MissingLevel
		if code >= 0 {
			name = c.Levels[code]
		}
		own, known := t.level(name)
		in.unseen[code+1] = !known
		for j := range t.Columns {
			u := 0.0
			if j == own {
				u = 1
			}
			in.table[(code+1)*k+j] = t.Columns[j].Standardise(u)
		}
	}
	return in
}

// level returns the number of the basis column that is 1 for the named level,
// and whether training knew the level. Pooled and unseen levels share the
// column "other"; where training had nothing to pool there is none, −1 is
// returned, and a level that is 0 in every column scores as the average level
// (the ridge penalty centres the levels' weights).
func (t *Term) level(name string) (column int, known bool) {
	other := -1
	for j := range t.Columns {
		if t.Columns[j].Level == name {
			return j, true
		}
		if t.Columns[j].Level == OtherLevel {
			other = j
		}
	}
	_, pooled := slices.BinarySearch(t.Pooled, name)
	return other, pooled
}

// Basis stores the K basis columns of rows from … to−1 in dst, one row every
// stride values: column k of row i goes to dst[(i−from)·stride + k].
func (in *Input) Basis(dst []float64, stride, from, to int) {
	t, k := in.term, len(in.term.Columns)
	if in.column.IsLevel() {
		for i, code := range in.column.Codes[from:to] {
			copy(dst[i*stride:i*stride+k], in.table[(int(code)+1)*k:])
		}
		return
	}
	for j := range t.Columns {
		b := &t.Columns[j]
		for i, x := range in.column.Num[from:to] {
			dst[i*stride+j] = b.Standardise(t.Raw(j, x))
		}
	}
}

// Unseen counts the rows whose level training never met, a missing one
// included. Numbers have none.
func (in *Input) Unseen() int {
	n := 0
	if in.column.IsLevel() {
		for _, code := range in.column.Codes {
			if in.unseen[code+1] {
				n++
			}
		}
	}
	return n
}
