// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// fallbackLambda is the penalty where cross-validation is impossible: the
// largest of the grid, which leaves little but the base rate.
var fallbackLambda = gridLambda(pathTop)

// Fit learns a weight model from the rows of a frame built under the spec.
// Every row must have a known outcome: the caller has applied the maturity
// rule. Rows are weighted by Row.Weight, and rows of one Row.Group share a
// fold.
//
// It cleans and standardises the features, chooses the penalty by grouped
// cross-validation, fits the published weights exactly, states their errors,
// and calibrates. The model depends on the rows, the options and nothing else:
// not on their order (to rounding, where rows carry the same keys), nor on the
// number of workers.
//
// It returns a *predict.SpecMismatchError where frame and spec disagree, an
// error wrapping ErrOneClass where all outcomes are equal, a *RowError for a
// row that cannot train, and a *ConvergenceError where an optimum is not
// reached.
func Fit(ctx context.Context, f *features.Frame, spec features.Spec, o Options) (*predict.Model, error) {
	return fit(ctx, f, nil, spec, o)
}

// fit is Fit, and FitRows where rows are given.
func fit(ctx context.Context, f *features.Frame, rows Summer, spec features.Spec, o Options) (*predict.Model, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := predict.CheckSpec(&spec, f); err != nil {
		return nil, err
	}
	if o.Scorecard != nil && math.IsInf(o.ScorecardWorth, 1) {
		return FitScorecard(f, spec, o.Scorecard, o)
	}
	s, err := o.sample(f)
	if err != nil {
		return nil, err
	}
	s.part = rows != nil
	m := &predict.Model{Format: predict.Format, Spec: spec, Score: o.Score}
	m.Terms, m.Dropped = newTerms(s, o.Workers)
	p := &published{model: m, fitter: &fitter{spec: spec, workers: o.Workers, options: &o}}
	if s.told, err = believe(s, &spec, &o); err != nil {
		return nil, err
	}
	if s.toldOf(m.Terms) {
		err = p.fitTold(ctx, s, &o)
	} else {
		err = p.fitFree(ctx, s, &o)
	}
	if err != nil {
		return nil, err
	}
	m.Warnings = append(m.Warnings, p.warnings...)
	if p.cv != nil {
		m.OutOfFold = outOfFoldMetrics(s, p.cv)
	}
	m.Calibration, err = calibrate(ctx, s, p.fitter, p.cv, &o)
	if err != nil {
		return nil, err
	}
	if rows != nil {
		if err := p.refit(ctx, s, rows, &o); err != nil {
			return nil, err
		}
	}
	p.finish(f, &o)
	return m, nil
}

// sample weights the rows of a frame and cuts them into folds.
func (o *Options) sample(f *features.Frame) (*sample, error) {
	if o.Weights == WeightsValue {
		if err := checkRows(f); err != nil {
			return nil, err
		}
		var err error
		if f, err = byValue(f); err != nil {
			return nil, err
		}
	}
	if o.FoldsBy == FoldsByTime {
		return newSampleBy(f, o.Seed, o.Folds, foldsByTime(f, o.Folds))
	}
	return newSample(f, o.Seed, o.Folds)
}

// published is a model on its way, with what calibration and provenance need.
type published struct {
	model    *predict.Model
	cv       *crossValidation // of the model chosen; nil where rows cannot be cut into folds
	fitter   *fitter
	meanZ    float64 // of the training rows, before calibration
	warnings []string

	// Of the columns of the logit, for a fit of more rows: see raw.go.
	penalty []float64
	limits  []limit
	all     *Sums // of those rows
}

