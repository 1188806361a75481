// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// The figures are those that the R package pmsampsize (1.1.1 and later) expects
// of itself, in tests/testthat/test_bin.R, tests 4.1 to 4.4; the first is the
// example of its manual.
func TestMinimumSizeOfPublishedExamples(t *testing.T) {
	for _, c := range []struct {
		r2      float64
		weights int
		p       float64
		want    MinimumSize
	}{
		{0.288, 24, 0.174, MinimumSize{623, 662, 221}},
		{0.55, 24, 0.174, MinimumSize{255, 532, 221}},
		{0.288, 36, 0.174, MinimumSize{934, 992, 221}},
		{0.288, 24, 0.25, MinimumSize{623, 590, 289}},
	} {
		if got := NewMinimumSize(c.weights, c.p, c.r2); got != c.want {
			t.Errorf("R² %v, %d weights, risk %v: %+v, want %+v", c.r2, c.weights, c.p, got, c.want)
		}
	}
}

// samplesize.json comes from a search for the smallest n that meets each
// criterion (samplesize.py), without the closed forms.
func TestMinimumSizeAgreesWithSearch(t *testing.T) {
	text, err := os.ReadFile("testdata/samplesize.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Weights                   int
		P, R2                     float64
		Shrinkage, Optimism, Risk int
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 60 {
		t.Fatalf("%d rows, want 60", len(rows))
	}
	for _, r := range rows {
		if got, want := NewMinimumSize(r.Weights, r.P, r.R2), (MinimumSize{r.Shrinkage, r.Optimism, r.Risk}); got != want {
			t.Errorf("%d weights, risk %v, R² %v: %+v, want %+v", r.Weights, r.P, r.R2, got, want)
		}
		// What n outcomes are enough for needs no more than n.
		n := max(r.Shrinkage, r.Optimism)
		if got := enoughFor(n, r.P, r.R2); got != r.Weights {
			t.Errorf("%d outcomes are enough for %d weights, want %d", n, got, r.Weights)
		}
		if got := enoughFor(n-1, r.P, r.R2); got != r.Weights-1 {
			t.Errorf("%d outcomes are enough for %d weights, want %d", n-1, got, r.Weights-1)
		}
	}
}

func TestMinimumSizeWithoutAnAnswer(t *testing.T) {
	for _, c := range []struct {
		weights int
		p, r2   float64
	}{{0, 0.1, 0.1}, {1, 0, 0.1}, {1, 1, 0.1}, {1, 0.1, 0}, {1, 0.01, 0.3}, {1, math.NaN(), 0.1}, {1, 0.5, math.NaN()}} {
		if got := NewMinimumSize(c.weights, c.p, c.r2); got != (MinimumSize{}) {
			t.Errorf("%+v: %+v, want zeros", c, got)
		}
	}
}

// A number is one weight, one more where only some values are missing; a level
// is one less than its levels, a missing one among them.
func TestWeights(t *testing.T) {
	nan := math.NaN()
	number := func(x ...float64) features.Column {
		return features.Column{Feature: features.Feature{Kind: features.NumberKind}, Num: x}
	}
	level := func(codes ...int32) features.Column {
		return features.Column{Feature: features.Feature{Kind: features.LevelKind}, Codes: codes, Levels: []string{"a", "b", "never"}}
	}
	for _, c := range []struct {
		column features.Column
		want   int
	}{
		{number(1, 2, 3), 1}, {number(1, nan, 3), 2}, {number(1, nan, 1), 1}, {number(1, 1, 1), 0}, {number(nan, nan, nan), 0},
		{level(0, 1, 0), 1}, {level(0, 1, -1), 2}, {level(1, 1, 1), 0}, {level(-1, -1, -1), 0},
	} {
		if got := Weights(&features.Frame{Rows: make([]features.Row, 3), Columns: []features.Column{c.column}}); got != c.want {
			t.Errorf("%v %v: %d weights, want %d", c.column.Num, c.column.Codes, got, c.want)
		}
	}
}
