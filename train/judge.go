// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
)

// A judge says how good penalties are, from fits without each fold and one of
// all rows that follow the penalties it is asked about.
type judge struct {
	c     *contest
	fits  []*ridge
	whole *ridge
	z     []float64 // out of fold, at the penalties judged last
}

// judge returns a judge of penalties on a part of the contest's rows.
func (c *contest) judge(m *matrix) *judge {
	return &judge{c: c, fits: c.foldFits(m), whole: newRidge(m, noFold), z: make([]float64, c.base.rows)}
}

// at returns the mean, per renewal, of the cross-validated loss and of the
// evidence at some penalties:
//
//	J(λ) = ½ (CV(λ) + E(λ)/Σw)
//
// Either estimates how well such a model predicts. The cross-validated loss is
// that of rows unseen by fits to four fifths of them, whatever the truth, but
// on a thousand rows it is so flat and so noisy that its minimum may lie at
// penalties a thousand times too small, where a column that separates a few rows
// gets a huge weight. The evidence is, by the chain rule of probability, the sum
// of such losses over fits to 0, 1, 2 … rows: it varies far less between samples,
// and believes in the prior that the penalty is. On 35 draws of 1,000 rows from
// seven tables the test log loss of linear models chosen by CV, E and J, less that
// of plain LR, was -.0029, -.0046 and -.0046, of splines -.0042, -.0055 and -.0056.
//
// Source: Fong and Holmes (2020), Biometrika 107(2), for the sum.
func (j *judge) at(ctx context.Context, l penalties) (float64, error) {
	loss, err := j.c.outOfFold(ctx, j.fits, l, j.z)
	if err != nil {
		return loss, err
	}
	if err := j.whole.solve(ctx, j.c.mains.penalty([]float64{0}, l), chooseTolerance, false); err != nil {
		return 0, err
	}
	return (loss + j.whole.evidence()/j.whole.m.total) / 2, nil
}

// evidence returns minus the log of the probability of the outcomes under the
// prior that the penalties are, θ_j ~ N(θ₀_j, 1/λ_j) and flat for the intercept, by
// Laplace's approximation at the weights where the fit stands, but for a constant
// that is the same for all penalties of one matrix:
//
//	E = F(θ) + ½ log det(X'WX + Λ) − ½ Σ_j log λ_j,   j ≥ 1
//
// It leaves the matrix of second derivatives there as the preconditioner. Limits
// of the columns are not seen.
//
// Source: MacKay (1992), Neural Computation 4(3); Wood (2011), JRSS B 73(1).
func (r *ridge) evidence() float64 {
	e := r.m.logLoss(make([]float64, r.m.cols), r.theta, r.hold)
	for j, l := range r.penalty {
		if l > 0 {
			off := r.theta[j] - r.m.prior(j)
			e += float64(l/2*off*off) - math.Log(l)/2
		}
	}
	r.pre.share = 1
	r.renew(false)
	return e + r.pre.factor.logDet()/2
}

// A walker looks for the best penalties step by step.
type walker struct {
	judge *judge
	best  penalties
	low   float64 // of what the best is judged
	tried map[penalties]float64
}

func (c *contest) walker(m *matrix) *walker {
	return &walker{judge: c.judge(m), low: math.Inf(1), tried: make(map[penalties]float64)}
}

// try judges penalties, and takes them where they are the best so far.
func (w *walker) try(ctx context.Context, l penalties) (float64, error) {
	if judged, ok := w.tried[l]; ok {
		return judged, nil
	}
	judged, err := w.judge.at(ctx, l)
	if err != nil {
		return 0, err
	}
	if round7(judged) < round7(w.low) {
		w.low, w.best = judged, l
	}
	w.tried[l] = judged
	return judged, nil
}

// walk changes the best penalties by a factor as long as that helps, most times
// at most.
func (w *walker) walk(ctx context.Context, factor float64, most int, change func(l *penalties, factor float64)) error {
	l := w.best
	for range most {
		before := w.low
		change(&l, factor)
		judged, err := w.try(ctx, l)
		if err != nil {
			return err
		}
		if !(judged < before) {
			break
		}
	}
	return nil
}

// holdBack takes a penalty of the curves half a decade above the best where that
// is judged worse by no more than a unit of log likelihood over all rows: of two
// that fit alike, the one whose curves are nearer to straight lines loses less
// where the sample misleads.
func (w *walker) holdBack(ctx context.Context) error {
	l := w.best
	l.curve *= halfDecade
	judged, err := w.judge.at(ctx, l)
	if err == nil && (judged-w.low)*w.judge.whole.m.total <= 1 {
		w.best = l
	}
	return err
}
