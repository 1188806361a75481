// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// At the optimum the gradient is zero and, the intercept being free of penalty,
// the predictions sum to the churned weight.
func TestNewtonEndsAtTheOptimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesign(t) // down to 6 rows and up to 14 columns: n < p too
		lambda := rapid.SampledFrom([]float64{1e-3, 1, 1e4}).Draw(t, "lambda")
		s, err := newton(context.Background(), d, lambda)
		if err != nil {
			t.Fatal(err)
		}
		grad := make([]float64, d.cols)
		addPenalty(d.logLoss(grad, s.theta, noFold), grad, s.theta, lambda)
		// The decrement ends at 1e-12 of the weight; one more step squares it.
		for j, g := range grad {
			if math.Abs(g) > 1e-7*d.total {
				t.Fatalf("λ=%v: gradient[%d] = %v after %d iterations", lambda, j, g, s.iterations)
			}
		}
	})
}

// oneColumn is a design of an intercept and one column x with outcomes y.
func oneColumn(x, y []float64) *design {
	d := &design{rows: len(x), cols: 2, stride: strideUnit, y: y, total: float64(len(x)), workers: 1}
	d.x = make([]float64, d.rows*d.stride)
	for i, v := range x {
		d.x[i*d.stride], d.x[i*d.stride+1] = 1, v
		d.w = append(d.w, 1)
	}
	d.chunks = chunksOf([]int{0, d.rows})
	return d
}

// Separated outcomes: finite weights with a penalty, a *SeparationError without.
func TestSeparation(t *testing.T) {
	for _, test := range []struct {
		name string
		x, y []float64
	}{
		{"complete", []float64{-2, -1, 1, 2}, []float64{0, 0, 1, 1}},
		{"quasi-complete", []float64{-2, -1, 0, 0, 1, 2}, []float64{0, 0, 0, 1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := newton(context.Background(), oneColumn(test.x, test.y), 1e-4)
			if err != nil || !(s.theta[1] > 1 && s.theta[1] < 100) {
				t.Errorf("with a penalty: %+v, %v; want a finite positive weight", s, err)
			}
			var separation *SeparationError
			if _, err := newton(context.Background(), oneColumn(test.x, test.y), 0); !errors.As(err, &separation) {
				t.Errorf("without a penalty: error %v, want a *SeparationError", err)
			}
		})
	}
}

// Two equal columns share a weight under a penalty and are refused without.
func TestCollinearColumns(t *testing.T) {
	d := randomDesign(rand.New(rand.NewPCG(3, 3)), 100, 3, 1)
	for i := range d.rows {
		d.x[i*d.stride+2] = d.x[i*d.stride+1]
	}
	s, err := newton(context.Background(), d, 1)
	if err != nil || !near(s.theta[1], s.theta[2], 1e-12) {
		t.Errorf("weights %v, error %v; want two equal weights", s, err)
	}
	var failed *ConvergenceError
	if _, err := newton(context.Background(), d, 0); !errors.As(err, &failed) {
		t.Errorf("without a penalty: error %v, want a *ConvergenceError", err)
	}
}

// A cancelled context ends a fit.
func TestNewtonStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newton(ctx, oneColumn([]float64{1, 2, 3}, []float64{0, 1, 0}), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
