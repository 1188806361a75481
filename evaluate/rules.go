// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// The names of the simple rules that a model should beat.
const (
	SegmentBaseRateName = "segment_base_rate"
	OneFeatureName      = "one_feature"
)

// rulePrior is the weight of the mean rate in the rate of a segment or a bin: as
// much as ten renewals.
const rulePrior = 10

// SegmentBaseRate returns the candidate that predicts the weighted churn rate of
// the row's segment among the training rows, shrunk to the mean m by ten rows:
//
//	p = (Σ w y + 10 m) / (Σ w + 10)
//
// A segment that was not seen has m.
func SegmentBaseRate() Candidate {
	return Candidate{
		Name: SegmentBaseRateName,
		Note: "the churn rate of the account's segment in training, shrunk to the mean by 10 renewals",
		Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
			if len(f.Rows) == 0 {
				return nil, errors.New("no training rows")
			}
			var t cellRates
			number := map[string]int{}
			for i := range f.Rows {
				r := &f.Rows[i]
				k, ok := number[r.Segment]
				if !ok {
					k = len(number)
					number[r.Segment] = k
				}
				t.add(k, r)
			}
			rates, mean := t.rates()
			return rowRule(func(f *features.Frame) (func(int) float64, error) {
				return func(i int) float64 {
					if k, ok := number[f.Rows[i].Segment]; ok {
						return rates[k]
					}
					return mean
				}, nil
			}), nil
		},
	}
}

// A rowRule is a Predictor that looks at one row at a time.
type rowRule func(*features.Frame) (func(row int) float64, error)

// Prob implements Predictor.
func (r rowRule) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	p, err := r(f)
	if err != nil {
		return nil, err
	}
	if dst == nil {
		dst = make([]float64, len(f.Rows))
	}
	if len(dst) != len(f.Rows) {
		panic("evaluate: dst has the wrong length")
	}
	for i := range dst {
		dst[i] = p(i)
	}
	return dst, nil
}

// cellRates adds up weights and churn by cell.
type cellRates struct {
	w, wy []float64
}

func (c *cellRates) add(cell int, r *features.Row) {
	for len(c.w) <= cell {
		c.w, c.wy = append(c.w, 0), append(c.wy, 0)
	}
	c.w[cell] += r.Weight
	c.wy[cell] += float64(r.Weight * float64(r.Y))
}

// rates returns the shrunken rate of each cell, and the mean.
func (c *cellRates) rates() (rates []float64, mean float64) {
	mean = sum(c.wy) / sum(c.w)
	for k := range c.w {
		rates = append(rates, (c.wy[k]+float64(rulePrior*mean))/(c.w[k]+rulePrior))
	}
	return rates, mean
}

// OneFeature returns the candidate that looks at one feature alone: the one
// whose rule has the lowest log loss when each half of the training groups is
// predicted by a rule made from the other. A rule is the churn rate of a fifth
// of the values (numbers), or of a level, shrunk to the mean by ten rows.
func OneFeature() Candidate {
	return Candidate{
		Name: OneFeatureName,
		Note: "the churn rate in five bins of the one feature that predicts best, chosen anew at each origin",
		Fit: func(ctx context.Context, f *features.Frame) (Predictor, error) {
			var halves [2][]int
			for i := range f.Rows {
				h := foldOf(0, groupOf(&f.Rows[i]), 2)
				halves[h] = append(halves[h], i)
			}
			if len(halves[0]) == 0 || len(halves[1]) == 0 {
				return nil, errors.New("all training rows belong to one account")
			}
			best, least := -1, math.Inf(1)
			for k := range f.Columns {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				loss := 0.0
				for h := range halves {
					loss += newFeatureRule(f, k, halves[h]).loss(f, halves[1-h])
				}
				if loss < least {
					best, least = k, loss
				}
			}
			if best < 0 {
				return nil, errors.New("there are no features")
			}
			return newFeatureRule(f, best, append(halves[0], halves[1]...)), nil
		},
	}
}

// A featureRule predicts from one column.
type featureRule struct {
	name  string
	cuts  []float64      // of a number
	level map[string]int // cells of levels
	rates []float64      // of the cells; the first is that of missing values
	mean  float64
}

// ruleBins is how many bins a number is cut into.
const ruleBins = 5

func newFeatureRule(f *features.Frame, column int, rows []int) *featureRule {
	c := &f.Columns[column]
	r := &featureRule{name: c.Feature.Name}
	if c.IsLevel() {
		r.level = map[string]int{}
		for k, level := range c.Levels {
			r.level[level] = k + 1
		}
	} else {
		r.cuts = quantileCuts(c.Num, rows)
	}
	var t cellRates
	cell := r.cells(c)
	for _, i := range rows {
		t.add(cell(i), &f.Rows[i])
	}
	r.rates, r.mean = t.rates()
	return r
}

// quantileCuts returns the values at which the rows' numbers are cut into fifths.
func quantileCuts(x []float64, rows []int) []float64 {
	var known []float64
	for _, i := range rows {
		if !math.IsNaN(x[i]) {
			known = append(known, x[i])
		}
	}
	slices.Sort(known)
	var cuts []float64
	for k := 1; k < ruleBins && len(known) > 0; k++ {
		if cut := known[k*len(known)/ruleBins]; cut > known[0] {
			cuts = append(cuts, cut)
		}
	}
	return slices.Compact(cuts)
}

// cells returns the cell of each row of a column; 0 is missing.
func (r *featureRule) cells(c *features.Column) func(row int) int {
	if !c.IsLevel() {
		return func(i int) int {
			if math.IsNaN(c.Num[i]) {
				return 0
			}
			k, found := slices.BinarySearch(r.cuts, c.Num[i])
			if found {
				k++
			}
			return k + 1
		}
	}
	to := make([]int, len(c.Levels)+1)
	for k, level := range c.Levels {
		to[k+1] = len(r.rates) // a level that was not seen has the mean
		if cell, ok := r.level[level]; ok {
			to[k+1] = cell
		}
	}
	return func(i int) int { return to[c.Codes[i]+1] }
}

func (r *featureRule) p(cell int) float64 {
	if cell < len(r.rates) {
		return r.rates[cell]
	}
	return r.mean
}

func (r *featureRule) loss(f *features.Frame, rows []int) float64 {
	cell := r.cells(f.Column(r.name))
	var loss float64
	for _, i := range rows {
		row := &f.Rows[i]
		loss += float64(row.Weight * logLossOf(r.p(cell(i)), float64(row.Y)))
	}
	return loss
}

// Prob implements Predictor.
func (r *featureRule) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	c := f.Column(r.name)
	if c == nil || c.IsLevel() != (r.level != nil) {
		return nil, fmt.Errorf("no column %q in the frame to predict", r.name)
	}
	cell := r.cells(c)
	return rowRule(func(*features.Frame) (func(int) float64, error) {
		return func(i int) float64 { return r.p(cell(i)) }, nil
	}).Prob(dst, f)
}
