// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

func cardFrame() *features.Frame {
	number := func(name string, x ...float64) features.Column {
		return features.Column{Feature: features.Feature{Name: name, Kind: features.NumberKind, Pillar: "roi", Label: name}, Num: x}
	}
	return &features.Frame{Rows: make([]features.Row, 4), Columns: []features.Column{
		number("logins", 12, 3, nan, 30),
		number("tickets", 0, 6, 2, 9),
		number("nps", 40, nan, -20, 100),
		{Feature: features.Feature{Name: "plan", Kind: features.LevelKind, Pillar: "roi", Label: "plan"},
			Codes: []int32{0, 1, -1, 0}, Levels: []string{"pro", "basic"}},
	}}
}

func specOfFrame(f *features.Frame) *features.Spec {
	s := &features.Spec{Version: 1}
	for k := range f.Columns {
		s.Features = append(s.Features, f.Columns[k].Feature)
	}
	return s
}

func at(x float64) *float64 { return &x }

// pointCard is a card of positive and negative criteria. Usage may add 20 at
// most; the rest has no bound. Its extent is −15 − 5 to 20 + 10 + 5.
func pointCard() *Scorecard {
	c := &Scorecard{Method: CardPoints,
		Groups: []CardGroup{{Name: "usage", Max: at(20)}},
		Criteria: []Criterion{
			{Feature: "logins", AtLeast: at(10), Points: 15, Group: "usage"},
			{Feature: "logins", Above: at(20), Points: 15, Group: "usage"},
			{Feature: "tickets", Above: at(5), Points: -15},
			{Feature: "nps", AtLeast: at(30), Below: at(101), Points: 10},
			{Feature: "logins", Missing: true, Points: -5},
			{Feature: "plan", Levels: []string{"pro"}, Points: 5},
		}}
	c.Least, c.Most = c.Extent()
	return c
}

// Points by hand: a sum of positive and negative criteria with a cap on a
// group, scaled down to 0 to 100.
func TestScorecardByPoints(t *testing.T) {
	c, f := pointCard(), cardFrame()
	if err := c.Check(specOfFrame(f)); err != nil {
		t.Fatal(err)
	}
	if c.Least != -20 || c.Most != 35 {
		t.Fatalf("extent %v to %v, want -20 to 35", c.Least, c.Most)
	}
	in, err := NewCardInput(c, f)
	if err != nil {
		t.Fatal(err)
	}
	for row, points := range []float64{
		15 + 10 + 5,      // 12 logins, no ticket, NPS 40, pro
		-15,              // 3 logins, 6 tickets, NPS not known, basic
		-5,               // logins not known, 2 tickets, NPS −20, plan not known
		20 - 15 + 10 + 5, // 30 logins: 15 + 15, capped at 20
	} {
		parts := make([]float64, len(c.Items()))
		s := in.Score(parts, row)
		if want := 100 * (points + 20) / 55; math.Abs(s-want) > 1e-12 {
			t.Errorf("row %d: %v, want %v", row, s, want)
		}
		sum := 100 * 20. / 55
		for _, p := range parts {
			sum += p
		}
		if math.Abs(sum-s) > 1e-12 {
			t.Errorf("row %d: parts sum to %v, the score is %v", row, sum, s)
		}
	}
	// A declared scale cuts what lies beyond it: 30 points of 0 to 25 read 100.
	c.Least, c.Most = 0, 25
	if s := in.Score(nil, 0); s != 100 {
		t.Errorf("30 points of 0 to 25: %v, want 100", s)
	}
	if s := in.Score(nil, 1); s != 0 {
		t.Errorf("-15 points of 0 to 25: %v, want 0", s)
	}
	// Scaling down to 0 to 100 where all points are positive: 100 sum / most.
	c.Least, c.Most = 0, 60
	if s := in.Score(nil, 0); s != 50 {
		t.Errorf("30 points of 0 to 60: %v, want 50", s)
	}
}

