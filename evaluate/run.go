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

// A prediction is what one candidate said of the test rows of one origin, or
// why it did not.
type prediction struct {
	p     []float64
	older []float64 // what its fit at the tested origin before says of them; nil where there is none
	err   error
}

// A run predicts every origin by every candidate.
type run struct {
	f          *features.Frame
	origins    []Origin
	candidates []Candidate
	o          *Options

	mu    sync.Mutex
	done  int
	out   [][]prediction // by origin and candidate
	older [][][]float64
}

// predictAll returns the predictions of every candidate at every origin,
// indexed [origin][candidate]. Each worker takes the next origin and fills its
// row, so that nothing depends on who did what. Origins that an earlier run
// finished are taken from it.
func predictAll(ctx context.Context, f *features.Frame, origins []Origin, candidates []Candidate,
	o *Options) ([][]prediction, error) {
	r := &run{f: f, origins: origins, candidates: candidates, o: o,
		out: make([][]prediction, len(origins)), older: make([][][]float64, len(origins)+1)}
	next := make(chan int, len(origins))
	for i := range origins {
		next <- i
	}
	close(next)
	errs := make([]error, len(origins))
	var workers sync.WaitGroup
	for range r.workers() {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() == nil {
					errs[i] = data.Caught(func() error { return r.origin(ctx, i) })
				}
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("backtest stopped: %w", err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i := range origins {
		for c := range candidates {
			if r.older[i] != nil {
				r.out[i][c].older = r.older[i][c]
			}
		}
	}
	return r.out, nil
}

// workers is how many origins may be held side by side: so many that their
// copies of rows, and the columns a fit makes of each, stay within the memory.
func (r *run) workers() int {
	n := min(max(r.o.Workers, 1), len(r.origins))
	if r.o.MaxMemory == 0 {
		return n
	}
	var most int64
	for i := range r.origins {
		most = max(most, r.bytes(i))
	}
	return int(min(int64(n), max(1, r.o.MaxMemory/max(most, 1))))
}

// fitCopies is how many values of 8 bytes a fit holds for each of a training
// row's features: its own copy, and what its basis columns take.
const fitCopies = 4

func (r *run) bytes(i int) int64 {
	o := &r.origins[i]
	perRow := int64(200 + 8*fitCopies*len(r.f.Columns))
	return int64(len(o.Train)+len(o.Test)) * perRow
}

// origin predicts one origin, but for what an earlier run made of it.
func (r *run) origin(ctx context.Context, i int) error {
	predictions, older := make([]prediction, len(r.candidates)), make([][]float64, len(r.candidates))
	key := ""
	if r.o.Finished != nil {
		key = r.key(i)
		kept, err := r.o.Finished.Load(key)
		if err != nil {
			return err
		}
		r.restore(i, kept, predictions, older)
	}
	fitted := r.predictOrigin(ctx, i, predictions, older)
	if ctx.Err() != nil {
		return nil
	}
	r.out[i], r.older[i+1] = predictions, older
	if r.o.Finished == nil || fitted == 0 {
		return nil
	}
	return r.o.Finished.Save(key, keep(predictions, older))
}

// report tells progress.
func (r *run) report(what string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done += n; r.o.Progress != nil {
		r.o.Progress(r.done, len(r.origins)*len(r.candidates), what)
	}
}

// predictOrigin fits the candidates without predictions one after the other, on
// one copy of the training rows of each frame, and lets them predict the test
// rows of the origin and of the one after it. It returns how many it fitted.
func (r *run) predictOrigin(ctx context.Context, i int, predictions []prediction, next [][]float64) (fitted int) {
	o := &r.origins[i]
	var from, train, test, later *features.Frame
	for c := range r.candidates {
		if ctx.Err() != nil {
			return fitted
		}
		candidate := &r.candidates[c]
		if predictions[c].p != nil {
			r.report(o.Name+" "+candidate.Name+", from before", 1)
			continue
		}
		if !candidate.From.IsZero() && o.At.Before(candidate.From) {
			predictions[c].err = errNotAsked
			r.report(o.Name+" "+candidate.Name, 1)
			continue
		}
		frame := r.f
		if candidate.Frame != nil {
			frame = candidate.Frame
		}
		if frame != from {
			from, train, test, later = frame, frame.Select(o.Train), blindfold(frame.Select(o.Test)), nil
			if i+1 < len(r.origins) && !o.At.IsZero() {
				later = blindfold(frame.Select(r.origins[i+1].Test))
			}
		}
		predictions[c].p, next[c], predictions[c].err = fitAndPredict(ctx, candidate, train, test, later)
		fitted++
		r.report(o.Name+" "+candidate.Name, 1)
	}
	return fitted
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
// there is none, and what the same fit says of later rows, nil where it fails
// there. A panic of the candidate is such a reason.
func fitAndPredict(ctx context.Context, c *Candidate, train, test, later *features.Frame) (p, next []float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, next, err = nil, nil, fmt.Errorf("panic: %v", r)
		}
	}()
	predictor, err := c.Fit(ctx, train)
	if err != nil {
		return nil, nil, err
	}
	if predictor == nil {
		return nil, nil, errors.New("the fit returned neither a predictor nor an error")
	}
	if p, err = probabilities(predictor, test); err != nil {
		return nil, nil, err
	}
	if later != nil {
		if next, err = probabilities(predictor, later); err != nil {
			next = nil // the origin that tests these rows will say why
		}
	}
	return p, next, nil
}

// probabilities asks for one valid probability per row.
func probabilities(predictor Predictor, test *features.Frame) ([]float64, error) {
	p, err := predictor.Prob(nil, test)
	if err != nil {
		return nil, err
	}
	if len(p) != len(test.Rows) {
		return nil, fmt.Errorf("%d probabilities for %d rows", len(p), len(test.Rows))
	}
	for i := range p {
		if !(p[i] >= 0 && p[i] <= 1) { // also refuses NaN
			return nil, fmt.Errorf("p = %v in row %d of %d: must lie between 0 and 1", p[i], i+1, len(p))
		}
	}
	return p, nil
}
