// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Thresholds of METHODS.md section 3, step 1.
const (
	// rareMissing is the share of missing values below which they are filled
	// in without a flag; with 1 − rareMissing or more, the feature is dropped.
	rareMissing  = 0.001
	minLevel     = 10  // renewals a level needs for a column of its own …
	minLevelPart = 400 // … or total/400, whichever is more
	maxPooled    = 100 // pooled levels whose names a model lists
)

// newTerms decides from the sample alone, never from its outcomes, which basis
// columns each feature gets and how they are standardised. Weights are left at
// 0. Features without information are returned with the reason.
func newTerms(s *sample, workers int) ([]predict.Term, []predict.Dropped) {
	f := s.frame
	w := s.weights()
	terms := make([]predict.Term, len(f.Columns))
	reasons := make([]string, len(f.Columns))
	parallel(workers, len(f.Columns), func(k int) {
		c := &f.Columns[k]
		if c.IsLevel() {
			terms[k], reasons[k] = levelTerm(c, w, s.total)
		} else {
			terms[k], reasons[k] = numberTerm(c, w, s.total)
		}
	})
	markTwins(f, reasons)
	kept, dropped := make([]predict.Term, 0, len(terms)), []predict.Dropped{}
	for k := range terms {
		if reasons[k] != "" {
			dropped = append(dropped, predict.Dropped{Feature: f.Columns[k].Feature.Name, Reason: reasons[k]})
		} else {
			kept = append(kept, terms[k])
		}
	}
	return kept, dropped
}

// numberTerm returns the term of a number: a linear column, and a flag where
// some values are missing. All figures are weighted; total is Σw.
func numberTerm(c *features.Column, w []float64, total float64) (predict.Term, string) {
	t := newTerm(&c.Feature)
	x, xw := make([]float64, 0, len(w)), make([]float64, 0, len(w))
	missing := 0.0
	t.Low, t.High = math.Inf(1), math.Inf(-1)
	for i, v := range c.Num {
		if v != v {
			missing += w[i]
			continue
		}
		x, xw = append(x, v), append(xw, w[i])
		t.Low, t.High = min(t.Low, v), max(t.High, v)
	}
	q := missing / total
	switch {
	case len(x) == 0:
		return t, "missing in every row"
	case q > 1-rareMissing:
		return t, fmt.Sprintf("missing in %.2f %% of the rows", 100*q)
	case t.Low == t.High && q <= rareMissing:
		return t, fmt.Sprintf("constant: %v", t.Low)
	}
	values := make([]weighted, len(x))
	for i := range x {
		values[i] = weighted{x[i], xw[i]}
	}
	t.Median = quantile(values, 0.5)
	if t.Low < t.High {
		b, ok := linearColumn(&t, x, xw, q)
		if !ok {
			return t, fmt.Sprintf("no usable spread: values from %v to %v", t.Low, t.High)
		}
		t.Columns = append(t.Columns, b)
	}
	if q > rareMissing {
		t.Columns = append(t.Columns, predict.Basis{Kind: predict.Missing, Mean: q, SD: math.Sqrt(q * (1 - q))})
	}
	return t, ""
}

// linearColumn standardises the linear column of a number whose observed
// values are x with weights w, and which is missing in a share q of the rows.
// Where the values are skewed (|skew| > 1), and less so under sign(x) ln(1 + |x|),
// that transform is taken. A number of two values is as skewed after any
// transform, so a gain must be more than rounding. Mean and SD are those of the
// column with the median filled in: with m and s of the observed values and u the median's,
//
//	Mean = (1−q) m + q u,   SD² = (1−q) (s² + (m − Mean)²) + q (u − Mean)²
func linearColumn(t *predict.Term, x, w []float64, q float64) (predict.Basis, bool) {
	m := measure(x, w)
	if math.Abs(m.skew) > 1 {
		if log := measure(unscaled(t, predict.SignedLog, x), w); math.Abs(log.skew) < (1-1e-6)*math.Abs(m.skew) {
			return standardised(t, predict.SignedLog, log, q)
		}
	}
	return standardised(t, predict.Identity, m, q)
}

// unscaled returns the values of a linear column before it is standardised.
func unscaled(t *predict.Term, transform predict.Transform, x []float64) []float64 {
	one := *t
	one.Columns = []predict.Basis{{Kind: predict.Linear, Transform: transform}}
	u := make([]float64, len(x))
	for i, v := range x {
		u[i] = one.Raw(0, v)
	}
	return u
}

// standardised returns the linear column whose observed values have the moments
// m after the transform (linearColumn); ok is false where they do not vary.
func standardised(t *predict.Term, transform predict.Transform, m moments, q float64) (b predict.Basis, ok bool) {
	b = predict.Basis{Kind: predict.Linear, Transform: transform}
	u := unscaled(t, transform, []float64{math.NaN()})[0]
	b.Mean = float64((1-q)*m.mean) + float64(q*u)
	dm, du := m.mean-b.Mean, u-b.Mean
	b.SD = math.Sqrt(float64((1-q)*(float64(m.sd*m.sd)+float64(dm*dm))) + float64(q*du*du))
	// A spread that rounding can make, or that overflows, carries nothing.
	return b, b.SD > 1e-12*math.Abs(b.Mean) && !math.IsInf(b.SD, 0)
}

// levelTerm returns the term of a level feature: a column for each level that
// holds enough renewals, and one for the rest, "other", where the rest does. A
// level that is 0 in all columns scores as the average level.
func levelTerm(c *features.Column, w []float64, total float64) (predict.Term, string) {
	t := newTerm(&c.Feature)
	share := make(map[string]float64) // by name: two codes may share one
	for code, sum := range levelWeights(c, w) {
		if sum > 0 {
			name := predict.MissingLevel
			if code > 0 {
				name = c.Levels[code-1]
			}
			share[name] += sum
		}
	}
	names := make([]string, 0, len(share))
	for name := range share {
		names = append(names, name)
	}
	slices.Sort(names)
	need := max(minLevel, total/minLevelPart)
	other := 0.0
	for _, name := range names {
		if share[name] >= need && name != predict.OtherLevel {
			t.Columns = append(t.Columns, indicator(name, share[name]/total))
			continue
		}
		other += share[name]
		t.Pooled = append(t.Pooled, name)
	}
	if other >= need {
		t.Columns = append(t.Columns, indicator(predict.OtherLevel, other/total))
	}
	if len(t.Pooled) > maxPooled {
		t.Pooled = nil
	}
	switch {
	case len(names) == 1:
		return t, fmt.Sprintf("constant: %q", names[0])
	case len(t.Columns) < 2:
		return t, fmt.Sprintf("%d levels, of which fewer than two hold %.0f renewals", len(names), math.Ceil(need))
	}
	return t, ""
}

// levelWeights returns Σw by code + 1; element 0 is the missing ones.
func levelWeights(c *features.Column, w []float64) []float64 {
	sums := make([]float64, len(c.Levels)+1)
	for i, code := range c.Codes {
		sums[code+1] += w[i]
	}
	return sums
}

func indicator(level string, q float64) predict.Basis {
	return predict.Basis{Kind: predict.Level, Level: level, Mean: q, SD: math.Sqrt(q * (1 - q))}
}

func newTerm(f *features.Feature) predict.Term {
	return predict.Term{Feature: f.Name, Kind: string(f.Kind), Pillar: f.Pillar, Label: f.Label}
}
