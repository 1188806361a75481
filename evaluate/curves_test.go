// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Curves are those of the terms, times the slope of calibration, the term that
// explains most first.
func TestCurves(t *testing.T) {
	points := []predict.CurvePoint{{At: 1, Effect: predict.Interval{Estimate: -1, Low: -2, High: .5}, Share: .75}, {Missing: true, Share: .25}}
	m := &predict.Model{Logit: predict.Logit{Calibration: predict.Calibration{Method: "platt", Slope: .5}, Terms: []predict.Term{
		{Feature: "none", Share: .9},
		{Feature: "a", Label: "first", Kind: "number", Share: .1, Curve: points, Columns: []predict.Basis{{Kind: predict.Linear, Transform: predict.SignedLog}}},
		{Feature: "b", Kind: "level", Share: .2, Curve: []predict.CurvePoint{{Level: "x"}, {Level: "y"}}},
	}}, Spec: features.Spec{Features: []features.Feature{{Name: "a", Unit: "logins"}}}}
	curves := Curves(m)
	if len(curves) != 2 || curves[0].Feature != "b" || !curves[0].Level || curves[1].Feature != "a" {
		t.Fatalf("%+v", curves)
	}
	a := curves[1]
	if want := (predict.Interval{Estimate: -.5, Low: -1, High: .25}); a.Points[0].Effect != want || a.Points[0].Share != .75 || !a.Log || a.Unit != "logins" {
		t.Errorf("%+v", a)
	}
	if points[0].Effect.Estimate != -1 {
		t.Error("the model was changed")
	}
}
