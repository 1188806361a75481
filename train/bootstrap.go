// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
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
// estimate.
func (c *contest) bootstrapEffects(ctx context.Context, b *built, bounded []resampled) error {
	if len(bounded) == 0 {
		return nil
	}
	draws, errs := make([][]float64, len(bounded)), make([]error, bootstraps)
	for j := range draws {
		draws[j] = make([]float64, bootstraps)
	}
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
		for j, of := range bounded {
			draws[j][k] = dot(of.contrast, r.theta[of.at:of.at+len(of.contrast)])
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for j, of := range bounded {
		slices.Sort(draws[j])
		of.interval.Low = min(between(draws[j], 0.05), of.interval.Estimate)
		of.interval.High = max(between(draws[j], 0.95), of.interval.Estimate)
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

// A resampled is an interval that the bootstrap states: of a combination of the raw
// columns from number at on.
type resampled struct {
	at       int
	contrast []float64
	interval *predict.Interval
}

// boundedTerms returns the effects, and the points of curves, that read bounded
// columns.
func (c *contest) boundedTerms(b *built) []resampled {
	var out []resampled
	at := 1
	for j := range b.logit.Terms {
		t := &b.logit.Terms[j]
		if t.Low < t.High && c.s.signOf(t.Feature) != 0 {
			contrast, _ := rawContrast(t, c.s.frame.Column(t.Feature), c.base.w)
			out = append(out, resampled{at, contrast, &t.Effect})
			for i := range t.Curve {
				p := &t.Curve[i]
				out = append(out, resampled{at, curveContrast(t, p, c.mains.mean[at-1:], rawColumn), &p.Effect})
			}
		}
		at += len(t.Columns)
	}
	return out
}
