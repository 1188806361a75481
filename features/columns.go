// SPDX-License-Identifier: Apache-2.0

package features

import "math"

// A columnFeature is one column computed from others of the same row.
type columnFeature struct {
	column int
	agg    Agg
	of, to int // columns
}

// overColumns reports whether the aggregate is computed from other features.
func (a Agg) overColumns() bool { return a == Ratio }

// overColumns lists the features that are computed from others, in order.
func overColumns(spec *Spec) []columnFeature {
	at := make(map[string]int)
	for i := range spec.Features {
		at[spec.Features[i].Name] = i
	}
	var out []columnFeature
	for i := range spec.Features {
		if f := &spec.Features[i]; f.Agg.overColumns() {
			out = append(out, columnFeature{column: i, agg: f.Agg, of: at[f.Of], to: at[f.To]})
		}
	}
	return out
}

// write stores the feature of one row.
func (f *columnFeature) write(columns []Column, row int) {
	columns[f.column].Num[row] = ratio(columns[f.of].Num[row], columns[f.to].Num[row])
}

// ratio returns of / to, missing where either is or where to is 0.
func ratio(of, to float64) float64 {
	if to == 0 {
		return math.NaN()
	}
	return of / to
}
