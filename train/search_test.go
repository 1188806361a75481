// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// searched returns the out-of-fold losses of a search and the search.
func searched(t *testing.T, d *design, lambdas []float64) ([]float64, *search) {
	t.Helper()
	p, err := newPath(d)
	if err != nil {
		t.Fatal(err)
	}
	s := newSearch(d, p.folds)
	losses, err := s.losses(context.Background(), lambdas)
	if err != nil {
		t.Fatal(err)
	}
	return losses, s
}

// A search gives the out-of-fold losses of exact fits, on every instruction
// set, with rows enough for a part to stand for all of them.
func TestSearchAgreesWithExactFits(t *testing.T) {
	const tolerance = 1e-8 // what the choice and the benchmark ask for
	lambdas := []float64{1e4, 100, 1, 1e-2}
	d := designOf(t, 40000, 11)
	var want []float64
	for _, lambda := range lambdas {
		want = append(want, exactCV(t, d, lambda))
	}
	for set := range everySet(t) {
		losses, s := searched(t, d, lambdas)
		for i, loss := range losses {
			if !(math.Abs(loss-want[i]) <= tolerance) {
				t.Errorf("%v, λ=%v: loss %.10f, want %.10f", set, lambdas[i], loss, want[i])
			}
		}
		if s.renewed != 0 || s.slow != 0 {
			t.Errorf("%v: %d preconditioners renewed, %d fits left to the exact solver; want none", set, s.renewed, s.slow)
		}
	}
}

// A column that a part of the rows knows nothing of, or too much, makes its
// preconditioner wrong by far: it is renewed, or the fit left to the exact
// solver, and no loss is wrong.
func TestSearchSurvivesAMisleadingPart(t *testing.T) {
	const tolerance = 1e-8
	lambdas := []float64{100, 1, 0.01}
	for _, where := range []string{"outside the part", "inside the part"} {
		r := rand.New(rand.NewPCG(3, 1))
		d := randomDesign(r, 100000, 6, 5)
		part, _ := d.prefixes(rowShare(d, secondRows))
		inside := make([]bool, d.rows)
		for _, c := range part {
			for i := c.from; i < c.to; i++ {
				inside[i] = true
			}
		}
		for i := range d.rows { // a rare level that churns
			rare := r.IntN(100) == 0 && inside[i] == (where == "inside the part")
			d.x[i*d.stride+3], d.w[i] = -0.1, 1
			if rare {
				d.x[i*d.stride+3] = 10
				d.y[i] = float64(min(1, r.IntN(10)))
			}
		}
		d.total = float64(d.rows)
		losses, s := searched(t, d, lambdas)
		for i, lambda := range lambdas {
			if want := exactCV(t, d, lambda); !math.IsNaN(losses[i]) && !(math.Abs(losses[i]-want) <= tolerance) {
				t.Errorf("%s, λ=%v: loss %.10f, want %.10f", where, lambda, losses[i], want)
			}
		}
		if s.renewed == 0 || s.slow > 0 {
			t.Errorf("%s: %d preconditioners renewed, %d fits left; want some and none", where, s.renewed, s.slow)
		}
	}
}
