// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A RuleInput is a conjunction of conditions bound to the columns of a frame.
type RuleInput struct{ tests []test }

// A test is one condition bound to its column.
type test struct {
	num           []float64
	above, atMost float64 // NaN where there is no such bound
	missing       bool
	codes         []int32
	passes        []bool // of levels: by code, code −1 (missing) first
}

// NewRuleInput binds the conditions of a rule to a frame. It returns an error
// if the frame lacks a feature or holds levels where the condition has
// bounds, or the other way round.
func NewRuleInput(conditions []Condition, f *features.Frame) (RuleInput, error) {
	r := RuleInput{tests: make([]test, len(conditions))}
	for i := range conditions {
		c := &conditions[i]
		column := f.Column(c.Feature)
		if column == nil {
			return RuleInput{}, fmt.Errorf("rule: the frame has no feature %q", c.Feature)
		}
		if c.ofLevels() != column.IsLevel() {
			return RuleInput{}, fmt.Errorf("rule: feature %q is a %s, which its condition is not about",
				c.Feature, column.Feature.Kind)
		}
		r.tests[i] = c.bind(column)
	}
	return r, nil
}

// ofLevels reports whether the condition is about levels, not numbers.
func (c *Condition) ofLevels() bool { return len(c.Levels) > 0 }

func (c *Condition) bind(column *features.Column) test {
	t := test{above: math.NaN(), atMost: math.NaN(), missing: c.Missing}
	if c.Above != nil {
		t.above = *c.Above
	}
	if c.AtMost != nil {
		t.atMost = *c.AtMost
	}
	t.num, t.codes = column.Num, column.Codes
	if column.IsLevel() {
		t.passes = make([]bool, len(column.Levels)+1)
		for code := range t.passes {
			t.passes[code] = slices.Contains(c.Levels, levelName(column, code-1)) != c.Not
		}
	}
	return t
}

// Holds says whether a row meets every condition.
func (r *RuleInput) Holds(row int) bool {
	for i := range r.tests {
		if !r.tests[i].holds(row) {
			return false
		}
	}
	return true
}

func (t *test) holds(row int) bool {
	if t.passes != nil {
		return t.passes[t.codes[row]+1]
	}
	x := t.num[row]
	if x != x {
		return t.missing
	}
	return !(x <= t.above) && !(x > t.atMost) // a comparison with NaN is false
}

// A tablePart is a table prepared for scoring.
type tablePart struct {
	rules []RuleInput
	f     []float64 // g_t by the rule the row is in
}

func newTablePart(t *Table, f *features.Frame) (*tablePart, error) {
	p := &tablePart{rules: make([]RuleInput, len(t.Rules)), f: make([]float64, len(t.Rules))}
	for k := range t.Rules {
		var err error
		if p.rules[k], err = NewRuleInput(t.Rules[k].Conditions, f); err != nil {
			return nil, err
		}
		p.f[k] = t.at(k)
	}
	return p, nil
}

// at returns g_t where one rule holds and no other,
//
//	Weight_k/SD_k − Σ_i Weight_i Mean_i/SD_i
func (t *Table) at(k int) float64 {
	g := t.Rules[k].Weight / t.Rules[k].SD
	for i := range t.Rules {
		r := &t.Rules[i]
		g -= float64(r.Weight / r.SD * r.Mean)
	}
	return g
}

// rule returns the number of the rule a row is in. It panics if there is none:
// Validate refuses such a table.
func (p *tablePart) rule(row int) int {
	for k := range p.rules {
		if p.rules[k].Holds(row) {
			return k
		}
	}
	panic("predict: table: a row is in none of its rules")
}

// add adds g_t to dst for the rows from … from+len(dst)−1.
func (p *tablePart) add(dst []float64, from int) {
	for i := range dst {
		dst[i] += p.f[p.rule(from+i)]
	}
}

// Features returns the distinct features of a rule's conditions in order of
// their first occurrence.
func (r *Rule) Features() []string {
	var names []string
	for i := range r.Conditions {
		if name := r.Conditions[i].Feature; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
