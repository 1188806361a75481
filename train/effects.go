// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"strconv"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// setWeights copies a solution into the terms: weights with their standard
// errors, each term's effect, and its mean contribution to the rows of d. It
// returns the mean raw log-odds of those rows, and the variance of (b, w).
func setWeights(terms []predict.Term, s *sample, d *design, fit *solution, workers int) (mean float64, v []float64) {
	group, groups := groupsOf(s.frame.Rows)
	v = clusteredVariance(d, fit, group, groups)
	means := d.columnMeans()
	starts := make([]int, len(terms))
	at := 1
	for j := range terms {
		starts[j] = at
		at += len(terms[j].Columns)
	}
	parallel(workers, len(terms), func(j int) {
		t, at := &terms[j], starts[j]
		for k := range t.Columns {
			t.Columns[k].Weight = fit.theta[at+k]
			t.Columns[k].SE = math.Sqrt(max(v[(at+k)*d.cols+at+k], 0))
			t.RefMean += float64(fit.theta[at+k] * means[at+k])
		}
		contrast, words := contrastOf(t, s.frame.Column(t.Feature), d.w)
		estimate := dot(contrast, fit.theta[at:at+len(contrast)])
		t.Effect = predict.NewInterval(estimate, contrastError(v, d.cols, at, contrast))
		t.Contrast = words
	})
	stateCurves(&predict.Logit{Terms: terms}, means[1:], (*predict.Basis).Standardise, s.frame, d.w, func(at, n int) []float64 {
		var block []float64
		for k := at; k < at+n; k++ {
			block = append(block, v[k*d.cols+at:k*d.cols+at+n]...)
		}
		return block
	})
	return dot(fit.theta, means), v
}

// columnMeans returns the weighted mean of each column of X; clipping moves it
// from 0.
func (d *design) columnMeans() []float64 {
	means := make([]float64, d.cols)
	for i, w := range d.w {
		for j, v := range d.x[i*d.stride : i*d.stride+d.cols] {
			means[j] += float64(w * v)
		}
	}
	for j := range means {
		means[j] /= d.total
	}
	return means
}

// contrastOf returns what a term's effect compares, as a difference of basis
// columns and in words. For a number: its 75th against its 25th percentile
// where known, or, where these are equal, the next wider pair that is not; for
// a number that is only known or missing, missing against known; for levels,
// the second most common against the most common.
func contrastOf(t *predict.Term, c *features.Column, w []float64) ([]float64, string) {
	if c.IsLevel() {
		return levelContrast(t)
	}
	contrast := make([]float64, len(t.Columns))
	if t.Columns[0].Kind != predict.Linear {
		contrast[0] = t.Columns[0].Standardise(1) - t.Columns[0].Standardise(0)
		return contrast, "missing against known"
	}
	low, high, words := quartiles(t, c, w)
	for k := range t.Columns {
		b := &t.Columns[k]
		contrast[k] = b.Standardise(t.Raw(k, high)) - b.Standardise(t.Raw(k, low))
	}
	return contrast, words
}

// quartiles returns the two values of a number that its effect compares, and
// the comparison in words.
func quartiles(t *predict.Term, c *features.Column, w []float64) (low, high float64, words string) {
	var values []weighted
	for i, x := range c.Num {
		if x == x {
			values = append(values, weighted{x, w[i]})
		}
	}
	low, high, name := t.Low, t.High, "highest against lowest"
	for _, q := range []float64{0.25, 0.05} {
		a, b := quantile(values, q), quantile(values, 1-q)
		if a < b {
			low, high = a, b
			name = fmt.Sprintf("%gth against %gth percentile", 100*(1-q), 100*q)
			break
		}
	}
	return low, high, fmt.Sprintf("%s against %s (%s)", shortNumber(high), shortNumber(low), name)
}

// levelContrast compares the two levels with the largest shares, which are the
// means of their indicators; of equal shares the first by name counts as more
// common.
func levelContrast(t *predict.Term) ([]float64, string) {
	first, second := -1, -1
	for k := range t.Columns {
		switch q := t.Columns[k].Mean; {
		case first < 0 || q > t.Columns[first].Mean:
			first, second = k, first
		case second < 0 || q > t.Columns[second].Mean:
			second = k
		}
	}
	contrast := make([]float64, len(t.Columns))
	for _, k := range []int{first, second} {
		b := &t.Columns[k]
		contrast[k] = b.Standardise(1) - b.Standardise(0)
	}
	contrast[first] = -contrast[first]
	return contrast, fmt.Sprintf("%s against %s", t.Columns[second].Level, t.Columns[first].Level)
}

// shortNumber writes a number with up to four significant digits.
func shortNumber(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
