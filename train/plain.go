// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// plainPowers are the scales of levels and flags that linear models try beside
// standardised columns. With power 0 a rare level is held back more than a
// common one, as if the effects of levels were drawn from one distribution;
// standardised, all are held back by the same share.
var plainPowers = []float64{0.5, 0}

// bestLinear returns the linear model of lowest out-of-fold loss: dense, which
// has standardised columns, or one with levels and flags on another scale, or
// with skewed numbers as they are. They have as many columns, so the best is
// taken as it is.
func bestLinear(ctx context.Context, s *sample, terms []predict.Term, dense *contestant, o *Options) (*contestant, error) {
	best := dense
	try := func(terms []predict.Term, untouched bool, powers []float64) error {
		c := contestOf(s, terms, o.Workers)
		c.oneSE = o.Penalty == PenaltyOneSE
		for _, power := range powers {
			x, err := c.linear(ctx, 0, power)
			if err != nil {
				return err
			}
			x.untouched = untouched
			if round7(x.loss) < round7(best.loss) {
				best = x
			}
		}
		return nil
	}
	if slices.ContainsFunc(terms, hasFlags) {
		if err := try(terms, false, plainPowers); err != nil {
			return nil, err
		}
	}
	if as, skewed := untransformed(s, terms); skewed {
		powers := []float64{1}
		if best != dense {
			powers[0] = best.power
		}
		if err := try(as, true, powers); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// hasFlags reports whether a term has columns of 0 and 1.
func hasFlags(t predict.Term) bool {
	return slices.ContainsFunc(t.Columns, func(b predict.Basis) bool { return b.Kind != predict.Linear })
}

// untransformed returns the terms with all numbers as they are, and whether that
// changes any: a logarithm is taken of skewed ones, which helps more often than
// not.
func untransformed(s *sample, terms []predict.Term) (out []predict.Term, changed bool) {
	out = slices.Clone(terms)
	for j := range out {
		t := &out[j]
		if t.Kind != string(features.NumberKind) || t.Columns[0].Kind != predict.Linear || t.Columns[0].Transform == predict.Identity {
			continue
		}
		var x, w []float64
		for i, v := range s.frame.Column(t.Feature).Num {
			if v == v {
				x, w = append(x, v), append(w, s.frame.Rows[i].Weight)
			}
		}
		missing := 1 - sum(w)/s.total
		if b, ok := standardised(t, predict.Identity, measure(x, w), missing); ok {
			t.Columns = slices.Clone(t.Columns)
			t.Columns[0], changed = b, true
		}
	}
	return out, changed
}

func sum(w []float64) float64 {
	total := 0.0
	for _, v := range w {
		total += v
	}
	return total
}

// linear returns the contestant of linear terms at a penalty, or, where that is
// 0, at the one of lowest out-of-fold loss on a sample of the rows. Columns have
// the scale sd^power.
func (c *contest) linear(ctx context.Context, lambda, power float64) (*contestant, error) {
	at := func(lambda float64) penalties {
		return penalties{plain: lambda, power: power, worth: c.s.told.worth}
	}
	x := &contestant{name: StagesLinear, z: make([]float64, c.base.rows)}
	if lambda == 0 {
		fits := c.foldFits(c.base.sampled(c.searchRows()))
		step, err := bestStep(func(lambdas []float64) ([]float64, error) {
			losses := make([]float64, len(lambdas))
			for i, l := range lambdas {
				var err error
				if losses[i], err = c.outOfFold(ctx, fits, at(l), x.z); err != nil {
					return nil, err
				}
			}
			return losses, nil
		})
		if err != nil {
			return nil, err
		}
		lambda = gridLambda(step)
	}
	x.penalties = at(lambda)
	var err error
	fits := c.foldFits(c.base)
	if x.loss, err = c.outOfFold(ctx, fits, x.penalties, x.z); err != nil || !c.oneSE {
		return x, err
	}
	return c.stiffer(ctx, x, fits)
}
