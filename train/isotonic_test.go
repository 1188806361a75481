// SPDX-License-Identifier: Apache-2.0

package train

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/predict"
)

// What testdata/calibrators.py computed with scikit-learn.
type calibrators struct {
	Z, Y, W, At, Isotonic, Platt, Smoothed, Targets []float64
}

func readCalibrators(t *testing.T) calibrators {
	t.Helper()
	b, err := os.ReadFile("testdata/calibrators.json")
	if err != nil {
		t.Fatal(err)
	}
	var c calibrators
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// calibratorTolerance is what issue 5 asks of every calibrator.
const calibratorTolerance = 1e-8

func TestCalibratorsAgreeWithScikitLearn(t *testing.T) {
	c := readCalibrators(t)
	knots := isotonic(c.Z, c.Y, c.W)
	for i, z := range c.At {
		if got := predict.Interpolate(knots, z); !near(got, c.Isotonic[i], calibratorTolerance) {
			t.Errorf("isotonic at %v: %v, want %v", z, got, c.Isotonic[i])
		}
	}
	a, s, err := fitMap(c.Z, c.Y, c.W, mapPrior{})
	if err != nil || !near(a, c.Platt[0], calibratorTolerance) || !near(s, c.Platt[1], calibratorTolerance) {
		t.Errorf("Platt without a prior: %v + %v z (%v), want %v", a, s, err, c.Platt)
	}
	// Platt's targets in place of outcomes, weights 1. scikit-learn's own
	// optimiser stops at a gradient of 1e-6 or so.
	targets, ones := make([]float64, len(c.Y)), slices.Repeat([]float64{1}, len(c.Y))
	for i, y := range c.Y {
		targets[i] = c.Targets[int(y)]
	}
	a, s, err = fitMap(c.Z, targets, ones, mapPrior{})
	if err != nil || !near(a, c.Smoothed[0], 1e-6) || !near(s, c.Smoothed[1], 1e-6) {
		t.Errorf("Platt on smoothed targets: %v + %v z (%v), want %v", a, s, err, c.Smoothed)
	}
}

// Whatever the slice: the isotonic map does not fall, keeps the mean outcome,
// and its published form stays inside (0, 1) and passes Validate's rules.
func TestIsotonicLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		z, y, w := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			z[i], y[i], w[i] = float64(r.IntN(20))/4, float64(r.IntN(2)), .25+r.Float64()
		}
		y[0], y[1] = 0, 1
		predicted, churned := 0.0, 0.0
		exact := isotonic(z, y, w)
		for i := range n {
			predicted += w[i] * predict.Interpolate(exact, z[i])
			churned += w[i] * y[i]
		}
		if !near(predicted, churned, 1e-12) {
			t.Fatalf("predictions sum to %v, outcomes to %v", predicted, churned)
		}
		m := predict.Calibration{Slope: 1, Knots: publishedIsotonic(z, y, w)}
		last := math.Inf(-1)
		for x := -1.0; x < 6; x += 1. / 32 {
			got := m.LogOdds(x)
			if got < last || math.IsInf(got, 0) || got != got {
				t.Fatalf("map at %v is %v after %v", x, got, last)
			}
			last = got
		}
		for i, k := range m.Knots {
			if !(k.P > 0 && k.P < 1) || i > 0 && !(m.Knots[i-1].Z < k.Z) {
				t.Fatalf("knot %d of %v", i, m.Knots)
			}
		}
	})
}

// steps returns n predictions whose true probabilities are a step function of z
// that no straight line follows.
func steps(n int) *calibrationSlice {
	r := rand.New(rand.NewPCG(uint64(n), 3))
	c := &calibrationSlice{name: "out_of_fold", words: "test"}
	for i := range n {
		z := -2 + 4*r.Float64()
		p := []float64{.05, .5, .55, .6}[int(z+2)]
		y := 0.0
		if r.Float64() < p {
			y = 1
		}
		c.z, c.y, c.w = append(c.z, z), append(c.y, y), append(c.w, 1)
		c.part, c.group, c.rows = append(c.part, i%5), append(c.group, int32(i/2)), append(c.rows, i)
	}
	return c
}

// Isotonic needs 1,000 events and a gain of more than a standard error.
func TestIsotonicIsChosenWhereItPredictsBetter(t *testing.T) {
	straight := sliceOf(20000, -.5, .7)
	for i := range straight.z {
		straight.part, straight.group = append(straight.part, i%5), append(straight.group, int32(i))
	}
	forward := steps(20000)
	forward.forward = true
	for _, test := range []struct {
		name   string
		slice  *calibrationSlice
		method string
		reason string
	}{
		{"steps", steps(20000), CalibrationIsotonic, "better by more than one standard error"},
		{"steps, blocks of time", forward, CalibrationIsotonic, "better by more than one standard error"},
		{"steps, few events", steps(2000), CalibrationPlatt, "enough for a slope"},
		{"straight", straight, CalibrationPlatt, "not better"},
	} {
		got := test.slice.fit(CalibrationAuto)
		if got.Method != test.method || !strings.Contains(got.Reason, test.reason) {
			t.Errorf("%s: %s, because %s; want %s", test.name, got.Method, got.Reason, test.method)
		}
	}
}

// In blocks of time, no outcome teaches an earlier block: those of the last
// block move no difference before it, and some of its own.
func TestIsotonicIsComparedForwardInTime(t *testing.T) {
	c := steps(4000)
	c.forward = true
	before, rows := c.lossDifferences((*calibrationSlice).steps)
	var compared []int
	for _, i := range rows {
		compared = append(compared, c.part[i])
	}
	slices.Sort(compared)
	if !slices.Equal(slices.Compact(compared), []int{3, 4}) { // of five equal blocks, three are the first to hold half of the events
		t.Fatal("blocks without half of the events before them are compared")
	}
	for i, p := range c.part {
		if p == 4 {
			c.y[i] = 1 - c.y[i]
		}
	}
	after, _ := c.lossDifferences((*calibrationSlice).steps)
	for k, i := range rows {
		if moved := before[k] != after[k]; moved != (c.part[i] == 4) {
			t.Fatalf("the difference in row %d of block %d: moved %v", i, c.part[i], moved)
		}
	}
}