// fitFree fits and publishes without beliefs. The linear model is that of
// bestLinear, but on histories of more rows than its judge sees the one of lowest
// cross-validated loss on all of them: at 7 origins of a history of 50,000 to
// 115,000 rows the judge's penalty was 5 to 50 times as large, and out of fold
// no better at 6 (by .0004 worse, .0003 better at most).
func (p *published) fitFree(ctx context.Context, s *sample, o *Options) error {
	m := p.model
	contends := o.Stages != StagesLinear && o.Lambda == 0 && len(m.Terms) > 0
	if contends && (!o.Time || len(s.frame.Rows) <= s.searchRows()) {
		linear, err := bestLinear(ctx, s, m.Terms, o)
		switch {
		case err == nil:
			from, chosen, err := p.contend(ctx, s, linear, o)
			if err != nil {
				return err
			}
			return p.fitAdditive(ctx, from, chosen, !o.Unexplained)
		case !errors.Is(err, errNoFolds):
			return err
		}
	}
	d := newDesign(s, m.Terms, o.Workers)
	defer func() { d.x = nil }() // the largest block of memory; calibration makes others like it
	cv, err := chooseLambda(ctx, d, o.Lambda)
	if err != nil && !errors.Is(err, errNoFolds) {
		return err
	}
	if cv != nil && o.Penalty == PenaltyOneSE && o.Lambda == 0 {
		groups, _ := groupsOf(s.frame.Rows)
		if cv, err = oneSE(ctx, d, cv, groups); err != nil {
			return err
		}
	}
	p.note(cv)
	if p.cv = cv; cv == nil {
		p.warnings = append(p.warnings, err.Error())
	} else if contends {
		dense := &contestant{name: StagesLinear, z: cv.z, loss: cv.loss, penalties: penalties{plain: cv.lambda, power: 1}}
		from, chosen, err := p.contend(ctx, s, dense, o)
		if err != nil {
			return err
		}
		if chosen != dense {
			d.x = nil
			return p.fitAdditive(ctx, from, chosen, !o.Unexplained)
		}
	}
	return p.fitLinear(ctx, s, d, o)
}

// note writes in the provenance how the penalty was found.
func (p *published) note(cv *crossValidation) {
	if cv != nil {
		p.model.Provenance.Solver = cv.solverNote()
	}
}

// contend lets larger models contend with the linear one. It returns the winner
// and the contest whose terms it has.
func (p *published) contend(ctx context.Context, s *sample, linear *contestant, o *Options) (*contest, *contestant, error) {
	terms := p.model.Terms
	curved, err := newCurveChooser(s, terms, linear, o.Workers).choose(ctx, noFold)
	if err != nil {
		return nil, nil, err
	}
	c := newContest(s, terms, curved, o.Workers)
	if linear.untouched {
		c.terms, _ = untransformed(s, terms)
	}
	c.alike, c.oneSE = o.Segments == SegmentsIntercepts, o.Penalty == PenaltyOneSE
	if o.Time {
		c.later = func(ctx context.Context, under, with *contestant) (*predict.Gain, error) {
			return p.fitter.laterGain(ctx, s, under, with)
		}
	}
	p.fitter.linear = linear
	chosen, err := c.choose(ctx, linear, o.Stages)
	if err != nil {
		return nil, nil, err
	}
	p.model.Provenance.Contest = c.results(chosen)
	if !chosen.curves {
		return contestOf(s, c.terms, o.Workers), chosen, nil
	}
	return c, chosen, nil
}

// fitLinear publishes linear terms.
func (p *published) fitLinear(ctx context.Context, s *sample, d *design, o *Options) error {
	lambda := o.Lambda
	switch {
	case p.cv != nil:
		lambda = p.cv.lambda
	case lambda == 0:
		lambda = fallbackLambda
	}
	var fit *solution
	if p.cv != nil {
		fit = p.cv.fit
	} else {
		var err error
		if fit, err = newton(ctx, d, lambda); err != nil {
			return err
		}
	}
	m := p.model
	var v []float64
	p.meanZ, v = setWeights(m.Terms, s, d, fit, o.Workers)
	if !o.Unexplained {
		m.Uncertainty = varianceOf(d, v).uncertainty()
	}
	m.Intercept = fit.theta[0]
	m.Warnings = warnings(m, s, d, fit, p.cv)
	p.fitter.lambda = lambda
	p.penalty = linearPenalty(&m.Logit, lambda)
	m.Provenance.Lambda, m.Provenance.Iterations = lambda, fit.iterations
	return nil
}

// fitAdditive publishes the contestant that won.
func (p *published) fitAdditive(ctx context.Context, c *contest, x *contestant, explained bool) error {
	b, err := c.build(ctx, x, explained)
	if err != nil {
		return err
	}
	if explained {
		s := c.sandwich(b)
		c.setEffects(b, s)
		p.model.Uncertainty = rawVariance(&b.logit, b.fit.m, s.times).uncertainty()
		if err := c.bootstrapEffects(ctx, b, c.boundedTerms(b)); err != nil {
			return err
		}
		setShares(&b.logit, b.fit.m, b.fit.theta)
	}
	m := p.model
	m.Logit = b.logit
	p.penalty, p.limits = b.stage.penalty(c.mains), b.fit.m.limits
	p.meanZ = m.Intercept
	for j := range m.Terms {
		p.meanZ += m.Terms[j].RefMean
	}
	m.Warnings = append(provisional(c.s.churn, c.s.total), turned(m)...)
	if x.z != nil {
		p.cv = &crossValidation{lambda: x.plain, loss: x.loss, z: x.z}
	}
	p.fitter.chosen = x
	m.Provenance.Lambda, m.Provenance.Iterations = x.plain, b.fit.passes
	return nil
}

