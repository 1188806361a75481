// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// A Slice is the test rows of one lead, segment or other kind, and what every
// candidate reached on them.
type Slice struct {
	Kind    string        `json:"kind"`
	Name    string        `json:"name"`
	Rows    int           `json:"rows"`
	Churned int           `json:"churned"`
	Weight  Number        `json:"weight"` // Σw: renewals
	Rate    Number        `json:"observed_rate"`
	Scores  []SliceScores `json:"scores"` // of the candidates without a failure, in order
}

// SliceScores holds what a candidate reached on a slice.
type SliceScores struct {
	Candidate string `json:"candidate"`
	MeanP     Number `json:"mean_p"`
	LogLoss   Number `json:"log_loss"`
	// AUC is the mean over origins, weighted by the rows of the slice: pooled AUC
	// moves with the base rate alone.
	AUC      Number   `json:"auc"`
	Accuracy Accuracy `json:"renewal_accuracy"`
	// VersusBase is the difference of log loss to the base rate's on the slice,
	// and OE observed to expected, with intervals by account.
	VersusBase Interval `json:"log_loss_difference"`
	OE         Interval `json:"observed_to_expected"`
	// Excess is the miscalibration beyond that of a perfect model.
	Excess *Excess `json:"excess_miscalibration,omitempty"`
}

// slices measures every candidate on every slice.
func (t *pool) slices(kinds []stratification, judged []*judged, base []float64, o *Options) []Slice {
	all := []Slice{}
	for k := range kinds {
		number := map[string]int{}
		names := kinds[k].names()
		of := make([]int, len(t.y)) // number of each row's slice, -1 for none
		for s, name := range names {
			number[name] = s
		}
		first := len(all)
		for _, name := range names {
			all = append(all, Slice{Kind: kinds[k].kind, Name: name, Scores: []SliceScores{}})
		}
		lost := make([]float64, len(names))
		for i, name := range kinds[k].of {
			of[i] = -1
			if s, ok := number[name]; ok {
				of[i] = s
				a := &all[first+s]
				a.Rows++
				a.Churned += int(t.y[i])
				a.Weight += Number(t.w[i])
				lost[s] += float64(t.w[i] * t.y[i])
			}
		}
		for s := range lost {
			all[first+s].Rate = Number(lost[s]) / all[first+s].Weight
		}
		for _, j := range judged {
			orders := make([][]int, len(names)) // rows in ascending order of p
			for _, i := range j.order {
				if of[i] >= 0 {
					orders[of[i]] = append(orders[of[i]], i)
				}
			}
			for s, order := range orders {
				v := t.slice(j, order, base)
				if gated := kinds[k].kind == BySegment && j.subject && all[first+s].Churned >= gateEvents; gated {
					v.Excess = t.excess(j.p, order, float64(all[first+s].Rate), o)
				}
				all[first+s].Scores = append(all[first+s].Scores, v)
			}
		}
	}
	return all
}

// slice measures a candidate on rows in ascending order of its p.
func (t *pool) slice(j *judged, order []int, base []float64) SliceScores {
	n := len(order)
	p, y, w, group := make([]float64, n), make([]float64, n), make([]float64, n), make([]int, n)
	var all, expected float64
	for k, i := range order {
		p[k], y[k], w[k], group[k] = j.p[i], t.y[i], t.w[i], t.group[i]
		all += w[k]
		expected += float64(w[k] * p[k])
	}
	s := t.resamples
	weights := s.sums(group, func(k int) float64 { return w[k] })
	v := SliceScores{Candidate: j.name, MeanP: Number(expected / all), LogLoss: Number(LogLoss(p, y, w)),
		Accuracy: MeasureAccuracy(p, y, w), AUC: Number(t.originAUC(j.p, order)),
		OE: s.ratio(s.sums(group, func(k int) float64 { return w[k] * y[k] }), s.sums(group, func(k int) float64 { return w[k] * p[k] })),
	}
	v.VersusBase = undefinedInterval()
	if base != nil {
		v.VersusBase = s.ratio(s.sums(group, func(k int) float64 {
			return w[k] * (logLossOf(p[k], y[k]) - logLossOf(base[order[k]], y[k]))
		}), weights)
	}
	return v
}

// originAUC returns the mean AUC over the origins of rows in ascending order of
// p, weighted by rows; origins of one class are left out.
func (t *pool) originAUC(p []float64, order []int) float64 {
	byOrigin := make([][]int, len(t.starts)-1)
	for _, i := range order {
		byOrigin[t.origin[i]] = append(byOrigin[t.origin[i]], i)
	}
	var total, rows float64
	for _, of := range byOrigin {
		if a := auc(p, t.y, t.w, of); !math.IsNaN(a) {
			total += float64(a * float64(len(of)))
			rows += float64(len(of))
		}
	}
	return total / rows
}
