// SPDX-License-Identifier: Apache-2.0

package train

import "github.com/holdfast-churn/holdfast/features"

// fewRows are some rows of raw columns with their zeros: kernels for whole rows
// take less time over some hundred columns than the entries alone would.
type fewRows struct {
	cols, stride int
	x, u         []float64 // rows×stride; u is x times a factor a row
}

// fewest is the number of rows that are evaluated at a time. Those of some hundred
// columns stay in the second cache.
const fewest = 64

// denseShare is the share of entries that are not 0 from which squares of rows are
// summed with zeros and all.
const denseShare = 0.2

// newFewRows makes room. Rows begin an odd number of cache lines apart, so that
// the elements of a column do not share a few places in the cache.
func newFewRows(cols int) *fewRows {
	stride := ((cols+strideUnit-1)/strideUnit | 1) * strideUnit
	return &fewRows{cols, stride, make([]float64, fewest*stride), make([]float64, fewest*stride)}
}

// take returns zeros for so many rows.
func (f *fewRows) take(rows int) []float64 {
	x := f.x[:rows*f.stride]
	clear(x)
	return x
}

// addSquares adds Σ_r q_r x_r x_r' to h, stride×stride, upper triangle.
func (f *fewRows) addSquares(h, q []float64) {
	rows, entries := len(q), 0
	x := f.x[:rows*f.stride]
	for _, v := range x {
		if v != 0 {
			entries++
		}
	}
	if float64(entries) >= denseShare*float64(rows*f.cols) {
		scaleRows(f.u, x, q, rows, f.stride)
		crossProduct(h, x, f.u, rows, f.stride)
		return
	}
	var at []int
	for r, qr := range q {
		at = at[:0]
		row := x[r*f.stride : (r+1)*f.stride]
		for j, v := range row {
			if v != 0 {
				at = append(at, j)
			}
		}
		for k, j := range at {
			u := float64(qr * row[j])
			to := h[j*f.stride : (j+1)*f.stride]
			for _, i := range at[k:] {
				to[i] += float64(u * row[i])
			}
		}
	}
}

// unpadded returns the cols×cols matrix whose upper triangle h holds.
func (f *fewRows) unpadded(h []float64) []float64 {
	out := make([]float64, f.cols*f.cols)
	for j := range f.cols {
		copy(out[j*f.cols+j:(j+1)*f.cols], h[j*f.stride+j:])
	}
	return out
}

// groupSums adds up M = Σ_g s_g s_g', s_g = Σ_{i in g} e_i x_i, of residuals e. A
// group of one row gives e² x x' at once; of the others a vector each is held.
type groupSums struct {
	few    *fewRows
	rows   map[string]int // by group
	number map[string]int // of the groups with more rows than one
	scores []float64      // stride×stride
	vector []float64      // of those groups, one after another
}

func newGroupSums(few *fewRows) *groupSums {
	return &groupSums{few: few, rows: make(map[string]int), number: make(map[string]int),
		scores: make([]float64, few.stride*few.stride)}
}

// count counts the rows of each group.
func (g *groupSums) count(f *features.Frame) error {
	for i := range f.Rows {
		g.rows[f.Rows[i].Group]++
	}
	return nil
}

// add adds the few rows, given what they are rows of and their residuals.
func (g *groupSums) add(rows []features.Row, residual []float64) {
	var single [fewest]float64 // e² of groups with one row
	for r := range rows {
		e, group := residual[r], rows[r].Group
		if g.rows[group] > 1 {
			addRows(g.of(group), g.few.x[r*g.few.stride:], residual[r:r+1], g.few.stride)
		} else {
			single[r] = float64(e * e)
		}
	}
	g.few.addSquares(g.scores, single[:len(rows)])
}

// of returns the vector of a group with more rows than one.
func (g *groupSums) of(group string) []float64 {
	n := g.few.stride
	k, ok := g.number[group]
	if !ok {
		k = len(g.number)
		g.number[group] = k
		g.vector = append(g.vector, make([]float64, n)...)
	}
	return g.vector[k*n : (k+1)*n]
}

// products returns M, cols×cols, upper triangle.
func (g *groupSums) products() []float64 {
	for left := g.vector; len(left) > 0; {
		n := min(len(left), fewest*g.few.stride)
		crossProduct(g.scores, left[:n], left[:n], n/g.few.stride, g.few.stride)
		left = left[n:]
	}
	return g.few.unpadded(g.scores)
}
