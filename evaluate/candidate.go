// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

// A Predictor gives each row of a frame a probability of churn.
type Predictor interface {
	// Prob returns one p in [0, 1] per row of f. They are stored in dst, which
	// must be as long as f has rows; a nil dst is made. f must not be changed.
	Prob(dst []float64, f *features.Frame) ([]float64, error)
}

// A Candidate is a way of fitting that a backtest compares. Fit is called once
// at every origin, for several origins at a time, with the rows that may train
// there; it must not change the frame.
type Candidate struct {
	Name string
	Note string // what a reader of its figures must know, such as a cap on rows; may be empty
	Fit  func(ctx context.Context, f *features.Frame) (Predictor, error)
	// Frame holds the rows of the backtest's frame under another spec, row by
	// row; nil is the backtest's own.
	Frame *features.Frame
	// From is the instant before which the candidate is not asked, such as the
	// as-of of a model that was fitted once. Zero is always.
	From time.Time
	// Key tells candidates of one name apart whose fits differ, in what is kept of
	// a backtest that was stopped: a digest of their options. It may be empty.
	Key string
}

// ChampionName is the name of the candidate that is the published model, frozen.
const ChampionName = "champion"

// BaseRateName is the name of the candidate that every other is compared to.
const BaseRateName = "base_rate"

// BaseRate returns the candidate that predicts the weighted churn rate of the
// training rows, Σᵢ wᵢ yᵢ / Σᵢ wᵢ, for every row.
func BaseRate() Candidate {
	return Candidate{
		Name: BaseRateName,
		Note: "the churn rate of the training rows, for every account",
		Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
			if len(f.Rows) == 0 {
				return nil, errors.New("no training rows")
			}
			all := make([]int, len(f.Rows))
			for i := range all {
				all[i] = i
			}
			return baseRate(churnRate(f.Rows, all)), nil
		},
	}
}

// A baseRate predicts itself.
type baseRate float64

// Prob implements Predictor.
func (r baseRate) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	same := rowRule(func(*features.Frame) (func(int) float64, error) {
		return func(int) float64 { return float64(r) }, nil
	})
	return same.Prob(dst, f)
}

// churnRate returns the weighted churn rate of the given rows, whose outcomes
// must be known; NaN without rows.
func churnRate(all []features.Row, rows []int) float64 {
	var churned, total float64
	for _, i := range rows {
		r := &all[i]
		churned += float64(r.Weight * float64(r.Y))
		total += r.Weight
	}
	return churned / total
}

// withBaseRate checks the candidates and returns them with the base rate at
// the end, unless it is among them already.
func withBaseRate(candidates []Candidate) ([]Candidate, error) {
	seen := map[string]bool{}
	for _, c := range candidates {
		if c.Name == "" || c.Fit == nil {
			return nil, errors.New("a candidate needs a name and a Fit function")
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("two candidates are named %q: names tell rows apart and must differ",
				c.Name)
		}
		seen[c.Name] = true
	}
	if seen[BaseRateName] {
		return candidates, nil
	}
	return append(candidates[:len(candidates):len(candidates)], BaseRate()), nil
}
