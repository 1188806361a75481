// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"cmp"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A Waterfall leads from the base rate to an account's log-odds in steps:
//
//	z = Base + Average + Σ Pillars + Map
type Waterfall struct {
	Base    float64           `json:"base"`    // logit of the base rate, at which health is 60
	Average float64           `json:"average"` // z_ref − Base: the average account of the training rows
	Pillars []WaterfallPillar `json:"pillars"` // the largest effect, up or down, first
	// Map is what a calibration by isotonic or bends adds after effects, which are
	// stated before it; 0 for other maps.
	Map float64 `json:"map,omitempty"`
	Z   float64 `json:"log_odds"` // calibrated
}

// A WaterfallPillar is the step of one pillar and the features it consists of.
type WaterfallPillar struct {
	Name     string          `json:"name"`
	Effect   float64         `json:"effect"`
	Health   float64         `json:"health"`
	Features []WaterfallStep `json:"features"` // the largest first
}

// A WaterfallStep is one feature's part of it.
type WaterfallStep struct {
	Feature string  `json:"feature"`
	Label   string  `json:"label"`
	Value   string  `json:"value"`
	Effect  float64 `json:"effect"`
}

// Waterfalls returns the waterfall of every row of a frame.
func (m *Model) Waterfalls(f *features.Frame) ([]Waterfall, error) {
	s, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	z := s.LogOdds(nil)
	m.Calibrate(z, f)
	contributions, n := s.Contributions(nil), len(m.Terms)
	out := make([]Waterfall, len(z))
	for i := range out {
		out[i] = m.waterfall(f, i, contributions[i*n:(i+1)*n], z[i])
	}
	return out, nil
}

func (m *Model) waterfall(f *features.Frame, row int, effects []float64, z float64) Waterfall {
	w := Waterfall{Base: LogOddsOf(m.Score.BaseRate), Z: z}
	reference := m.Reference()
	w.Average = reference - w.Base
	sum := reference
	for _, p := range m.Explain(effects).Pillars {
		step := WaterfallPillar{Name: p.Name, Effect: p.Effect, Health: PillarHealth(p.Effect)}
		sum += p.Effect
		for j := range m.Terms {
			if t := &m.Terms[j]; t.Pillar == p.Name {
				step.Features = append(step.Features, WaterfallStep{t.Feature, t.Label, valueText(f.Column(t.Feature), row), effects[j]})
			}
		}
		slices.SortStableFunc(step.Features, func(a, b WaterfallStep) int { return largerFirst(a.Effect, b.Effect) })
		w.Pillars = append(w.Pillars, step)
	}
	slices.SortStableFunc(w.Pillars, func(a, b WaterfallPillar) int { return largerFirst(a.Effect, b.Effect) })
	if !m.Calibration.Additive() {
		w.Map = z - sum
	}
	return w
}

func largerFirst(a, b float64) int { return cmp.Compare(math.Abs(b), math.Abs(a)) }

// A WhatIf is the score that an account would have with another value of one
// feature, all else as it is. It is an association: accounts with such values
// churned less often, which does not say that changing the value changes the
// outcome.
type WhatIf struct {
	Feature string  `json:"feature"`
	Label   string  `json:"label"`
	From    string  `json:"from"`
	To      string  `json:"to"`
	Typical bool    `json:"typical"` // To is the median of training; else it is the best value met there
	P       float64 `json:"p_churn"`
	Health  float64 `json:"health"`
	Change  float64 `json:"health_change"`
}

// whatIfs is how many values between the least and the greatest of training are
// tried.
const whatIfs = 9

// WhatIfs returns, for each number that the spec calls actionable, the score of
// a row at the median and at the best value of the training range, where that is
// better than now; the largest gain first.
func (m *Model) WhatIfs(f *features.Frame, row int) ([]WhatIf, error) {
	type trial struct {
		term    *Term
		value   float64
		typical bool
	}
	trials := []trial{{}} // the first row is as it is
	for _, feature := range m.Spec.Features {
		t := m.term(feature.Name)
		if !feature.Actionable || t == nil || f.Column(t.Feature).IsLevel() || t.Low == t.High {
			continue
		}
		trials = append(trials, trial{t, t.Median, true})
		for _, x := range t.grid(whatIfs) {
			trials = append(trials, trial{t, x, false})
		}
	}
	tried := f.Select(slices.Repeat([]int{row}, len(trials)))
	for i, x := range trials {
		if x.term != nil {
			tried.Column(x.term.Feature).Num[i] = x.value
		}
	}
	p, err := m.Prob(nil, tried)
	if err != nil {
		return nil, err
	}
	now := m.Score.Health(p[0])
	best := make(map[string]WhatIf) // by feature, and whether typical
	for i, x := range trials[1:] {
		if p[i+1] >= p[0] {
			continue
		}
		w := WhatIf{Feature: x.term.Feature, Label: x.term.Label, From: valueText(f.Column(x.term.Feature), row), To: numberText(x.value),
			Typical: x.typical, P: p[i+1], Health: m.Score.Health(p[i+1])}
		w.Change = w.Health - now
		key := w.Feature + map[bool]string{true: " typical", false: " best"}[x.typical]
		if old, ok := best[key]; !ok || w.P < old.P {
			best[key] = w
		}
	}
	out := make([]WhatIf, 0, len(best))
	for _, x := range trials[1:] {
		for _, key := range []string{x.term.Feature + " typical", x.term.Feature + " best"} {
			if w, ok := best[key]; ok {
				out = append(out, w)
				delete(best, key)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b WhatIf) int { return cmp.Compare(a.P, b.P) })
	return out, nil
}
