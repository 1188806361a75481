// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// The ways of adding up a hand scorecard, values of Scorecard.Method.
const (
	CardPoints  = "points"  // points for criteria that hold
	CardPillars = "pillars" // weighted average of pillar scores
)

// A Scorecard is a health score s that a team made by hand, 0 to 100, 100 being
// healthy. By points,
//
//	sum = Σ_groups clip(Σ points of its criteria that hold, Min, Max) + Σ points of the others
//	s   = clip(100 (sum − Least)/(Most − Least), 0, 100)
//
// and by pillars,
//
//	s = Σ_k W_k S_k / Σ_k W_k,   S_k = Σ_m u_m s_m / Σ_m u_m
//
// with pillar weights W, and in each pillar measures of score s_m and weight u_m.
// In a model it is one more column of the log-odds, Weight (s − Mean)/SD.
type Scorecard struct {
	Name     string       `json:"name,omitempty"`
	Method   string       `json:"method"` // points or pillars
	Criteria []Criterion  `json:"criteria,omitempty"`
	Groups   []CardGroup  `json:"groups,omitempty"`
	Pillars  []CardPillar `json:"pillars,omitempty"`
	Least    float64      `json:"least"` // points that read 0, at most 0
	Most     float64      `json:"most"`  // points that read 100, at least 0
	Mean     float64      `json:"mean"`  // of s over the training rows
	SD       float64      `json:"sd"`
	Weight   float64      `json:"weight"` // per SD of s; by hand −(ln 2)/12 a point: 12 points halve the odds of churn
	SE       float64      `json:"se"`
	Share    float64      `json:"share,omitempty"` // as Term.Share
	// ItemMeans are the mean points of s that each criterion or measure adds in
	// the training rows, in the order of Items.
	ItemMeans []float64 `json:"item_means,omitempty"`
}

