// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// Validate checks that a model can be applied: a known format, terms that
// match the spec one to one, known basis columns, and finite numbers.
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
	c := &m.Calibration
	v.check(slices.Contains([]string{"none", "intercept", "platt"}, c.Method), "calibration method %q", c.Method)
	v.finite("calibration", c.Intercept, c.Slope)
	v.check(c.Slope > 0, "calibration slope %v; the map must increase", c.Slope)
	s := &m.Score
	v.finite("score constants", s.BaseRate, s.ZRef, s.AtRiskP, s.AtRisk, s.Watch, s.Healthy)
	v.check(s.BaseRate > 0 && s.BaseRate < 1, "base rate %v; expected between 0 and 1", s.BaseRate)
	v.check(s.AtRisk <= s.Watch && s.Watch <= s.Healthy, "tier bounds %v, %v, %v do not increase", s.AtRisk, s.Watch, s.Healthy)
	return v.err()
}

type validator struct{ problems []string }

func (v *validator) check(ok bool, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
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

func (v *validator) term(t *Term) {
	const anyUnit = 1e150
	v.below(anyUnit, "term "+t.Feature, t.Low, t.High, t.Median)
	v.finite("term "+t.Feature, t.RefMean, t.Effect.Estimate, t.Effect.Low, t.Effect.High)
	v.check(t.Low <= t.High, "term %q: range %v to %v", t.Feature, t.Low, t.High)
	levels := make(map[string]bool)
	for i := range t.Columns {
		b := &t.Columns[i]
		v.below(anyUnit, "term "+t.Feature, b.Mean, b.SD)
		v.finite("term "+t.Feature, b.Weight, b.SE)
		v.check((b.Kind == Level) == (t.Kind == string(features.LevelKind)), "term %q: a %s column in a %s term", t.Feature, b.Kind, t.Kind)
		v.check(b.SD > 0, "term %q: a standard deviation of %v", t.Feature, b.SD)
		switch b.Kind {
		case Linear:
			v.check(b.Transform == Identity || b.Transform == SignedLog, "term %q: transform %q", t.Feature, b.Transform)
		case Missing:
		case Level:
			v.check(!levels[b.Level], "term %q: level %q occurs twice", t.Feature, b.Level)
			levels[b.Level] = true
		default:
			v.check(false, "term %q: basis column %q", t.Feature, b.Kind)
		}
	}
}

func (v *validator) err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIntegrity, strings.Join(v.problems[:min(3, len(v.problems))], "; "))
}
