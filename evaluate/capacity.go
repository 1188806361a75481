// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// defaultCapacity is the share of renewals that a team can work on where the
// project does not say.
const defaultCapacity = 0.10

// Recall returns the share of all churned weight that lies among the rows with
// the highest p, as many as a team with a capacity for the share c of all
// weight can work on:
//
//	R = C / Σᵢ wᵢ yᵢ,  C the churned weight in the top c Σᵢ wᵢ
//
// A run of equal p on the edge counts with the share of its weight that fits
// in. 0 < c ≤ 1; p, y and w are as Measure describes. The result is NaN without
// rows, where nobody churned, or with a NaN among p or w.
func Recall(p, y, w []float64, c float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	return captured(p, y, w, nil, ascending(p), c)
}

// ValueRecall returns the share of all churned value that lies among the rows
// with the highest p, as many as fit into the share c of all weight:
//
//	R = Σ_top wᵢ vᵢ yᵢ / Σᵢ wᵢ vᵢ yᵢ
//
// value has one v ≥ 0 a row; the rest is as in Recall.
func ValueRecall(p, y, w, value []float64, c float64) float64 {
	if len(value) != len(p) {
		panic("evaluate: lengths of p and value disagree")
	}
	if !defined(p, y, w) {
		return math.NaN()
	}
	return captured(p, y, w, value, ascending(p), c)
}

// captured is Recall, or ValueRecall, of rows in ascending order of p.
func captured(p, y, w, value []float64, order []int, c float64) float64 {
	var room, churned, got float64
	worth := func(i int) float64 {
		v := float64(weight(w, i) * y[i])
		if value != nil {
			v *= value[i]
		}
		return v
	}
	for _, i := range order {
		room += weight(w, i)
		churned += worth(i)
	}
	room *= c // weight that still fits in
	for hi := len(order); hi > 0 && room > 0; {
		var run, lost float64
		lo := hi
		for lo > 0 && p[order[lo-1]] == p[order[hi-1]] {
			lo--
			run += weight(w, order[lo])
			lost += worth(order[lo])
		}
		share := min(1, room/run)
		got += float64(share * lost)
		room -= float64(share * run)
		hi = lo
	}
	return got / churned
}