// A Criterion adds points where it holds. A number holds inside all bounds that
// are given, and a missing one where Missing says so, with or without bounds. A
// level holds where it is one of Levels, or, with Not, none of them; a missing
// one is the level "(missing)".
type Criterion struct {
	Feature string   `json:"feature"`
	AtLeast *float64 `json:"at_least,omitempty"`
	Above   *float64 `json:"above,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	Below   *float64 `json:"below,omitempty"`
	Missing bool     `json:"missing,omitempty"`
	Levels  []string `json:"levels,omitempty"`
	Not     bool     `json:"not,omitempty"`
	Points  float64  `json:"points"` // positive for health, negative for risk
	Group   string   `json:"group,omitempty"`
}

// A CardGroup bounds what its criteria add together. Min is at most 0 and Max
// at least 0; nil is no bound.
type CardGroup struct {
	Name string   `json:"name"`
	Min  *float64 `json:"min,omitempty"`
	Max  *float64 `json:"max,omitempty"`
}

// A CardPillar is one weighted part of a scorecard by pillars.
type CardPillar struct {
	Name     string    `json:"name"`
	Weight   float64   `json:"weight"` // positive; only ratios matter
	Measures []Measure `json:"measures"`
}

// A Measure turns one feature into a score s_m of 0 to 100: of a number,
// 100 (x − Worst)/(Best − Worst), clipped; of a level, the score it has in
// Scores, or Other. Missing is the score of a missing value.
type Measure struct {
	Feature string             `json:"feature"`
	Weight  float64            `json:"weight"` // u_m, positive
	Worst   float64            `json:"worst"`
	Best    float64            `json:"best"`
	Scores  map[string]float64 `json:"scores,omitempty"`
	Other   float64            `json:"other,omitempty"`
	Missing float64            `json:"missing"`
}

// PointWeight is what one point of a scorecard adds to the log-odds of churn
// where the hand-made score is believed: 12 points halve the odds, as on the
// health scale.
const PointWeight = -math.Ln2 / pointsPerTwice

// Clone returns a copy that shares nothing that training writes to.
func (c *Scorecard) Clone() *Scorecard {
	d := *c
	d.ItemMeans = slices.Clone(c.ItemMeans)
	return &d
}

// Items returns the feature of each criterion, or of each measure, pillar by
// pillar: the items in whose order Parts gives their points.
func (c *Scorecard) Items() []string {
	var names []string
	for i := range c.Criteria {
		names = append(names, c.Criteria[i].Feature)
	}
	for k := range c.Pillars {
		for m := range c.Pillars[k].Measures {
			names = append(names, c.Pillars[k].Measures[m].Feature)
		}
	}
	return names
}

// Features returns the distinct features of a card, sorted.
func (c *Scorecard) Features() []string {
	names := c.Items()
	slices.Sort(names)
	return slices.Compact(names)
}

// Extent returns the least and the most points that the criteria can add if
// each may hold whatever the others do; group bounds count.
func (c *Scorecard) Extent() (least, most float64) {
	low, high := make(map[string]float64), make(map[string]float64)
	for i := range c.Criteria {
		r := &c.Criteria[i]
		low[r.Group] += min(r.Points, 0)
		high[r.Group] += max(r.Points, 0)
	}
	for _, name := range slices.Sorted(maps.Keys(low)) {
		g := c.group(name)
		least += g.clip(low[name])
		most += g.clip(high[name])
	}
	return least, most
}

// group returns the bounds of a group; none for a name without any.
func (c *Scorecard) group(name string) CardGroup {
	for _, g := range c.Groups {
		if g.Name == name {
			return g
		}
	}
	return CardGroup{}
}

func (g *CardGroup) clip(sum float64) float64 {
	if g.Min != nil {
		sum = max(sum, *g.Min)
	}
	if g.Max != nil {
		sum = min(sum, *g.Max)
	}
	return sum
}

// A CardInput is a scorecard bound to the columns of a frame.
type CardInput struct {
	card  *Scorecard
	items []cardItem
	group [][]int // items by group, for the groups with bounds; all others are counted as they are
	caps  []CardGroup
}

// A cardItem returns the points of a criterion or the score of a measure.
type cardItem struct {
	column *features.Column
	number func(x float64) float64
	byCode []float64 // of a level: by code + 1
	share  float64   // of a measure in s: W_k u_m / (Σ W Σ u)
}

// NewCardInput binds a card to a frame that has all its features.
func NewCardInput(c *Scorecard, f *features.Frame) (*CardInput, error) {
	in := &CardInput{card: c}
	add := func(name string, item func(column *features.Column) cardItem) error {
		column := f.Column(name)
		if column == nil {
			return fmt.Errorf("scorecard: the frame has no feature %q", name)
		}
		in.items = append(in.items, item(column))
		return nil
	}
	for i := range c.Criteria {
		r := &c.Criteria[i]
		if err := add(r.Feature, r.bind); err != nil {
			return nil, err
		}
	}
	total := 0.0
	for k := range c.Pillars {
		total += c.Pillars[k].Weight
	}
	for k := range c.Pillars {
		p := &c.Pillars[k]
		within := 0.0
		for m := range p.Measures {
			within += p.Measures[m].Weight
		}
		for m := range p.Measures {
			if err := add(p.Measures[m].Feature, p.Measures[m].bind); err != nil {
				return nil, err
			}
			in.items[len(in.items)-1].share = p.Weight / total * p.Measures[m].Weight / within
		}
	}
	for _, g := range c.Groups {
		var members []int
		for i := range c.Criteria {
			if c.Criteria[i].Group == g.Name {
				members = append(members, i)
			}
		}
		in.group, in.caps = append(in.group, members), append(in.caps, g)
	}
	return in, nil
}

func (r *Criterion) bind(column *features.Column) cardItem {
	item := cardItem{column: column}
	points := func(holds bool) float64 {
		if holds {
			return r.Points
		}
		return 0
	}
	if column.IsLevel() {
		for code := range len(column.Levels) + 1 {
			item.byCode = append(item.byCode, points(slices.Contains(r.Levels, levelName(column, code-1)) != r.Not))
		}
		return item
	}
	item.number = func(x float64) float64 { return points(r.holds(x)) }
	return item
}

// holds says whether a number meets the criterion.
func (r *Criterion) holds(x float64) bool {
	if x != x {
		return r.Missing
	}
	if r.AtLeast == nil && r.Above == nil && r.AtMost == nil && r.Below == nil {
		return false // it asks for missing values only
	}
	return (r.AtLeast == nil || x >= *r.AtLeast) && (r.Above == nil || x > *r.Above) &&
		(r.AtMost == nil || x <= *r.AtMost) && (r.Below == nil || x < *r.Below)
}

func (m *Measure) bind(column *features.Column) cardItem {
	item := cardItem{column: column}
	if column.IsLevel() {
		item.byCode = append(item.byCode, m.Missing)
		for _, level := range column.Levels {
			score, ok := m.Scores[level]
			if !ok {
				score = m.Other
			}
			item.byCode = append(item.byCode, score)
		}
		return item
	}
	item.number = func(x float64) float64 {
		if x != x {
			return m.Missing
		}
		return 100 * max(0, min(1, (x-m.Worst)/(m.Best-m.Worst)))
	}
	return item
}

func (item *cardItem) value(row int) float64 {
	if item.byCode != nil {
		return item.byCode[item.column.Codes[row]+1]
	}
	return item.number(item.column.Num[row])
}

// Score returns s of one row. Where parts is not nil, it stores there what each
// item adds to it (Scorecard.Items):
//
//	s = s₀ + Σ parts,   s₀ = −100 Least/(Most − Least), or 0 by pillars
//
// A bound that cuts the points of a group, or of the whole card, cuts those of
// its items in proportion.
func (in *CardInput) Score(parts []float64, row int) float64 {
	if parts == nil {
		parts = make([]float64, len(in.items))
	}
	for i := range in.items {
		parts[i] = in.items[i].value(row)
	}
	if in.card.Method == CardPillars {
		s := 0.0
		for i := range parts {
			parts[i] *= in.items[i].share
			s += parts[i]
		}
		return s
	}
	for g, members := range in.group {
		sum := 0.0
		for _, i := range members {
			sum += parts[i]
		}
		if clipped := in.caps[g].clip(sum); clipped != sum {
			for _, i := range members {
				parts[i] *= clipped / sum // sum is not 0: no bound cuts nothing
			}
		}
	}
	sum := 0.0
	for i := range parts {
		sum += parts[i]
	}
	return in.scale(parts, sum)
}

// scale turns points into parts of s, and their sum into s.
func (in *CardInput) scale(parts []float64, sum float64) float64 {
	span := in.card.Most - in.card.Least
	within := max(in.card.Least, min(in.card.Most, sum))
	ratio := 100 / span
	if within != sum {
		ratio *= within / sum
	}
	for i := range parts {
		parts[i] *= ratio
	}
	return 100 * ((within - in.card.Least) / span) // 100 where within is Most, to the bit
}

// add implements part: Weight (s − Mean)/SD.
func (in *CardInput) add(dst []float64, from int) {
	parts := make([]float64, len(in.items))
	for i := range dst {
		s := in.Score(parts, from+i)
		dst[i] += float64(in.card.Weight * ((s - in.card.Mean) / in.card.SD))
	}
}

// spreadCard adds what the items of the card add to each feature, less the mean
// over the training rows, to the contributions of the features.
func (s *Scorer) spreadCard(dst []float64, from int) {
	if s.card == nil {
		return
	}
	c := s.card.card
	factor := s.model.Calibration.ReasonSlope() * c.Weight / c.SD
	n, parts := len(s.inputs), make([]float64, len(s.card.items))
	names := c.Items()
	for i := range len(dst) / n {
		s.card.Score(parts, from+i)
		for k, p := range parts {
			dst[i*n+s.place[names[k]]] += float64(factor * (p - c.ItemMeans[k]))
		}
	}
}

// RefMean returns the mean of what the card adds to the raw log-odds over the
// training rows.
func (c *Scorecard) RefMean() float64 { return c.Weight * (c.refScore() - c.Mean) / c.SD }

// refScore returns the mean of s over the training rows, of which the items
// have their means.
func (c *Scorecard) refScore() float64 {
	s := 0.0
	if c.Method == CardPoints {
		s = -100 * c.Least / (c.Most - c.Least)
	}
	for _, m := range c.ItemMeans {
		s += m
	}
	return s
}
