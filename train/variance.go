// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// clusteredVariance returns the variance matrix of (b, w), robust to the
// likeness of rows of one group and to the model being only nearly right:
//
//	V = A⁻¹ (M + Λ) A⁻¹,   A = X'WX + Λ,   M = Σ_g s_g s_g',
//	s_g = Σ_{i in g} w_i (p_i − y_i) x_i
//
// cols×cols row-major. Λ in the middle stands for the bias that the penalty
// brings, seen as a prior's variance, which gives intervals the coverage of the
// whole function on average (Wood 2006, section 4.8; Marra and Wood 2012). It
// is conditional on the chosen terms and λ. group gives each row a number below
// groups.
func clusteredVariance(d *design, s *solution, group []int32, groups int) []float64 {
	n := d.cols
	scores := d.groupScores(s.theta, group, groups)
	m := scores.crossProducts(chunksOf([]int{0, groups}), 1, s.lambda, func(dst []float64, _, from, rows int) {
		copy(dst, scores.x[from*scores.stride:(from+rows)*scores.stride])
	})
	for i := range n {
		for j := range i {
			m[i*n+j] = m[j*n+i]
		}
	}
	inverse := s.factor.inverse()
	return product(product(inverse, m, n), inverse, n)
}

// groupScores returns the scores s_g as a design without outcomes, one row a
// group, so that their cross product comes from the same kernel.
func (d *design) groupScores(theta []float64, group []int32, groups int) *design {
	s := &design{rows: groups, cols: d.cols, stride: d.stride, workers: d.workers}
	s.x = make([]float64, groups*d.stride)
	packed := make([]float64, d.stride)
	copy(packed, theta)
	z := make([]float64, d.rows)
	predict1(z, d.x, packed, d.rows, d.stride)
	for i, zi := range z {
		e := float64(d.w[i] * (predict.Sigmoid(zi) - d.y[i]))
		g := s.x[int(group[i])*d.stride:]
		for j, v := range d.x[i*d.stride : i*d.stride+d.cols] {
			g[j] += float64(e * v)
		}
	}
	return s
}

// groupedMean returns the weighted mean of d and its standard error, rows of one
// group being one draw; weighted holds w_i d_i. Both are 0 where there is no row.
//
//	d̄ = Σ_i w_i d_i / Σ_i w_i,   SE² = Σ_g (Σ_{i in g} w_i (d_i − d̄))² / (Σ_i w_i)²
func groupedMean(weighted, w []float64, group []int32) (mean, se float64) {
	if len(w) == 0 {
		return 0, 0
	}
	n := int(slices.Max(group)) + 1
	sums, weights := make([]float64, n), make([]float64, n)
	total := 0.0
	for i, g := range group {
		sums[g] += weighted[i]
		weights[g] += w[i]
		total += w[i]
	}
	for _, s := range sums {
		mean += s
	}
	mean /= total
	for g := range sums {
		d := sums[g] - float64(mean*weights[g])
		se += float64(d * d)
	}
	return mean, math.Sqrt(se) / total
}

// groupsOf numbers the groups of the rows in order of appearance.
func groupsOf(rows []features.Row) (group []int32, groups int) {
	number := make(map[string]int32)
	group = make([]int32, len(rows))
	for i := range rows {
		g, ok := number[rows[i].Group]
		if !ok {
			g = int32(len(number))
			number[rows[i].Group] = g
		}
		group[i] = g
	}
	return group, len(number)
}

// product returns the n×n product A B of row-major matrices.
func product(a, b []float64, n int) []float64 {
	c := make([]float64, n*n)
	for i := range n {
		ci := c[i*n : (i+1)*n]
		for k := range n {
			aik := a[i*n+k]
			for j, bkj := range b[k*n : (k+1)*n] {
				ci[j] += float64(aik * bkj)
			}
		}
	}
	return c
}

// contrastError returns √(c'Vc) for a contrast c that begins at column at of
// the n×n matrix V and is zero elsewhere.
func contrastError(v []float64, n, at int, c []float64) float64 {
	sum := 0.0
	for i, ci := range c {
		for j, cj := range c {
			sum += float64(ci * cj * v[(at+i)*n+at+j])
		}
	}
	return math.Sqrt(max(sum, 0))
}
