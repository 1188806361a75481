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
	if len(t.Theta) != t.Logit.Columns() {
		return nil, errTask
	}
	s := newShardSums(t)
	if t.Scores {
		if err := rows.Shard(shard, s.groups.count); err != nil {
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
		for from := 0; from < len(f.Rows); from += fewest {
			s.add(in, from, min(fewest, len(f.Rows)-from))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.done(), nil
}

// shardSums adds up the rows of one shard, a few at a time.
type shardSums struct {
	few      *fewRows
	sums     *Sums // Gradient and Columns with the padding of few.x
	theta    []float64
	z, y, w  []float64 // by row, as those that follow
	residual []float64 // w (p − y)
	curve    []float64 // w p (1 − p)
	hessian  []float64 // stride×stride; nil where not asked for
	groups   *groupSums
}

func newShardSums(t *Task) *shardSums {
	few := newFewRows(len(t.Theta))
	s := &shardSums{few: few, sums: &Sums{Gradient: make([]float64, few.stride)}, theta: make([]float64, few.stride)}
	copy(s.theta, t.Theta)
	if t.Hessian {
		s.hessian = make([]float64, few.stride*few.stride)
	}
	if t.Scores {
		s.groups = newGroupSums(few)
		s.sums.Columns = make([]float64, few.stride)
	}
	for _, v := range []*[]float64{&s.z, &s.y, &s.w, &s.residual, &s.curve} {
		*v = make([]float64, fewest)
	}
	return s
}

// add adds a few rows.
func (s *shardSums) add(in *rawInput, from, rows int) {
	x, stride := s.few.take(rows), s.few.stride
	in.fill(x, stride, from, rows)
	z, y, w, p, l := s.z[:rows], s.y[:rows], s.w[:rows], s.residual[:rows], s.curve[:rows]
	predict1(z, x, s.theta, rows, stride)
	logistic(p, l, z)
	for r := range rows {
		row := &in.frame.Rows[from+r]
		y[r], w[r] = float64(row.Y), row.Weight
		s.sums.Weight += w[r]
		s.sums.Churn += float64(w[r] * y[r])
		s.sums.Loss += float64(w[r] * rowLoss(l[r], y[r], z[r]))
		s.curve[r] = float64(w[r] * p[r] * (1 - p[r]))
		s.residual[r] = float64(w[r] * (p[r] - y[r]))
	}
	s.sums.Rows += rows
	gradient1(s.sums.Gradient, x, s.residual, rows, stride)
	if s.hessian != nil {
		s.few.addSquares(s.hessian, s.curve[:rows])
	}
	if s.groups != nil {
		gradient1(s.sums.Columns, x, w, rows, stride)
		s.groups.add(in.frame.Rows[from:from+rows], s.residual)
	}
}

// done returns the sums.
func (s *shardSums) done() *Sums {
	out, n := s.sums, s.few.cols
	out.Gradient = out.Gradient[:n]
	if s.hessian != nil {
		out.Hessian = s.few.unpadded(s.hessian)
	}
	if s.groups != nil {
		out.Scores, out.Columns = s.groups.products(), out.Columns[:n]
	}
	return out
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
