// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
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
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := predict.CheckSpec(&spec, f); err != nil {
		return nil, err
	}
	s, err := newSample(f, o.Seed, o.Folds)
	if err != nil {
		return nil, err
	}
	m := &predict.Model{Format: predict.Format, Spec: spec, Score: o.Score}
	m.Terms, m.Dropped = newTerms(s, o.Workers)
	d := newDesign(s, m.Terms, o.Workers)

	cv, err := chooseLambda(ctx, d, o.Lambda)
	var unfolded string
	switch {
	case errors.Is(err, errNoFolds):
		unfolded = err.Error()
		cv = nil
	case err != nil:
		return nil, err
	}
	lambda := o.Lambda
	switch {
	case cv != nil:
		lambda = cv.lambda
		m.OutOfFold = outOfFoldMetrics(s, cv)
	case lambda == 0:
		lambda = fallbackLambda
	}
	f2 := &fitter{spec: spec, lambda: lambda, workers: o.Workers}
	if cv != nil && o.Lambda == 0 && o.Stages != StagesLinear {
		c := newContest(s, m.Terms, o.Workers)
		chosen, all, err := c.choose(ctx, &contestant{name: "linear", z: cv.z}, mostPairs(o.Stages), mostRules(o.Stages))
		if err != nil {
			return nil, err
		}
		if os.Getenv("HF_DEBUG") != "" {
			for _, x := range all {
				sh := ""
				if x.shape != nil {
					sh = x.shape.name
				}
				fmt.Fprintln(os.Stderr, x.name, x.penalties, x.pairs, sh, x.rules, x.loss, x == chosen)
			}
		}
		if chosen.curves {
			return fitAdditive(ctx, c, m, chosen, cv, f2, &o)
		}
	}
	fit, err := newton(ctx, d, lambda)
	if err != nil {
		return nil, err
	}
	meanZ := setWeights(m.Terms, s, d, fit, o.Workers)
	m.Intercept = fit.theta[0]
	m.Warnings = warnings(m, s, d, fit, cv)
	if unfolded != "" {
		m.Warnings = append(m.Warnings, unfolded)
	}
	d.x = nil // the largest block of memory; calibration makes others like it

	m.Calibration, err = calibrate(ctx, s, f2, cv, &o)
	if err != nil {
		return nil, err
	}
	finish(m, s, &o, meanZ)
	m.Provenance.Lambda, m.Provenance.Iterations = lambda, fit.iterations
	return m, nil
}

// finish sets what every model has.
func finish(m *predict.Model, s *sample, o *Options, meanZ float64) {
	m.Score.ZRef = m.Calibration.LogOdds(meanZ)
	if m.Score.BaseRate == 0 {
		m.Score.BaseRate = s.churn / s.total
	}
	m.Provenance = predict.Provenance{
		Data: o.DataDigest, AsOf: o.AsOf, Version: o.Version, Parent: o.Parent, Censored: o.Censored,
		Rows: len(s.frame.Rows), Renewals: int(math.Round(s.total)), Churned: int(math.Round(s.churn)), Seed: o.Seed,
	}
}

// fitAdditive publishes the contestant that won.
func fitAdditive(
	ctx context.Context, c *contest, m *predict.Model, x *contestant, cv *crossValidation, fit *fitter, o *Options,
) (*predict.Model, error) {
	b, err := c.build(ctx, x, true)
	if err != nil {
		return nil, err
	}
	c.setEffects(b)
	c.setShares(b)
	m.Logit = b.logit
	meanZ := b.logit.Intercept
	for j := range b.logit.Terms {
		meanZ += b.logit.Terms[j].RefMean
	}
	cv.z, cv.loss, cv.lambda = x.z, x.loss, x.plain
	m.OutOfFold = outOfFoldMetrics(c.s, cv)
	m.Warnings = []string{}
	fit.chosen = x
	if m.Calibration, err = calibrate(ctx, c.s, fit, cv, o); err != nil {
		return nil, err
	}
	finish(m, c.s, o, meanZ)
	m.Provenance.Lambda, m.Provenance.Iterations = x.plain, b.fit.passes
	return m, nil
}

func mostPairs(stages string) int {
	if stages == StagesAuto || stages == StagesPairs {
		return pairCounts[len(pairCounts)-1]
	}
	return 0
}

func mostRules(stages string) int {
	if stages == StagesAuto {
		return tableCounts[len(tableCounts)-1]
	}
	return 0
}

// A fitter makes the unpublished fits of calibration.
type fitter struct {
	spec    features.Spec
	lambda  float64
	workers int
	chosen  *contestant // nil for the linear model
}

// quickly returns a model that can give raw log-odds and nothing more: its
// weights are those of the sample at the fitter's penalty, near enough for
// calibration.
func (f *fitter) quickly(ctx context.Context, s *sample) (*predict.Model, error) {
	m := &predict.Model{Spec: f.spec}
	m.Terms, _ = newTerms(s, f.workers)
	if f.chosen != nil {
		b, err := newContest(s, m.Terms, f.workers).build(ctx, f.chosen, false)
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
