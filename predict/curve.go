// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// A CurvePoint is what a term contributes at one value of its feature, and how
// much of the training data lies about it.
type CurvePoint struct {
	At      float64 `json:"at,omitempty"`      // of a number
	Level   string  `json:"level,omitempty"`   // of levels
	Missing bool    `json:"missing,omitempty"` // a number that is not known
	// Effect is the contribution against its mean over the training rows, in
	// log-odds before calibration, with its 90 % interval.
	Effect Interval `json:"effect"`
	// Share is that of the training rows with this level, missing, or nearer to At
	// than to another point.
	Share float64 `json:"share"`
}

// Label writes the value as a reader wants it.
func (p *CurvePoint) Label() string {
	switch {
	case p.Missing:
		return "missing"
	case p.Level != "":
		return levelText(p.Level)
	}
	return numberText(p.At)
}

// Points returns the points of a term's curve, without intervals and shares: those
// of Shape and, where training met any, the missing value.
func (t *Term) Points(n int) []CurvePoint {
	var points []CurvePoint
	if t.Kind == string(features.LevelKind) {
		for k := range t.Columns {
			level := t.Columns[k].Level
			points = append(points, CurvePoint{Level: level, Effect: Interval{Estimate: t.atLevel(level) - t.RefMean}})
		}
		return points
	}
	for _, x := range t.grid(n) {
		points = append(points, CurvePoint{At: x, Effect: Interval{Estimate: t.at(x) - t.RefMean}})
	}
	if effect, met := t.MissingEffect(); met {
		points = append(points, CurvePoint{Missing: true, Effect: Interval{Estimate: effect}})
	}
	return points
}

// RawAt returns the raw value u of each of the term's columns at a point.
func (t *Term) RawAt(p *CurvePoint) []float64 {
	u := make([]float64, len(t.Columns))
	own, x := -1, p.At
	if t.Kind == string(features.LevelKind) {
		own, _ = t.level(p.Level)
	} else if p.Missing {
		x = math.NaN()
	}
	for k := range u {
		if t.Columns[k].Kind == Level {
			u[k] = indicator(k == own)
		} else {
			u[k] = t.Raw(k, x)
		}
	}
	return u
}
