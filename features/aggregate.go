// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
)

// direct returns an aggregate over the single events of a view.
func (f *Feature) direct(v *view) float64 {
	if f.Agg == Last {
		return last(v)
	}
	panic("features: direct: not an aggregate over single events")
}

// last returns the value of the newest event that has one, missing where none
// has.
func last(v *view) float64 {
	for _, e := range slices.Backward(v.events) {
		if e.Value == e.Value {
			return e.Value
		}
	}
	return math.NaN()
}
