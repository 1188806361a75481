// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
)

// bootstraps is the number of resamples behind an interval of a bounded term.
const bootstraps = 50

// bootstrapEffects replaces the intervals of effects whose columns are bounded,
// where the sandwich does not hold: an estimate at its bound is not normal. As
// many groups as there are are drawn with replacement, each penalty pulls towards
// a draw of the prior that it stands for,
//
//	θ₀_j ~ N(prior_j, 1/λ_j)
//
// and the weights of the columns that were chosen are fitted anew, bounds and
// all. Without bounds the draws have the variance A⁻¹(M + Λ)A⁻¹ of the sandwich;
// with a fixed prior the M alone would remain, and intervals that are too short.
// The interval goes from the 5th to the 95th percentile, and further to the
// estimate. contrasts has a vector of raw columns for each such term, by number.
func (c *contest) bootstrapEffects(ctx context.Context, b *built, contrasts map[int][]float64) error {
	if len(contrasts) == 0 {
		return nil
	}
	effects, errs := make([]map[int]float64, bootstraps), make([]error, bootstraps)
	penalty := b.stage.penalty(c.mains)
	parallel(c.workers, bootstraps, func(k int) {
		r := b.fit.alone()
		draw := rand.New(rand.NewPCG(c.s.told.seed, uint64(k)))
		r.m.w, r.m.total = c.resample(draw)
		r.m.limits = drawn(r.m, penalty, draw)
		r.portable = true
		if errs[k] = r.solve(ctx, penalty, chooseTolerance, false); errs[k] != nil {
			return
		}
		effects[k] = make(map[int]float64)
		for j, contrast := range contrasts {
			effects[k][j] = dot(contrast, r.theta)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	draws := make([]float64, bootstraps)
	for j := range contrasts {
		for k := range draws {
			draws[k] = effects[k][j]
		}
		slices.Sort(draws)
		e := &b.logit.Terms[j].Effect
		e.Low, e.High = min(between(draws, 0.05), e.Estimate), max(between(draws, 0.95), e.Estimate)
	}
	return nil
}

// resample returns the weights of the rows, times how often their group was
// drawn, and their sum.
func (c *contest) resample(r *rand.Rand) (w []float64, total float64) {
	groups := 0
	for _, g := range c.groups {
		groups = max(groups, int(g)+1)
	}
	times := make([]float64, groups)
	for range groups {
		times[r.IntN(groups)]++
	}
	w = make([]float64, len(c.groups))
	for i, g := range c.groups {
		w[i] = c.base.w[i] * times[g]
		total += w[i]
	}
	return w, total
}

// drawn returns the limits of all columns with priors drawn around theirs.
func drawn(m *matrix, penalty []float64, r *rand.Rand) []limit {
	limits := make([]limit, m.cols)
	copy(limits, m.limits)
	for j, l := range penalty {
		if l > 0 {
			limits[j].prior += r.NormFloat64() / math.Sqrt(l)
		}
	}
	return limits
}

// between returns the q-quantile of sorted numbers, by straight lines between
// them (type 7 of Hyndman and Fan).
func between(sorted []float64, q float64) float64 {
	at, part := math.Modf(q * float64(len(sorted)-1))
	low := sorted[int(at)]
	if part == 0 {
		return low
	}
	return low + float64(part*(sorted[int(at)+1]-low))
}

// boundedTerms returns the contrast of each term's effect that reads a bounded
// column, as a vector of all raw columns, by the number of the term.
func (c *contest) boundedTerms(b *built) map[int][]float64 {
	out := make(map[int][]float64)
	at := 1
	for j := range b.logit.Terms {
		t := &b.logit.Terms[j]
		if t.Low < t.High && c.s.signOf(t.Feature) != 0 {
			contrast, _ := rawContrast(t, c.s.frame.Column(t.Feature), c.base.w)
			out[j] = make([]float64, b.fit.m.cols)
			copy(out[j][at:], contrast)
		}
		at += len(t.Columns)
	}
	return out
}
