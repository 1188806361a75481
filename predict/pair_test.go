// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// dense returns a row of a block of columns from its entries, and fails where
// an entry is 0 or occurs twice.
func dense(t *testing.T, entries []Entry, columns int) []float64 {
	t.Helper()
	out := make([]float64, columns)
	for _, e := range entries {
		if e.Value == 0 || out[e.Column] != 0 {
			t.Fatalf("entries %v", entries)
		}
		out[e.Column] = e.Value
	}
	return out
}

// Columns of each kind of side at points whose values are known by hand (see
// TestBSplines).
func TestSideEntries(t *testing.T) {
	visits := func(x float64) features.Column {
		return features.Column{Feature: features.Feature{Kind: features.NumberKind}, Num: []float64{x}}
	}
	plan := func(code int32) features.Column {
		return features.Column{Feature: features.Feature{Kind: features.LevelKind}, Levels: []string{"basic", "pro", "new"}, Codes: []int32{code}}
	}
	spline := Side{Kind: Spline, Knots: []float64{0, 1, 2}, Missing: true}
	rising := Side{Kind: Cumulated, Knots: []float64{0, 1, 2}}
	value := Side{Kind: Value, Values: []float64{0, 1, 4}, Missing: true}
	level := Side{Kind: Level, Levels: []string{"pro", "(missing)"}}
	linear := Side{Kind: Linear, Transform: SignedLog, Low: 0, High: 7, Mean: math.Ln2, SD: 2 * math.Ln2, Missing: true}
	for _, test := range []struct {
		side Side
		c    features.Column
		want []float64
	}{
		{spline, visits(.5), []float64{.25, .625, .125, 0, 0}},
		{spline, visits(5), []float64{0, 0, 0, 1, 0}},
		{spline, visits(nan), []float64{0, 0, 0, 0, 1}},
		{rising, visits(-1), []float64{0, 0, 0}},
		{rising, visits(.5), []float64{.75, .125, 0}},
		{rising, visits(1), []float64{1, .5, 0}},
		{rising, visits(2), []float64{1, 1, 1}},
		{rising, visits(nan), []float64{0, 0, 0}},
		{value, visits(.5), []float64{1, 0, 0, 0}}, // a tie
		{value, visits(2.6), []float64{0, 0, 1, 0}},
		{value, visits(math.Inf(1)), []float64{0, 0, 1, 0}},
		{value, visits(nan), []float64{0, 0, 0, 1}},
		{level, plan(1), []float64{1, 0, 0}},
		{level, plan(-1), []float64{0, 1, 0}},
		{level, plan(0), []float64{0, 0, 1}},
		{level, plan(2), []float64{0, 0, 1}},
		{linear, visits(100), []float64{1, 0}},
		{linear, visits(0), []float64{-.5, 0}},
		{linear, visits(nan), []float64{0, 1}},
	} {
		in := NewSideInput(&test.side, &test.c)
		got := dense(t, in.Entries(nil, 0), test.side.Columns())
		for k := range got {
			if math.Abs(got[k]-test.want[k]) > 1e-15 || len(got) != len(test.want) {
				t.Errorf("%s at %v %v: %v, want %v", test.side.Kind, test.c.Num, test.c.Codes, got, test.want)
				break
			}
		}
	}
}
