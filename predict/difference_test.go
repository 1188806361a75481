// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"testing"
)

// A model differs from itself in nothing.
func TestDiffOfTheSame(t *testing.T) {
	d := Diff(wholeModel(), wholeModel())
	if len(d.Terms) != 4 || len(d.Pairs) != 3 || d.Gone != nil || d.New != nil || len(d.Settings)+len(d.Features)+len(d.Weights) > 0 || d.Tables != [2]int{1, 1} {
		t.Errorf("%+v", d)
	}
	for _, c := range d.Terms {
		if c.Moved != 0 || c.At != "" || c.Effect[0] != c.Effect[1] {
			t.Errorf("%+v", c)
		}
	}
}

// Changes are found, the largest first, and pairs whichever side is first.
func TestDiffFindsChanges(t *testing.T) {
	from, to := wholeModel(), wholeModel()
	to.Terms[3].Columns[2].Weight += .01
	to.Terms[1].Columns[0].Weight += .3
	to.Terms[1].RefMean += -.3 / .5
	from.Terms = slices.Delete(from.Terms, 2, 3)
	from.Pairs = slices.Delete(from.Pairs, 1, 2)
	to.Pairs = to.Pairs[:2]
	to.Pairs[0].Sides[0], to.Pairs[0].Sides[1] = to.Pairs[0].Sides[1], to.Pairs[0].Sides[0]
	to.Spec.Features[0].WindowDays = 90
	to.Provenance.Data, to.OutOfFold.AUC = "f00", .75
	d := Diff(from, to)
	if !slices.Equal(d.New, []string{"seats", "plan with seats"}) || !slices.Equal(d.Gone, []string{"months with plan"}) ||
		!slices.Equal(d.Redefined(), []string{"logins"}) || len(d.Pairs) != 1 {
		t.Errorf("%+v", d)
	}
	if w := d.Weights[0]; w.Feature != "seats" || w.Was != 0 || w.Is != -.4 { // seats are in the second model only
		t.Errorf("%+v", d.Weights)
	}
	if i := slices.IndexFunc(d.Weights, func(w WeightChange) bool { return w.Feature == "plan" }); d.Weights[i].Column != "basic" || math.Abs(d.Weights[i].Is-d.Weights[i].Was-.3) > 1e-12 {
		t.Errorf("%+v", d.Weights)
	}
	if len(d.Settings) != 1 || d.Settings[0] != (Change{"data", "", "f00"}) || d.Metrics[2] != (NumberChange{"auc", 0, .75}) {
		t.Errorf("%+v, %+v", d.Settings, d.Metrics)
	}
	// basic: .3 (1 − .5)/.5 + .6; other: .3 (0 − .5)/.5 + .6.
	if c := d.Terms[0]; c.Feature != "plan" || c.At != "basic" || math.Abs(c.Moved-.9) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if c := d.Terms[1]; c.Feature != "months" || c.At != "24" || math.Abs(c.Moved-.01*.98/.14) > 1e-12 {
		t.Errorf("%+v", c)
	}
}

// Slopes of segments are told from a pair of the same two features.
func TestDiffOfSlopes(t *testing.T) {
	from, to := wholeModel(), wholeModel()
	slopes := Pair{Sides: [2]Side{{Feature: "plan", Kind: Level, Levels: []string{"basic"}}, {Feature: "months", Kind: Linear, SD: 1}},
		Cells: []Cell{{SD: 1, Weight: .2}}}
	to.Pairs = append(to.Pairs, slopes)
	if d := Diff(from, to); !slices.Equal(d.New, []string{"slopes of months by plan"}) || len(d.Pairs) != 3 {
		t.Errorf("%+v", d)
	}
}
