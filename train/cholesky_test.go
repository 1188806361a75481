// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Factor, solution and inverse agree with gonum's.
func TestCholeskyAgreesWithGonum(t *testing.T) {
	const rounding = 1e-10 // condition numbers here stay below 10⁴
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{1, 2, 7, 30} {
		x := mat.NewDense(3*n, n, nil)
		for i := range 3 * n {
			for j := range n {
				x.Set(i, j, r.NormFloat64())
			}
		}
		var a mat.SymDense
		a.SymOuterK(1, x.T())
		upper := make([]float64, n*n)
		b := make([]float64, n)
		for i := range n {
			b[i] = r.NormFloat64()
			for j := i; j < n; j++ {
				upper[i*n+j] = a.At(i, j)
			}
		}
		c, ok := factorise(upper, n)
		if !ok {
			t.Fatalf("n=%d: not positive definite", n)
		}
		var want mat.Cholesky
		var wantSolved mat.VecDense
		var wantInverse mat.SymDense
		if !want.Factorize(&a) || want.SolveVecTo(&wantSolved, mat.NewVecDense(n, b)) != nil ||
			want.InverseTo(&wantInverse) != nil {
			t.Fatal("gonum refuses the matrix")
		}
		solved, inverse := c.solve(nil, b), c.inverse()
		for i := range n {
			if !near(solved[i], wantSolved.AtVec(i), rounding) {
				t.Errorf("n=%d: x[%d] = %v, want %v", n, i, solved[i], wantSolved.AtVec(i))
			}
			for j := range n {
				if !near(inverse[i*n+j], wantInverse.At(i, j), rounding) {
					t.Errorf("n=%d: inverse[%d,%d] = %v, want %v", n, i, j, inverse[i*n+j], wantInverse.At(i, j))
				}
			}
		}
	}
}

func TestFactoriseRefusesSingular(t *testing.T) {
	for _, a := range [][]float64{
		{1, 1, 0, 1},         // rank 1
		{1, 1, 0, 1 + 1e-15}, // rank 1 to rounding
		{1, 2, 0, 1},         // indefinite
		{0, 0, 0, 1},         // zero pivot
		{nan, 0, 0, 1},       // not a number
	} {
		if _, ok := factorise(a, 2); ok {
			t.Errorf("factorised %v", a)
		}
	}
}
