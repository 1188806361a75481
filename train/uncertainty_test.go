// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// exactly compares what the directions say of rows with x'Vx, and returns the
// root mean square of the error of the standard deviation, as a share.
func exactly(t *testing.T, v *variance, u *predict.Uncertainty, rows []int, published [][]float64) float64 {
	t.Helper()
	x := make([][]float64, len(rows))
	for k, i := range rows {
		x[k] = make([]float64, v.cols)
		v.row(x[k], i)
	}
	sum, said, true := 0.0, 0.0, 0.0
	for k, vx := range v.times(x) {
		want, got := dot(x[k], vx), u.Rest
		for d := range u.Rank {
			f := 0.0
			for c, value := range published[k] {
				f += value * float64(u.Factor[c*u.Rank+d])
			}
			got += f * f
		}
		share := math.Sqrt(got/want) - 1
		sum += share * share
		said, true = said+got, true+want
	}
	if math.Abs(said/true-1) > .02 {
		t.Errorf("the mean variance is %v, said to be %v", true/float64(len(rows)), said/float64(len(rows)))
	}
	return math.Sqrt(sum / float64(len(rows)))
}

// The directions of a linear fit give x'Vx of the clustered variance.
func TestUncertaintyOfLinear(t *testing.T) {
	f := history(900, -1, 31)
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	terms, _ := newTerms(s, 1)
	d := newDesign(s, terms, 1)
	fit, err := newton(context.Background(), d, 4)
	if err != nil {
		t.Fatal(err)
	}
	_, full := setWeights(terms, s, d, fit, 1)
	v := varianceOf(d, full)
	u := v.uncertainty()
	var rows []int
	var x [][]float64
	for i := 0; i < d.rows; i += 7 {
		rows, x = append(rows, i), append(x, d.x[i*d.stride:][:d.cols])
	}
	if off := exactly(t, v, u, rows, x); off > .03 { // .05 of the variance is left out
		t.Errorf("standard deviations are off by %v", off)
	}
	if u.Rank == 0 || u.Rank > d.cols || len(u.Factor) != u.Rank*d.cols {
		t.Errorf("%d directions of %d weights, %d numbers", u.Rank, d.cols, len(u.Factor))
	}
	if again := v.uncertainty(); !slices.Equal(again.Factor, u.Factor) || again.Rest != u.Rest {
		t.Error("other directions the second time")
	}
}

// Those of an additive fit are of published columns: the model that has a
// direction for its weights gives f·x.
func TestUncertaintyOfAdditive(t *testing.T) {
	f := history(900, -1, 32)
	c, b := additive(t, f, everything(0))
	sandwich := c.sandwich(b)
	v := rawVariance(&b.logit, b.fit.m, sandwich.times)
	u := v.uncertainty()
	m := &predict.Model{Format: predict.Format, Spec: specOf(c.s.frame), Logit: b.logit, Score: scoreConstants(), Uncertainty: u}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	var rows []int
	for i := 0; i < len(f.Rows); i += 9 {
		rows = append(rows, i)
	}
	// Through scoring: z of the model with direction k is f_k·x.
	x := make([][]float64, len(rows))
	for k := range u.Rank {
		z := directionOdds(t, m, c, k)
		for r, i := range rows {
			x[r] = append(x[r], z[i])
		}
	}
	turned := &predict.Uncertainty{Rank: u.Rank, Rest: u.Rest, Factor: make(predict.Packed, u.Rank*u.Rank)}
	for k := range u.Rank {
		turned.Factor[k*u.Rank+k] = 1
	}
	if off := exactly(t, v, turned, rows, x); off > .03 {
		t.Errorf("standard deviations are off by %v", off)
	}
	for i, combination := range [][]float64{v.unit(0), v.unit(3)} {
		want := sandwich.variances([][]float64{combination})[0]
		if got := dot(combination, v.times([][]float64{combination})[0]); !near(got, want, 1e-9*want) {
			t.Errorf("combination %d: c'Vc %v, want %v", i, got, want)
		}
	}
}

// unit is a vector with 1 in one place.
func (v *variance) unit(c int) []float64 {
	out := make([]float64, v.cols)
	out[c] = 1
	return out
}

// directionOdds returns the log-odds of the model with direction k in place of
// its weights.
func directionOdds(t *testing.T, m *predict.Model, c *contest, k int) []float64 {
	t.Helper()
	b, err := predict.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d, err := predict.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	next := func() float64 {
		i++
		return float64(m.Uncertainty.Factor[(i-1)*m.Uncertainty.Rank+k])
	}
	d.Intercept = next()
	for j := range d.Terms {
		for n := range d.Terms[j].Columns {
			d.Terms[j].Columns[n].Weight = next()
		}
	}
	for p := range d.Pairs {
		for n := range d.Pairs[p].Cells {
			d.Pairs[p].Cells[n].Weight = next()
		}
	}
	for n := range d.Tables {
		for r := range d.Tables[n].Rules {
			d.Tables[n].Rules[r].Weight = next()
		}
	}
	z, err := d.LogOdds(nil, c.s.frame)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
