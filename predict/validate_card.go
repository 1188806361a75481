// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// A CardError says what is wrong with a hand scorecard, and where.
type CardError struct {
	Path    string // of keys, as in scorecard.yaml: criteria[2].feature
	Problem string
}

// Error names the place and the problem.
func (e *CardError) Error() string { return e.Path + ": " + e.Problem }

// Check returns a *CardError for the first thing that is wrong with a card
// over the features of a spec: an unknown feature, a test of the wrong kind,
// bounds that exclude each other, an unknown group, weights or scales that
// are none.
func (c *Scorecard) Check(spec *features.Spec) error {
	k := cardChecker{kinds: make(map[string]features.ValueKind)}
	for _, f := range spec.Features {
		k.kinds[f.Name] = f.Kind
		k.names = append(k.names, f.Name)
	}
	switch c.Method {
	case CardPoints:
		k.check(len(c.Criteria) > 0, "criteria", "found none; expected at least one")
		k.check(len(c.Pillars) == 0, "pillars", "go with method pillars; this card is by points")
		k.points(c)
	case CardPillars:
		k.check(len(c.Pillars) > 0, "pillars", "found none; expected at least one")
		k.check(len(c.Criteria) == 0, "criteria", "go with method points; this card is by pillars")
		k.pillars(c)
	default:
		k.check(false, "method", "found %q; expected points or pillars", c.Method)
	}
	if k.err == nil {
		return nil
	}
	return k.err
}

// A cardChecker keeps the first problem.
type cardChecker struct {
	kinds map[string]features.ValueKind
	names []string
	err   *CardError
}

func (k *cardChecker) check(ok bool, path, format string, args ...any) {
	if !ok && k.err == nil {
		k.err = &CardError{path, fmt.Sprintf(format, args...)}
	}
}

// number checks that a number can be computed with.
func (k *cardChecker) number(path string, x float64) {
	k.check(math.Abs(x) < 1e12, path, "found %v; expected a number", x) // false for NaN
}

