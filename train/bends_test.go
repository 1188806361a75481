// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// elbow returns n predictions that are right below 0 and half as sure as they
// should be above.
func elbow(n int) *calibrationSlice {
	r := rand.New(rand.NewPCG(uint64(n), 5))
	c := &calibrationSlice{name: "out_of_fold", words: "test", bends: true}
	for i := range n {
		z, y := -1+2*r.NormFloat64(), 0.0
		if r.Float64() < predict.Sigmoid(sure(z)) {
			y = 1
		}
		c.z, c.y, c.w = append(c.z, z), append(c.y, y), append(c.w, 1)
		c.part, c.group, c.rows = append(c.part, i%5), append(c.group, int32(i)), append(c.rows, i)
	}
	return c
}

func sure(z float64) float64 { return z + max(z, 0) }

// Bends are taken where rows have no time, outcomes are many enough, and a slope
// does not do.
func TestBendsAreChosenWhereTheyPredictBetter(t *testing.T) {
	straight, timed := elbow(8000), elbow(8000)
	timed.bends = false
	r := rand.New(rand.NewPCG(8, 8))
	for i, z := range straight.z {
		straight.y[i] = 0
		if r.Float64() < predict.Sigmoid(.8*z) {
			straight.y[i] = 1
		}
	}
	for _, test := range []struct {
		name   string
		slice  *calibrationSlice
		method string
	}{
		{"an elbow", elbow(8000), CalibrationBends},
		{"few events", elbow(250), CalibrationPlatt},
		{"straight", straight, CalibrationPlatt},
	} {
		got := test.slice.fit(CalibrationAuto)
		if got.Method != test.method || (got.Method == CalibrationBends) != strings.Contains(got.Reason, "bends") {
			t.Errorf("%s: %s, because %s; want %s", test.name, got.Method, got.Reason, test.method)
		}
	}
	if got := timed.fit(CalibrationAuto); got.Method == CalibrationBends {
		t.Error("rows with a time have bends")
	}
}

// The map is near the truth and never falls, and is level where it would fall.
func TestBends(t *testing.T) {
	knots, ok := elbow(50000).bent()
	m := predict.Calibration{Slope: 1, Knots: knots}
	for _, z := range []float64{-4, -2, 0, 1, 2} {
		// 50,000 rows leave .1 at the ends; an elbow of one corner is rounded by as much.
		if !ok || math.Abs(m.LogOdds(z)-sure(z)) > .25 {
			t.Errorf("at %v the map is %v, want %v", z, m.LogOdds(z), sure(z))
		}
	}
	turned := elbow(5000)
	for i, z := range turned.z {
		turned.y[i] = 0
		if z < -2 {
			turned.y[i] = 1
		}
	}
	knots, ok = turned.bent()
	if !ok {
		t.Fatal("no map")
	}
	for i := 1; i < len(knots); i++ {
		if knots[i].P < knots[i-1].P || !(knots[i].Z > knots[i-1].Z) {
			t.Fatalf("knot %d falls: %v, %v", i, knots[i-1], knots[i])
		}
	}
	same := &calibrationSlice{z: []float64{1, 1}, y: []float64{0, 1}, w: []float64{1, 1}}
	if _, ok := same.bent(); ok {
		t.Error("a map of one point")
	}
}