// Pillars by hand: weights 40, 35 and 25; scores are linear between worst and
// best, a level's own, or 50 where nothing is known.
func TestScorecardByPillars(t *testing.T) {
	c := &Scorecard{Method: CardPillars, Pillars: []CardPillar{
		{Name: "adoption", Weight: 40, Measures: []Measure{{Feature: "logins", Weight: 1, Worst: 0, Best: 20, Missing: 50}}},
		{Name: "support", Weight: 35, Measures: []Measure{{Feature: "tickets", Weight: 1, Worst: 10, Best: 0, Missing: 50}}},
		{Name: "voice", Weight: 25, Measures: []Measure{
			{Feature: "nps", Weight: 3, Worst: -100, Best: 100, Missing: 50},
			{Feature: "plan", Weight: 1, Scores: map[string]float64{"pro": 90}, Other: 30, Missing: 50},
		}},
	}}
	f := cardFrame()
	if err := c.Check(specOfFrame(f)); err != nil {
		t.Fatal(err)
	}
	in, err := NewCardInput(c, f)
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range []float64{
		.40*60 + .35*100 + .25*(3*70+90)/4,
		.40*15 + .35*40 + .25*(3*50+30)/4,
		.40*50 + .35*80 + .25*(3*40+50)/4,
		.40*100 + .35*10 + .25*(3*100+90)/4,
	} {
		parts := make([]float64, len(c.Items()))
		s, sum := in.Score(parts, row), 0.0
		for _, p := range parts {
			sum += p
		}
		if math.Abs(s-want) > 1e-12 || math.Abs(sum-s) > 1e-12 {
			t.Errorf("row %d: %v (parts %v), want %v", row, s, sum, want)
		}
	}
}

// Whatever the card by points: 0 ≤ s ≤ 100, and the parts explain it.
func TestScorecardLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, c := cardFrame(), &Scorecard{Method: CardPoints}
		c.Groups = []CardGroup{{Name: "a", Min: at(float64(-rapid.IntRange(0, 20).Draw(t, "min"))), Max: at(float64(rapid.IntRange(0, 20).Draw(t, "max")))}}
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			r := Criterion{Feature: rapid.SampledFrom([]string{"logins", "tickets", "nps"}).Draw(t, "feature"),
				AtLeast: at(float64(rapid.IntRange(-30, 30).Draw(t, "at"))), Points: float64(rapid.IntRange(1, 30).Draw(t, "points"))}
			if rapid.Bool().Draw(t, "risk") {
				r.Points = -r.Points
			}
			if rapid.Bool().Draw(t, "grouped") {
				r.Group = "a"
			}
			c.Criteria = append(c.Criteria, r)
		}
		c.Least, c.Most = c.Extent()
		if rapid.Bool().Draw(t, "narrow") {
			c.Least, c.Most = c.Least/2, c.Most/2
		}
		if c.Least == c.Most {
			return
		}
		in, err := NewCardInput(c, f)
		if err != nil {
			t.Fatal(err)
		}
		parts := make([]float64, len(c.Criteria))
		for row := range f.Rows {
			s := in.Score(parts, row)
			sum := -100 * c.Least / (c.Most - c.Least)
			for _, p := range parts {
				sum += p
			}
			if !(s >= 0 && s <= 100) || math.Abs(sum-s) > 1e-9 {
				t.Fatalf("row %d: %v, parts sum to %v", row, s, sum)
			}
		}
	})
}

// Mistakes are named with their place.
func TestScorecardCheckRefuses(t *testing.T) {
	spec := specOfFrame(cardFrame())
	for _, test := range []struct {
		want   string
		damage func(c *Scorecard)
	}{
		{`criteria[0].feature: no feature is named "login"; did you mean "logins"?`, func(c *Scorecard) { c.Criteria[0].Feature = "login" }},
		{`criteria[5]: plan is a level; say which`, func(c *Scorecard) { c.Criteria[5].Levels = nil }},
		{`criteria[5].at_least: plan is a level, not a number`, func(c *Scorecard) { c.Criteria[5].AtLeast = at(3) }},
		{`criteria[0].is: logins is a number`, func(c *Scorecard) { c.Criteria[0].Levels = []string{"a"} }},
		{`criteria[2]: tests nothing`, func(c *Scorecard) { c.Criteria[2].Above = nil }},
		{`criteria[3]: no value of nps is above 30 and below 30`, func(c *Scorecard) { c.Criteria[3].Below = at(30) }},
		{`criteria[0].points: found 0 or nothing`, func(c *Scorecard) { c.Criteria[0].Points = 0 }},
		{`criteria[0].group: no group is named "use"`, func(c *Scorecard) { c.Criteria[0].Group = "use" }},
		{`groups.usage.max: found -1; expected 0 or more`, func(c *Scorecard) { c.Groups[0].Max = at(-1) }},
		{`scale: from 5 to 3 points`, func(c *Scorecard) { c.Least, c.Most = 5, 3 }},
		{`method: found "sum"`, func(c *Scorecard) { c.Method = "sum" }},
		{`pillars: found none`, func(c *Scorecard) { c.Method = CardPillars }},
	} {
		c := pointCard()
		test.damage(c)
		err := c.Check(spec)
		var card *CardError
		if !errors.As(err, &card) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}
