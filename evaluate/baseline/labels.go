// SPDX-License-Identifier: Apache-2.0

package baseline

import "github.com/holdfast-churn/holdfast/features"

// labelRates are the probabilities that stand for the labels 0 and 1. With n the
// weight of all training rows that get a row's label and k the churned weight
// among them, the row's probability is
//
//	p = (k + 1) / (n + 2)
type labelRates [2]float64

// ratesOf returns the rates of the labels of training rows.
func ratesOf(f *features.Frame, labels []int64) (p labelRates) {
	var k, n [2]float64
	for i, label := range labels {
		r := &f.Rows[i]
		n[label] += r.Weight
		k[label] += float64(r.Weight * float64(r.Y))
	}
	for label := range p {
		p[label] = (k[label] + 1) / (n[label] + 2)
	}
	return p
}

// of stores the probability of each label in dst, which is made if it is nil.
func (p labelRates) of(dst []float64, labels []int64) []float64 {
	if dst == nil {
		dst = make([]float64, len(labels))
	}
	if len(dst) != len(labels) {
		panic("baseline: dst has the wrong length")
	}
	for i, label := range labels {
		dst[i] = p[label]
	}
	return dst
}
