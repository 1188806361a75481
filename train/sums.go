// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Rows are the rows of a training set that need not fit in memory, cut into
// shards. All rows of one group are in one shard.
type Rows interface {
	// Shards returns their number. It must depend on the rows alone: sums are
	// taken by shard and added in their order.
	Shards() int
	// Shard hands the rows of one shard to work in blocks, each time the same
	// ones in the same order. Shards may be read side by side.
	Shard(k int, work func(*features.Frame) error) error
}

// A Task asks for sums over rows at weights Theta of the raw columns of Logit,
// whose own weights are not looked at. A fit is a handful of tasks one after
// another, so that shards may lie on other machines: each worker computes
// Sum of its shards, and the sums are added in the shards' order.
type Task struct {
	Logit   *predict.Logit `json:"logit"`
	Theta   []float64      `json:"theta"`
	Hessian bool           `json:"hessian"` // X'WX too
	Scores  bool           `json:"scores"`  // M and the columns' sums too
	// Part is the share of the shards to sum, the first ones: since groups fall
	// into shards by chance, a random part of the rows. 0 means all.
	Part float64 `json:"part,omitempty"`
}

// Sums are the answer to a Task over some rows:
//
//	Loss     = Σ_i w_i [softplus(z_i) − y_i z_i],   z = X θ
//	Gradient = Σ_i w_i (p_i − y_i) x_i
//	Hessian  = Σ_i w_i p_i (1 − p_i) x_i x_i'
//	Scores   = Σ_g s_g s_g',   s_g = Σ_{i in g} w_i (p_i − y_i) x_i
//	Columns  = Σ_i w_i x_i
//
// Matrices are cols×cols, row-major, with the upper triangle set; they are nil
// where not asked for.
type Sums struct {
	Rows     int       `json:"rows"`
	Weight   float64   `json:"weight"` // Σ w
	Churn    float64   `json:"churn"`  // Σ w y
	Loss     float64   `json:"loss"`
	Gradient []float64 `json:"gradient"`
	Hessian  []float64 `json:"hessian,omitempty"`
	Scores   []float64 `json:"scores,omitempty"`
	Columns  []float64 `json:"columns,omitempty"`
}

// Add adds the sums over other rows.
func (s *Sums) Add(o *Sums) {
	s.Rows += o.Rows
	s.Weight += o.Weight
	s.Churn += o.Churn
	s.Loss += o.Loss
	s.Gradient = added(s.Gradient, o.Gradient)
	s.Hessian = added(s.Hessian, o.Hessian)
	s.Scores = added(s.Scores, o.Scores)
	s.Columns = added(s.Columns, o.Columns)
}

func added(sum, v []float64) []float64 {
	if sum == nil {
		return slices.Clone(v)
	}
	for j := range v {
		sum[j] += v[j]
	}
	return sum
}

// errTask says that a task's weights are not of its columns.
var errTask = errors.New("train: a task whose weights are not as many as its columns")

