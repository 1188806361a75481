// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// Stability says how much the scores of the same rows move from one refit to
// the next: the test rows of an origin are scored by the fit of that origin and
// by that of the tested origin before it.
type Stability struct {
	Rows int `json:"rows"`
	// Spearman is the rank correlation of both, mean over origins, weighted by
	// rows; Odds the mean absolute difference of log-odds; Points the same on the
	// health scale; Moved the share of rows that change tier.
	Spearman Number `json:"spearman"`
	Odds     Number `json:"log_odds"`
	Points   Number `json:"health_points"`
	Moved    Number `json:"moved_tier"`
	// OlderLoss is the log loss of the older fit minus that of the newer one: what
	// a model loses by being one step old.
	OlderLoss Interval `json:"log_loss_of_older_fit"`
}

// stability compares predictions p with those of the fits one origin earlier,
// of which the first origin has none. It is nil where there is nothing to
// compare, or where all predictions of an origin are one.
func (t *pool) stability(p []float64, older [][]float64, score *predict.Score) *Stability {
	s := &Stability{}
	var group []int
	var loss, w []float64
	var rank, ranked, mass float64
	for o := 1; o < len(t.starts)-1; o++ {
		lo, hi := t.starts[o], t.starts[o+1]
		if len(older[o]) != hi-lo {
			continue
		}
		if r := spearman(p[lo:hi], older[o]); !math.IsNaN(r) {
			rank += float64(r * float64(hi-lo))
			ranked += float64(hi - lo)
		}
		for i := lo; i < hi; i++ {
			now, was := p[i], older[o][i-lo]
			s.Rows++
			mass += t.w[i]
			s.Odds += Number(t.w[i] * math.Abs(logOddsOf(now)-logOddsOf(was)))
			a, b := score.Health(now), score.Health(was)
			s.Points += Number(t.w[i] * math.Abs(a-b))
			if score.Tier(now, a) != score.Tier(was, b) {
				s.Moved += Number(t.w[i])
			}
			group, w = append(group, t.group[i]), append(w, t.w[i])
			loss = append(loss, t.w[i]*(logLossOf(was, t.y[i])-logLossOf(now, t.y[i])))
		}
	}
	if ranked == 0 {
		return nil
	}
	s.Spearman = Number(rank / ranked)
	s.Odds, s.Points, s.Moved = s.Odds/Number(mass), s.Points/Number(mass), s.Moved/Number(mass)
	s.OlderLoss = t.resamples.ratio(t.resamples.sums(group, func(i int) float64 { return loss[i] }),
		t.resamples.sums(group, func(i int) float64 { return w[i] }))
	return s
}

// spearman returns the rank correlation of a and b, ties with their mean rank;
// NaN where one of them is constant.
func spearman(a, b []float64) float64 {
	x, y := midranks(a), midranks(b)
	mean := float64(len(a)-1) / 2
	var xy, xx, yy float64
	for i := range x {
		xy += float64((x[i] - mean) * (y[i] - mean))
		xx += float64((x[i] - mean) * (x[i] - mean))
		yy += float64((y[i] - mean) * (y[i] - mean))
	}
	return xy / math.Sqrt(float64(xx*yy))
}

// midranks returns the rank of each value from 0 on, ties sharing the mean.
func midranks(x []float64) []float64 {
	ranks, order := make([]float64, len(x)), ascending(x)
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(x, order, lo)
		for _, i := range order[lo:hi] {
			ranks[i] = float64(lo+hi-1) / 2
		}
	}
	return ranks
}
