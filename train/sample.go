// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A sample is the rows of one fit in canonical order: by fold, and by hash
// within it. The order of the frame it came from leaves no trace in a model,
// and the first rows of a fold are a random part of it.
type sample struct {
	frame  *features.Frame
	starts []int // fold k is rows starts[k] … starts[k+1]−1
	total  float64
	churn  float64 // Σ w y; both count renewals, since a renewal's weights sum to 1
	told   beliefs
	part   bool // of the rows that a fit is of
}

// newSample checks the rows of a frame and puts them in order, in folds by group.
func newSample(f *features.Frame, seed uint64, folds int) (*sample, error) {
	return newSampleBy(f, seed, folds, func(row int) int { return foldOf(seed, f.Rows[row].Group, folds) })
}

// newSampleBy is newSample with the fold of each row.
func newSampleBy(f *features.Frame, seed uint64, folds int, fold func(row int) int) (*sample, error) {
	if err := checkRows(f); err != nil {
		return nil, err
	}
	type place struct {
		fold, row int
		hash      uint64
	}
	places := make([]place, len(f.Rows))
	for i := range f.Rows {
		r := &f.Rows[i]
		places[i] = place{fold(i), i, rowHash(seed, r)}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.fold, b.fold), cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row))
	})
	rows := make([]int, len(places))
	starts := make([]int, folds+1)
	for i, p := range places {
		rows[i] = p.row
		starts[p.fold+1] = i + 1
	}
	for k := range folds { // empty folds
		starts[k+1] = max(starts[k+1], starts[k])
	}
	return newOrdered(f.Select(rows), starts), nil
}

// newOrdered counts the renewals of rows that are in order already.
func newOrdered(f *features.Frame, starts []int) *sample {
	s := &sample{frame: f, starts: starts}
	for i := range f.Rows {
		r := &f.Rows[i]
		s.total += r.Weight
		s.churn += float64(r.Weight * float64(r.Y))
	}
	return s
}

// weights returns the rows' weights.
func (s *sample) weights() []float64 {
	w := make([]float64, len(s.frame.Rows))
	for i := range w {
		w[i] = s.frame.Rows[i].Weight
	}
	return w
}

// sub returns the sample of the given rows, which must ascend, without beliefs.
func (s *sample) sub(rows []int) *sample {
	starts := make([]int, len(s.starts))
	for k, start := range s.starts {
		starts[k], _ = slices.BinarySearch(rows, start)
	}
	return newOrdered(s.frame.Select(rows), starts)
}

// folds returns the number of folds, empty ones included.
func (s *sample) folds() int { return len(s.starts) - 1 }

// foldOf returns the fold of a group, hash(seed, group) mod k: the first eight
// bytes of SHA-256 over the seed and the group's name. It depends on nothing
// else, so that a group keeps its fold when rows come, go or move.
func foldOf(seed uint64, group string, k int) int {
	return int(hash(seed, group) % uint64(k))
}

// foldsByTime returns the fold of each row when time is cut into stretches of about
// equal weight by the date that rows are due. All snapshots of a renewal share
// their date and so their fold; an account with renewals in two stretches is in
// two folds, and the fit without a stretch knows what came after it.
func foldsByTime(f *features.Frame, folds int) func(row int) int {
	times := make([]weighted, len(f.Rows))
	for i := range f.Rows {
		// Differences of some decades are exact to a microsecond as float64.
		times[i] = weighted{float64(f.Rows[i].Due - f.Rows[0].Due), f.Rows[i].Weight}
	}
	var edges []float64
	for k := 1; k < folds; k++ {
		edges = append(edges, quantile(slices.Clone(times), float64(k)/float64(folds)))
	}
	return func(row int) int {
		k, _ := slices.BinarySearch(edges, times[row].x)
		return k
	}
}

// rowHash orders the rows inside a fold. Rows that it cannot tell apart keep
// the order in which they came.
func rowHash(seed uint64, r *features.Row) uint64 {
	return hash(seed, fmt.Sprintf("%q %q %q %d %d", r.Group, r.Account, r.Contract, r.Snapshot, r.LeadDays))
}

func hash(seed uint64, text string) uint64 {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 256), seed)
	sum := sha256.Sum256(append(b, text...))
	return binary.BigEndian.Uint64(sum[:])
}

// checkRows refuses what checkValues does, and samples with one outcome only.
func checkRows(f *features.Frame) error {
	if err := checkValues(f); err != nil {
		return err
	}
	total, churn := 0.0, 0.0
	for i := range f.Rows {
		total += f.Rows[i].Weight
		churn += f.Rows[i].Weight * float64(f.Rows[i].Y)
	}
	if churn == 0 || churn == total {
		return fmt.Errorf("%w: %.0f churned of %.0f", ErrOneClass, churn, total)
	}
	return nil
}

// checkValues refuses rows without a known outcome, weights that are no weights,
// and infinite numbers.
func checkValues(f *features.Frame) error {
	for i := range f.Rows {
		r := &f.Rows[i]
		problem := ""
		switch {
		case r.Y != 0 && r.Y != 1:
			problem = fmt.Sprintf("outcome %d: must be 0 or 1; rows whose outcome is not mature cannot train", r.Y)
		case !(r.Weight > 0) || math.IsInf(r.Weight, 1):
			problem = fmt.Sprintf("weight %v: must be a positive number", r.Weight)
		}
		if problem != "" {
			return &RowError{Row: i, Problem: problem}
		}
	}
	for k := range f.Columns {
		for i, x := range f.Columns[k].Num {
			if math.IsInf(x, 0) {
				name := f.Columns[k].Feature.Name
				return &RowError{Row: i, Problem: fmt.Sprintf("feature %q is %v: must be a number or missing", name, x)}
			}
		}
	}
	return nil
}
