// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A Curve is what a model says of churn as one feature takes different values
// and everything else stays as it is: association, not effect.
type Curve struct {
	Feature string       `json:"feature"`
	Label   string       `json:"label"`
	Unit    string       `json:"unit,omitempty"`
	Level   bool         `json:"level"` // points are levels, otherwise numbers
	Points  []CurvePoint `json:"points"`
}

// A CurvePoint is the mean probability over a sample of rows, all with one value
// of the feature.
type CurvePoint struct {
	Value Number `json:"value"` // of a number
	Name  string `json:"name"`  // the value as text, "missing" included
	P     Number `json:"p"`
}

// The size of curves.
const (
	curveRows   = 200
	curvePoints = 11
	curveLevels = 8
)

// Curves returns the curves of the n terms of a model with the widest effects,
// averaged over a sample of the rows of f, which must be under the model's spec.
//
//	p_j(v) = mean over rows i of p(x_i with x_ij = v)
//
// Source: Friedman, Annals of Statistics 29 (2001), section 8.2 (partial
// dependence).
func Curves(m *predict.Model, f *features.Frame, n int, seed uint64) ([]Curve, error) {
	terms := slices.Clone(m.Terms)
	slices.SortStableFunc(terms, func(a, b predict.Term) int {
		x, y := math.Abs(a.Effect.Estimate), math.Abs(b.Effect.Estimate)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	rows := f.Select(features.Sample(f, curveRows, seed))
	curves := []Curve{}
	if len(rows.Rows) == 0 {
		return curves, nil
	}
	for _, t := range terms[:min(n, len(terms))] {
		c := rows.Column(t.Feature)
		if c == nil {
			continue
		}
		curve := Curve{Feature: t.Feature, Label: t.Label, Unit: c.Feature.Unit, Level: c.IsLevel()}
		if c.IsLevel() {
			curve.Points = levelPoints(f.Column(t.Feature))
		} else {
			curve.Points = numberPoints(f.Column(t.Feature).Num)
		}
		for k := range curve.Points {
			p, err := m.Prob(nil, with(rows, c, &curve.Points[k]))
			if err != nil {
				return nil, err
			}
			curve.Points[k].P = Number(sum(p) / float64(len(p)))
		}
		if len(curve.Points) > 1 {
			curves = append(curves, curve)
		}
	}
	return curves, nil
}

// numberPoints are quantiles of the known values from the 2 % to the 98 % one,
// and missing, where that occurs.
func numberPoints(x []float64) []CurvePoint {
	known := slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	slices.Sort(known)
	var points []CurvePoint
	if len(known) > 1 {
		for k := range curvePoints {
			v := quantile(known, 0.02+0.96*float64(k)/(curvePoints-1))
			if n := len(points); n == 0 || v > float64(points[n-1].Value) {
				points = append(points, CurvePoint{Value: Number(v), Name: short(v)})
			}
		}
	}
	if len(known) < len(x) {
		points = append(points, CurvePoint{Value: Number(math.NaN()), Name: "missing"})
	}
	return points
}

// levelPoints are the commonest levels, ties by name.
func levelPoints(c *features.Column) []CurvePoint {
	n := make([]int, len(c.Levels))
	for _, code := range c.Codes {
		if code >= 0 {
			n[code]++
		}
	}
	order := make([]int, len(n))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return n[b] - n[a] })
	var points []CurvePoint
	for _, k := range order[:min(len(order), curveLevels)] {
		if n[k] > 0 {
			points = append(points, CurvePoint{Value: Number(math.NaN()), Name: c.Levels[k]})
		}
	}
	return points
}

// with returns the frame with one value in all rows of a column.
func with(f *features.Frame, c *features.Column, at *CurvePoint) *features.Frame {
	g := &features.Frame{SpecDigest: f.SpecDigest, Rows: f.Rows, Columns: slices.Clone(f.Columns)}
	d := features.Column{Feature: c.Feature, Levels: c.Levels}
	if c.IsLevel() {
		code := int32(slices.Index(c.Levels, at.Name))
		for range f.Rows {
			d.Codes = append(d.Codes, code)
		}
	} else {
		for range f.Rows {
			d.Num = append(d.Num, float64(at.Value))
		}
	}
	for k := range g.Columns {
		if g.Columns[k].Feature.Name == c.Feature.Name {
			g.Columns[k] = d
		}
	}
	return g
}
