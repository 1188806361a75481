// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A columnKind says which penalty a column of a matrix gets.
type columnKind uint8

const (
	freeColumn  columnKind = iota // the intercept
	plainColumn                   // linear, level, missing: standardised
	curveColumn                   // spline, value, spike
	pairColumn
	slopeColumn // of a segment's own slope
	ruleColumn
	scoreColumn
)

// penalties are the ridge penalties of one fit, in renewals, on weights of
// scaled columns. A column of standard deviation sd has the scale sd^power:
// with power 0 rare levels and thin splines are held back more than with 1.
type penalties struct {
	plain, curve, slope, pair, rule float64
	power                           float64
	worth                           float64 // of a scorecard, λ₀: added to all
}

// A part is a set of columns of a matrix that stand side by side, with what is
// needed to penalise them and to publish their weights.
type part struct {
	*block
	kind  []columnKind
	mean  []float64
	sd    []float64
	terms []predict.Term // of a part of terms
	at    []place        // of a part of terms: where column c comes from
}

// A place is a basis column of a term.
type place struct{ term, column int }

// termsPart evaluates the columns of terms. Linear columns are standardised
// already.
func termsPart(s *sample, terms []predict.Term) *part {
	p := &part{terms: terms}
	for j := range terms {
		for k := range terms[j].Columns {
			p.at, p.kind = append(p.at, place{j, k}), append(p.kind, kindOf(&terms[j].Columns[k]))
		}
	}
	p.block = newBlock(len(s.frame.Rows), len(p.at), newTermsInput(s.frame, terms).entries)
	p.measure(s)
	return p
}

// kindOf returns the kind of a column of a term.
func kindOf(b *predict.Basis) columnKind {
	switch b.Kind {
	case predict.Spline, predict.Value, predict.Spike, predict.Cumulated:
		return curveColumn
	}
	return plainColumn
}

// A termsInput evaluates the columns of terms beside each other, numbered from 0.
type termsInput struct {
	terms   []predict.Term
	inputs  []predict.Input
	num     [][]float64 // of linear terms
	first   []int32     // column of each term
	columns int
}

func newTermsInput(f *features.Frame, terms []predict.Term) *termsInput {
	in := &termsInput{terms: terms, inputs: make([]predict.Input, len(terms)), num: make([][]float64, len(terms)),
		first: make([]int32, len(terms))}
	for j := range terms {
		c := f.Column(terms[j].Feature)
		in.inputs[j] = predict.NewInput(&terms[j], c)
		in.first[j] = int32(in.columns)
		in.columns += len(terms[j].Columns)
		if len(terms[j].Columns) > 0 && terms[j].Columns[0].Kind == predict.Linear {
			in.num[j] = c.Num
		}
	}
	return in
}

// entries appends the columns of a row that are not 0.
func (in *termsInput) entries(dst []predict.Entry, row int) []predict.Entry {
	for j := range in.inputs {
		t := &in.terms[j]
		from := len(dst)
		if in.num[j] != nil {
			u := t.Raw(0, in.num[j][row])
			dst = append(dst, predict.Entry{Column: in.first[j], Value: t.Columns[0].Standardise(u)})
			from++
		}
		dst = in.inputs[j].Entries(dst, row)
		for e := from; e < len(dst); e++ {
			dst[e].Column += in.first[j]
		}
	}
	return dst
}

// measure sets the moments of the part's columns over a sample.
func (p *part) measure(s *sample) {
	p.mean, p.sd, _ = p.moments(s.weights(), s.total)
}

// penalty appends the penalties of the part's raw columns: λ sd^(2 power) for
// a column whose weight on the scaled column has penalty λ.
func (p *part) penalty(dst []float64, l penalties) []float64 {
	for c, kind := range p.kind {
		switch kind {
		case plainColumn, curveColumn:
			lambda := l.plain
			if kind == curveColumn {
				lambda = l.curve
			}
			lambda += l.worth
			if at := p.at[c]; p.terms[at.term].Columns[at.column].Kind == predict.Linear {
				dst = append(dst, lambda)
			} else {
				dst = append(dst, float64(lambda*math.Pow(max(p.sd[c], leastSD), 2*l.power)))
			}
		case pairColumn:
			dst = append(dst, float64((l.pair+l.worth)*p.sd[c]*p.sd[c]))
		case slopeColumn:
			dst = append(dst, l.slope+l.worth)
		case scoreColumn:
			dst = append(dst, l.worth)
		default:
			dst = append(dst, l.rule+l.worth)
		}
	}
	return dst
}
