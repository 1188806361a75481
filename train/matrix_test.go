// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/predict"
)

// randomMatrix returns a matrix of an intercept and cols−1 columns of which
// about a third of the entries are not 0.
func randomMatrix(r *rand.Rand, rows, cols, folds int) *matrix {
	m := &matrix{rows: rows, cols: 1, start: make([]int, rows+1), workers: 2}
	for i := range rows {
		m.col, m.val, m.start[i+1] = append(m.col, 0), append(m.val, 1), i+1
		m.y = append(m.y, float64(r.IntN(2)))
		m.w = append(m.w, 0.5+r.Float64())
		m.total += m.w[i]
	}
	m.y[0], m.y[rows-1] = 0, 1 // both outcomes
	var starts []int
	for k := range folds + 1 {
		starts = append(starts, rows*k/folds)
	}
	m.chunks = chunksOf(starts)
	return m.with(randomBlock(r, rows, cols-1))
}

func randomBlock(r *rand.Rand, rows, cols int) *block {
	return newBlock(rows, cols, func(dst []predict.Entry, _ int) []predict.Entry {
		for j := range cols {
			if r.IntN(3) == 0 {
				dst = append(dst, predict.Entry{Column: int32(j), Value: r.NormFloat64()})
			}
		}
		return dst
	})
}

func drawMatrix(t *rapid.T) *matrix {
	rows := rapid.OneOf(rapid.IntRange(6, 200), rapid.IntRange(chunkRows-2, chunkRows+70)).Draw(t, "rows")
	cols := rapid.IntRange(1, 14).Draw(t, "cols")
	folds := rapid.IntRange(1, 3).Draw(t, "folds")
	return randomMatrix(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), rows, cols, folds)
}

// dense returns the matrix as rows×cols numbers.
func (m *matrix) dense() []float64 { return denseRows(m.rows, m.cols, m.start, m.col, m.val) }

func (b *block) dense() []float64 {
	return denseRows(len(b.start)-1, b.cols, b.start, b.col, b.val)
}

func denseRows(rows, cols int, start []int, col []int32, val []float64) []float64 {
	x := make([]float64, rows*cols)
	for i := range rows {
		for e := start[i]; e < start[i+1]; e++ {
			x[i*cols+int(col[e])] = val[e]
		}
	}
	return x
}

// denseHessian is Σ w p (1 − p) x x' over the rows outside the fold hold.
func denseHessian(m *matrix, theta []float64, hold int) []float64 {
	x, n := m.dense(), m.cols
	h := make([]float64, n*n)
	for _, c := range m.chunks {
		for i := c.from; i < c.to && c.fold != hold; i++ {
			row := x[i*n : i*n+n]
			p := 1 / (1 + math.Exp(-dot(row, theta)))
			for j := range n {
				for k := range n {
					h[j*n+k] += m.w[i] * p * (1 - p) * row[j] * row[k]
				}
			}
		}
	}
	return h
}

// The gradient agrees with central differences of the loss, whatever the fold
// left out, and both matrices of second derivatives with a dense one.
func TestMatrixDerivatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const h = 1e-5
		// Central differences err by O(h²) + O(ε F/h), F up to some 10⁴.
		const tolerance = 1e-5
		const fastTolerance = 2e-6 // of the largest element: float32 inside a batch
		m := drawMatrix(t)
		theta := rapid.SliceOfN(rapid.Float64Range(-2, 2), m.cols, m.cols).Draw(t, "theta")
		hold := rapid.IntRange(noFold, 0).Draw(t, "hold")
		grad, unused := make([]float64, m.cols), make([]float64, m.cols)
		m.logLoss(grad, theta, hold)
		for j := range theta {
			moved := slices.Clone(theta)
			moved[j] = theta[j] + h
			up := m.logLoss(unused, moved, hold)
			moved[j] = theta[j] - h
			down := m.logLoss(unused, moved, hold)
			if want := (up - down) / (2 * h); math.Abs(grad[j]-want) > tolerance*(1+up) {
				t.Fatalf("gradient[%d] = %v, want %v", j, grad[j], want)
			}
		}
		want := denseHessian(m, theta, hold)
		all := denseHessian(m, theta, noFold)
		got, fast := m.hessian(theta, hold), m.fastHessian(theta, noFold, 1)
		largest := slices.Max(all)
		for j := range m.cols {
			for k := j; k < m.cols; k++ {
				at := j*m.cols + k
				if !near(got[at], want[at], 1e-10) {
					t.Fatalf("hessian[%d,%d] = %v, want %v", j, k, got[at], want[at])
				}
				if math.Abs(fast[at]-all[at]) > fastTolerance*largest {
					t.Fatalf("fast hessian[%d,%d] = %v, want %v", j, k, fast[at], all[at])
				}
			}
		}
	})
}

