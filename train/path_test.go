// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// designOf returns the design of a frame with five folds.
func designOf(t *testing.T, rows int, seed uint64) *design {
	t.Helper()
	s, err := newSample(history(rows, -1, seed), 7, 5)
	if err != nil {
		t.Fatal(err)
	}
	terms, _ := newTerms(s, 1)
	return newDesign(s, terms, 2)
}

// The fast path gives the out-of-fold losses that exact fits of each fold give,
// closely enough to choose by.
func TestPathAgreesWithExactFits(t *testing.T) {
	// staleTolerance leaves about 1e-6 of a mean loss of .5.
	const tolerance = 2e-6
	for _, rows := range []int{60, 600, 30000} { // 30,000: the matrix comes from a part of the rows
		d := designOf(t, rows, 11)
		p, err := newPath(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, lambda := range []float64{1e4, 100, 10, 0.1, 1e-4} {
			cv, err := p.at(context.Background(), lambda)
			if err != nil {
				t.Fatal(err)
			}
			if want := exactCV(t, d, lambda); math.Abs(cv.loss-want) > tolerance {
				t.Errorf("%d rows, λ=%v: out-of-fold loss %v, want %v", rows, lambda, cv.loss, want)
			}
		}
	}
}

// The start at a new penalty is predicted from the optimum at the old one, and
// lies nearer to the new optimum.
func TestStaleSolverPredictsTheNextOptimum(t *testing.T) {
	d := designOf(t, 600, 12)
	s := newStaleSolver(d, []int{noFold})
	if err := s.solve(context.Background(), 30); err != nil {
		t.Fatal(err)
	}
	f := s.fits[0]
	above := func() float64 { // of the minimum at λ = 10
		best, err := newton(context.Background(), d, 10)
		if err != nil {
			t.Fatal(err)
		}
		value := func(theta []float64) float64 {
			grad := make([]float64, d.cols)
			return addPenalty(d.logLoss(grad, theta, noFold), grad, theta, 10)
		}
		return value(f.theta) - value(best.theta)
	}
	before := above()
	f.start(30, 10)
	if after := above(); !(after < before/5) {
		t.Errorf("the predicted start is %v above the minimum, the old optimum %v", after, before)
	}
}

// exactCV fits each fold's complement with newton on a copy of its rows.
func exactCV(t *testing.T, d *design, lambda float64) float64 {
	t.Helper()
	loss := 0.0
	for fold := range 5 {
		out := &design{cols: d.cols, stride: d.stride, workers: 1}
		for _, c := range d.chunks {
			if c.fold != fold {
				out.x = append(out.x, d.x[c.from*d.stride:c.to*d.stride]...)
				out.y = append(out.y, d.y[c.from:c.to]...)
				out.w = append(out.w, d.w[c.from:c.to]...)
			}
		}
		out.rows = len(out.y)
		out.total = float64(out.rows)
		out.chunks = chunksOf([]int{0, out.rows})
		s, err := newton(context.Background(), out, lambda)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.chunks {
			for i := c.from; c.fold == fold && i < c.to; i++ {
				z := dot(s.theta, d.x[i*d.stride:i*d.stride+d.cols])
				loss += predict.Softplus(z) - d.y[i]*z
			}
		}
	}
	return loss / d.total
}

// The chosen penalty has the lowest loss of the grid.
func TestChooseLambda(t *testing.T) {
	d := designOf(t, 400, 5)
	got, err := chooseLambda(context.Background(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	for step := pathTop; step >= pathBottom; step-- {
		if lambda := gridLambda(step); exactCV(t, d, lambda) < got.loss-2e-6 {
			t.Errorf("chose λ=%v with loss %v, but λ=%v has %v", got.lambda, got.loss, lambda, exactCV(t, d, lambda))
		}
	}
	if got.edge || got.lambda >= gridLambda(pathTop) || got.lambda <= gridLambda(pathBottom) {
		t.Errorf("λ=%v at an edge of the grid", got.lambda)
	}
}

// Where features say nothing, the grid is extended upwards to its end.
func TestChooseLambdaExtendsTheGrid(t *testing.T) {
	d := randomDesign(rand.New(rand.NewPCG(5, 8)), 3000, 30, 5)
	got, err := chooseLambda(context.Background(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !got.edge || got.lambda != gridLambda(widestTop) {
		t.Errorf("λ=%v, edge %v; want the largest, %v", got.lambda, got.edge, gridLambda(widestTop))
	}
}

// Rows that cannot be cut into folds with both outcomes are refused.
func TestPathNeedsFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	one := randomDesign(r, 50, 3, 1)
	if _, err := newPath(one); !errors.Is(err, errNoFolds) {
		t.Errorf("one fold: error %v", err)
	}
	lumped := randomDesign(r, 50, 3, 5)
	for i := range lumped.y {
		lumped.y[i] = 0
	}
	lumped.y[0] = 1 // the only churn is in fold 0
	if _, err := newPath(lumped); !errors.Is(err, errNoFolds) {
		t.Errorf("all churned rows in one fold: error %v", err)
	}
}

// A group's fold depends on the seed and its name alone, and folds are of
// about equal size.
func TestFoldOf(t *testing.T) {
	counts := make([]int, 5)
	for i := range 10000 {
		counts[foldOf(1, fmt.Sprint("account-", i), 5)]++
	}
	for k, n := range counts {
		if n < 1850 || n > 2150 { // 2,000 ± 3.75 standard deviations
			t.Errorf("fold %d has %d of 10,000 groups", k, n)
		}
	}
	// Computed with Python: int.from_bytes(sha256((1).to_bytes(8, "big") +
	// b"acme").digest()[:8], "big") % 5 is 0.
	if got := foldOf(1, "acme", 5); got != 0 {
		t.Errorf("fold of acme under seed 1 is %d, want 0: the models of old data would change", got)
	}
}
