// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// maxProducts bounds the columns of a pair, I times J, for which scoring keeps
// a coefficient each. Training makes some hundred.
const maxProducts = 1 << 20

// pair checks a pair of a model whose terms have these kinds of values.
func (v *validator) pair(name string, p *Pair, kind func(feature string) features.ValueKind) {
	v.finite(name, p.RefMean, p.Share)
	v.check(p.Sides[0].Feature != p.Sides[1].Feature, "%s: feature %q with itself", name, p.Sides[0].Feature)
	var columns [2]int
	for k := range p.Sides {
		s := &p.Sides[k]
		if !v.side(name, s, kind(s.Feature)) {
			return // its columns cannot be counted
		}
		columns[k] = s.Columns()
	}
	if !v.check(columns[0]*columns[1] <= maxProducts, "%s: %d by %d columns; at most %d products are read",
		name, columns[0], columns[1], maxProducts) {
		return
	}
	v.check(len(p.Cells) > 0, "%s: no cells", name)
	seen := make([]bool, columns[0]*columns[1])
	for _, c := range p.Cells {
		v.finite(name, c.Mean, c.SD, c.Weight, c.SE)
		v.check(c.SD > 0, "%s: a standard deviation of %v", name, c.SD)
		inside := c.I >= 0 && c.I < columns[0] && c.J >= 0 && c.J < columns[1]
		if v.check(inside, "%s: cell %d, %d; its sides have %d and %d columns", name, c.I, c.J, columns[0], columns[1]) {
			at := c.I*columns[1] + c.J
			v.check(!seen[at], "%s: cell %d, %d occurs twice", name, c.I, c.J)
			seen[at] = true
		}
	}
}

// side checks a side of a feature with values of a kind, and reports whether
// the kind of side is known.
func (v *validator) side(name string, s *Side, kind features.ValueKind) bool {
	if !v.check(kind != "", "%s: the model has no term of feature %q", name, s.Feature) {
		return false
	}
	name += ", " + s.Feature
	v.check((s.Kind == Level) == (kind == features.LevelKind), "%s: a %s side of a %s", name, s.Kind, kind)
	switch s.Kind {
	case Spline, Cumulated:
		v.rising(name+": knots", s.Knots, 2)
	case Value:
		v.rising(name+": values", s.Values, 1)
	case Level:
		v.check(len(s.Levels) > 0, "%s: no levels", name)
		v.check(!s.Missing, "%s: a column of missing values beside levels, among which missing is one", name)
		v.once(name, s.Levels)
	case Linear:
		v.check(s.Transform == Identity || s.Transform == SignedLog, "%s: transform %q", name, s.Transform)
		v.below(anyUnit, name, s.Low, s.High, s.Mean, s.SD)
		v.check(s.Low <= s.High, "%s: range %v to %v", name, s.Low, s.High)
		v.check(s.SD > 0, "%s: a standard deviation of %v", name, s.SD)
	default:
		return v.check(false, "%s: a side of kind %q", name, s.Kind)
	}
	return true
}

// once checks that no level occurs twice.
func (v *validator) once(name string, levels []string) {
	sorted := slices.Sorted(slices.Values(levels))
	for i := 1; i < len(sorted); i++ {
		v.check(sorted[i] != sorted[i-1], "%s: level %q occurs twice", name, sorted[i])
	}
}
