// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// hardDesign returns a design of five folds whose rows fill makes: it stores
// the columns after the intercept in x and returns the outcome. Row i of n is
// handed to it in order, and folds take every fifth row, so that "late" rows
// stand late in every fold.
func hardDesign(rows, cols int, fill func(r *rand.Rand, i int, x []float64) float64) *design {
	r := rand.New(rand.NewPCG(8, 15))
	d := &design{rows: rows, cols: cols, stride: (cols + strideUnit - 1) / strideUnit * strideUnit, workers: 2}
	d.x, d.y, d.w = make([]float64, rows*d.stride), make([]float64, rows), make([]float64, rows)
	d.total = float64(rows)
	var starts []int
	at := 0
	for k := range 5 {
		starts = append(starts, at)
		for i := k; i < rows; i += 5 {
			x := d.x[at*d.stride : at*d.stride+cols]
			x[0], d.w[at] = 1, 1
			d.y[at] = fill(r, i, x[1:])
			at++
		}
	}
	d.chunks = chunksOf(append(starts, rows))
	return d
}

func flip(r *rand.Rand, z float64) float64 {
	if r.Float64() < predict.Sigmoid(z) {
		return 1
	}
	return 0
}

// hardCases are designs that defeat careless solvers, by name.
var hardCases = map[string]func(r *rand.Rand, i int, x []float64) float64{
	// One column tells all but a few rows apart, as features seen from the end
	// of the data do.
	"nearly separated": func(r *rand.Rand, i int, x []float64) float64 {
		y := flip(r, -3)
		for j := range x {
			x[j] = r.NormFloat64()
		}
		x[0] = min(5, 0.1*math.Abs(x[0])+4*y)
		if r.IntN(2000) == 0 {
			x[0] = 4 * r.Float64()
		}
		return y
	},
	"separated": func(r *rand.Rand, i int, x []float64) float64 {
		y := flip(r, -2)
		for j := range x {
			x[j] = r.NormFloat64()
		}
		x[1] = (2*y - 1) * (1 + math.Abs(x[1]))
		return y
	},
	"rare levels": func(r *rand.Rand, i int, x []float64) float64 {
		z := -2.0
		for j := range x {
			q := 0.001 * float64(j+1)
			level := 0.0
			if r.Float64() < q {
				level = 1
				z += float64(j%5) - 2
			}
			x[j] = (level - q) / math.Sqrt(q*(1-q))
		}
		return flip(r, z)
	},
	"collinear": func(r *rand.Rand, i int, x []float64) float64 {
		for j := range x {
			x[j] = r.NormFloat64()
		}
		x[1] = x[0]
		x[2] = -x[0] + 1e-9*x[2]
		x[4] = (x[0] + x[3]) / math.Sqrt2
		return flip(r, x[0]+x[3]-1)
	},
	// Unscaled columns: the penalty then bites hard on one and not on another.
	"columns spanning 1e6": func(r *rand.Rand, i int, x []float64) float64 {
		z := 0.0
		for j := range x {
			x[j] = r.NormFloat64()
			z += 0.3 * x[j]
			x[j] *= math.Pow(10, float64(j%7)-3)
		}
		return flip(r, z)
	},
	// Columns and base rate drift with time, which is the order of the rows.
	"time-ordered": func(r *rand.Rand, i int, x []float64) float64 {
		late := float64(i) / 20000
		z := 2*late - 3
		for j := range x {
			x[j] = r.NormFloat64() + float64(j%3)*late
			z += x[j] * float64(j%4-1) / 4
		}
		return flip(r, z)
	},
}

// Hard designs end at the optimum of each fold, in few rows by exact fits and
// in many by a search, or are left to the exact solver.
func TestHardDesigns(t *testing.T) {
	const tolerance = 2e-8
	// Under a strong penalty the loss outside a fold has a slope of its own, and
	// the rounding of weights to float32 shows; choices are made to 1e-7.
	const searchTolerance = 5e-8
	lambdas := []float64{1000, 10, 0.1, 1e-3}
	for name, fill := range hardCases {
		t.Run(name, func(t *testing.T) {
			for _, rows := range []int{200, 20000} {
				d := hardDesign(rows, 12, fill)
				p, err := newPath(d)
				if err != nil {
					t.Fatal(err)
				}
				if rows >= searchRows {
					s := newSearch(d, p.folds)
					losses, err := s.losses(context.Background(), lambdas)
					if err != nil {
						t.Fatal(err)
					}
					for i, loss := range losses {
						want := exactCV(t, d, lambdas[i])
						if !math.IsNaN(loss) && !(math.Abs(loss-want) <= searchTolerance) {
							t.Errorf("λ=%v: search found loss %.10f, want %.10f", lambdas[i], loss, want)
						}
					}
					t.Logf("%s: %d renewed, %d slow of %d fits", name, s.renewed, s.slow, 5*len(lambdas))
				}
				for _, lambda := range lambdas[1:] {
					cv, err := p.exactly(context.Background(), lambda)
					if err != nil {
						t.Fatalf("%d rows, λ=%v: %v", rows, lambda, err)
					}
					if want := exactCV(t, d, lambda); !(math.Abs(cv.loss-want) <= tolerance) {
						t.Errorf("%d rows, λ=%v: loss %.10f, want %.10f", rows, lambda, cv.loss, want)
					}
				}
			}
		})
	}
}

