// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Sizes within a tile, a panel, and several panels and a rest.
var factorSizes = []int{1, 2, 7, 8, 9, 30, panelRows - 1, panelRows, panelRows + 1, 2 * panelRows, 131, 200}

// positive returns X'X of a random X of 3n rows, its upper triangle as
// factorise reads it with NaN below, and a random vector.
func positive(n int) (a *mat.SymDense, upper, b []float64) {
	r := rand.New(rand.NewPCG(4, uint64(n)))
	x := mat.NewDense(3*n, n, normals(r, 3*n*n))
	a = new(mat.SymDense)
	a.SymOuterK(1, x.T())
	upper = make([]float64, n*n)
	for i := range n {
		for j := range n {
			upper[i*n+j] = nan
			if j >= i {
				upper[i*n+j] = a.At(i, j)
			}
		}
	}
	return a, upper, normals(r, n)
}

// Factor, solution and inverse agree with gonum's, and A x is b.
func TestCholeskyAgreesWithGonum(t *testing.T) {
	const rounding = 1e-10 // condition numbers here stay below 10⁴
	for _, n := range factorSizes {
		a, upper, b := positive(n)
		c, ok := factorise(upper, n)
		if !ok {
			t.Fatalf("n=%d: not positive definite", n)
		}
		var want mat.Cholesky
		var wantU mat.TriDense
		var wantSolved mat.VecDense
		var wantInverse mat.SymDense
		if !want.Factorize(a) || want.SolveVecTo(&wantSolved, mat.NewVecDense(n, b)) != nil ||
			want.InverseTo(&wantInverse) != nil {
			t.Fatal("gonum refuses the matrix")
		}
		want.UTo(&wantU)
		solved, inverse := c.solve(nil, b), c.inverse()
		var product mat.VecDense
		product.MulVec(a, mat.NewVecDense(n, solved))
		double := c.scaled(2)
		quarter := double.solve(nil, b) // of 2²A
		for i := range n {
			if !near(solved[i], wantSolved.AtVec(i), rounding) {
				t.Errorf("n=%d: x[%d] = %v, want %v", n, i, solved[i], wantSolved.AtVec(i))
			}
			if !near(product.AtVec(i), b[i], rounding) {
				t.Errorf("n=%d: (A x)[%d] = %v, want %v", n, i, product.AtVec(i), b[i])
			}
			if 4*quarter[i] != solved[i] { // powers of two are exact
				t.Errorf("n=%d: x[%d] of 4 A = %v, want a quarter of %v", n, i, quarter[i], solved[i])
			}
			for j := range n {
				if got := c.u[i*c.stride+j]; !near(got, wantU.At(i, j), rounding) {
					t.Errorf("n=%d: u[%d,%d] = %v, want %v", n, i, j, got, wantU.At(i, j))
				}
				if !near(inverse[i*n+j], wantInverse.At(i, j), rounding) {
					t.Errorf("n=%d: inverse[%d,%d] = %v, want %v", n, i, j, inverse[i*n+j], wantInverse.At(i, j))
				}
			}
		}
	}
}

// Factor, solution and inverse have the same bits under every instruction set.
func TestCholeskyHasTheSameBits(t *testing.T) {
	want := make(map[int][][]float64)
	for set := range everySet(t) {
		for _, n := range factorSizes {
			_, upper, b := positive(n)
			c, _ := factorise(upper, n)
			got := [][]float64{c.u, c.solve(nil, b), c.inverse()}
			if want[n] == nil { // the portable set comes first
				want[n] = got
			}
			for i, what := range []string{"factor", "solution", "inverse"} {
				sameBits(t, fmt.Sprintf("%v, n=%d, %s", set, n, what), got[i], want[n][i])
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
	} // Two equal columns, the second of them in another panel.
	const n, twin = 3 * panelRows, 2*panelRows + 5
	_, a, _ := positive(n)
	for i := range n {
		if i <= twin {
			a[i*n+twin] = a[min(i, 3)*n+max(i, 3)]
		} else {
			a[twin*n+i] = a[3*n+i]
		}
	}
	a[twin*n+twin] = a[3*n+3]
	if _, ok := factorise(a, n); ok {
		t.Error("factorised a matrix with two equal columns")
	}
}

func BenchmarkFactorise(b *testing.B) {
	for _, n := range []int{100, 400, 700, 1000} {
		_, a, v := positive(n)
		c, _ := factorise(a, n)
		for _, bench := range []struct {
			what string
			run  func()
		}{
			{"factorise", func() { factorise(a, n) }},
			{"solve", func() { c.solve(nil, v) }},
			{"inverse", func() { c.inverse() }},
		} {
			b.Run(fmt.Sprintf("%s/%d", bench.what, n), func(b *testing.B) {
				for b.Loop() {
					bench.run()
				}
			})
		}
	}
}