// Sum returns the sums over one shard.
func (t *Task) Sum(rows Rows, shard int) (*Sums, error) {
	n := t.Logit.Columns()
	if len(t.Theta) != n {
		return nil, errTask
	}
	sums := &Sums{Gradient: make([]float64, n)}
	var groups *groupSums
	if t.Scores {
		groups = newGroupSums(n)
		sums.Columns = make([]float64, n)
		if err := rows.Shard(shard, groups.count); err != nil {
			return nil, err
		}
	}
	err := rows.Shard(shard, func(f *features.Frame) error {
		if err := checkValues(f); err != nil {
			return err
		}
		in, err := newRawInput(t.Logit, f)
		if err != nil {
			return err
		}
		sums.addBlock(t, in.matrix(), f, groups)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if groups != nil {
		sums.Scores = added(groups.scores, groups.products())
	}
	return sums, nil
}

// addBlock adds one block of rows.
func (s *Sums) addBlock(t *Task, m *matrix, f *features.Frame, groups *groupSums) {
	s.Rows += m.rows
	s.Weight += m.total
	for i, w := range m.w {
		s.Churn += float64(w * m.y[i])
	}
	grad := make([]float64, m.cols)
	s.Loss += m.logLoss(grad, t.Theta, noFold)
	s.Gradient = added(s.Gradient, grad)
	var d *design // for squares alone: to lay out the zeros takes longer than a gradient
	if t.Hessian || t.Scores {
		d = m.withZeros()
	}
	switch {
	case t.Hessian && d != nil:
		s.Hessian = added(s.Hessian, d.hessian(t.Theta, d.chunks, 1, 0))
	case t.Hessian:
		s.Hessian = added(s.Hessian, m.hessian(t.Theta, noFold))
	}
	if groups == nil {
		return
	}
	for i, w := range m.w {
		for e := m.start[i]; e < m.start[i+1]; e++ {
			s.Columns[m.col[e]] += float64(w * m.val[e])
		}
	}
	groups.add(m, d, f, t.Theta)
}

// denseShare is the share of entries from which a matrix is summed with zeros and
// all, by kernels for whole rows.
const denseShare = 0.3

// withZeros returns the matrix with its zeros, or nil where they are many.
func (m *matrix) withZeros() *design {
	if float64(len(m.col)) < denseShare*float64(m.rows)*float64(m.cols) {
		return nil
	}
	d := &design{rows: m.rows, cols: m.cols, stride: (m.cols + strideUnit - 1) / strideUnit * strideUnit,
		y: m.y, w: m.w, total: m.total, workers: m.workers, chunks: chunksOf([]int{0, m.rows})}
	d.x = make([]float64, d.rows*d.stride)
	for i := range m.rows {
		row := d.x[i*d.stride : (i+1)*d.stride]
		for e := m.start[i]; e < m.start[i+1]; e++ {
			row[m.col[e]] = m.val[e]
		}
	}
	return d
}

// groupSums sums scores s_g by group within a shard. A group of one row gives
// (w (p − y))² x x' at once; of the others a vector each is held.
type groupSums struct {
	cols   int
	rows   map[string]int // by group
	number map[string]int // of the groups with more rows than one
	scores []float64      // Σ s_g s_g' of the groups with one
	vector []float64      // of the others, one after another
}

func newGroupSums(cols int) *groupSums {
	return &groupSums{cols: cols, rows: make(map[string]int), number: make(map[string]int)}
}

// count counts the rows of each group.
func (g *groupSums) count(f *features.Frame) error {
	for i := range f.Rows {
		g.rows[f.Rows[i].Group]++
	}
	return nil
}

// add adds the scores of a block's rows; d is m with its zeros, or nil.
func (g *groupSums) add(m *matrix, d *design, f *features.Frame, theta []float64) {
	z := make([]float64, m.rows)
	m.logOdds(z, theta, 0, m.rows)
	single := make([]float64, m.rows) // (w (p − y))² of groups with one row
	for i := range z {
		e := float64(m.w[i] * (predict.Sigmoid(z[i]) - m.y[i]))
		group := f.Rows[i].Group
		if g.rows[group] == 1 {
			single[i] = float64(e * e)
			continue
		}
		k, ok := g.number[group]
		if !ok {
			k = len(g.number)
			g.number[group] = k
			g.vector = append(g.vector, make([]float64, g.cols)...)
		}
		s := g.vector[k*g.cols : (k+1)*g.cols]
		for x := m.start[i]; x < m.start[i+1]; x++ {
			s[m.col[x]] += float64(e * m.val[x])
		}
	}
	if d != nil {
		g.scores = added(g.scores, d.crossProducts(d.chunks, 1, 0, func(dst []float64, from, rows int) {
			scaleRows(dst, d.x[from*d.stride:(from+rows)*d.stride], single[from:from+rows], rows, d.stride)
		}))
		return
	}
	if g.scores == nil {
		g.scores = make([]float64, g.cols*g.cols)
	}
	for i, q := range single {
		if q > 0 {
			m.addSquare(g.scores, i, q)
		}
	}
}

// products returns Σ s_g s_g' of the groups with more rows than one.
func (g *groupSums) products() []float64 {
	n := len(g.number)
	d := &design{rows: n, cols: g.cols, stride: (g.cols + strideUnit - 1) / strideUnit * strideUnit, workers: 1}
	d.x = make([]float64, n*d.stride)
	for k := range n {
		copy(d.x[k*d.stride:], g.vector[k*g.cols:(k+1)*g.cols])
	}
	return d.crossProducts(chunksOf([]int{0, n}), 1, 0, func(dst []float64, from, rows int) {
		copy(dst, d.x[from*d.stride:(from+rows)*d.stride])
	})
}

// shards returns how many of n shards a task asks for.
func (t *Task) shards(n int) int {
	if t.Part == 0 {
		return n
	}
	return min(n, int(math.Ceil(t.Part*float64(n))))
}

// A Summer answers a Task over all rows: the sums of the shards, added in their
// order.
type Summer interface {
	Sum(ctx context.Context, t *Task) (*Sums, error)
}

// Local sums the shards of Rows in this process, a few at a time.
type Local struct {
	Rows    Rows
	Workers int // goroutines; zero means GOMAXPROCS
}

// Sum implements Summer. The sums do not depend on the number of workers.
func (l Local) Sum(ctx context.Context, t *Task) (*Sums, error) {
	var all Sums
	n, workers := t.shards(l.Rows.Shards()), l.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for from := 0; from < n; from += workers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		few := min(workers, n-from)
		sums, errs := make([]*Sums, few), make([]error, few)
		parallel(workers, few, func(i int) { sums[i], errs[i] = t.Sum(l.Rows, from+i) })
		for i := range few {
			if errs[i] != nil {
				return nil, fmt.Errorf("shard %d of %d: %w", from+i+1, n, errs[i])
			}
			all.Add(sums[i])
		}
	}
	return &all, nil
}
