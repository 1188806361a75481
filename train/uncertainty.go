// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/holdfast-churn/holdfast/predict"
)

const (
	// probes is the number of directions that are tried.
	probes = 256
	// probeRows is how many rows, spread over all, stand for the training rows,
	// and restRows how many of these the exact variance is taken of.
	probeRows, restRows = 2048, 64
	// leftOut is the share of the mean variance that the least of the directions
	// may hold together to be left out.
	leftOut = 0.05
)

// A variance is the matrix V of the weights of a fit, which need not be there
// as a whole, and the rows x of its design.
type variance struct {
	rows, cols int
	times      func(c [][]float64) [][]float64 // V c of some vectors
	row        func(dst []float64, i int)      // stores row i of the design, dst being 0
	publish    func(f []float64) []float64     // turns a direction as theta is turned into weights
}

// uncertainty returns the directions f_k in which the weights are most
// uncertain as far as the training rows can see: V ≈ Σ f_k f_k', so that
// Σ (f_k·x)² is close to x'Vx for rows like them. With Ω of random combinations
// of rows,
//
//	V ≈ VΩ (Ω'VΩ)⁻¹ Ω'V = F F',   F = VΩ U S^(−½),   Ω'VΩ = U S U'
//
// and F turned so that the columns of XF are orthogonal; those that add least
// are left out. Rest is by how much x'Vx is larger on average: V − FF' has no
// negative eigenvalue, so it is 0 or more. The directions are gonum's, the same
// on every processor of one family.
//
// Source: Halko, Martinsson and Tropp (2011), Finding structure with randomness,
// section 5.5; Gittens and Mahoney (2016) on columns as combinations of rows.
func (v *variance) uncertainty() *predict.Uncertainty {
	x := v.sample(probeRows)
	f := v.directions(x)
	var seen, gram mat.Dense
	seen.Mul(x, f.T())
	gram.Mul(seen.T(), &seen)
	turn, most := eigen(&gram)
	var turned mat.Dense
	turned.Mul(turn.T(), f)
	rank, total, left := len(most), 0.0, 0.0
	for _, d := range most {
		total += d
	}
	for rank > 0 && left+most[rank-1] <= leftOut*total {
		rank--
		left += most[rank]
	}
	u := &predict.Uncertainty{Rank: rank, Rest: v.rest(&turned, rank)}
	published := make([][]float64, rank)
	for k := range published {
		published[k] = v.publish(turned.RawRowView(k))
	}
	for c := range published[0] {
		for k := range published {
			u.Factor = append(u.Factor, predict.Pack(published[k][c]))
		}
	}
	return u
}

// sample returns up to n rows of the design, spread evenly.
func (v *variance) sample(n int) *mat.Dense {
	n = min(n, v.rows)
	x := mat.NewDense(n, v.cols, nil)
	for i := range n {
		v.row(x.RawRowView(i), i*v.rows/n)
	}
	return x
}

// directions returns F', one direction a row, not yet turned.
func (v *variance) directions(x *mat.Dense) *mat.Dense {
	n, _ := x.Dims()
	count := min(probes, v.cols)
	draw := rand.New(rand.NewPCG(1, 1))
	mix := mat.NewDense(count, n, nil)
	for i, raw := 0, mix.RawMatrix().Data; i < len(raw); i++ {
		raw[i] = draw.NormFloat64()
	}
	var omega, inner, f mat.Dense
	omega.Mul(mix, x)
	y := rowsOf(v.times(viewsOf(&omega)))
	inner.Mul(&omega, y.T())
	u, s := eigen(&inner)
	for k, sk := range s {
		scale := 0.0
		if sk > 1e-10*s[0] {
			scale = 1 / math.Sqrt(sk)
		}
		for i := range s {
			u.Set(i, k, u.At(i, k)*scale)
		}
	}
	f.Mul(u.T(), y)
	return &f
}

// rest returns the mean of x'Vx − Σ (f_k·x)² over some rows.
func (v *variance) rest(f *mat.Dense, rank int) float64 {
	x := v.sample(restRows)
	rows := viewsOf(x)
	sum := 0.0
	for i, vx := range v.times(rows) {
		sum += dot(rows[i], vx)
		for k := range rank {
			g := dot(f.RawRowView(k), rows[i])
			sum -= float64(g * g)
		}
	}
	return max(sum/float64(len(rows)), 0)
}

// eigen returns the eigenvectors of a symmetric matrix as columns, and its
// eigenvalues, falling. What makes the matrix asymmetric is rounding.
func eigen(a *mat.Dense) (*mat.Dense, []float64) {
	n, _ := a.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	var e mat.EigenSym
	if !e.Factorize(sym, true) {
		panic("train: eigen: a matrix with numbers that are not finite")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	rising := e.Values(nil)
	out, falling := mat.NewDense(n, n, nil), make([]float64, n)
	for k := range n {
		falling[k] = max(rising[n-1-k], 0)
		for i := range n {
			out.Set(i, k, vectors.At(i, n-1-k))
		}
	}
	return out, falling
}

// viewsOf returns the rows of a matrix, which stay its own.
func viewsOf(m *mat.Dense) [][]float64 {
	n, _ := m.Dims()
	views := make([][]float64, n)
	for i := range views {
		views[i] = m.RawRowView(i)
	}
	return views
}

func rowsOf(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, r := range rows {
		m.SetRow(i, r)
	}
	return m
}

// varianceOf returns the variance of a linear fit, v being its matrix.
func varianceOf(d *design, v []float64) *variance {
	return &variance{rows: d.rows, cols: d.cols,
		times: func(c [][]float64) [][]float64 {
			out := make([][]float64, len(c))
			for k := range c {
				out[k] = make([]float64, d.cols)
				for i := range out[k] {
					out[k][i] = dot(v[i*d.cols:(i+1)*d.cols], c[k])
				}
			}
			return out
		},
		row:     func(dst []float64, i int) { copy(dst, d.x[i*d.stride:]) },
		publish: func(f []float64) []float64 { return f },
	}
}

// rawVariance returns the variance of weights of raw columns, m holding rows of
// them; published directions are of scaled ones, as weights are.
func rawVariance(l *predict.Logit, m *matrix, times func(c [][]float64) [][]float64) *variance {
	return &variance{rows: m.rows, cols: m.cols, times: times,
		row: func(dst []float64, i int) {
			for e := m.start[i]; e < m.start[i+1]; e++ {
				dst[m.col[e]] += m.val[e]
			}
		},
		publish: func(f []float64) []float64 { return scaledOf(l, f) },
	}
}

// scaledOf returns the weights of a logit's scaled columns, the intercept first,
// that are weights θ of raw ones: what setRaw writes.
func scaledOf(l *predict.Logit, theta []float64) []float64 {
	out := slices.Clone(theta)
	at := 1
	scaled := func(scale, zero float64) {
		out[at] = theta[at] / scale
		out[0] -= float64(out[at] * zero)
		at++
	}
	for j := range l.Terms {
		for k := range l.Terms[j].Columns {
			zero, scale := 0.0, 1.0
			if column := &l.Terms[j].Columns[k]; column.Kind != predict.Linear {
				zero, scale = column.Affine()
			}
			scaled(scale, zero)
		}
	}
	if l.Scorecard != nil {
		at++
	}
	for k := range l.Pairs {
		for _, c := range l.Pairs[k].Cells {
			scaled(1/c.SD, -c.Mean/c.SD)
		}
	}
	for k := range l.Tables {
		for i := range l.Tables[k].Rules {
			r := &l.Tables[k].Rules[i]
			scaled(1/r.SD, -r.Mean/r.SD)
		}
	}
	return out
}
