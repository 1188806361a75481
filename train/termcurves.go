// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// curvePoints is the number of points of the curve of a number with many values:
// its eight intervals, halved.
const curvePoints = 17

// rawColumn is the value of a column of a sparse design from its raw one.
func rawColumn(b *predict.Basis, u float64) float64 {
	if b.Kind == predict.Linear {
		return b.Standardise(u)
	}
	return u
}

// stateCurves states each term's curve, its pointwise 90 % band and the density of
// the data,
//
//	f_j(x) − mean f_j ± 1.645 √(c'V_jj c),   c = u(x) − mean u
//
// where u are the columns that the weights are of, column making them of raw ones;
// means are those of the columns, the intercept left out; f and w the rows, and
// block returns V_jj of the n columns from number at on.
//
// Source: Wood (2006), section 4.8; Marra and Wood (2012), whose bands leave out
// the uncertainty of the mean as these do.
func stateCurves(
	l *predict.Logit, means []float64, column func(b *predict.Basis, u float64) float64,
	f *features.Frame, w []float64, block func(at, n int) []float64,
) {
	at := 1
	for j := range l.Terms {
		t := &l.Terms[j]
		n := len(t.Columns)
		if n == 0 { // of a card's feature
			continue
		}
		v := block(at, n)
		t.Curve = t.Points(curvePoints)
		for i := range t.Curve {
			p := &t.Curve[i]
			c := curveContrast(t, p, means[at-1:], column)
			p.Effect = predict.NewInterval(p.Effect.Estimate, contrastError(v, n, 0, c))
		}
		setDensity(t, f.Column(t.Feature), w)
		at += n
	}
}

// curveContrast returns c of a point of a term's curve; means are those of the
// term's columns and more.
func curveContrast(t *predict.Term, p *predict.CurvePoint, means []float64, column func(b *predict.Basis, u float64) float64) []float64 {
	c := t.RawAt(p)
	for k := range c {
		c[k] = column(&t.Columns[k], c[k]) - means[k]
	}
	return c
}

// setDensity sets the share of the rows about each point of a term's curve.
func setDensity(t *predict.Term, c *features.Column, w []float64) {
	total := 0.0
	var numbers []float64
	missing := -1 // the point of missing values
	for i := range t.Curve {
		if t.Curve[i].Missing {
			missing = i
		} else {
			numbers = append(numbers, t.Curve[i].At)
		}
	}
	in := predict.NewInput(t, c)
	var buffer []predict.Entry
	for i, wi := range w {
		total += wi
		at := missing
		switch {
		case c.IsLevel():
			if buffer = in.Entries(buffer[:0], i); len(buffer) > 0 {
				at = int(buffer[0].Column)
			}
		case !math.IsNaN(c.Num[i]):
			at = nearestOf(numbers, c.Num[i])
		}
		if at >= 0 {
			t.Curve[at].Share += wi
		}
	}
	for i := range t.Curve {
		t.Curve[i].Share /= total
	}
}

// nearestOf returns the place of the number that is nearest to x among rising
// ones, the smaller of two as near.
func nearestOf(numbers []float64, x float64) int {
	k, _ := slices.BinarySearch(numbers, x)
	if k == len(numbers) || k > 0 && x-numbers[k-1] <= numbers[k]-x {
		k--
	}
	return k
}
