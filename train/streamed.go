// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// FitRows is Fit where the rows do not fit in memory. f is a random sample of
// them, of whole groups; what is chosen is chosen on it, as Fit does: which
// features there are and their columns, scales and knots, the kind of model, the
// penalties and the calibration; out-of-fold figures, shares of the variance and
// the values that effects compare are the sample's too. The weights with their
// errors, mean contributions and counts are those of all rows, exactly: the same
// optimum, to rounding, that a fit in memory of the same columns and penalties
// has.
//
// Intervals of terms whose direction binds come from a bootstrap of the sample
// and are therefore wider than all rows would make them.
//
// Beside Fit's errors it returns those of rows, and one for weights by value,
// which hang on sums over all rows, and for a scorecard of infinite worth, which
// needs no such fit.
func FitRows(ctx context.Context, f *features.Frame, rows Summer, spec features.Spec, o Options) (*predict.Model, error) {
	if o.Weights == WeightsValue || math.IsInf(o.ScorecardWorth, 1) {
		return nil, errFitRows
	}
	return fit(ctx, f, rows, spec, o)
}

// errFitRows refuses options that FitRows cannot follow.
var errFitRows = errors.New("rows weighted by value, or a scorecard of infinite worth, are fitted in memory only")

// farRows is the objective of a fit whose rows are summed elsewhere. The first
// error cancels the fit, since sums have no way to tell of it.
type farRows struct {
	ctx    context.Context
	cancel context.CancelFunc
	rows   Summer
	logit  *predict.Logit
	err    error
	last   *Sums // at the weights theta
	theta  []float64
	share  float64 // of the rows; 0 means all
	passes int     // over all rows
	taken  int     // matrices of all rows
}

func newFarRows(ctx context.Context, rows Summer, l *predict.Logit) *farRows {
	r := &farRows{rows: rows, logit: l}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r
}

// sum runs a task, and returns NaN for everything once one has failed.
func (r *farRows) sum(t Task) *Sums {
	t.Logit = r.logit
	t.Theta = slices.Clone(t.Theta)
	if t.Part == 0 || t.Part == 1 {
		r.passes++
	}
	sums, err := r.rows.Sum(r.ctx, &t)
	if err != nil {
		if r.err == nil {
			r.err = err
		}
		r.cancel()
		n := len(t.Theta)
		return &Sums{Loss: math.NaN(), Gradient: make([]float64, n), Hessian: make([]float64, n*n)}
	}
	return sums
}

// at returns the sums at some weights, those of the last call if they are the
// same.
func (r *farRows) at(theta []float64) *Sums {
	if r.last == nil || !slices.Equal(theta, r.theta) {
		r.theta = slices.Clone(theta)
		r.last = r.sum(Task{Theta: theta, Part: r.share})
	}
	return r.last
}

func (r *farRows) logLoss(grad, theta []float64) float64 {
	s := r.at(theta)
	copy(grad, s.Gradient)
	return s.Loss
}

// part returns the matrix of a random part of the rows, of at most those that at
// sums, scaled up to these. at was called before.
func (r *farRows) part(theta []float64, share float64) []float64 {
	if r.share > 0 {
		share = min(share, r.share)
	}
	s := r.sum(Task{Theta: theta, Hessian: true, Part: share})
	if share == 1 {
		r.taken++
	}
	for k := range s.Hessian {
		s.Hessian[k] *= r.last.Weight / s.Weight
	}
	return s.Hessian
}

const (
	// partEach is the number of rows a column behind the first matrix of a streamed
	// fit, and a quarter of those behind the next, after one step. With p columns
	// that one is off by about 2 √(p/rows), .04 here, which is what a step then leaves
	// of the distance to the optimum.
	partEach = 500
	// leadShare is the part of the rows that leads to near the optimum first, if it
	// has partEach a column.
	leadShare = 0.1
	// farTolerance is how close to the optimum, by half the squared Newton decrement
	// per renewal, the matrix of all rows is taken, with the scores. Newton's step
	// from there squares the error. Errors of weights are those from before it, right
	// to about the root of this.
	farTolerance = 1e-11
	farEnough    = 1e-9 // where it proves to be more, it is taken again
)