// From a part of the rows the fast matrix is that of all, to sampling error,
// and scaled up by weight.
func TestFastHessianOfAPart(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	m := randomMatrix(r, 20000, 6, 5)
	theta := []float64{.1, -.2, .3, -.4, .5, -.6}
	want, got := denseHessian(m, theta, noFold), m.fastHessian(theta, noFold, .25)
	for j := range m.cols {
		// 5,000 rows: an element of the diagonal is right to about 3 %.
		if at := j*m.cols + j; math.Abs(got[at]/want[at]-1) > .1 {
			t.Errorf("hessian[%d,%d] = %v from a quarter of the rows, %v from all", j, j, got[at], want[at])
		}
	}
}

// Sums over the rows of a matrix do not depend on the number of workers, to
// the last bit.
func TestMatrixSumsIgnoreWorkers(t *testing.T) {
	m := randomMatrix(rand.New(rand.NewPCG(1, 1)), 5*chunkRows+17, 7, 3)
	theta := []float64{.1, -.2, .3, -.4, .5, -.6, .7}
	var sums [][]float64
	for _, workers := range []int{1, 2, 7} {
		m.workers = workers
		grad := make([]float64, m.cols)
		loss := m.logLoss(grad, theta, 1)
		sums = append(sums, slices.Concat([]float64{loss}, grad, m.hessian(theta, 1), m.fastHessian(theta, noFold, .5)))
	}
	for k := 1; k < len(sums); k++ {
		if !slices.Equal(sums[k], sums[0]) {
			t.Errorf("sums with more workers differ from those with one")
		}
	}
}

// Blocks stand beside each other in order, and kept columns keep their values.
func TestBlocksStandSideBySide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rows := rapid.IntRange(2, 40).Draw(t, "rows")
		m := randomMatrix(r, rows, 1+rapid.IntRange(0, 4).Draw(t, "m"), 1)
		a, b := randomBlock(r, rows, rapid.IntRange(0, 4).Draw(t, "a")), randomBlock(r, rows, rapid.IntRange(1, 5).Draw(t, "b"))
		marked := rapid.SliceOfN(rapid.Bool(), b.cols, b.cols).Draw(t, "marked")
		kept := b.keep(marked)
		got := m.with(a, kept)
		var want []float64
		dm, da, db := m.dense(), a.dense(), b.dense()
		cols := 0
		for i := range rows {
			want = append(append(want, dm[i*m.cols:(i+1)*m.cols]...), da[i*a.cols:(i+1)*a.cols]...)
			for c, v := range db[i*b.cols : (i+1)*b.cols] {
				if marked[c] {
					want = append(want, v)
				}
			}
			cols = len(want) / (i + 1)
		}
		if got.cols != cols || !slices.Equal(got.dense(), want) {
			t.Fatalf("%d columns, want %d; values\n%v, want\n%v", got.cols, cols, got.dense(), want)
		}
		for i := range rows {
			if !slices.IsSorted(got.col[got.start[i]:got.start[i+1]]) {
				t.Fatalf("row %d: columns %v do not rise", i, got.col[got.start[i]:got.start[i+1]])
			}
		}
		if !slices.Equal(m.dense(), dm) {
			t.Fatal("the matrix that was extended has changed")
		}
	})
}

// Weighted moments by hand: column 0 is 2, −, 4 with weights 1, 2, 1, hence
// mean 6/4 and variance 20/4 − 2.25; it is not 0 in two rows of three.
func TestBlockMoments(t *testing.T) {
	b := &block{cols: 2, start: []int{0, 1, 2, 4}, col: []int32{0, 1, 0, 1}, val: []float64{2, 1, 4, 1e-9}}
	mean, sd, share := b.moments([]float64{1, 2, 1}, 4)
	if !near(mean[0], 1.5, 1e-15) || !near(sd[0], math.Sqrt(2.75), 1e-15) || !near(share[0], 2./3, 1e-15) {
		t.Errorf("mean %v, sd %v, share %v", mean[0], sd[0], share[0])
	}
	if !near(share[1], 1./3, 1e-15) { // 1e-9 counts as 0
		t.Errorf("share %v, want 1/3", share[1])
	}
}

// A sample of the rows takes the same share of each fold, and carries their
// weight; one as large as the matrix is the matrix.
func TestMatrixSampled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := randomMatrix(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)),
			rapid.IntRange(50, 3*chunkRows).Draw(t, "rows"), 2, rapid.IntRange(1, 5).Draw(t, "folds"))
		rows := rapid.IntRange(1, m.rows+10).Draw(t, "sampled")
		s := m.sampled(rows)
		if len(s.chunks) != len(m.chunks) {
			t.Fatalf("%d chunks, want %d", len(s.chunks), len(m.chunks))
		}
		total, share := 0.0, min(1, float64(rows)/float64(m.rows))
		for k, c := range s.chunks {
			of := m.chunks[k]
			if n, want := float64(c.to-c.from), share*float64(of.to-of.from); n < want-1e-9 || n >= want+1 || c.from != of.from || c.fold != of.fold {
				t.Fatalf("chunk %v of %v: want a share of %v", c, of, share)
			}
			for i := c.from; i < c.to; i++ {
				total += m.w[i]
			}
		}
		if !near(s.total, total, 1e-12) {
			t.Fatalf("total %v, want %v", s.total, total)
		}
	})
}
