// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Options configures Backtest and CrossValidate. The zero value is ready to use.
type Options struct {
	// Origins chooses the origins of Backtest; its Location also decides which
	// calendar days stand in reports and predictions.
	Origins OriginOptions
	// Folds is the number of folds of CrossValidate, 2 or more. Zero means 5.
	Folds int
	// Seed fixes the folds and the bootstrap.
	Seed uint64
	// Bootstrap is the number of resamples behind every interval. Zero means 1,000.
	Bootstrap int
	// Workers is how many origins are fitted side by side, each with its own
	// copy of its training rows. Zero means 1. The results do not depend on it.
	Workers int
	// Progress, if set, is told after each fit how many of the total are done
	// and what the last one was. Calls never overlap.
	Progress func(done, total int, what string)
	// Capacity is the share of renewals that a team can work on, in (0, 1]. Zero
	// means a tenth.
	Capacity float64
	// Score holds the tiers of the health scale. Its base is the observed rate.
	// The zero value has the usual bounds.
	Score predict.Score
	// MaxMemory bounds, in bytes, the copies of training and test rows that
	// workers hold side by side. Zero means no bound; one origin is always held.
	MaxMemory int64
	// Finished keeps what origins came to, so that a backtest that is stopped can
	// go on. Nil keeps nothing.
	Finished Finished
	// Build tells programs of one Version apart in what Finished keeps.
	Build string
	// Project, Data, Version, DataFindings, Leaks and Curves are copied into the report.
	Project, Data, Version string
	DataFindings           []data.Finding
	Leaks                  *Leaks
	Curves                 []Curve
}

func (o *Options) validate() error {
	switch {
	case o.Folds < 0 || o.Folds == 1:
		return fmt.Errorf("%d folds: must be 2 or more", o.Folds)
	case o.Bootstrap < 0 || o.Bootstrap == 1:
		return fmt.Errorf("%d bootstrap resamples: must be 2 or more", o.Bootstrap)
	case !(o.Capacity >= 0 && o.Capacity <= 1):
		return fmt.Errorf("capacity %v: must lie above 0 and be at most 1", o.Capacity)
	case o.Workers < 0:
		return fmt.Errorf("%d workers: must be 1 or more", o.Workers)
	}
	return nil
}

func (o *Options) replicates() int {
	if o.Bootstrap == 0 {
		return defaultReplicates
	}
	return o.Bootstrap
}

func (o *Options) capacity() float64 {
	if o.Capacity == 0 {
		return defaultCapacity
	}
	return o.Capacity
}

// Backtest refits every candidate at every origin of o.Origins on the rows
// that could train there, lets it predict the test rows, and reports what came
// of it; see Origins for which rows those are. The base rate is added at the
// end if it is not among the candidates. The first candidate that is not the
// base rate is the subject of the verdict.
//
// A candidate that fails or panics at an origin is reported with the reason
// and gets no pooled figures, because its rows are no longer those of the
// others. (A panic in a goroutine of its own ends the program; Go lets nobody
// recover it.) Errors are: bad options, a row weight that is not above 0, no
// usable origin (*NoOriginsError) and a cancelled context.
func Backtest(ctx context.Context, f *features.Frame, candidates []Candidate, o Options) (*Result, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	origins, err := Origins(f, o.Origins)
	if err != nil {
		return nil, err
	}
	return evaluate(ctx, f, origins, candidates, &o, Design{
		Kind: RollingOrigins, Months: o.Origins.months(), EmbargoDays: o.Origins.EmbargoDays,
		Timezone: o.Origins.location().String(), WindowMonths: o.Origins.Window,
	})
}

// evaluate is what the two designs share: fit, predict, report.
func evaluate(ctx context.Context, f *features.Frame, origins []Origin, candidates []Candidate, o *Options,
	design Design) (*Result, error) {
	candidates, err := withBaseRate(candidates)
	if err != nil {
		return nil, err
	}
	if err := checkWeights(f); err != nil {
		return nil, err
	}
	var tested []Origin
	for i := range origins {
		if origins[i].Skipped == "" {
			tested = append(tested, origins[i])
		}
	}
	predictions, err := predictAll(ctx, f, tested, candidates, o)
	if err != nil {
		return nil, err
	}
	return newResult(f, origins, tested, candidates, predictions, o, design), nil
}

func checkWeights(f *features.Frame) error {
	for i := range f.Rows {
		if w := f.Rows[i].Weight; !(w > 0) || math.IsInf(w, 1) {
			return fmt.Errorf("row %d of the frame: weight %v: must be above 0", i+1, w)
		}
	}
	return nil
}