// refit moves the published weights from the sample's optimum to that of all
// rows. Gradients are exact; Newton's matrix is that of a random part of the rows,
// a larger one where it contracts slowly, and that of all rows for the last step.
func (p *published) refit(ctx context.Context, s *sample, rows Summer, o *Options) error {
	m := p.model
	l := &m.Logit
	far := newFarRows(ctx, rows, l)
	defer far.cancel()
	n := l.Columns()
	r := &ridge{m: &matrix{cols: n, limits: p.limits, workers: o.Workers}, far: far,
		hold: noFold, theta: rawOf(l), pre: new(preconditioner)}
	r.lead(far, p.penalty)
	p.all = far.at(r.theta)
	r.m.total = p.all.Weight
	if r.pre.hessian == nil {
		r.pre.share = min(1, float64(partEach*n)/float64(p.all.Rows))
		r.pre.hessian = far.part(r.theta, r.pre.share)
	}
	if far.err != nil {
		return far.err
	}
	end, err := r.farthest(far, p.penalty)
	if err != nil {
		return err
	}
	if err := p.publishRefit(s, r, end, o); err != nil {
		return err
	}
	m.Provenance.Iterations = far.passes
	m.Provenance.Streamed = &predict.Streamed{Sample: len(s.frame.Rows), Passes: far.passes, Matrices: far.taken}
	return nil
}

// lead moves a fit of far rows to about the optimum of a random part of them, where
// they are many, and takes the matrix there: it costs less than a pass over all, and
// saves some.
func (r *ridge) lead(far *farRows, penalty []float64) {
	far.share = leadShare
	first := far.at(r.theta)
	if n := len(r.theta); first.Rows >= partEach*n {
		start := slices.Clone(r.theta)
		r.m.total = first.Weight
		r.pre.share, r.pre.hessian = leadShare, far.part(r.theta, leadShare)
		part := make([]float64, n)
		for j, l := range penalty {
			part[j] = leadShare * l
		}
		if r.solve(far.ctx, part, sketched*float64(n)/2/float64(first.Rows), false) != nil {
			copy(r.theta, start)
			r.pre = new(preconditioner)
		}
		for k := range r.pre.hessian {
			r.pre.hessian[k] /= leadShare
		}
		r.pre.share, r.pre.penalty, r.pairs = leadShare, nil, nil
	}
	far.share, far.last = 0, nil
}

// farthest moves a fit of far rows to its optimum, and returns their sums one step
// before it.
func (r *ridge) farthest(far *farRows, penalty []float64) (*Sums, error) {
	step := make([]float64, len(r.theta))
	for {
		err := r.solve(far.ctx, penalty, farTolerance, false)
		if far.err != nil {
			return nil, far.err
		}
		if err != nil {
			return nil, err
		}
		end := far.sum(Task{Theta: r.theta, Hessian: true, Scores: true})
		if far.err != nil {
			return nil, far.err
		}
		far.taken++
		r.pre.hessian, r.pairs = end.Hessian, nil
		r.pre.version++
		r.refactor()
		grad := slices.Clone(end.Gradient)
		r.penalise(0, grad)
		r.toward(step, grad)
		for j := range step {
			r.theta[j] -= step[j]
		}
		if dot(grad, step)/2 <= farEnough*r.m.total {
			return end, nil
		}
	}
}

// publishRefit writes the weights that all rows gave.
func (p *published) publishRefit(s *sample, r *ridge, end *Sums, o *Options) error {
	m := p.model
	l := &m.Logit
	before := turned(m)
	means := end.Columns[1:]
	for j := range means {
		means[j] /= end.Weight
	}
	setRaw(l, r.theta, means)
	p.meanZ = dot(r.theta[1:], means) + r.theta[0]
	if !o.Unexplained {
		bootstrapped := make(map[int][]predict.Interval) // the effect, then the curve
		for j := range l.Terms {
			if t := &l.Terms[j]; t.Low < t.High && s.signOf(t.Feature) != 0 {
				for _, e := range intervalsOf(t) {
					bootstrapped[j] = append(bootstrapped[j], *e)
				}
			}
		}
		in, err := newRawInput(l, s.frame)
		if err != nil {
			return err
		}
		sampled := in.matrix()
		v := newSandwich(r, end.Scores)
		stateEffects(l, r.theta, s.frame, s.weights(), v.variances)
		stateCurves(l, means, rawColumn, s.frame, s.weights(), v.block)
		m.Uncertainty = rawVariance(l, sampled, v.times).uncertainty()
		for j, before := range bootstrapped {
			for k, e := range intervalsOf(&l.Terms[j]) {
				e.Low, e.High = min(before[k].Low, e.Estimate), max(before[k].High, e.Estimate)
			}
		}
		if p.fitter.chosen != nil {
			setShares(l, sampled, r.theta)
		}
	}
	m.Warnings = slices.DeleteFunc(m.Warnings, func(w string) bool { return slices.Contains(before, w) })
	m.Warnings = slices.DeleteFunc(m.Warnings, func(w string) bool { return slices.Contains(provisional(s.churn, s.total), w) })
	m.Warnings = slices.Concat(provisional(end.Churn, end.Weight), m.Warnings, turned(m))
	return nil
}

// intervalsOf returns the interval of a term's effect and those of its curve.
func intervalsOf(t *predict.Term) []*predict.Interval {
	all := []*predict.Interval{&t.Effect}
	for i := range t.Curve {
		all = append(all, &t.Curve[i].Effect)
	}
	return all
}
