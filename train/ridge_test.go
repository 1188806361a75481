// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

func mustSample(t *testing.T, f *features.Frame) *sample {
	t.Helper()
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSolve(t *testing.T, r *ridge, penalty []float64, tolerance float64, exact bool) {
	t.Helper()
	if err := r.solve(context.Background(), penalty, tolerance, exact); err != nil {
		t.Fatal(err)
	}
}

// On terms without curves, at power 1, the sparse fit is the dense one in other
// coordinates: both give the rows the same log-odds, with or without a fold.
func TestRidgeReachesNewtonsOptimum(t *testing.T) {
	const tolerance = 1e-10
	s := mustSample(t, history(900, -1, 3))
	terms, _ := newTerms(s, 2)
	d := newDesign(s, terms, 2)
	part := termsPart(s, terms)
	m := newMatrix(s, 2).with(part.block)
	for _, lambda := range []float64{.1, 10, 1000} {
		for hold := noFold; hold < 2; hold++ {
			rest := *d
			rest.chunks = slices.DeleteFunc(slices.Clone(d.chunks), func(c chunk) bool { return c.fold == hold })
			want, err := newtonFrom(context.Background(), &rest, lambda, rest.origin(noFold), newtonTolerance)
			if err != nil {
				t.Fatal(err)
			}
			r := newRidge(m, hold)
			mustSolve(t, r, part.penalty([]float64{0}, penalties{plain: lambda, power: 1}), newtonTolerance, true)
			z := make([]float64, m.rows)
			m.logOdds(z, r.theta, 0, m.rows)
			worst := 0.0
			for i := range z {
				worst = max(worst, math.Abs(z[i]-dot(d.x[i*d.stride:i*d.stride+d.cols], want.theta)))
			}
			if worst > tolerance {
				t.Errorf("λ=%v without fold %d: log-odds differ by up to %.2g after %d passes", lambda, hold, worst, r.passes)
			}
		}
	}
}

// A fit that only chooses ends near the optimum of the exact one: by loss, as
// far as its tolerance says, and three times that for the step it makes.
func TestRidgeChooses(t *testing.T) {
	s := mustSample(t, history(3000, -1, 5))
	terms, _ := newTerms(s, 2)
	part := termsPart(s, withCurves(s, terms, nil, 2))
	m := newMatrix(s, 2).with(part.block)
	penalty := part.penalty([]float64{0}, penalties{plain: 3, curve: 3, power: .5})
	loss := func(exact bool) float64 {
		r := newRidge(m, noFold)
		mustSolve(t, r, penalty, map[bool]float64{true: newtonTolerance, false: chooseTolerance}[exact], exact)
		grad := make([]float64, m.cols)
		f := m.logLoss(grad, r.theta, noFold)
		for j, l := range penalty {
			f += l / 2 * r.theta[j] * r.theta[j]
		}
		return f / m.total
	}
	if quick, exact := loss(false), loss(true); quick < exact-1e-12 || quick > exact+3*chooseTolerance {
		t.Errorf("penalised loss %v, %v at the optimum", quick, exact)
	}
}

// The bordered inverse is the inverse of the bordered matrix, and a fit from it
// ends where one from its own matrix does.
func TestRidgeBorder(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for hold := noFold; hold < 1; hold++ {
		m := randomMatrix(r, 500, 6, 3)
		extra := randomBlock(r, 500, 3)
		wide := m.with(extra)
		penalty := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}
		first := newRidge(m, hold)
		mustSolve(t, first, penalty[:6], newtonTolerance, true)
		// As invert does, but from the exact matrix, so that A is known to rounding.
		first.pre.hessian = m.hessian(first.theta, hold)
		first.refactor()
		first.inverse = first.pre.factor.inverse()
		first.curve = make([]float64, m.rows)
		m.logOdds(first.curve, first.theta, 0, m.rows)
		_, first.curve = m.slopes(first.curve, hold)

		got := first.border(wide, extra, penalty)
		a := denseHessian(wide, got.theta, hold)
		for j, l := range penalty {
			a[j*wide.cols+j] += l
		}
		factor, _ := factorise(a, wide.cols)
		for k, want := range factor.inverse() {
			if !near(got.inverse[k], want, 1e-12) {
				t.Fatalf("inverse[%d,%d] = %v, want %v", k/wide.cols, k%wide.cols, got.inverse[k], want)
			}
		}

		fresh := newRidge(wide, hold)
		mustSolve(t, fresh, penalty, newtonTolerance, true)
		mustSolve(t, got, penalty, 1e-20, false)
		for j, want := range fresh.theta {
			if !near(got.theta[j], want, 1e-8) {
				t.Errorf("weight %d is %v by the bordered inverse, want %v", j, got.theta[j], want)
			}
		}
	}
}

// Approximate leave-one-out log-odds lie near those of fits without the row:
// much nearer than the fit with it, and those of a fold left out are its own.
func TestLeaveOneOut(t *testing.T) {
	s := mustSample(t, history(120, -.5, 7))
	terms, _ := newTerms(s, 1)
	part := termsPart(s, terms)
	m := newMatrix(s, 1).with(part.block)
	penalty := part.penalty([]float64{0}, penalties{plain: 2, power: 1})
	for hold := noFold; hold < 1; hold++ {
		r := newRidge(m, hold)
		mustSolve(t, r, penalty, newtonTolerance, true)
		got, z := r.leaveOneOut(), make([]float64, m.rows)
		m.logOdds(z, r.theta, 0, m.rows)
		off, moved := 0.0, 0.0
		for _, c := range m.chunks {
			for i := c.from; i < c.to; i++ {
				if c.fold == hold {
					if got[i] != z[i] {
						t.Errorf("row %d was left out: %v, want %v", i, got[i], z[i])
					}
					continue
				}
				without := *m
				without.w = slices.Clone(m.w)
				without.w[i] = 0
				refit := newRidge(&without, hold)
				mustSolve(t, refit, penalty, newtonTolerance, true)
				var want [1]float64
				m.logOdds(want[:], refit.theta, i, i+1)
				off += math.Abs(got[i] - want[0])
				moved += math.Abs(z[i] - want[0])
			}
		}
		if off > .05*moved {
			t.Errorf("without fold %d: approximations are off by %v in sum, leaving out moves rows by %v", hold, off, moved)
		}
	}
}
