// SPDX-License-Identifier: Apache-2.0

package train

import (
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// signOf returns the sign to which a number's declared direction binds its effect
// on the log-odds of churn: 1 where it is risky and −1 where it is healthy; 0 for
// levels, and where directions do not bind.
func (s *sample) signOf(feature string) int8 {
	f := &s.frame.Column(feature).Feature
	if !s.told.directions || f.Kind != features.NumberKind {
		return 0
	}
	switch f.Direction {
	case features.Risky:
		return 1
	case features.Healthy:
		return -1
	}
	return 0
}

// addMonotone gives a number the columns of a monotone curve in place of its
// linear one: the sums of its cubic B-splines from number 1 on, 2, …, each of
// which rises from 0 to 1, so that weights of one sign make a curve that never
// turns. A number of few values rises between two of them by one column each,
//
//	knots v_1, v_1 + d/3, v_1 + 2d/3, v_2, …   columns 3, 6, …
//
// since the sum from number i on is 0 up to knot i − 3 and 1 from knot i on: any
// rising sequence is in reach. A spike keeps its own free weight, as a missing
// value does.
//
// Source: Ramsay (1988), Monotone regression splines in action; METHODS.md
// section 3.
func addMonotone(t *predict.Term, v *values) {
	t.Columns = slices.DeleteFunc(t.Columns, func(b predict.Basis) bool { return b.Kind == predict.Linear })
	cumulated := func(i int) { t.Columns = append(t.Columns, predict.Basis{Kind: predict.Cumulated, Index: i, SD: 1}) }
	if len(v.distinct) <= fewValues {
		t.Knots = []float64{v.distinct[0]}
		for k, x := range v.distinct[1:] {
			d := x - v.distinct[k]
			t.Knots = append(t.Knots, v.distinct[k]+d/3, v.distinct[k]+2*d/3, x)
			cumulated(3 * (k + 1))
		}
		return
	}
	t.Knots = v.knots(curveIntervals)
	for i := 1; i < predict.SplineCount(len(t.Knots), predict.TermDegree); i++ {
		cumulated(i)
	}
	if len(v.distinct) > spikeValues && v.most > spikeShare {
		t.Columns = append(t.Columns, predict.Basis{Kind: predict.Spike, At: v.mode, SD: 1})
	}
}

// signed returns the limits of the columns of terms whose direction binds: their
// linear and cumulated columns have its sign.
func signed(s *sample, p *part) []limit {
	limits := make([]limit, len(p.at))
	for c, at := range p.at {
		t := &p.terms[at.term]
		switch t.Columns[at.column].Kind {
		case predict.Linear, predict.Cumulated:
			limits[c].sign = s.signOf(t.Feature)
		}
	}
	return limits
}

// monotoneSide is the side of a monotone term in a pair: the sums of its
// quadratic B-splines, so that the curve keeps its direction within each level.
func monotoneSide(side *predict.Side, v *values) {
	side.Kind, side.Knots, side.Values = predict.Cumulated, v.distinct, nil
	if len(v.distinct) > fewValues {
		side.Knots = v.knots(pairIntervals)
	}
}

// allowed reports whether two terms may form a pair: a monotone one does so with
// levels only.
func (p *pairing) allowed(j, k int) bool {
	level := func(j int) bool { return p.sides[j].Kind == predict.Level }
	return (p.sides[j].Kind != predict.Cumulated || level(k)) && (p.sides[k].Kind != predict.Cumulated || level(j))
}

// cellLimits returns the limits of a pair's cells, or nil where neither side is
// monotone: all cells of the monotone side but that of missing values have its
// sign.
func cellLimits(s *sample, sides *[2]predict.Side, cells []predict.Cell) []limit {
	var limits []limit
	for k := range sides {
		if sides[k].Kind != predict.Cumulated {
			continue
		}
		known := sides[k].Columns()
		if sides[k].Missing {
			known--
		}
		limits = make([]limit, len(cells))
		for c, cell := range cells {
			if [2]int{cell.I, cell.J}[k] < known {
				limits[c].sign = s.signOf(sides[k].Feature)
			}
		}
	}
	return limits
}
