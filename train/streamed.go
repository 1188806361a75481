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
// Beside Fit's errors it returns those of rows.
func FitRows(ctx context.Context, f *features.Frame, rows Summer, spec features.Spec, o Options) (*predict.Model, error) {
	if o.Weights == WeightsValue {
		return nil, errStreamedValue
	}
	return fit(ctx, f, rows, spec, o)
}

// errStreamedValue says that rows summed elsewhere are not weighted by value: the
// mean of a currency is that of all rows.
var errStreamedValue = errors.New("weights by value: not where rows do not fit in memory")

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
	passes int
	taken  int // matrices of all rows
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
	r.passes++
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
		r.last = r.sum(Task{Theta: theta})
	}
	return r.last
}

func (r *farRows) logLoss(grad, theta []float64, _ int) float64 {
	s := r.at(theta)
	copy(grad, s.Gradient)
	return s.Loss
}

func (r *farRows) hessian(theta []float64, _ int) []float64 {
	r.taken++
	return r.sum(Task{Theta: theta, Hessian: true}).Hessian
}

// partEach is the number of rows a column behind the first matrix of a streamed
// fit. With p columns it is off by about 2 √(p/rows), .09 here, which is what a step
// leaves of the distance to the optimum.
const partEach = 500

// refit moves the published weights from the sample's optimum to that of all
// rows. Gradients are exact; Newton's matrix is that of a random part of the rows
// for as long as it contracts well, and that of all rows for the last step.
func (p *published) refit(ctx context.Context, s *sample, rows Summer, o *Options) error {
	m := p.model
	l := &m.Logit
	far := newFarRows(ctx, rows, l)
	defer far.cancel()
	n := l.Columns()
	r := &ridge{m: &matrix{cols: n, limits: p.limits, workers: o.Workers}, far: far, hold: noFold, theta: rawOf(l), pre: new(preconditioner)}
	p.all = far.at(r.theta)
	r.m.total = p.all.Weight
	first := far.sum(Task{Theta: r.theta, Hessian: true, Part: min(1, float64(partEach*n)/float64(p.all.Rows))})
	if far.err != nil {
		return far.err
	}
	r.pre.hessian = first.Hessian
	for k := range r.pre.hessian {
		r.pre.hessian[k] *= p.all.Weight / first.Weight
	}
	err := r.solve(far.ctx, p.penalty, newtonTolerance, true)
	if far.err != nil {
		return far.err
	}
	if err != nil {
		return err
	}
	end := far.sum(Task{Theta: r.theta, Scores: true})
	if far.err != nil {
		return far.err
	}
	if err := p.publishRefit(s, r, end, o); err != nil {
		return err
	}
	m.Provenance.Iterations = far.passes
	m.Provenance.Streamed = &predict.Streamed{Sample: len(s.frame.Rows), Passes: far.passes, Matrices: far.taken}
	return nil
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
		bootstrapped := make(map[int]predict.Interval)
		for j := range l.Terms {
			if t := &l.Terms[j]; t.Low < t.High && s.signOf(t.Feature) != 0 {
				bootstrapped[j] = t.Effect
			}
		}
		in, err := newRawInput(l, s.frame)
		if err != nil {
			return err
		}
		sampled := in.matrix()
		v := newSummedVariance(r, end.Scores)
		stateEffects(l, r.theta, s.frame, s.weights(), v.variances)
		m.Uncertainty = rawVariance(l, sampled, v.times).uncertainty()
		for j, e := range bootstrapped {
			t := &l.Terms[j].Effect
			t.Low, t.High = min(e.Low, t.Estimate), max(e.High, t.Estimate)
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

// A summedVariance is V as sandwich has it, from M = Σ_g s_g s_g', of which the
// upper triangle is set.
type summedVariance struct {
	r      *ridge
	scores []float64
}

func newSummedVariance(r *ridge, scores []float64) *summedVariance {
	if r.m.bounded() != nil {
		r.penalty = r.onFace()
		r.refactor()
	}
	return &summedVariance{r, scores}
}

// inner returns (M + Λ) a.
func (s *summedVariance) inner(a []float64) []float64 {
	n := s.r.m.cols
	out := make([]float64, n)
	for i, ai := range a {
		row := s.scores[i*n : (i+1)*n]
		out[i] += float64((s.r.penalty[i] + row[i]) * ai)
		for j := i + 1; j < n; j++ {
			out[i] += float64(row[j] * a[j])
			out[j] += float64(row[j] * ai)
		}
	}
	return out
}

// variances returns c'Vc of several combinations.
func (s *summedVariance) variances(combinations [][]float64) []float64 {
	out := make([]float64, len(combinations))
	parallel(s.r.m.workers, len(combinations), func(k int) {
		a := s.r.pre.factor.solve(nil, combinations[k])
		out[k] = dot(a, s.inner(a))
	})
	return out
}

// times returns V c of several vectors.
func (s *summedVariance) times(vectors [][]float64) [][]float64 {
	out := make([][]float64, len(vectors))
	parallel(s.r.m.workers, len(vectors), func(k int) {
		a := s.r.pre.factor.solve(nil, vectors[k])
		out[k] = s.r.pre.factor.solve(nil, s.inner(a))
	})
	return out
}
