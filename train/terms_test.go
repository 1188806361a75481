// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

var nan = math.NaN()

// sampleOf returns the rows of the columns in the given order, weight 1, every
// fourth churned.
func sampleOf(columns ...features.Column) *sample {
	n := max(len(columns[0].Num), len(columns[0].Codes))
	f := &features.Frame{Columns: columns, Rows: make([]features.Row, n)}
	for i := range f.Rows {
		f.Rows[i].Weight = 1
		if i%4 == 0 {
			f.Rows[i].Y = 1
		}
	}
	return newOrdered(f, []int{0, n})
}

// repeated returns n values, the first given ones in turn.
func repeated[T any](n int, values ...T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = values[i%len(values)]
	}
	return out
}

func TestNumberTerm(t *testing.T) {
	for _, test := range []struct {
		name   string
		x      []float64
		median float64
		want   []predict.Basis
		reason string
	}{
		{name: "plain", x: repeated(100, 1.0, 2, 3, 4), median: 2, want: []predict.Basis{
			{Kind: predict.Linear, Transform: predict.Identity, Mean: 2.5, SD: math.Sqrt(1.25)}}},
		// A quarter is missing and filled with 2: 1, 2, 3, 2 have mean 2 and variance 1/2.
		{name: "missing", x: repeated(100, 1.0, 2, 3, nan), median: 2, want: []predict.Basis{
			{Kind: predict.Linear, Transform: predict.Identity, Mean: 2, SD: math.Sqrt(.5)},
			{Kind: predict.Missing, Mean: .25, SD: math.Sqrt(.1875)}}},
		// Exactly as many missing as a flag may not have: nothing is left to learn from.
		{name: "constant, rarely missing", x: append(repeated(999, 7.0), nan), reason: "constant: 7"},
		// Skewness of 0, 0, 0, 0, 9 is 1.5, of its log the same: two values are as skewed after any map.
		{name: "two values", x: repeated(100, 0.0, 0, 0, 0, 9), median: 0, want: []predict.Basis{
			{Kind: predict.Linear, Transform: predict.Identity, Mean: 1.8, SD: 3.6}}},
		// ln(1 + x) of these is 0, 1, 2, 3, 4, 5 times ln 2: mean 5/2, variance 35/12.
		{name: "skewed", x: repeated(120, 0.0, 1, 3, 7, 15, 31), median: 3, want: []predict.Basis{
			{Kind: predict.Linear, Transform: predict.SignedLog, Mean: 2.5 * math.Ln2, SD: math.Ln2 * math.Sqrt(35./12)}}},
		{name: "known or not", x: repeated(100, 5, nan), median: 5, want: []predict.Basis{
			{Kind: predict.Missing, Mean: .5, SD: .5}}},
		{name: "constant", x: repeated(100, 5.0), reason: "constant: 5"},
		{name: "nothing", x: repeated(100, nan), reason: "missing in every row"},
		{name: "hardly known", x: append(repeated(2000, nan), 1), reason: "missing in 99.95 % of the rows"},
		{name: "rounding only", x: repeated(100, 1e15, 1e15+0.125), reason: "no usable spread: values from 1e+15 to 1.0000000000000001e+15"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := numberColumn("x", test.x...)
			w := repeated(len(test.x), 1.0)
			got, reason := numberTerm(&c, w, float64(len(w)))
			if reason != test.reason {
				t.Fatalf("reason %q, want %q", reason, test.reason)
			}
			if reason != "" {
				return
			}
			if diff := cmp.Diff(test.want, got.Columns, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if got.Median != test.median {
				t.Errorf("median %v, want %v", got.Median, test.median)
			}
		})
	}
}