// feature checks that a feature exists and returns its kind.
func (k *cardChecker) feature(path, name string) features.ValueKind {
	kind, ok := k.kinds[name]
	hint := ""
	if near := data.Nearest(name, k.names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	if name == "" {
		k.check(false, path, "is required and missing; name a feature of the project")
	}
	k.check(ok, path, "no feature is named %q%s", name, hint)
	return kind
}

func (k *cardChecker) points(c *Scorecard) {
	groups := make(map[string]bool)
	for _, g := range c.Groups {
		path := "groups." + g.Name
		k.check(g.Name != "" && !groups[g.Name], path, "a group needs a name of its own")
		groups[g.Name] = true
		if g.Min != nil {
			k.number(path+".min", *g.Min)
			k.check(*g.Min <= 0, path+".min", "found %v; expected 0 or less: nothing can be the least without a criterion", *g.Min)
		}
		if g.Max != nil {
			k.number(path+".max", *g.Max)
			k.check(*g.Max >= 0, path+".max", "found %v; expected 0 or more", *g.Max)
		}
	}
	for i := range c.Criteria {
		r, path := &c.Criteria[i], fmt.Sprintf("criteria[%d]", i)
		k.criterion(path, r)
		k.check(r.Group == "" || groups[r.Group], path+".group", "no group is named %q; add it to groups with its min or max", r.Group)
	}
	k.number("scale.least", c.Least)
	k.number("scale.most", c.Most)
	k.check(c.Least <= 0 && c.Most >= 0 && c.Most-c.Least > 1e-6, "scale", "from %v to %v points; expected a range around 0", c.Least, c.Most)
}

func (k *cardChecker) criterion(path string, r *Criterion) {
	kind := k.feature(path+".feature", r.Feature)
	k.number(path+".points", r.Points)
	k.check(r.Points != 0, path+".points", "found 0 or nothing; expected points, above 0 for health and below 0 for risk")
	bounds := []struct {
		name  string
		bound *float64
	}{{"at_least", r.AtLeast}, {"above", r.Above}, {"at_most", r.AtMost}, {"below", r.Below}}
	given := r.Missing
	for _, b := range bounds {
		if b.bound != nil {
			given = true
			k.check(!math.IsNaN(*b.bound), path+"."+b.name, "found %v; expected a number", *b.bound)
			k.check(kind != features.LevelKind, path+"."+b.name, "%s is a level, not a number; test it with is or is_not", r.Feature)
		}
	}
	if kind == features.LevelKind {
		k.check(len(r.Levels) > 0, path, "%s is a level; say which with is: [LEVEL, ...] or is_not", r.Feature)
		k.check(!r.Missing, path+".missing", `%s is a level; a missing one is tested with is: ["(missing)"]`, r.Feature)
		return
	}
	k.check(len(r.Levels) == 0, path+".is", "%s is a number; test it with at_least, above, at_most, below or missing", r.Feature)
	k.check(given, path, "tests nothing; give at_least, above, at_most, below or missing")
	low, high := math.Inf(-1), math.Inf(1)
	open := false // the bound itself is excluded
	for _, b := range bounds[:2] {
		if b.bound != nil && *b.bound >= low {
			low, open = *b.bound, b.name == "above"
		}
	}
	for _, b := range bounds[2:] {
		if b.bound != nil && *b.bound <= high {
			high, open = *b.bound, open || b.name == "below"
		}
	}
	k.check(low < high || low == high && !open, path, "no value of %s is above %v and below %v", r.Feature, low, high)
}

func (k *cardChecker) pillars(c *Scorecard) {
	for i := range c.Pillars {
		p, path := &c.Pillars[i], fmt.Sprintf("pillars[%d]", i)
		k.check(p.Name != "", path+".name", "is required and missing")
		k.number(path+".weight", p.Weight)
		k.check(p.Weight > 0, path+".weight", "found %v; expected a weight above 0", p.Weight)
		k.check(len(p.Measures) > 0, path+".measures", "found none; expected at least one")
		for j := range p.Measures {
			k.measure(fmt.Sprintf("%s.measures[%d]", path, j), &p.Measures[j])
		}
	}
}

func (k *cardChecker) measure(path string, m *Measure) {
	kind := k.feature(path+".feature", m.Feature)
	k.number(path+".weight", m.Weight)
	k.check(m.Weight > 0, path+".weight", "found %v; expected a weight above 0", m.Weight)
	score := func(path string, s float64) {
		k.check(s >= 0 && s <= 100, path, "found %v; expected a score of 0 to 100", s)
	}
	score(path+".missing", m.Missing)
	score(path+".other", m.Other)
	for level, s := range m.Scores {
		if !(s >= 0 && s <= 100) {
			score(path+".scores."+level, s)
		}
	}
	if kind == features.LevelKind {
		k.check(len(m.Scores) > 0, path, "%s is a level; give each a score: scores: {LEVEL: 80, ...}", m.Feature)
		return
	}
	k.check(len(m.Scores) == 0, path+".scores", "%s is a number; give worst and best", m.Feature)
	k.number(path+".worst", m.Worst)
	k.number(path+".best", m.Best)
	k.check(m.Worst != m.Best, path, "worst and best of %s are both %v", m.Feature, m.Best)
}

// card checks the scorecard of a model.
func (v *validator) card(c *Scorecard, spec *features.Spec, of func(feature string) features.ValueKind) {
	if err := c.Check(spec); err != nil {
		v.check(false, "scorecard: %v", err)
		return
	}
	for _, name := range c.Features() {
		v.check(of(name) != "", "scorecard: the model has no term of feature %q", name)
	}
	v.finite("scorecard", c.Mean, c.SD, c.Weight, c.SE)
	v.finite("scorecard", c.ItemMeans...)
	v.check(c.SD > 0, "scorecard: a standard deviation of %v", c.SD)
	v.check(len(c.ItemMeans) == len(c.Items()), "scorecard: %d means of %d items", len(c.ItemMeans), len(c.Items()))
}
