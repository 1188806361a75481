// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// beliefs are what a fit is told beside its rows: that declared directions hold,
// and that a scorecard is worth some renewals. The zero value is none.
type beliefs struct {
	directions bool               // those declared of numbers bind
	card       *predict.Scorecard // with its figures on this sample; nil for none
	column     []float64          // the card's, standardised
	worth      float64            // λ₀ of the card's weight
	seed       uint64             // of the bootstrap
}

// believe prepares the options' beliefs for the rows of a sample.
func believe(s *sample, spec *features.Spec, o *Options) (beliefs, error) {
	b := beliefs{directions: o.Directions, seed: o.Seed}
	if o.Scorecard == nil || o.ScorecardWorth == 0 {
		return b, nil
	}
	if err := o.Scorecard.Check(spec); err != nil {
		return b, fmt.Errorf("scorecard: %w", err)
	}
	b.card, b.worth = o.Scorecard.Clone(), worthPenalty(o.ScorecardWorth, s.churn/s.total)
	var err error
	b.column, err = cardColumn(b.card, s)
	return b, err
}

// toldOf reports whether beliefs change a fit of these terms.
func (s *sample) toldOf(terms []predict.Term) bool {
	bound := func(t predict.Term) bool { return t.Low < t.High && s.signOf(t.Feature) != 0 }
	return s.told.card != nil || slices.ContainsFunc(terms, bound)
}

// impose sets the limits of the terms' columns and puts the card's column after
// them.
func (b *beliefs) impose(s *sample, p *part) {
	if b.directions {
		p.limits = signed(s, p)
	}
	if b.card == nil {
		return
	}
	terms := p.block
	last := int32(terms.cols)
	p.block = newBlock(len(s.frame.Rows), terms.cols+1, func(dst []predict.Entry, row int) []predict.Entry {
		for e := terms.start[row]; e < terms.start[row+1]; e++ {
			dst = append(dst, predict.Entry{Column: terms.col[e], Value: terms.val[e]})
		}
		return append(dst, predict.Entry{Column: last, Value: b.column[row]})
	})
	p.limits = append(make([]limit, 0, last+1), terms.limits...)
	p.limits = append(p.limits, make([]limit, int(last)-len(p.limits)+1)...)
	p.limits[last].prior = b.card.Weight
	p.kind, p.at = append(p.kind, scoreColumn), append(p.at, place{len(p.terms), 0})
	p.measure(s)
}

// fitTold fits and publishes under beliefs. It is as fitFree, but the linear
// model too goes through the solver that knows bounds and priors.
func (p *published) fitTold(ctx context.Context, s *sample, o *Options) error {
	m := p.model
	plain := contestOf(s, m.Terms, o.Workers)
	chosen, from := &contestant{name: StagesLinear}, plain
	chosen.penalties = penalties{plain: cmp.Or(o.Lambda, fallbackLambda), power: 1, worth: s.told.worth}
	_, err := foldsOf(plain.base.chunks, plain.base.y, plain.base.w, s.total)
	switch {
	case errors.Is(err, errNoFolds):
		p.warnings = append(p.warnings, err.Error())
	case err != nil:
		return err
	default:
		plain.oneSE = o.Penalty == PenaltyOneSE && o.Lambda == 0
		if chosen, err = plain.linear(ctx, o.Lambda, 1); err != nil {
			return err
		}
		if o.Stages == StagesLinear || o.Lambda > 0 || len(m.Terms) == 0 {
			break
		}
		if from, chosen, err = p.contend(ctx, s, chosen, o); err != nil {
			return err
		}
	}
	if err := p.fitAdditive(ctx, from, chosen, !o.Unexplained); err != nil {
		return err
	}
	if m.Scorecard != nil {
		p.meanZ += m.Scorecard.RefMean()
		m.Terms = cardTerms(m.Terms, m.Scorecard, &m.Spec, s.frame)
	}
	return nil
}

// searchRows is the number of rows on which penalties are searched.
func (s *sample) searchRows() int {
	return max(contestRows, int(contestEvents/min(s.churn, s.total-s.churn)*float64(len(s.frame.Rows))))
}
