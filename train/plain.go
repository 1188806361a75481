// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// plainPowers are the scales of levels and flags that linear models try:
// standardised columns first. With power 0 a rare level is held back more than a
// common one, as if the effects of levels were drawn from one distribution;
// standardised, all are held back by the same share.
var plainPowers = []float64{1, 0.5, 0}

// bestLinear returns the linear model whose penalty is judged best: of levels and
// flags on one scale or another, then of skewed numbers transformed or as they
// are. They have as many columns, so the best is taken as it is. It returns
// errNoFolds where rows cannot be cut into folds.
func bestLinear(ctx context.Context, s *sample, terms []predict.Term, o *Options) (*contestant, error) {
	var best *contestant
	try := func(terms []predict.Term, untouched bool, powers []float64) error {
		c := contestOf(s, terms, o.Workers)
		if _, err := foldsOf(c.base.chunks, c.base.y, c.base.w, s.total); err != nil {
			return err
		}
		c.oneSE = o.Penalty == PenaltyOneSE
		for _, power := range powers {
			x, err := c.linear(ctx, 0, power)
			if err != nil {
				return err
			}
			x.untouched = untouched
			if best == nil || round7(x.judged) < round7(best.judged) {
				best = x
			}
		}
		return nil
	}
	powers := plainPowers
	if !slices.ContainsFunc(terms, hasFlags) {
		powers = powers[:1]
	}
	if err := try(terms, false, powers); err != nil {
		return nil, err
	}
	if as, skewed := untransformed(s, terms); skewed {
		if err := try(as, true, []float64{best.power}); err != nil {
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
// 0, at the one that is judged best on a sample of the rows. Columns have the
// scale sd^power. Penalties are tried from large to small until they have been
// judged worse and worse for a decade: small ones take most of the time.
func (c *contest) linear(ctx context.Context, lambda, power float64) (*contestant, error) {
	at := func(lambda float64) penalties {
		return penalties{plain: lambda, power: power, worth: c.s.told.worth}
	}
	x := &contestant{name: StagesLinear, judged: math.Inf(1), z: make([]float64, c.base.rows)}
	if lambda == 0 {
		judge := c.judge(c.base.sampled(c.s.searchRows()))
		step, err := bestStep(func(lambdas []float64) ([]float64, error) {
			losses := make([]float64, len(lambdas))
			for i, rising := 0, 0; i < len(lambdas); i++ {
				if rising == perDecade {
					losses[i] = math.Inf(1)
					continue
				}
				var err error
				if losses[i], err = judge.at(ctx, at(lambdas[i])); err != nil {
					return nil, err
				}
				if i > 0 && losses[i] > losses[i-1] {
					rising++
				} else {
					rising = 0
				}
				x.judged = min(x.judged, losses[i])
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
