// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A Curve is what one feature adds to the log-odds of churn along its range, as
// the model that a report speaks for has it: association, not effect.
type Curve struct {
	Feature string `json:"feature"`
	Label   string `json:"label"`
	Unit    string `json:"unit,omitempty"`
	Level   bool   `json:"level"`         // points are levels, otherwise numbers
	Log     bool   `json:"log,omitempty"` // the number is spread better on sign(x) ln(1 + |x|)
	Share   Number `json:"share"`         // of the variance of the log-odds between accounts
	// Points have the effect against the mean of the training rows with its
	// pointwise 90 % band, in calibrated log-odds (with isotonic calibration,
	// before it), and the share of the training rows about them.
	Points []predict.CurvePoint `json:"points"`
}

// Curves returns the curves of a model's terms, the largest share of the variance
// first, then the widest effects. Models of before curves were stated have none.
func Curves(m *predict.Model) []Curve {
	units := make(map[string]string)
	for i := range m.Spec.Features {
		units[m.Spec.Features[i].Name] = m.Spec.Features[i].Unit
	}
	terms := slices.Clone(m.Terms)
	slices.SortStableFunc(terms, func(a, b predict.Term) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(math.Abs(b.Effect.Estimate), math.Abs(a.Effect.Estimate)))
	})
	slope := m.Calibration.ReasonSlope()
	var curves []Curve
	for j := range terms {
		t := &terms[j]
		if len(t.Curve) < 2 {
			continue
		}
		c := Curve{Feature: t.Feature, Label: t.Label, Unit: units[t.Feature], Level: t.Kind == string(features.LevelKind), Share: Number(t.Share)}
		for k := range t.Columns {
			c.Log = c.Log || t.Columns[k].Transform == predict.SignedLog
		}
		for _, p := range t.Curve {
			p.Effect = predict.Interval{Estimate: slope * p.Effect.Estimate, Low: slope * p.Effect.Low, High: slope * p.Effect.High}
			c.Points = append(c.Points, p)
		}
		curves = append(curves, c)
	}
	return curves
}
