// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawDesign draws a design of 1 to 3 folds with rows that fill no block, one,
// or several chunks.
func drawDesign(t *rapid.T) *design {
	rows := rapid.OneOf(rapid.IntRange(6, 200), rapid.IntRange(chunkRows-2, chunkRows+70)).Draw(t, "rows")
	cols := rapid.IntRange(1, 14).Draw(t, "cols")
	folds := rapid.IntRange(1, 3).Draw(t, "folds")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	return randomDesign(r, rows, cols, folds)
}

func drawTheta(t *rapid.T, d *design) []float64 {
	return rapid.SliceOfN(rapid.Float64Range(-2, 2), d.cols, d.cols).Draw(t, "theta")
}

// The gradient agrees with central differences, and the Hessian with those of
// the gradient, at random points, folds and penalties.
func TestDerivatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const h = 1e-5
		// Central differences err by O(h²) + O(ε F/h), F up to some 10⁴.
		const tolerance = 1e-5
		d := drawDesign(t)
		theta := drawTheta(t, d)
		hold := rapid.IntRange(noFold, 0).Draw(t, "hold")
		lambda := rapid.SampledFrom([]float64{0, 0.1, 10}).Draw(t, "lambda")
		at := func(j int, step float64) (float64, []float64) {
			moved := append([]float64(nil), theta...)
			moved[j] += step
			grad := make([]float64, d.cols)
			return addPenalty(d.logLoss(grad, moved, hold), grad, moved, lambda), grad
		}
		_, grad := at(0, 0)
		var chunks []chunk
		for _, c := range d.chunks {
			if c.fold != hold {
				chunks = append(chunks, c)
			}
		}
		hessian := d.hessian(theta, chunks, 1, lambda)
		for j := range theta {
			up, gradUp := at(j, h)
			down, gradDown := at(j, -h)
			if want := (up - down) / (2 * h); math.Abs(grad[j]-want) > tolerance*(1+math.Abs(up)) {
				t.Fatalf("λ=%v: grad[%d] = %v, want %v", lambda, j, grad[j], want)
			}
			for k := j; k < d.cols; k++ {
				want := (gradUp[k] - gradDown[k]) / (2 * h)
				if got := hessian[j*d.cols+k]; math.Abs(got-want) > tolerance*(1+math.Abs(up)) {
					t.Fatalf("λ=%v: hessian[%d,%d] = %v, want %v", lambda, j, k, got, want)
				}
			}
		}
	})
}

// Several weight vectors in one pass give what each gives alone, and what a
// plain loop over the rows gives.
func TestLogLossesIsLogLossSeveralTimes(t *testing.T) {
	const rounding = 1e-9 // of sums of up to some 4,000 rows in another order
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesign(t)
		n := rapid.IntRange(1, 7).Draw(t, "vectors")
		loss, grad, theta, hold := make([]float64, n), make([][]float64, n), make([][]float64, n), make([]int, n)
		for v := range n {
			grad[v], theta[v] = make([]float64, d.cols), drawTheta(t, d)
			hold[v] = rapid.IntRange(noFold, 2).Draw(t, "hold")
		}
		d.logLosses(loss, grad, theta, hold)
		for v := range n {
			want, wantGrad := slowLogLoss(d, theta[v], hold[v])
			if !near(loss[v], want, rounding) {
				t.Fatalf("vector %d: loss %v, want %v", v, loss[v], want)
			}
			for j := range wantGrad {
				if !near(grad[v][j], wantGrad[j], rounding) {
					t.Fatalf("vector %d: gradient[%d] = %v, want %v", v, j, grad[v][j], wantGrad[j])
				}
			}
		}
	})
}

// slowLogLoss is the formula as logLoss's comment states it, with log(1 + e^z)
// as it stands, which is safe for the small z of these tests.
func slowLogLoss(d *design, theta []float64, hold int) (loss float64, grad []float64) {
	grad = make([]float64, d.cols)
	for _, c := range d.chunks {
		if c.fold == hold {
			continue
		}
		for i := c.from; i < c.to; i++ {
			x := d.x[i*d.stride : i*d.stride+d.cols]
			z := 0.0
			for j, t := range theta {
				z += t * x[j]
			}
			loss += d.w[i] * (math.Log(1+math.Exp(z)) - d.y[i]*z)
			for j := range grad {
				grad[j] += d.w[i] * (1/(1+math.Exp(-z)) - d.y[i]) * x[j]
			}
		}
	}
	return loss, grad
}

// Sums over rows do not depend on the number of workers, to the last bit, nor on
// whether they are taken together.
func TestSumsIgnoreWorkers(t *testing.T) {
	d := randomDesign(rand.New(rand.NewPCG(1, 1)), 3*chunkRows+17, 11, 3)
	theta := []float64{.1, -.2, .3, -.4, .5, -.6, .7, -.8, .9, -1, 1.1}
	var losses []float64
	var hessians [][]float64
	for _, workers := range []int{1, 2, 7} {
		d.workers = workers
		grad := make([]float64, d.cols)
		losses = append(losses, d.logLoss(grad, theta, 1))
		hessians = append(hessians, append(d.hessian(theta, d.chunks, 1, 2), grad...))

		loss := d.logLoss(grad, theta, noFold)
		alone := append(d.hessian(theta, d.chunks, 1, 2), append(grad, loss)...)
		loss, together := d.newtonSums(grad, theta, 2)
		if !slices.Equal(append(together, append(grad, loss)...), alone) {
			t.Error("sums for Newton's method differ from those taken one after the other")
		}
	}
	for k := 1; k < len(losses); k++ {
		if losses[k] != losses[0] {
			t.Errorf("loss %v with more workers, %v with one", losses[k], losses[0])
		}
		for j := range hessians[0] {
			if hessians[k][j] != hessians[0][j] {
				t.Fatalf("element %d of Hessian and gradient: %v with more workers, %v with one", j, hessians[k][j], hessians[0][j])
			}
		}
	}
}

func BenchmarkHessian(b *testing.B) {
	d := randomDesign(rand.New(rand.NewPCG(1, 1)), 20000, 90, 1)
	d.workers = 1
	theta := make([]float64, d.cols)
	for b.Loop() {
		d.hessian(theta, d.chunks, 1, 1)
	}
	b.ReportMetric(float64(d.rows*d.cols*d.cols/2*b.N)/b.Elapsed().Seconds()/1e9, "Gmadd/s")
}

func BenchmarkLogLosses(b *testing.B) {
	const folds = 5
	d := randomDesign(rand.New(rand.NewPCG(1, 1)), 20000, 90, folds)
	d.workers = 1
	loss, grad, theta, hold := make([]float64, folds), make([][]float64, folds), make([][]float64, folds), make([]int, folds)
	for v := range folds {
		grad[v], theta[v], hold[v] = make([]float64, d.cols), make([]float64, d.cols), v
	}
	for b.Loop() {
		d.logLosses(loss, grad, theta, hold)
	}
}
