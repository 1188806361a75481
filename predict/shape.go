// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// A Point is what a part of the model contributes at one value of its feature.
type Point struct {
	Label  string  // the value as a reader wants it
	Effect float64 // uncalibrated log-odds against the mean over the training rows
}

// Shape returns a term's curve: for levels one point a column, in their order;
// for a number with value columns one point a value; for other numbers n
// values from Low to High, spread like the knots, which are quantiles, where
// there are any, and evenly after the transform where there are none. Missing
// values are no part of it.
func (t *Term) Shape(n int) []Point {
	var points []Point
	for _, p := range t.Points(n) {
		if !p.Missing {
			points = append(points, Point{p.Label(), p.Effect.Estimate})
		}
	}
	return points
}

// MissingEffect returns what a missing number contributes against the mean,
// and whether training met any.
func (t *Term) MissingEffect() (effect float64, met bool) {
	for k := range t.Columns {
		met = met || t.Columns[k].Kind == Missing
	}
	if !met {
		return 0, false
	}
	return t.at(math.NaN()) - t.RefMean, true
}

// at returns f_j(x) of a number by its definition.
func (t *Term) at(x float64) float64 {
	f := 0.0
	for k := range t.Columns {
		b := &t.Columns[k]
		f += float64(b.Weight * b.Standardise(t.Raw(k, x)))
	}
	return f
}

// atLevel returns f_j of a level by its definition.
func (t *Term) atLevel(name string) float64 {
	own, _ := t.level(name)
	f := 0.0
	for k := range t.Columns {
		b := &t.Columns[k]
		f += float64(b.Weight * b.Standardise(indicator(k == own)))
	}
	return f
}

// grid returns the values of a number that Shape shows.
func (t *Term) grid(n int) []float64 {
	if values, _ := t.values(); values != nil {
		return values
	}
	if t.Low == t.High || n < 2 {
		return []float64{t.Low}
	}
	log := false
	for k := range t.Columns {
		log = log || t.Columns[k].Transform == SignedLog
	}
	x := make([]float64, n)
	for i := range x {
		q := float64(i) / float64(n-1)
		switch {
		case len(t.Knots) > 1:
			at, part := math.Modf(q * float64(len(t.Knots)-1))
			x[i] = t.Knots[int(at)]
			if part > 0 {
				x[i] += part * (t.Knots[int(at)+1] - x[i])
			}
		case log:
			low, high := SignedLog.apply(t.Low), SignedLog.apply(t.High)
			u := low + q*(high-low)
			x[i] = math.Copysign(math.Expm1(math.Abs(u)), u)
		default:
			x[i] = t.Low + q*(t.High-t.Low)
		}
	}
	return x
}

// Grid returns what a pair contributes, against its mean over the training
// rows, at values of both features: row i is value a[i] of the first, column j
// value b[j] of the second. The values are the knots, the ends of a linear
// side, each value and level, and missing where the side has a column for it.
func (p *Pair) Grid() (a, b []string, effect [][]float64) {
	var columns [2]features.Column
	columns[0], a = p.Sides[0].points()
	columns[1], b = p.Sides[1].points()
	// Every value of the second feature beside every one of the first.
	first, second := &columns[0], columns[1]
	for i := range a {
		one := features.Column{Feature: first.Feature, Levels: first.Levels}
		for range b {
			if first.IsLevel() {
				one.Codes = append(one.Codes, first.Codes[i])
			} else {
				one.Num = append(one.Num, first.Num[i])
			}
		}
		row := make([]float64, len(b))
		newPairPart(p, &one, &second).add(row, 0)
		for j := range row {
			row[j] -= p.RefMean
		}
		effect = append(effect, row)
	}
	return a, b, effect
}

// points returns a column with the values of a side that Grid shows.
func (s *Side) points() (c features.Column, labels []string) {
	c.Feature.Kind = features.NumberKind
	switch s.Kind {
	case Spline, Cumulated:
		c.Num = append(c.Num, s.Knots...)
	case Value:
		c.Num = append(c.Num, s.Values...)
	case Linear:
		c.Num = append(c.Num, s.Low, s.High)
	case Level:
		c.Feature.Kind = features.LevelKind
		c.Levels = append(append(c.Levels, s.Levels...), strings.Join(s.Levels, " ")+" ") // a name longer than each
		for code := range c.Levels {
			c.Codes = append(c.Codes, int32(code))
		}
		for _, level := range s.Levels {
			labels = append(labels, levelText(level))
		}
		return c, append(labels, "another level")
	}
	for _, x := range c.Num {
		labels = append(labels, numberText(x))
	}
	if s.Missing {
		c.Num, labels = append(c.Num, math.NaN()), append(labels, "missing")
	}
	return c, labels
}