// Tiny samples give a penalty, or say that they have no folds.
func TestTinyDesigns(t *testing.T) {
	for rows := 6; rows < 40; rows += 3 {
		d := hardDesign(rows, 20, func(r *rand.Rand, i int, x []float64) float64 {
			for j := range x {
				x[j] = r.NormFloat64()
			}
			return flip(r, x[0])
		})
		cv, err := chooseLambda(context.Background(), d, 0)
		switch {
		case errors.Is(err, errNoFolds):
		case err != nil:
			t.Errorf("%d rows: %v", rows, err)
		case !(cv.loss > 0) || math.IsInf(cv.loss, 1):
			t.Errorf("%d rows: loss %v", rows, cv.loss)
		}
	}
}

// The model is the same, byte for byte, under every instruction set: what is
// searched only chooses.
func TestFitHasTheSameBytesEverywhere(t *testing.T) {
	f := history(searchRows+1000, -1, 21)
	var want string
	for set := range everySet(t) {
		got := string(marshal(t, mustFit(t, f, Options{})))
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%v: the model differs from the portable one", fmt.Sprint(set))
		}
	}
}

// Outcomes that a dozen columns tell apart together have tiny losses at small
// penalties; the whole path is fitted all the same.
func TestChooseLambdaOnSeparatedOutcomes(t *testing.T) {
	for _, rows := range []int{3000, 20000} {
		d := hardDesign(rows, 40, func(r *rand.Rand, i int, x []float64) float64 {
			y := flip(r, -3)
			for j := range x {
				x[j] = (2*y - 1) * (1 + 3*r.Float64())
			}
			return y
		})
		cv, err := chooseLambda(context.Background(), d, 0)
		if err != nil {
			t.Fatalf("%d rows: %v", rows, err)
		}
		if !(cv.lambda < 0.1 && cv.loss > 0 && cv.loss < 1e-6) {
			t.Errorf("%d rows: λ=%v, loss %v; want a small penalty and hardly a loss", rows, cv.lambda, cv.loss)
		}
	}
}

// The loss of a sure row keeps its digits: log(1 + e^−40) = e^−40 to rounding.
func TestRowLossOfASureRow(t *testing.T) {
	for _, y := range []float64{0, 1} {
		z := 40 * (2*y - 1)
		p, l := []float64{0}, []float64{0}
		logistic(p, l, []float64{z})
		if got, want := rowLoss(l[0], y, z), math.Exp(-40); !near(got/want, 1, 1e-14) {
			t.Errorf("y=%v: loss %v, want %v", y, got, want)
		}
	}
}

// Rare levels that nearly always churn: all curvature lies in few rows, of
// which a part of the rows has too few. With matrices from such parts alone
// the penalties below used up 200 passes; they now take 17 and 21.
func TestStaleSolverOnNearlyPureLevels(t *testing.T) {
	d := hardDesign(60000, 60, func(r *rand.Rand, i int, x []float64) float64 {
		y := flip(r, -3)
		for j := range x {
			q := 0.0005 * float64(j+1)
			x[j] = -q
			if r.Float64() < q*(0.01+20*y) {
				x[j] = 5
			}
		}
		return y
	})
	for _, lambda := range []float64{0.1, 1e-3} {
		ctx := &countingContext{Context: context.Background()}
		if err := newStaleSolver(d, []int{noFold}).solve(ctx, lambda); err != nil || ctx.passes > 40 {
			t.Errorf("λ=%v: %d passes, error %v; want at most 40", lambda, ctx.passes, err)
		}
	}
}

// A countingContext counts how often it is asked, once a pass.
type countingContext struct {
	context.Context
	passes int
}

func (c *countingContext) Err() error { c.passes++; return nil }

// Where the preconditioner fails, exact fits take its place and the provenance
// says so; elsewhere it says nothing.
func TestProvenanceSaysThatTheSolverWasSlow(t *testing.T) {
	for name, want := range map[string]string{"rare levels": solverSlow, "time-ordered": ""} {
		d := hardDesign(20000, 12, hardCases[name])
		cv, err := chooseLambda(context.Background(), d, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := cv.solverNote(); got != want {
			t.Errorf("%s: %q, want %q; %d fits were slow", name, got, want, cv.slow)
		}
	}
	var slow published
	slow.model = &predict.Model{}
	slow.note(&crossValidation{slow: 1})
	if slow.model.Provenance.Solver != solverSlow {
		t.Errorf("provenance %+v", slow.model.Provenance)
	}
}

// A handful of rows train: outside a fold of them is another matrix of second
// derivatives than that of all, which the folds' fits share at first.
func TestHandfulOfRows(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 8))
		n := 4 + int(seed%5)
		f := &features.Frame{}
		x, z := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i], z[i] = r.NormFloat64(), float64(r.IntN(9))
			id := fmt.Sprint(i)
			f.Rows = append(f.Rows, features.Row{Account: id, Group: id, Y: int8(i % 2), Weight: 1})
		}
		f.Columns = []features.Column{numberColumn("x", x...), numberColumn("z", z...)}
		if _, err := Fit(context.Background(), f, specOf(f), Options{Workers: 1}); err != nil {
			t.Errorf("seed %d, %d rows: %v", seed, n, err)
		}
	}
}
