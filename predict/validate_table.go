// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// Bounds of a table, whose rules are compared two by two. Training makes some
// ten rules of up to four conditions.
const (
	maxRules      = 256
	maxConditions = 16 // of a rule
)

// table checks a table of a model whose terms have these kinds of values.
func (v *validator) table(name string, t *Table, kind func(feature string) features.ValueKind) {
	v.finite(name, t.RefMean, t.Share)
	if !v.check(len(t.Rules) >= 2 && len(t.Rules) <= maxRules, "%s: %d rules; expected 2 to %d", name, len(t.Rules), maxRules) {
		return
	}
	before := len(v.problems)
	for k := range t.Rules {
		r, name := &t.Rules[k], fmt.Sprintf("%s, rule %d", name, k+1)
		v.finite(name, r.Mean, r.SD, r.Weight, r.SE)
		v.check(r.SD > 0, "%s: a standard deviation of %v", name, r.SD)
		v.check(len(r.Conditions) > 0 && len(r.Conditions) <= maxConditions,
			"%s: %d conditions; expected 1 to %d", name, len(r.Conditions), maxConditions)
		for i := range r.Conditions {
			v.condition(name, &r.Conditions[i], kind(r.Conditions[i].Feature))
		}
	}
	if len(v.problems) == before {
		v.partition(name, t)
	}
}

// condition checks a test of a feature with values of a kind.
func (v *validator) condition(name string, c *Condition, kind features.ValueKind) {
	if !v.check(kind != "", "%s: the model has no term of feature %q", name, c.Feature) {
		return
	}
	name += ", " + c.Feature
	bounds := c.Above != nil || c.AtMost != nil
	if kind == features.LevelKind {
		v.check(len(c.Levels) > 0 && !bounds && !c.Missing, "%s: a condition on a level names levels and nothing else", name)
		v.once(name, c.Levels)
		return
	}
	v.check(len(c.Levels) == 0 && !c.Not, "%s: levels in a condition on a number", name)
	v.check(bounds || !c.Missing, "%s: a condition that every value passes", name)
	for _, bound := range []*float64{c.Above, c.AtMost} {
		if bound != nil {
			v.below(anyUnit, name, *bound)
		}
	}
	if c.Above != nil && c.AtMost != nil {
		v.check(*c.Above < *c.AtMost || c.Missing, "%s: above %v and at most %v: no value passes", name, *c.Above, *c.AtMost)
	}
}

// partition checks that every account is in exactly one rule of a table.
//
// The bounds in a table cut each number into intervals, which with "missing"
// are its pieces; the pieces of a level are those named and the rest. A rule
// takes a share of each feature's pieces, and the product of the shares is its
// part of all combinations. Rules are disjoint if each two take no piece in
// common of some feature, and then they leave nothing out if their parts sum
// to 1.
func (v *validator) partition(name string, t *Table) {
	var all []pieces // by feature
	for k := range t.Rules {
		for _, feature := range t.Rules[k].Features() {
			if !slices.ContainsFunc(all, func(p pieces) bool { return p.feature == feature }) {
				all = append(all, piecesOf(feature, t))
			}
		}
	}
	for a := range t.Rules {
		for b := range a {
			if !slices.ContainsFunc(all, func(p pieces) bool { return p.disjoint(a, b) }) {
				v.check(false, "%s: an account can be in rules %d and %d at once", name, b+1, a+1)
				return
			}
		}
	}
	const rounding = 1e-12 // products and sums of up to maxRules shares
	for i := range all {
		for piece, label := range all[i].labels {
			sum := 0.0
			for k := range t.Rules {
				if all[i].taken[k][piece] {
					part := 1.0
					for other := range all {
						if other != i {
							part *= all[other].share(k)
						}
					}
					sum += part
				}
			}
			if !v.check(sum > 1-rounding, "%s: some accounts where %s %s are in none of its rules", name, all[i].feature, label) {
				return
			}
		}
	}
}

// pieces are the values of a feature that a table tells apart.
type pieces struct {
	feature string
	labels  []string
	taken   [][]bool // by rule, then piece
}

func piecesOf(feature string, t *Table) pieces {
	p := pieces{feature: feature, taken: make([][]bool, len(t.Rules))}
	var column features.Column
	column, p.labels = t.pieceColumn(feature)
	for k := range t.Rules {
		p.taken[k] = slices.Repeat([]bool{true}, len(p.labels))
		for i := range t.Rules[k].Conditions {
			if c := &t.Rules[k].Conditions[i]; c.Feature == feature {
				test := c.bind(&column)
				for piece := range p.labels {
					p.taken[k][piece] = p.taken[k][piece] && test.holds(piece)
				}
			}
		}
	}
	return p
}

// pieceColumn returns a column with one row for each piece of a feature, and
// what they are in words. A number's interval is stood for by its upper bound,
// which belongs to it.
func (t *Table) pieceColumn(feature string) (c features.Column, labels []string) {
	var cuts []float64
	var levels []string
	for k := range t.Rules {
		for _, condition := range t.Rules[k].Conditions {
			if condition.Feature != feature {
				continue
			}
			for _, bound := range []*float64{condition.Above, condition.AtMost} {
				if bound != nil {
					cuts = append(cuts, *bound)
				}
			}
			levels = append(levels, condition.Levels...)
		}
	}
	if levels == nil {
		slices.Sort(cuts)
		c.Feature.Kind = features.NumberKind
		c.Num, labels = append(c.Num, math.NaN()), append(labels, "is missing")
		for _, cut := range slices.Compact(cuts) {
			c.Num, labels = append(c.Num, cut), append(labels, fmt.Sprintf("is at most %v", cut))
		}
		c.Num = append(c.Num, math.Inf(1))
		return c, append(labels, "is above all bounds")
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	c.Feature.Kind = features.LevelKind
	for _, level := range levels {
		labels = append(labels, fmt.Sprintf("is %q", level))
	}
	c.Levels = append(slices.Clone(levels), strings.Join(levels, " or ")+" not") // a name longer than each
	for code := range c.Levels {
		c.Codes = append(c.Codes, int32(code))
	}
	return c, append(labels, "is another level")
}

// disjoint reports whether two rules take no piece in common.
func (p *pieces) disjoint(a, b int) bool {
	for piece, taken := range p.taken[a] {
		if taken && p.taken[b][piece] {
			return false
		}
	}
	return true
}

// share returns the share of the pieces that a rule takes.
func (p *pieces) share(rule int) float64 {
	n := 0
	for _, taken := range p.taken[rule] {
		if taken {
			n++
		}
	}
	return float64(n) / float64(len(p.labels))
}
