// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// Far sums shards that lie on other machines. It takes nothing on trust: each
// shard that has rows must answer once, for all of its rows.
type Far struct {
	Rows []int // of each shard, as counted before
	// Ask has a task done on the first shards shards, and returns the answers of
	// those that have rows, in any order.
	Ask func(ctx context.Context, t *Task, shards int) ([]Answer, error)
}

// An Answer holds the sums over one shard as Sums.MarshalBinary writes them.
type Answer struct {
	Shard int    `json:"shard"`
	Sums  []byte `json:"sums"`
}

// ErrAnswer is wrapped by what Far refuses: an answer that is lost, comes twice, is
// cut off, or is of other rows than there are.
var ErrAnswer = errors.New("answers of workers do not fit together")

// Sum implements Summer. The sums are those of Local to the bit: they are taken by
// the same function over the same rows, and added in the same order.
func (f *Far) Sum(ctx context.Context, t *Task) (*Sums, error) {
	n := t.shards(len(f.Rows))
	answers, err := f.Ask(ctx, t, n)
	if err != nil {
		return nil, err
	}
	of := make([][]byte, n)
	for _, a := range answers {
		switch {
		case a.Shard < 0 || a.Shard >= n:
			return nil, fmt.Errorf("%w: one of shard %d, where those of 0 to %d were asked for", ErrAnswer, a.Shard, n-1)
		case of[a.Shard] != nil:
			return nil, fmt.Errorf("%w: two of shard %d", ErrAnswer, a.Shard)
		}
		of[a.Shard] = a.Sums
	}
	var all Sums
	for k, b := range of {
		sums, err := f.open(t, k, b)
		if err != nil {
			return nil, err
		}
		all.Add(sums)
	}
	return &all, nil
}

// open returns the sums over shard k.
func (f *Far) open(t *Task, k int, answer []byte) (*Sums, error) {
	if f.Rows[k] == 0 && answer == nil {
		return t.Sum(noRows{}, k)
	}
	if answer == nil {
		return nil, fmt.Errorf("%w: none of shard %d, which has %d rows", ErrAnswer, k, f.Rows[k])
	}
	var s Sums
	if err := s.UnmarshalBinary(answer); err != nil {
		return nil, fmt.Errorf("shard %d: %w", k, err)
	}
	switch {
	case s.Rows != f.Rows[k]:
		return nil, fmt.Errorf("%w: one of %d rows of shard %d, which has %d", ErrAnswer, s.Rows, k, f.Rows[k])
	case len(s.Gradient) != len(t.Theta) || (s.Hessian != nil) != t.Hessian || (s.Scores != nil) != t.Scores || (s.Columns != nil) != t.Scores:
		return nil, fmt.Errorf("%w: one of shard %d to another question", ErrAnswer, k)
	}
	return &s, nil
}

// noRows are the rows of an empty shard.
type noRows struct{}

func (noRows) Shards() int                                  { return 1 }
func (noRows) Shard(int, func(*features.Frame) error) error { return nil }

// The flags of a message of sums: which of its parts are there.
const (
	withHessian = 1 << iota
	withScores
	withColumns
)

// MarshalBinary writes sums as the numbers
//
//	n flags rows | weight churn loss | gradient (n) | [hessian] | [scores] | [columns (n)]
//
// of 8 bytes each, little-endian: unsigned integers, then floats. Matrices are
// their upper triangles, row by row, n (n + 1)/2 numbers.
func (s *Sums) MarshalBinary() ([]byte, error) {
	n, flags := len(s.Gradient), uint64(0)
	for i, part := range [][]float64{s.Hessian, s.Scores, s.Columns} {
		if part != nil {
			flags |= 1 << i
		}
	}
	b := make([]byte, 0, messageSize(n, flags))
	for _, v := range []uint64{uint64(n), flags, uint64(s.Rows)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = appendFloats(b, []float64{s.Weight, s.Churn, s.Loss})
	b = appendFloats(b, s.Gradient)
	for _, m := range [][]float64{s.Hessian, s.Scores} {
		for i := 0; i < n && m != nil; i++ {
			b = appendFloats(b, m[i*n+i:(i+1)*n])
		}
	}
	return appendFloats(b, s.Columns), nil
}

// messageSize returns the bytes of a message of n columns.
func messageSize(n int, flags uint64) int {
	size := 6 + n
	for _, flag := range []uint64{withHessian, withScores} {
		if flags&flag != 0 {
			size += n * (n + 1) / 2
		}
	}
	if flags&withColumns != 0 {
		size += n
	}
	return 8 * size
}

func appendFloats(b []byte, values []float64) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// UnmarshalBinary reads what MarshalBinary wrote. Bytes of another length than the
// message says give an error that wraps ErrAnswer.
func (s *Sums) UnmarshalBinary(b []byte) error {
	const mostColumns = 1 << 20 // keeps the size of a message within an int
	le := binary.LittleEndian
	if len(b) < 48 {
		return fmt.Errorf("%w: one of %d bytes, which is cut off", ErrAnswer, len(b))
	}
	n, flags := le.Uint64(b), le.Uint64(b[8:])
	if n > mostColumns || flags >= 2*withColumns || len(b) != messageSize(int(n), flags) {
		return fmt.Errorf("%w: one of %d bytes, which is cut off or no answer", ErrAnswer, len(b))
	}
	s.Rows = int(le.Uint64(b[16:]))
	b = b[24:]
	take := func(dst []float64) {
		for i := range dst {
			dst[i] = math.Float64frombits(le.Uint64(b[8*i:]))
		}
		b = b[8*len(dst):]
	}
	head := make([]float64, 3)
	take(head)
	s.Weight, s.Churn, s.Loss = head[0], head[1], head[2]
	cols := int(n)
	s.Gradient = make([]float64, cols)
	take(s.Gradient)
	triangle := func(flag uint64) []float64 {
		if flags&flag == 0 {
			return nil
		}
		m := make([]float64, cols*cols)
		for i := range cols {
			take(m[i*cols+i : (i+1)*cols])
		}
		return m
	}
	s.Hessian, s.Scores, s.Columns = triangle(withHessian), triangle(withScores), nil
	if flags&withColumns != 0 {
		s.Columns = make([]float64, cols)
		take(s.Columns)
	}
	return nil
}
