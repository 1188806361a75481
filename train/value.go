// SPDX-License-Identifier: Apache-2.0

package train

import (
	"errors"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A row's weight by value lies between these, times the mean of its currency:
// one giant must not be the model, and the small must still count.
const (
	leastValue = 0.1
	mostValue  = 10
)

// errNoValue says that rows cannot be weighted by value.
var errNoValue = errors.New("no row has a value above 0, so rows cannot be weighted by it")

// byValue returns a frame whose rows weigh in proportion to what is at stake,
//
//	w_i ← w_i u_i / c,   u_i = clip(value_i / mean of its currency, .1, 10)
//
// with c such that the weights of a currency sum to what they did: a currency
// counts as before, and amounts of two are never compared. Rows without a value,
// or with one of 0 or less, have u_i/c = 1.
func byValue(f *features.Frame) (*features.Frame, error) {
	out := *f
	out.Rows = slices.Clone(f.Rows)
	var currencies []string // in order of appearance
	rows := make(map[string][]int)
	for i := range f.Rows {
		r := &f.Rows[i]
		if !(r.Value > 0) || math.IsInf(r.Value, 1) {
			continue
		}
		if rows[r.Currency] == nil {
			currencies = append(currencies, r.Currency)
		}
		rows[r.Currency] = append(rows[r.Currency], i)
	}
	if len(currencies) == 0 {
		return nil, errNoValue
	}
	for _, c := range currencies {
		weight, value, clipped := 0.0, 0.0, 0.0
		for _, i := range rows[c] {
			weight += f.Rows[i].Weight
			value += float64(f.Rows[i].Weight * f.Rows[i].Value)
		}
		u := make([]float64, len(rows[c]))
		for k, i := range rows[c] {
			u[k] = min(max(f.Rows[i].Value/(value/weight), leastValue), mostValue)
			clipped += float64(f.Rows[i].Weight * u[k])
		}
		for k, i := range rows[c] {
			out.Rows[i].Weight *= u[k] / (clipped / weight)
		}
	}
	return &out, nil
}
