// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"testing"
)

// The steps of a waterfall sum to the log-odds, whatever the map, and those of
// features to their pillar's.
func TestWaterfallSums(t *testing.T) {
	for _, knots := range [][]Knot{nil, {{-6, .01}, {0, .3}, {6, .9}}} {
		m := uncertainModel(t)
		if knots != nil {
			m.Calibration = Calibration{Method: Isotonic, Slope: 1, Knots: knots}
		}
		m.Score.ZRef = m.Reference()
		f := frameOf(t, m, records(t, "testdata/rows-2.csv")[1:])
		falls, err := m.Waterfalls(f)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range falls {
			sum := w.Base + w.Average + w.Map
			for k, pillar := range w.Pillars {
				sum += pillar.Effect
				parts := 0.0
				for _, step := range pillar.Features {
					parts += step.Effect
				}
				if math.Abs(parts-pillar.Effect) > 1e-12 {
					t.Errorf("row %d, %s: features sum to %v, the pillar is %v", i, pillar.Name, parts, pillar.Effect)
				}
				if k > 0 && math.Abs(pillar.Effect) > math.Abs(w.Pillars[k-1].Effect) {
					t.Errorf("row %d: %s is out of order", i, pillar.Name)
				}
			}
			if math.Abs(sum-w.Z) > 1e-12 || math.Abs(Sigmoid(w.Z)-p[i]) > 1e-15 || (w.Map != 0) != (knots != nil) {
				t.Errorf("row %d: steps sum to %v, log-odds %v, p %v, map %v", i, sum, w.Z, p[i], w.Map)
			}
		}
	}
}

// What-ifs are of actionable numbers, better than now, and what the model says of
// the row with that value.
func TestWhatIfs(t *testing.T) {
	m := fileModel()
	m.Spec.Features[0].Actionable = true
	m.Spec.Features[1].Actionable = true // a level: nobody says which is better
	f := scoredFrame(m)
	for _, row := range []int{0, 1} {
		whatIfs, err := m.WhatIfs(f, row)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		// Row 0 has 60 logins, more than the median of 10; row 1 has none. More is better up to 100.
		if want := 1 + row; len(whatIfs) != want || whatIfs[0].To != "100" || whatIfs[0].Typical {
			t.Fatalf("row %d: %+v", row, whatIfs)
		}
		for _, w := range whatIfs {
			changed := f.Select([]int{row})
			changed.Columns[0].Num[0] = map[string]float64{"100": 100, "10": 10}[w.To]
			q, err := m.Prob(nil, changed)
			if err != nil {
				t.Fatal(err)
			}
			if w.P != q[0] || w.P >= p[row] || w.Change != m.Score.Health(w.P)-m.Score.Health(p[row]) {
				t.Errorf("row %d: %+v; p is %v, would be %v", row, w, p[row], q[0])
			}
		}
	}
	if f.Columns[0].Num[0] != 60 {
		t.Error("the frame was changed")
	}
}