func TestLevelTerm(t *testing.T) {
	few := func(n int, name string) []string { return repeated(n, name) }
	for _, test := range []struct {
		name    string
		values  []string
		columns []string
		pooled  []string
		reason  string
	}{
		{name: "common", values: slices.Concat(few(30, "b"), few(20, "a")), columns: []string{"a", "b"}},
		{name: "ten stay", values: slices.Concat(few(30, "a"), few(10, "b"), few(9, "c")), columns: []string{"a", "b"}, pooled: []string{"c"}},
		{name: "pooled together", values: slices.Concat(few(30, "a"), few(9, "b"), few(9, "c")), columns: []string{"a", "other"}, pooled: []string{"b", "c"}},
		{name: "missing is a level", values: slices.Concat(few(30, "a"), few(15, "")), columns: []string{"(missing)", "a"}},
		{name: "rarely missing", values: slices.Concat(few(30, "a"), few(12, "b"), few(3, "")), columns: []string{"a", "b"}, pooled: []string{"(missing)"}},
		{name: "a level named other", values: slices.Concat(few(30, "a"), few(20, "other"), few(2, "b")), columns: []string{"a", "other"}, pooled: []string{"b", "other"}},
		// 8,000/400 = 20 renewals are needed.
		{name: "many rows", values: slices.Concat(few(7962, "a"), few(20, "b"), few(18, "c")), columns: []string{"a", "b"}, pooled: []string{"c"}},
		{name: "constant", values: few(30, "a"), reason: `constant: "a"`},
		{name: "all rare", values: repeated(30, "a", "b", "c", "d"), reason: "4 levels, of which fewer than two hold 10 renewals"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := levelColumn("x", test.values...)
			got, reason := levelTerm(&c, repeated(len(test.values), 1.0), float64(len(test.values)))
			if reason != test.reason {
				t.Fatalf("reason %q, want %q", reason, test.reason)
			}
			if reason != "" {
				return
			}
			var names []string
			for _, b := range got.Columns {
				names = append(names, b.Level)
				if share := b.Mean; !near(b.SD*b.SD, share*(1-share), 1e-12) {
					t.Errorf("%s: mean %v and SD %v do not belong to an indicator", b.Level, b.Mean, b.SD)
				}
			}
			if !slices.Equal(names, test.columns) || !slices.Equal(got.Pooled, test.pooled) {
				t.Errorf("columns %q and pooled %q, want %q and %q", names, got.Pooled, test.columns, test.pooled)
			}
		})
	}
}

// Of numbers with the same ranks the first is kept, whatever their scale or
// sign; windows of one aggregate are kept even where they agree, and columns of a
// ready table that are far from a line in each other.
func TestTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	const n = 12000 // more than twinRows
	a, fall, near, apart := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		a[i] = r.NormFloat64()
		fall[i] = -math.Exp(a[i])
		near[i] = a[i] + .02*r.NormFloat64() // Spearman .9998
		apart[i] = a[i] + .1*r.NormFloat64() // Spearman .995
	}
	window := func(name string, days int, x []float64) features.Column {
		c := numberColumn(name, x...)
		c.Feature.Column, c.Feature.Agg, c.Feature.WindowDays = "", features.Sum, days
		return c
	}
	holes := slices.Clone(a)
	for i := 0; i < n; i += 3 {
		holes[i] = nan
	}
	_, dropped := newTerms(sampleOf(numberColumn("a", a...), numberColumn("fall", fall...), numberColumn("near", near...),
		numberColumn("apart", apart...), numberColumn("holes", holes...), window("sum_90d", 90, a), window("sum_all", 0, a)), 2)
	var names []string
	for _, d := range dropped {
		names = append(names, d.Feature)
		if !strings.HasPrefix(d.Reason, "numeric twin of a,") {
			t.Errorf("%s: reason %q", d.Feature, d.Reason)
		}
	}
	if want := []string{"near", "sum_90d", "sum_all"}; !slices.Equal(names, want) {
		t.Errorf("dropped %q, want %q", names, want)
	}
	ofHistory := func(name string, x []float64) features.Column {
		c := numberColumn(name, x...)
		c.Feature.From = "orders"
		return c
	}
	_, dropped = newTerms(sampleOf(ofHistory("a", a), ofHistory("fall", fall)), 1)
	if len(dropped) != 1 || dropped[0].Feature != "fall" {
		t.Errorf("dropped %v of a history, want fall, which has the ranks of a", dropped)
	}
	_, dropped = newTerms(sampleOf(window("sum_90d", 90, a), window("sum_all", 0, a)), 1)
	if len(dropped) > 0 {
		t.Errorf("dropped %v, but a window of 90 days and all history part when history grows", dropped)
	}
}

func TestUnitRanks(t *testing.T) {
	// Ranks 1.5, 1.5, 3, 4 about their mean 2.5, by hand; missing ranks lowest.
	got := unitRanks([]float64{2, nan, 9, nan}, 1)
	norm := math.Sqrt(1 + 1 + .25 + 2.25)
	for i, want := range []float64{.5 / norm, -1 / norm, 1.5 / norm, -1 / norm} {
		if !near(got[i], want, 1e-12) {
			t.Errorf("rank %d is %v, want %v", i, got[i], want)
		}
	}
}
