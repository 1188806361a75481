// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// A cardYAML is scorecard.yaml as written; SCORECARD.md is its reference.
type cardYAML struct {
	Version  int      `yaml:"version"`
	Name     string   `yaml:"name"`
	Method   string   `yaml:"method"`
	BaseRate *float64 `yaml:"base_rate"`
	Scale    struct {
		Least *float64 `yaml:"least"`
		Most  *float64 `yaml:"most"`
	} `yaml:"scale"`
	Groups map[string]struct {
		Min *float64 `yaml:"min"`
		Max *float64 `yaml:"max"`
	} `yaml:"groups"`
	Criteria []struct {
		Feature string   `yaml:"feature"`
		AtLeast *float64 `yaml:"at_least"`
		Above   *float64 `yaml:"above"`
		AtMost  *float64 `yaml:"at_most"`
		Below   *float64 `yaml:"below"`
		Is      []string `yaml:"is"`
		IsNot   []string `yaml:"is_not"`
		Missing bool     `yaml:"missing"`
		Points  float64  `yaml:"points"`
		Group   string   `yaml:"group"`
	} `yaml:"criteria"`
	Pillars []struct {
		Name     string  `yaml:"name"`
		Weight   float64 `yaml:"weight"`
		Measures []struct {
			Feature string             `yaml:"feature"`
			Weight  *float64           `yaml:"weight"`
			Worst   float64            `yaml:"worst"`
			Best    float64            `yaml:"best"`
			Scores  map[string]float64 `yaml:"scores"`
			Other   *float64           `yaml:"other"`
			Missing *float64           `yaml:"missing"`
		} `yaml:"measures"`
	} `yaml:"pillars"`
}

const (
	neutral      = 50.0 // the score of a measure about which nothing is known
	expectedRate = 0.1  // churn rate of a card without any outcome, where it names none
	defaultWorth = 200  // renewals that a card is worth
)

// A handCard is a scorecard as read, checked against a spec.
type handCard struct {
	*predict.Scorecard
	rate float64 // churn rate to expect while no outcome has been seen
}

// key tells apart what fits with different cards would give; a nil card has the
// empty one.
func (c *handCard) key(worth float64) string {
	if c == nil {
		return ""
	}
	text, err := json.Marshal(c.Scorecard)
	if err != nil {
		panic("a scorecard holds plain data only")
	}
	return fmt.Sprintf("%v %s", worth, text)
}

// readScorecard reads the project's scorecard, or returns nil where it has none.
func (p *project) readScorecard(spec *features.Spec) (*handCard, error) {
	if p.cardFile == "" {
		return nil, nil
	}
	f, err := p.registry.FS.Open(p.cardFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError("%s: model.scorecard: %s: no such file", p.file, p.cardFile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the scorecard: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", p.cardFile, err)
	}
	c, err := parseScorecard(text, spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.cardFile, err)
	}
	return c, nil
}

// parseScorecard decodes scorecard.yaml and checks it over the features of a
// spec.
func parseScorecard(text []byte, spec *features.Spec) (*handCard, error) {
	var y cardYAML
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&y); err != nil {
		return nil, yamlErrorOf[cardYAML](err, "cmd/holdfast/SCORECARD.md")
	}
	if y.Version != 1 {
		return nil, usageError("version: found %d; this program reads version 1", y.Version)
	}
	c := y.card()
	for i, r := range y.Criteria {
		if len(r.Is) > 0 && len(r.IsNot) > 0 {
			return nil, usageError("line %d: is and is_not exclude each other; give one", lineOf(text, fmt.Sprintf("criteria[%d]", i)))
		}
	}
	h := &handCard{c, expectedRate}
	if y.BaseRate != nil {
		h.rate = *y.BaseRate
	}
	if !(h.rate > 0 && h.rate < 1) {
		return nil, usageError("line %d: base_rate: found %v; expected a churn rate between 0 and 1", lineOf(text, "base_rate"), h.rate)
	}
	var wrong *predict.CardError
	if err := c.Check(spec); errors.As(err, &wrong) {
		return nil, usageError("line %d: %v", lineOf(text, wrong.Path), wrong)
	}
	return h, nil
}

// card converts what was written, with defaults.
func (y *cardYAML) card() *predict.Scorecard {
	c := &predict.Scorecard{Name: y.Name, Method: orDefault(y.Method, predict.CardPoints)}
	for _, name := range slices.Sorted(maps.Keys(y.Groups)) {
		c.Groups = append(c.Groups, predict.CardGroup{Name: name, Min: y.Groups[name].Min, Max: y.Groups[name].Max})
	}
	for _, r := range y.Criteria {
		c.Criteria = append(c.Criteria, predict.Criterion{Feature: r.Feature, AtLeast: r.AtLeast, Above: r.Above, AtMost: r.AtMost, Below: r.Below,
			Missing: r.Missing, Levels: append(r.Is, r.IsNot...), Not: len(r.IsNot) > 0, Points: r.Points, Group: r.Group})
	}
	for _, p := range y.Pillars {
		pillar := predict.CardPillar{Name: p.Name, Weight: p.Weight}
		for _, m := range p.Measures {
			measure := predict.Measure{Feature: m.Feature, Weight: 1, Worst: m.Worst, Best: m.Best, Scores: m.Scores, Other: neutral, Missing: neutral}
			for value, to := range map[*float64]*float64{m.Weight: &measure.Weight, m.Other: &measure.Other, m.Missing: &measure.Missing} {
				if value != nil {
					*to = *value
				}
			}
			pillar.Measures = append(pillar.Measures, measure)
		}
		c.Pillars = append(c.Pillars, pillar)
	}
	if c.Method == predict.CardPoints {
		c.Least, c.Most = c.Extent()
	}
	if y.Scale.Least != nil {
		c.Least = *y.Scale.Least
	}
	if y.Scale.Most != nil {
		c.Most = *y.Scale.Most
	}
	return c
}

// lineOf returns the line of a path of keys in a YAML text, or of the nearest
// part of it that is there; 1 where nothing is.
func lineOf(text []byte, path string) int {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.ReadNode(bytes.NewReader(text)); err == nil && node != nil && node.GetToken() != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return 1
}

// trainOnCard publishes the model of the scorecard where no outcome has matured:
// an account then has the health that the card gives it.
func (a *app) trainOnCard(ctx context.Context, l *loaded, asOf time.Time, censored int, g lineage) (*trained, error) {
	o := l.trainOptions(a)
	o.AsOf, o.Censored, o.DataDigest, o.Score.BaseRate = asOf.Format(time.DateOnly), censored, l.history.Fingerprint(), l.card.rate
	if g.baseRate != 0 {
		o.Score.BaseRate, o.Parent = g.baseRate, g.parent
	}
	m, err := train.ScorecardModel(l.spec, l.card.Scorecard, o)
	if err != nil {
		return nil, err
	}
	return a.publish(ctx, l, m)
}
