// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
)

// A columnFeature is one column computed from others of the same row.
type columnFeature struct {
	column int
	of, to int // columns
	divide func(of, to float64) float64
}

// feature returns the place of a feature by name, -1 for none.
func (s *Spec) feature(name string) int {
	return slices.IndexFunc(s.Features, func(f Feature) bool { return f.Name == name })
}

// ofFeatures reports whether the feature is a ratio of two others: both names
// are those of features. Else they are types of its source.
func (s *Spec) ofFeatures(f *Feature) bool {
	return f.Agg == Ratio && s.feature(f.Of) >= 0 && s.feature(f.To) >= 0
}

// overColumns lists the features that are computed from others, in order.
func overColumns(spec *Spec) []columnFeature {
	var out []columnFeature
	for i := range spec.Features {
		switch f := &spec.Features[i]; {
		case spec.ofFeatures(f):
			out = append(out, columnFeature{i, spec.feature(f.Of), spec.feature(f.To), ratio})
		case f.Agg == PerSeat:
			out = append(out, columnFeature{i, i, spec.feature(f.Seats), perSeat})
		}
	}
	return out
}

// write stores the feature of one row.
func (f *columnFeature) write(columns []Column, row int) {
	columns[f.column].Num[row] = f.divide(columns[f.of].Num[row], columns[f.to].Num[row])
}

// ratio returns of / to, missing where either is or where to is 0.
func ratio(of, to float64) float64 {
	if to == 0 {
		return math.NaN()
	}
	return of / to
}

// perSeat returns n / seats, missing where the seats are not known or none.
func perSeat(n, seats float64) float64 {
	if !(seats > 0) {
		return math.NaN()
	}
	return n / seats
}
