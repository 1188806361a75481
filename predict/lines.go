// SPDX-License-Identifier: Apache-2.0

package predict

import "github.com/holdfast-churn/holdfast/features"

// lines are neighbouring terms of one linear column each that is not
// transformed: what most terms of a linear model are, and what there is a kernel
// in assembly for.
type lines struct {
	parts   []*termPart
	columns []*features.Column
	first   int // number of the first term
	ref     []float64
	slope   float64
	wide    []wideLine
}

// A wideLine holds what the kernel needs of a term, each number once for every
// lane of a register. The kernel knows the order of the fields.
type wideLine struct {
	low, high, mean, sd, weight, constant, missing, ref, median lane
	word                                                        [4]int64 // of a value at most the median
}

type lane [4]float64

func wide(x float64) lane { return lane{x, x, x, x} }

// isLine reports whether a term is such a line.
func (p *termPart) isLine() bool {
	return p.byCode == nil && p.splines == nil && p.values == nil && p.spikes == nil && len(p.linear) == 1 && !p.linear[0].log
}

// add adds the next term.
func (l *lines) add(p *termPart, ref, median float64, word int32) {
	of := &p.linear[0]
	w := int64(word)
	l.parts, l.columns, l.ref = append(l.parts, p), append(l.columns, p.column), append(l.ref, ref)
	l.wide = append(l.wide, wideLine{wide(p.low), wide(p.high), wide(of.mean), wide(of.sd), wide(of.weight),
		wide(p.constant), wide(p.missing), wide(ref), wide(median), [4]int64{w, w, w, w}})
}
