// SPDX-License-Identifier: Apache-2.0

package features

import "math"

// Answers to "how likely are you to recommend us", from 0 to 10.
const (
	promoter  = 9 // and above
	detractor = 6 // and below
)

// nps returns the net promoter score of a view's values,
//
//	100 (promoters - detractors) / answers,
//
// from -100 to 100, missing without an answer.
//
// Source: Reichheld, The One Number You Need to Grow, Harvard Business Review
// 81(12), 2003.
func nps(v *view) float64 {
	answers, net := 0, 0
	for i := range v.events {
		x := v.events[i].Value
		if x != x {
			continue
		}
		answers++
		switch {
		case x >= promoter:
			net++
		case x <= detractor:
			net--
		}
	}
	if answers == 0 {
		return math.NaN()
	}
	return 100 * float64(net) / float64(answers)
}

// csat returns the percentage of satisfied answers, those of a value of at
// least positive, drawn towards what is expected of anyone (prior, in percent)
// as if that had been seen in k answers more,
//
//	(100 satisfied + k prior) / (answers + k),
//
// so that one bad answer of one does not count as 0 %. Missing without an
// answer. It is the posterior mean of a share with a beta prior of mean prior
// and weight k. The prior is declared, not taken from the data: their mean
// would hold what was answered after the snapshot.
func csat(v *view, positive, prior, k float64) float64 {
	answers, satisfied := 0, 0
	for i := range v.events {
		x := v.events[i].Value
		if x != x {
			continue
		}
		answers++
		if x >= positive {
			satisfied++
		}
	}
	if answers == 0 {
		return math.NaN()
	}
	return (100*float64(satisfied) + float64(k*prior)) / (float64(answers) + k)
}