// finish sets the constants and the provenance. Renewals are counted as they
// are, whatever they weighed.
func (p *published) finish(f *features.Frame, o *Options) {
	m := p.model
	all := p.all
	if all == nil {
		all = &Sums{Rows: len(f.Rows)}
		for i := range f.Rows {
			r := &f.Rows[i]
			all.Weight += r.Weight
			all.Churn += float64(r.Weight * float64(r.Y))
		}
	}
	m.Score.ZRef = m.Calibration.Reference(p.meanZ)
	if m.Score.BaseRate == 0 {
		m.Score.BaseRate = all.Churn / all.Weight
	}
	v := &m.Provenance
	v.Data, v.AsOf, v.Version, v.Parent, v.Censored = o.DataDigest, o.AsOf, o.Version, o.Parent, o.Censored
	v.Rows, v.Renewals, v.Churned = all.Rows, int(math.Round(all.Weight)), int(math.Round(all.Churn))
	v.Seed = o.Seed
	v.Penalty, v.FoldsBy, v.Weights = unless(o.Penalty, PenaltyBest), unless(o.FoldsBy, FoldsByGroup), unless(o.Weights, WeightsNone)
}

// unless returns a setting, or nothing where it is the usual one.
func unless(setting, usual string) string {
	if setting == usual {
		return ""
	}
	return setting
}

// A fitter makes the unpublished fits of calibration.
type fitter struct {
	spec    features.Spec
	lambda  float64
	workers int
	chosen  *contestant // nil for the linear model without beliefs
	linear  *contestant // on whose residuals numbers are chosen that get a curve
	options *Options
}

// quickly returns a model that can give raw log-odds and nothing more: its
// weights are those of the sample at the fitter's penalty, near enough for
// calibration.
func (f *fitter) quickly(ctx context.Context, s *sample) (*predict.Model, error) {
	m := &predict.Model{Spec: f.spec}
	m.Terms, _ = newTerms(s, f.workers)
	if f.chosen != nil {
		var err error
		if s.told, err = believe(s, &f.spec, f.options); err != nil {
			return nil, err
		}
		if f.chosen.untouched {
			m.Terms, _ = untransformed(s, m.Terms)
		}
		c := contestOf(s, m.Terms, f.workers)
		if f.chosen.curves {
			curved, err := newCurveChooser(s, m.Terms, f.linear, f.workers).choose(ctx, noFold)
			if err != nil {
				return nil, err
			}
			c = newContest(s, m.Terms, curved, f.workers)
		}
		b, err := c.build(ctx, f.chosen, false)
		if err != nil {
			return nil, err
		}
		m.Logit = b.logit
		return m, nil
	}
	d := newDesign(s, m.Terms, f.workers)
	solver := newStaleSolver(d, []int{noFold})
	if err := solver.solve(ctx, f.lambda); err != nil {
		return nil, err
	}
	theta := solver.fits[0].theta
	m.Intercept = theta[0]
	at := 1
	for j := range m.Terms {
		for k := range m.Terms[j].Columns {
			m.Terms[j].Columns[k].Weight = theta[at]
			at++
		}
	}
	return m, nil
}

// outOfFoldMetrics compares the cross-validated predictions, before
// calibration, with the training rate for every row.
func outOfFoldMetrics(s *sample, cv *crossValidation) predict.OutOfFold {
	rate := s.churn / s.total
	return predict.OutOfFold{
		Folds:    s.folds(),
		LogLoss:  cv.loss,
		BaseLoss: -rate*math.Log(rate) - (1-rate)*math.Log1p(-rate),
		AUC:      weightedAUC(s, cv.z),
	}
}

// weightedAUC returns the probability that a churned row ranks above a kept
// one, pairs weighted by the product of their weights and ties counting half.
func weightedAUC(s *sample, z []float64) float64 {
	order := make([]int, len(z))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case z[a] < z[b]:
			return -1
		case z[a] > z[b]:
			return 1
		}
		return a - b
	})
	sorted, churned, w := make([]float64, len(z)), make([]bool, len(z)), make([]float64, len(z))
	for k, i := range order {
		r := &s.frame.Rows[i]
		sorted[k], churned[k], w[k] = z[i], r.Y == 1, r.Weight
	}
	tpr, fpr, _ := stat.ROC(nil, sorted, churned, w)
	area := 0.0
	for k := 1; k < len(tpr); k++ {
		area += (fpr[k] - fpr[k-1]) * (tpr[k] + tpr[k-1]) / 2
	}
	return area
}
