// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"cmp"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A Difference is what changed from one model to another.
type Difference struct {
	// Features of both, the one whose curve moved most first.
	Terms []TermChange `json:"terms"`
	// Pairs of both, the one whose share of the variance changed most first.
	Pairs []PairChange `json:"pairs,omitempty"`
	// Features and pairs of one model only, in its order.
	Gone []string `json:"gone,omitempty"`
	New  []string `json:"new,omitempty"`
	// Features are those of the spec that one model lacks or computes in another
	// way, with both definitions.
	Features []Change `json:"features"`
	// Tables are the numbers of tables of each; trees have no names by which
	// one could be found again.
	Tables   [2]int         `json:"tables"`
	Settings []Change       `json:"settings"` // provenance, calibration, score constants, and what the spec says beside features
	Metrics  []NumberChange `json:"metrics"`  // all of them, also those that are alike
	Weights  []WeightChange `json:"weights"`  // by size of the change
}

// A TermChange compares a feature's term in two models.
type TermChange struct {
	Feature string      `json:"feature"`
	Label   string      `json:"label"`
	Effect  [2]Interval `json:"effect"`
	Share   [2]float64  `json:"share"`
	// Moved is the largest change of what the term contributes against its
	// mean, in uncalibrated log-odds, and At the value where that is. Values
	// are the second model's levels, or 9 numbers of its curve, and missing.
	Moved float64 `json:"moved"`
	At    string  `json:"at"`
}

// A PairChange compares a pair of the same two features in two models.
type PairChange struct {
	Features [2]string  `json:"features"`
	Share    [2]float64 `json:"share"`
}

// Diff returns what changed from one model to another.
func Diff(from, to *Model) Difference {
	d := Difference{Tables: [2]int{len(from.Tables), len(to.Tables)}, Features: featureChanges(&from.Spec, &to.Spec),
		Settings: settingChanges(from, to), Metrics: metricChanges(from, to), Weights: weightChanges(from, to)}
	for j := range from.Terms {
		if to.term(from.Terms[j].Feature) == nil {
			d.Gone = append(d.Gone, from.Terms[j].Feature)
		}
	}
	for j := range to.Terms {
		t := &to.Terms[j]
		switch before := from.term(t.Feature); {
		case before == nil || before.Kind != t.Kind:
			d.New = append(d.New, t.Feature)
		default:
			d.Terms = append(d.Terms, termChange(before, t))
		}
	}
	for k := range from.Pairs {
		if p := &from.Pairs[k]; to.pair(p) == nil {
			d.Gone = append(d.Gone, p.name())
		}
	}
	for k := range to.Pairs {
		p := &to.Pairs[k]
		if before := from.pair(p); before == nil {
			d.New = append(d.New, p.name())
		} else {
			d.Pairs = append(d.Pairs, PairChange{[2]string{p.Sides[0].Feature, p.Sides[1].Feature}, [2]float64{before.Share, p.Share}})
		}
	}
	slices.SortStableFunc(d.Terms, func(a, b TermChange) int { return cmp.Compare(math.Abs(b.Moved), math.Abs(a.Moved)) })
	slices.SortStableFunc(d.Pairs, func(a, b PairChange) int {
		return cmp.Compare(math.Abs(b.Share[1]-b.Share[0]), math.Abs(a.Share[1]-a.Share[0]))
	})
	return d
}

// Redefined returns the features of both models that are computed in another
// way.
func (d *Difference) Redefined() []string {
	var names []string
	for _, f := range d.Features {
		if f.Was != "" && f.Is != "" {
			names = append(names, f.Name)
		}
	}
	return names
}

// term returns the term of a feature, or nil.
func (l *Logit) term(feature string) *Term {
	for j := range l.Terms {
		if l.Terms[j].Feature == feature {
			return &l.Terms[j]
		}
	}
	return nil
}

// pair returns the pair of the same two features, whichever is first, or nil.
// Slopes of segments are one thing, what two features add together another.
func (l *Logit) pair(like *Pair) *Pair {
	a, b := like.Sides[0].Feature, like.Sides[1].Feature
	for k := range l.Pairs {
		c, d := l.Pairs[k].Sides[0].Feature, l.Pairs[k].Sides[1].Feature
		if l.Pairs[k].OfSlopes() == like.OfSlopes() && ((a == c && b == d) || (a == d && b == c)) {
			return &l.Pairs[k]
		}
	}
	return nil
}

func (p *Pair) name() string {
	if p.OfSlopes() {
		return "slopes of " + p.Sides[1].Feature + " by " + p.Sides[0].Feature
	}
	return p.Sides[0].Feature + " with " + p.Sides[1].Feature
}

func termChange(from, to *Term) TermChange {
	c := TermChange{Feature: to.Feature, Label: to.Label, Effect: [2]Interval{from.Effect, to.Effect}, Share: [2]float64{from.Share, to.Share}}
	move := func(label string, before, after float64) {
		if by := (after - to.RefMean) - (before - from.RefMean); math.Abs(by) > math.Abs(c.Moved) {
			c.Moved, c.At = by, label
		}
	}
	if to.Kind == string(features.LevelKind) {
		for k := range to.Columns {
			level := to.Columns[k].Level
			move(levelText(level), from.atLevel(level), to.atLevel(level))
		}
		return c
	}
	for _, x := range to.grid(9) {
		move(numberText(x), from.at(x), to.at(x))
	}
	move("missing", from.at(math.NaN()), to.at(math.NaN()))
	return c
}
