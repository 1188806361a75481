// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// Validate checks that a model can be applied: a known format, terms that
// match the spec one to one, known basis columns, pairs and tables of features
// that have terms, and finite numbers.
func (m *Model) Validate() error {
	v := validator{}
	v.check(m.Format == Format, "format %q; expected %q", m.Format, Format)
	v.finite("intercept", m.Intercept)
	kinds := make(map[string]features.ValueKind)
	for _, f := range m.Spec.Features {
		v.check(kinds[f.Name] == "", "feature %q is in the spec twice", f.Name)
		v.check(f.Kind == features.NumberKind || f.Kind == features.LevelKind, "feature %q is a %q; expected number or level", f.Name, f.Kind)
		kinds[f.Name] = f.Kind
	}
	seen := make(map[string]bool)
	for i := range m.Terms {
		t := &m.Terms[i]
		v.check(!seen[t.Feature], "term %q occurs twice", t.Feature)
		seen[t.Feature] = true
		v.check(kinds[t.Feature] != "", "term %q is not a feature of the spec", t.Feature)
		v.check(string(kinds[t.Feature]) == t.Kind, "term %q is a %s in the spec, a %s in the term", t.Feature, kinds[t.Feature], t.Kind)
		v.term(t)
	}
	of := func(feature string) features.ValueKind { // "" where the model has no such term
		if seen[feature] {
			return kinds[feature]
		}
		return ""
	}
	for k := range m.Pairs {
		v.pair(fmt.Sprintf("pair %d", k+1), &m.Pairs[k], of)
	}
	for k := range m.Tables {
		v.table(fmt.Sprintf("table %d", k+1), &m.Tables[k], of)
	}
	if m.Scorecard != nil {
		v.card(m.Scorecard, &m.Spec, of)
	}
	v.calibration(&m.Calibration, of)
	if m.Nested != nil {
		v.nested(m)
	}
	if m.Uncertainty != nil {
		v.uncertainty(m)
	}
	s := &m.Score
	v.finite("score constants", s.BaseRate, s.ZRef, s.AtRiskP, s.AtRisk, s.Watch, s.Healthy)
	v.check(s.BaseRate > 0 && s.BaseRate < 1, "base rate %v; expected between 0 and 1", s.BaseRate)
	v.check(s.AtRisk <= s.Watch && s.Watch <= s.Healthy, "tier bounds %v, %v, %v do not increase", s.AtRisk, s.Watch, s.Healthy)
	return v.err()
}

type validator struct{ problems []string }

// check notes a problem unless ok, which it returns.
func (v *validator) check(ok bool, format string, args ...any) bool {
	if !ok {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
	return ok
}

// finite checks numbers of log-odds and standardised columns, which are small.
func (v *validator) finite(what string, numbers ...float64) { v.below(1e12, what, numbers...) }

// below checks that numbers are finite and of less than a size. Values in a
// feature's own unit may be large, such as nanoseconds.
func (v *validator) below(size float64, what string, numbers ...float64) {
	for _, x := range numbers {
		v.check(math.Abs(x) < size, "%s: %v is not a usable number", what, x) // false for NaN
	}
}

// anyUnit bounds values in a feature's own unit.
const anyUnit = 1e150

func (v *validator) term(t *Term) {
	name := fmt.Sprintf("term %q", t.Feature)
	v.below(anyUnit, name, t.Low, t.High, t.Median)
	for i := range t.Curve {
		p := &t.Curve[i]
		v.below(anyUnit, name+": curve", p.At)
		v.finite(name+": curve", p.Effect.Estimate, p.Effect.Low, p.Effect.High, p.Share)
	}
	v.finite(name, t.RefMean, t.Share, t.Effect.Estimate, t.Effect.Low, t.Effect.High)
	v.check(t.Low <= t.High, "%s: range %v to %v", name, t.Low, t.High)
	splines := 0
	if len(t.Knots) > 0 {
		v.rising(name+": knots", t.Knots, 2)
		v.check(t.Knots[0] == t.Low && t.Knots[len(t.Knots)-1] == t.High,
			"%s: knots from %v to %v do not span the range %v to %v", name, t.Knots[0], t.Knots[len(t.Knots)-1], t.Low, t.High)
		splines = SplineCount(len(t.Knots), TermDegree)
	}
	for i := range t.Columns {
		b := &t.Columns[i]
		v.check((b.Kind == Level) == (t.Kind == string(features.LevelKind)), "%s: a %s column in a %s term", name, b.Kind, t.Kind)
		v.below(anyUnit, name, b.Mean, b.SD)
		v.finite(name, b.Weight, b.SE)
		v.check(b.SD > 0, "%s: a standard deviation of %v", name, b.SD)
		v.column(name, b, splines)
	}
	v.distinct(name, t.Columns)
	v.oneSign(name, t.Columns)
}

// column checks what is particular to the kind of a basis column of a term
// with so many B-splines.
func (v *validator) column(name string, b *Basis, splines int) {
	switch b.Kind {
	case Linear:
		v.check(b.Transform == Identity || b.Transform == SignedLog, "%s: transform %q", name, b.Transform)
	case Spline, Cumulated:
		v.check(b.Index >= 0 && b.Index < splines, "%s: %s number %d; its knots make %d", name, b.Kind, b.Index, splines)
	case Value, Spike:
		v.below(anyUnit, name, b.At)
	case Missing, Level:
	default:
		v.check(false, "%s: basis column %q", name, b.Kind)
	}
}

// distinct checks that no column occurs twice and that value columns rise.
func (v *validator) distinct(name string, columns []Basis) {
	type key struct {
		kind  BasisKind
		of    string
		index int
		at    float64
	}
	seen := make(map[key]bool)
	last := math.Inf(-1)
	for i := range columns {
		b := &columns[i]
		k := key{b.Kind, "", b.Index, b.At}
		switch b.Kind {
		case Linear:
			k.of = string(b.Transform)
		case Level:
			k.of = b.Level
			v.check(!seen[k], "%s: level %q occurs twice", name, b.Level)
		case Value:
			v.check(b.At > last, "%s: value %v after %v; they must rise", name, b.At, last)
			last = b.At
		}
		v.check(!seen[k] || b.Kind == Level, "%s: a %s column occurs twice", name, b.Kind)
		seen[k] = true
	}
}

// oneSign checks that the weights of cumulated splines share a sign, without
// which the curve they promise to be monotone is not.
func (v *validator) oneSign(name string, columns []Basis) {
	low, high := 0.0, 0.0
	for i := range columns {
		if b := &columns[i]; b.Kind == Cumulated {
			low, high = min(low, b.Weight), max(high, b.Weight)
		}
	}
	v.check(!(low < 0 && high > 0), "%s: weights of cumulated splines from %v to %v; they must share a sign", name, low, high)
}

// rising checks that there are at least so many finite numbers, each above the
// one before.
func (v *validator) rising(what string, x []float64, least int) {
	v.check(len(x) >= least, "%s: %d given; at least %d are needed", what, len(x), least)
	v.below(anyUnit, what, x...)
	for i := 1; i < len(x); i++ {
		v.check(x[i] > x[i-1], "%s: %v after %v; they must rise", what, x[i], x[i-1])
	}
}

func (v *validator) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIntegrity, strings.Join(v.problems[:min(3, len(v.problems))], "; "))
}
