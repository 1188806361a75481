// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
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
	// Project, Data, Version, DataFindings and Leaks are copied into the report.
	Project, Data, Version string
	DataFindings           []data.Finding
	Leaks                  *Leaks
}

func (o *Options) validate() error {
	switch {
	case o.Folds < 0 || o.Folds == 1:
		return fmt.Errorf("%d folds: must be 2 or more", o.Folds)
	case o.Bootstrap < 0 || o.Bootstrap == 1:
		return fmt.Errorf("%d bootstrap resamples: must be 2 or more", o.Bootstrap)
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
		Timezone: o.Origins.location().String(),
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
			return fmt.Errorf("row %d of the frame (account %q): weight %v: must be above 0", i+1,
				f.Rows[i].Account, w)
		}
	}
	return nil
}

// A prediction is what one candidate said of the test rows of one origin, or
// why it did not.
type prediction struct {
	p   []float64
	err error
}

// predictAll returns the predictions of every candidate at every origin,
// indexed [origin][candidate]. Each worker takes the next origin and fills its
// row, so that nothing depends on who did what.
func predictAll(ctx context.Context, f *features.Frame, origins []Origin, candidates []Candidate,
	o *Options) ([][]prediction, error) {
	predictions := make([][]prediction, len(origins))
	var progress sync.Mutex
	done := 0
	report := func(what string) {
		progress.Lock()
		defer progress.Unlock()
		if done++; o.Progress != nil {
			o.Progress(done, len(origins)*len(candidates), what)
		}
	}
	next := make(chan int, len(origins))
	for i := range origins {
		next <- i
	}
	close(next)
	var workers sync.WaitGroup
	for range min(max(o.Workers, 1), len(origins)) {
		workers.Go(func() {
			for i := range next {
				predictions[i] = predictOrigin(ctx, f, &origins[i], candidates, report)
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("backtest stopped: %w", err)
	}
	return predictions, nil
}

// predictOrigin fits the candidates one after the other, on one copy of the
// training rows.
func predictOrigin(ctx context.Context, f *features.Frame, origin *Origin, candidates []Candidate,
	report func(what string)) []prediction {
	predictions := make([]prediction, len(candidates))
	if ctx.Err() != nil {
		return predictions
	}
	train, test := f.Select(origin.Train), blindfold(f.Select(origin.Test))
	for c := range candidates {
		if ctx.Err() == nil {
			predictions[c].p, predictions[c].err = fitAndPredict(ctx, &candidates[c], train, test)
			report(origin.Name + " " + candidates[c].Name)
		}
	}
	return predictions
}

// blindfold takes out of test rows what was not known at their snapshots, so
// that a candidate cannot look even by mistake.
func blindfold(f *features.Frame) *features.Frame {
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Y, r.Mature, r.Value = features.Unknown, features.Never, math.NaN()
		r.Kept, r.Involuntary = math.NaN(), false
	}
	return f
}

// fitAndPredict returns one valid probability per test row, or the reason why
// there is none. A panic of the candidate is such a reason.
func fitAndPredict(ctx context.Context, c *Candidate, train, test *features.Frame) (p []float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("panic: %v", r)
		}
	}()
	predictor, err := c.Fit(ctx, train)
	if err != nil {
		return nil, err
	}
	if predictor == nil {
		return nil, errors.New("the fit returned neither a predictor nor an error")
	}
	if p, err = predictor.Prob(nil, test); err != nil {
		return nil, err
	}
	if len(p) != len(test.Rows) {
		return nil, fmt.Errorf("%d probabilities for %d rows", len(p), len(test.Rows))
	}
	for i := range p {
		if !(p[i] >= 0 && p[i] <= 1) { // also refuses NaN
			return nil, fmt.Errorf("p = %v for account %q: must lie between 0 and 1", p[i],
				test.Rows[i].Account)
		}
	}
	return p, nil
}
