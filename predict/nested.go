// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// Shares of the yearly value kept by a renewal, METHODS.md section 1.
const (
	Contraction = 0.98 // below it, the renewal contracts
	Expansion   = 1.02 // above it, it grows
)

// Nested says what a renewal does to an account's value, one question inside the
// other: if the account renews, does it contract; if it renews and does not
// contract, does it grow. Probabilities are products, so that they cohere:
//
//	P(contract) = (1 − p) c,   P(grow) = (1 − p) (1 − c) g,   P(grow) + P(contract) ≤ P(renew) = 1 − p
type Nested struct {
	Contract NestedPart `json:"contract"` // c
	Grow     NestedPart `json:"grow"`     // g
	// Means of the share of value kept, over the renewals of training that
	// contracted, stayed as they were, and grew; 1 where there was none.
	KeptContract float64 `json:"kept_contract"`
	KeptSame     float64 `json:"kept_same"`
	KeptGrow     float64 `json:"kept_grow"`
}

// A NestedPart answers one of the questions: by a logistic regression of few
// terms, or, where too few renewals tell, by their rate.
type NestedPart struct {
	Renewals  int       `json:"renewals"` // that the question was asked of
	Events    int       `json:"events"`   // and how many answered yes
	Rate      float64   `json:"rate"`
	Logit     *Logit    `json:"logit,omitempty"`
	OutOfFold OutOfFold `json:"out_of_fold"`
	Reason    string    `json:"reason"` // why there is a logit, or none
}

// Outlooks are what renewals would do to the value of the rows of a frame.
type Outlooks struct {
	Contract []float64 // P(contract | renewed)
	Grow     []float64 // P(grow | renewed); NaN in all rows where nothing but the rate is known of growth
	Kept     []float64 // share of value expected to be kept if renewed
}

// Outlooks returns what renewals would do to the value of each row, or nil where
// the model does not say, as in activity mode. With c and g as in Nested,
//
//	P(grow | renewed) = (1 − c) g
//	E(kept | renewed) = c KeptContract + (1 − c) g KeptGrow + (1 − c)(1 − g) KeptSame
func (m *Model) Outlooks(f *features.Frame) (*Outlooks, error) {
	n := m.Nested
	if n == nil {
		return nil, nil
	}
	c, err := m.part(&n.Contract, f)
	if err != nil {
		return nil, err
	}
	g, err := m.part(&n.Grow, f)
	if err != nil {
		return nil, err
	}
	o := &Outlooks{Contract: c, Grow: g, Kept: make([]float64, len(f.Rows))}
	for i := range f.Rows {
		stays := 1 - c[i]
		o.Kept[i] = float64(c[i]*n.KeptContract) + float64(stays*g[i]*n.KeptGrow) + float64(stays*(1-g[i])*n.KeptSame)
		o.Grow[i] = float64(stays * g[i])
		if n.Grow.Logit == nil {
			o.Grow[i] = math.NaN()
		}
	}
	return o, nil
}

// part returns one answer for every row.
func (m *Model) part(p *NestedPart, f *features.Frame) ([]float64, error) {
	if p.Logit == nil {
		q := make([]float64, len(f.Rows))
		for i := range q {
			q[i] = p.Rate
		}
		return q, nil
	}
	return (&Model{Spec: m.Spec, Logit: *p.Logit}).Prob(nil, f)
}

// nested checks that the parts can be applied.
func (v *validator) nested(m *Model) {
	n := m.Nested
	v.finite("nested", n.KeptContract, n.KeptSame, n.KeptGrow)
	for _, p := range []struct {
		name string
		part *NestedPart
	}{{"contract", &n.Contract}, {"grow", &n.Grow}} {
		v.check(p.part.Rate >= 0 && p.part.Rate <= 1, "nested %s: rate %v; expected 0 to 1", p.name, p.part.Rate)
		if p.part.Logit == nil {
			continue
		}
		part := &Model{Format: m.Format, Spec: m.Spec, Logit: *p.part.Logit, Score: m.Score}
		if err := part.Validate(); err != nil {
			v.check(false, "nested %s: %s", p.name, fmt.Sprint(err))
		}
	}
}
