// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/predict"
)

// boundedMatrix returns random rows in two folds whose columns have random
// limits; outcomes follow the weights that it returns.
func boundedMatrix(seed uint64, rows, cols int) *matrix {
	r := rand.New(rand.NewPCG(seed, 7))
	m := &matrix{rows: rows, cols: 1, start: make([]int, rows+1), workers: 2}
	truth := make([]float64, cols)
	b := &block{cols: cols, limits: make([]limit, cols)}
	for j := range truth {
		truth[j] = r.NormFloat64()
		b.limits[j].sign = int8(r.IntN(3) - 1)
		if r.IntN(4) == 0 {
			b.limits[j].prior = math.Abs(r.NormFloat64()) * float64(b.limits[j].sign)
		}
	}
	common := 0.0
	z := make([]float64, rows)
	made := newBlock(rows, cols, func(dst []predict.Entry, row int) []predict.Entry {
		for j := range truth {
			if j%3 == 0 { // columns of like sign, as cumulated splines are
				common = r.Float64()
			}
			if v := common + r.Float64()/4; r.IntN(5) > 0 {
				dst = append(dst, predict.Entry{Column: int32(j), Value: v})
				z[row] += truth[j] * v
			}
		}
		return dst
	})
	made.limits = b.limits
	for i := range rows {
		m.start[i+1] = i + 1
		m.col, m.val = append(m.col, 0), append(m.val, 1)
		y := 0.0
		if r.Float64() < 1/(1+math.Exp(-z[i])) {
			y = 1
		}
		m.y, m.w = append(m.y, y), append(m.w, 0.5+r.Float64())
		m.total += m.w[i]
	}
	m.y[0], m.y[rows-1] = 0, 1
	m.chunks = chunksOf([]int{0, rows / 2, rows})
	return m.with(made)
}

// A bounded fit ends where no allowed move lowers the loss: weights keep their
// side of 0 to the bit, gradients vanish inside and push outwards at a bound;
// with the exact matrix, that of a part of the rows, and a bordered inverse.
func TestBoundedFitIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := boundedMatrix(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(40, 300).Draw(t, "rows"), rapid.IntRange(1, 20).Draw(t, "columns"))
		penalty := make([]float64, m.cols)
		for j := range penalty[1:] {
			penalty[1+j] = math.Exp(rapid.Float64Range(-3, 6).Draw(t, "log penalty"))
		}
		r := newRidge(m, rapid.IntRange(-1, 1).Draw(t, "fold left out"))
		r.penalty = penalty
		if rapid.Bool().Draw(t, "inverse") {
			r.invert()
		}
		if err := r.solve(context.Background(), penalty, 1e-13, rapid.Bool().Draw(t, "exact")); err != nil {
			t.Fatal(err)
		}
		grad := make([]float64, m.cols)
		m.logLoss(grad, r.theta, r.hold)
		for j, l := range penalty {
			g := grad[j] + l*(r.theta[j]-m.prior(j))
			sign := 0.0
			if j < len(m.limits) {
				sign = float64(m.limits[j].sign)
			}
			const small = 1e-4 // a decrement of 1e-13 a renewal leaves about its root
			switch {
			case sign*r.theta[j] < 0:
				t.Fatalf("weight %d is %v, on the wrong side of 0", j, r.theta[j])
			case sign != 0 && r.theta[j] == 0 && sign*g < -small*(1+l):
				t.Fatalf("weight %d stands at 0, where the gradient is %v", j, g)
			case (sign == 0 || r.theta[j] != 0) && math.Abs(g) > small*(1+l):
				t.Fatalf("weight %d is %v, where the gradient is %v", j, r.theta[j], g)
			}
		}
	})
}

// x = u + M μ of a random problem keeps x, μ ≥ 0 and x μ = 0.
func TestComplementary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		k := rapid.IntRange(1, 40).Draw(t, "variables")
		m, u := make([]float64, k*k), make([]float64, k)
		root := make([]float64, k*k)
		for i := range root {
			root[i] = r.NormFloat64()
		}
		for i := range k {
			u[i] = r.NormFloat64()
			for j := range k {
				m[i*k+j] = dot(root[i*k:i*k+k], root[j*k:j*k+k])
			}
			m[i*k+i] += 0.1
		}
		pinned, mu := complementary(m, u)
		for i := range k {
			x := u[i] + dot(m[i*k:i*k+k], mu)
			if x < -1e-9 || mu[i] < -1e-9 || pinned[i] && math.Abs(x) > 1e-9 || !pinned[i] && mu[i] != 0 {
				t.Fatalf("variable %d: x %v, μ %v, pinned %v", i, x, mu[i], pinned[i])
			}
		}
	})
}
