// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"slices"
	"sort"

	"github.com/holdfast-churn/holdfast/features"
)

// A Reason is one feature's part in an account's log-odds, against the average
// account of the training rows.
type Reason struct {
	Pillar string
	Text   string  // the feature's label and its value
	Effect float64 // contribution to z - z_ref, calibrated log-odds; positive raises the risk
}

// A Pillar is the sum of its features' effects.
type Pillar struct {
	Name   string
	Effect float64
}

// An Explanation splits an account's z - z_ref. The effects of all features
// sum to it, up to rounding, and so do those of the pillars.
type Explanation struct {
	Effects []float64 // by term of the model: one a feature
	Pillars []Pillar  // in order of name
}

// Explain sums one row's contributions (Scorer.Contributions) by pillar. It
// keeps the slice.
func (m *Model) Explain(contributions []float64) Explanation {
	e := Explanation{Effects: contributions}
	sums := make(map[string]float64)
	for j := range m.Terms {
		sums[m.Terms[j].Pillar] += e.Effects[j]
	}
	for name, sum := range sums {
		e.Pillars = append(e.Pillars, Pillar{name, sum})
	}
	sort.Slice(e.Pillars, func(a, b int) bool { return e.Pillars[a].Name < e.Pillars[b].Name })
	return e
}

// Reasons returns up to n reasons that raise the risk (sign = 1) or lower it
// (sign = -1). Pillars go first, since a refit changes the top feature more
// often than the top pillar: the strongest feature of each pillar that pulls
// that way, pillars by their sum; then, if places are left, further features
// by size.
func (m *Model) Reasons(e Explanation, f *features.Frame, row, n int, sign float64) []Reason {
	chosen := m.chosen(e, sign)
	reasons := make([]Reason, 0, n)
	for _, j := range chosen[:min(n, len(chosen))] {
		t := &m.Terms[j]
		reasons = append(reasons, Reason{t.Pillar, t.Label + ": " + valueText(f.Column(t.Feature), row), e.Effects[j]})
	}
	return reasons
}

// chosen returns the terms of all reasons that pull the way of sign, in the
// order of Reasons.
func (m *Model) chosen(e Explanation, sign float64) []int {
	pillars := slices.Clone(e.Pillars)
	sort.SliceStable(pillars, func(a, b int) bool { return sign*pillars[a].Effect > sign*pillars[b].Effect })
	order := make([]int, 0, len(m.Terms))
	for j := range m.Terms {
		if sign*e.Effects[j] > 0 {
			order = append(order, j)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return sign*e.Effects[order[a]] > sign*e.Effects[order[b]] })
	var chosen []int
	for _, p := range pillars {
		if sign*p.Effect <= 0 {
			break
		}
		if i := slices.IndexFunc(order, func(j int) bool { return m.Terms[j].Pillar == p.Name }); i >= 0 {
			chosen = append(chosen, order[i])
		}
	}
	for _, j := range order {
		if !slices.Contains(chosen, j) {
			chosen = append(chosen, j)
		}
	}
	return chosen
}

// valueText writes a feature's value as a reader wants it.
func valueText(c *features.Column, row int) string {
	if c.IsLevel() {
		if c.Codes[row] < 0 {
			return "not known"
		}
		return c.Levels[c.Codes[row]]
	}
	return numberText(c.Num[row])
}
