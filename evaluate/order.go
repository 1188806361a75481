// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// ascending returns the row numbers ordered by p, equal ones by row.
func ascending(p []float64) []int {
	// Values beside their rows sort three times as fast as rows that point at them.
	type place struct {
		p   float64
		row int
	}
	places := make([]place, len(p))
	for i := range p {
		places[i] = place{p[i], i}
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.p < b.p:
			return -1
		case a.p > b.p:
			return 1
		}
		return cmp.Or(cmp.Compare(a.p, b.p), a.row-b.row) // NaN comes first
	})
	order := make([]int, len(p))
	for k := range places {
		order[k] = places[k].row
	}
	return order
}

// tieEnd returns the end of the run of equal p that starts at order[lo].
func tieEnd(p []float64, order []int, lo int) int {
	hi := lo + 1
	for hi < len(order) && p[order[hi]] == p[order[lo]] {
		hi++
	}
	return hi
}

// weight returns the weight of row i; no weights at all means 1 each.
func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

// defined reports whether there are rows and no p or w is NaN. Slices of
// different length break the contract of every metric.
func defined(p, y, w []float64) bool {
	if len(p) != len(y) || w != nil && len(w) != len(p) {
		panic("evaluate: lengths of p, y and w disagree")
	}
	return len(p) > 0 && !slices.ContainsFunc(p, math.IsNaN) && !slices.ContainsFunc(w, math.IsNaN)
}
