// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"slices"
)

// Intervals holds the 90 % bootstrap intervals by account of a candidate's
// pooled metrics. ECE, ICI and E90 have none: a resample adds noise to them and
// never takes any away; they stand beside their Bands.
type Intervals struct {
	LogLoss     Interval `json:"log_loss"`
	Brier       Interval `json:"brier"`
	AUC         Interval `json:"auc"`
	AP          Interval `json:"average_precision"`
	Recall      Interval `json:"recall_at_capacity"`
	ValueRecall Interval `json:"value_recall_at_capacity"`
	Lift        Interval `json:"lift_top_decile"`
	OE          Interval `json:"observed_to_expected"`
	InTheLarge  Interval `json:"calibration_in_the_large"`
	Slope       Interval `json:"calibration_slope"`
}

// intervals returns the intervals of a candidate's pooled metrics, and sets those
// of its AUC at every origin. The rows are resampled as points; a replicate of a
// metric is shifted by what the points themselves are off the rows.
func (t *pool) intervals(p []float64, order []int, scores *Scores, capacity float64) *Intervals {
	s, m := t.resamples, scores.Pooled
	v := &Intervals{
		LogLoss: s.ratio(s.sums(t.group, func(i int) float64 { return t.w[i] * logLossOf(p[i], t.y[i]) }), t.mass()),
		Brier:   s.ratio(s.sums(t.group, func(i int) float64 { d := p[i] - t.y[i]; return t.w[i] * float64(d*d) }), t.mass()),
		OE: s.ratio(s.sums(t.group, func(i int) float64 { return t.w[i] * t.y[i] }),
			s.sums(t.group, func(i int) float64 { return t.w[i] * p[i] })),
	}
	q := t.points(p, order)
	draws := t.sampler(q, s)
	both, large := newLine(q.p, float64(m.Intercept), float64(m.Slope)), newLine(q.p, float64(m.InTheLarge), 1)
	value := Number(math.NaN())
	if m.Value != nil {
		value = m.Value.Recall
	}
	figures := []drawnFigure{
		{&v.AUC, m.AUC, q.meanAUC, nil},
		{&v.AP, m.AP, q.ap, nil},
		{&v.Recall, m.Recall, func(s *sample) float64 { return q.captured(s, s.wy, capacity) }, nil},
		{&v.ValueRecall, value, func(s *sample) float64 { return q.captured(s, s.wvy, capacity) }, nil},
		{&v.Lift, m.Lift, func(s *sample) float64 { return binCount * q.captured(s, s.wy, 1.0/binCount) }, nil},
		{&v.InTheLarge, m.InTheLarge, func(s *sample) float64 { a, _ := large.step(s, false); return a }, nil},
		{&v.Slope, m.Slope, func(s *sample) float64 { _, b := both.step(s, true); return b }, nil},
	}
	for k := range scores.Origins {
		o := &scores.Origins[k]
		figures = append(figures, drawnFigure{&o.AUC, o.Metrics.AUC, func(s *sample) float64 { return s.auc[k] }, nil})
	}
	var at [together]sample
	draws.draw(&at, nil)
	off := make([]float64, len(figures))
	for k := range figures {
		off[k] = float64(figures[k].at) - figures[k].of(&at[0])
	}
	for times := range slices.Chunk(s.times, together) {
		draws.draw(&at, times)
		for r := range times {
			for k := range figures {
				figures[k].many = append(figures[k].many, figures[k].of(&at[r])+off[k])
			}
		}
	}
	for k := range figures {
		// An estimate that is not defined has no interval; a replicate may miss a
		// class by chance, and is then left out.
		many := slices.DeleteFunc(figures[k].many, math.IsNaN)
		*figures[k].to = interval(float64(figures[k].at), many, level)
	}
	return v
}

// A drawnFigure is a figure with its replicates.
type drawnFigure struct {
	to   *Interval
	at   Number // its estimate
	of   func(*sample) float64
	many []float64
}

// mass returns the weight of each block.
func (t *pool) mass() []float64 {
	return t.resamples.sums(t.group, func(i int) float64 { return t.w[i] })
}
