// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

// drawTerm draws a number term with columns of every kind, some left out, in
// any order.
func drawTerm(t *rapid.T, feature string) Term {
	knots := drawKnots(t)
	term := Term{Feature: feature, Kind: string(features.NumberKind), Knots: knots, Low: knots[0], High: knots[len(knots)-1]}
	term.Median = rapid.Float64Range(term.Low, term.High).Draw(t, "median")
	add := func(b Basis) {
		if rapid.IntRange(0, 4).Draw(t, "keep") > 0 {
			b.Mean = rapid.Float64Range(-1, 1).Draw(t, "mean")
			b.SD = rapid.Float64Range(.05, 2).Draw(t, "sd")
			b.Weight = rapid.Float64Range(-2, 2).Draw(t, "weight")
			term.Columns = append(term.Columns, b)
		}
	}
	add(Basis{Kind: Linear, Transform: rapid.SampledFrom([]Transform{Identity, SignedLog}).Draw(t, "transform")})
	add(Basis{Kind: Missing})
	for i := range SplineCount(len(knots), TermDegree) {
		add(Basis{Kind: Spline, Index: i})
		add(Basis{Kind: Cumulated, Index: i})
	}
	for _, at := range knots {
		add(Basis{Kind: Value, At: at})
	}
	add(Basis{Kind: Spike, At: knots[0]})
	add(Basis{Kind: Spike, At: knots[0] + 1})
	columns := rapid.Permutation(term.Columns).Draw(t, "columns")
	term.Columns = columns
	return term
}

// drawValues draws values of a number: missing, at knots, between and beyond.
func drawValues(t *rapid.T, term *Term, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch rapid.IntRange(0, 5).Draw(t, "sort of value") {
		case 0:
			x[i] = nan
		case 1:
			x[i] = rapid.SampledFrom(term.Knots).Draw(t, "knot")
		case 2:
			x[i] = rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1), term.Low - 1, term.High + 1}).Draw(t, "outside")
		default:
			x[i] = rapid.Float64Range(term.Low, term.High).Draw(t, "x")
		}
	}
	return x
}

// Four ways to a term's columns agree: column by column (Raw, Standardise), the
// dense block (Basis), the sparse one (Entries, Affine), and that of a fit (Weighed).
func TestEntriesAreTheBasis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := drawTerm(t, "visits")
		const n = 6
		c := features.Column{Feature: features.Feature{Kind: features.NumberKind}, Num: drawValues(t, &term, n)}
		in := NewInput(&term, &c)
		k := len(term.Columns)
		block := make([]float64, n*k)
		in.Basis(block, k, 0, n)
		weighed := make([]float64, (n-1)*(k+1))
		in.Weighed(weighed, k+1, 1, n)
		for i, x := range c.Num {
			raw := make([]float64, k)
			for _, e := range in.Entries(nil, i) {
				if e.Value == 0 || raw[e.Column] != 0 {
					t.Fatalf("x = %v: an entry of 0, or one twice", x)
				}
				raw[e.Column] = e.Value
			}
			for j := range term.Columns {
				b := &term.Columns[j]
				want := b.Standardise(term.Raw(j, x))
				if i > 0 {
					weight := term.Raw(j, x)
					if b.Kind == Linear {
						weight = want
					}
					if got := weighed[(i-1)*(k+1)+j]; got != weight {
						t.Fatalf("x = %v, %s %d: a fit weighs %v, want %v", x, b.Kind, b.Index, got, weight)
					}
				}
				if math.Abs(block[i*k+j]-want) > 1e-13 {
					t.Fatalf("x = %v, %s %d: %v in the block, want %v", x, b.Kind, b.Index, block[i*k+j], want)
				}
				if b.Kind == Linear {
					continue
				}
				zero, scale := b.Affine()
				if got := zero + scale*raw[j]; math.Abs(got-want) > 1e-13 {
					t.Fatalf("x = %v, %s %d: %v from the entries, want %v", x, b.Kind, b.Index, got, want)
				}
			}
		}
	})
}
