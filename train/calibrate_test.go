// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// sliceOf returns n predictions whose true log-odds are shift + slope z.
func sliceOf(n int, shift, slope float64) *calibrationSlice {
	r := rand.New(rand.NewPCG(uint64(n), 2))
	c := &calibrationSlice{name: "out_of_fold", words: "test"}
	for range n {
		z := -1 + 1.5*r.NormFloat64()
		y := 0.0
		if r.Float64() < predict.Sigmoid(shift+slope*z) {
			y = 1
		}
		c.z, c.y, c.w = append(c.z, z), append(c.y, y), append(c.w, 1)
	}
	return c
}

// The method follows the number of events, METHODS.md section 4.
func TestCalibrationMethod(t *testing.T) {
	few, many := sliceOf(100, -.5, .7), sliceOf(20000, -.5, .7)
	oneClass := &calibrationSlice{z: []float64{1, 2}, y: []float64{0, 0}, w: []float64{1, 1}}
	falling := sliceOf(20000, -1, -1)
	for _, test := range []struct {
		name   string
		slice  *calibrationSlice
		asked  string
		method string
	}{
		{"few events", few, CalibrationAuto, CalibrationIntercept},
		{"many events", many, CalibrationAuto, CalibrationPlatt},
		{"few events, Platt asked for", few, CalibrationPlatt, CalibrationPlatt},
		{"many events, intercept asked for", many, CalibrationIntercept, CalibrationIntercept},
		{"one outcome", oneClass, CalibrationPlatt, CalibrationIntercept},
		{"turned ranking", falling, CalibrationAuto, CalibrationIntercept},
	} {
		got := test.slice.fit(test.asked)
		if got.Method != test.method || !(got.Slope > 0) || math.Abs(got.Intercept) > 2 {
			t.Errorf("%s: %+v, want method %s", test.name, got, test.method)
		}
	}
	// 20,000 rows pin the map down to about .03, and the prior is weak against them.
	if got := many.fit(CalibrationAuto); math.Abs(got.Intercept+.5) > .1 || math.Abs(got.Slope-.7) > .1 {
		t.Errorf("map %v + %v z, want -.5 + .7 z", got.Intercept, got.Slope)
	}
}

// After Platt, whose intercept is free, predictions sum to the churned weight.
func TestCalibratedMeanIsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(10, 100).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		z, y, w := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			z[i], y[i], w[i] = 4*r.NormFloat64(), float64(r.IntN(2)), .25+r.Float64()
		}
		y[0], y[1] = 0, 1
		a, s, err := fitMap(z, y, w, mapPrior{slope: 1 / (priorSD * priorSD)})
		if err != nil {
			t.Fatal(err)
		}
		predicted, churned := 0.0, 0.0
		for i := range z {
			predicted += w[i] * predict.Sigmoid(a+s*z[i])
			churned += w[i] * y[i]
		}
		if !near(predicted, churned, 1e-6) { // the fit ends at a decrement of 1e-13
			t.Fatalf("predictions sum to %v, outcomes to %v", predicted, churned)
		}
	})
}

// The slice is forward-chained where there is time, and says why where not.
func TestCalibrationSlice(t *testing.T) {
	late := history(1500, -1, 21)
	for i := range late.Rows {
		late.Rows[i].Mature = late.Rows[0].Snapshot + 5*365*24*3600*1e9
	}
	for _, test := range []struct {
		name   string
		frame  *features.Frame
		time   bool
		slice  string
		reason string
	}{
		{"time", history(1500, -1, 21), true, "forward_chained", "6 forward-chained blocks"},
		{"no time", history(1500, -1, 21), false, "out_of_fold", "no snapshot times"},
		{"few churned", history(250, -1.5, 22), true, "out_of_fold", "100 needed"},
		{"outcomes known late", late, true, "out_of_fold", "mature too late"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Fit(context.Background(), test.frame, specOf(test.frame), Options{Time: test.time, Stages: StagesLinear})
			if err != nil {
				t.Fatal(err)
			}
			if c := m.Calibration; c.Slice != test.slice || !strings.Contains(c.Reason, test.reason) {
				t.Errorf("slice %q (%s), want %q for %q", c.Slice, c.Reason, test.slice, test.reason)
			}
		})
	}
}

// A block is predicted from what was known at its start, all of it and nothing
// later: outcomes that matured since the stretch began move the predictions of
// later blocks, and those that mature after the last block's start move none.
func TestForwardChain(t *testing.T) {
	f := history(2000, -1, 33)
	spec := specOf(f)
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	edges := blockEdges(s)
	// predictions flips the outcomes that matured in (after, upTo]. Outcomes
	// move neither the edges nor the order of the predictions.
	predictions := func(after, upTo int64) []float64 {
		g := f.Select(f.Where(func(*features.Row) bool { return true }))
		for i := range g.Rows {
			if r := &g.Rows[i]; r.Mature > after && r.Mature <= upTo {
				r.Y = 1 - r.Y
			}
		}
		s, err := newSample(g, 1, 5)
		if err != nil {
			t.Fatal(err)
		}
		slice, why, err := forwardChained(context.Background(), s, &fitter{spec: spec, lambda: 1, workers: 1})
		if err != nil || slice == nil {
			t.Fatal(why, err)
		}
		return slice.z
	}
	want := predictions(0, 0)
	if got := predictions(edges[chainBlocks-1], features.Never); !slices.Equal(got, want) {
		t.Error("outcomes that were not known yet moved predictions")
	}
	got := predictions(edges[0], edges[1])
	first := len(f.Where(func(r *features.Row) bool { return r.Snapshot >= edges[0] && r.Snapshot < edges[1] }))
	if !slices.Equal(got[:first], want[:first]) {
		t.Error("outcomes known after the first block's start moved its predictions")
	}
	for i := first; i < len(want); i++ {
		if got[i] == want[i] {
			t.Fatalf("prediction %d of a later block ignores outcomes known by then", i)
		}
	}
}
