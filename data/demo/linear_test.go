// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"math"
	"testing"

	"github.com/holdfast-churn/holdfast/data/demo"
)

// drivers returns the features of a linear history at its mature renewals,
// from the tables alone, a row for each renewal with a 1 in front, and the
// outcomes and true log-odds.
func drivers(t *testing.T, d *demo.Demo) (x [][]float64, y, z []float64) {
	t.Helper()
	o := newOracle(d)
	for r := range d.Contracts.Rows {
		if text(&d.Contracts, "outcome", r) == "" {
			continue
		}
		id, at := text(&d.Contracts, "account_id", r), mustDate(t, &d.Contracts, "renewal_date", r)-90
		worst := math.Inf(-1)
		for _, e := range o.visible("invoices", id, "paid", 90, at) {
			worst = max(worst, e.value)
		}
		qbrs := o.visible("touchpoints", id, "qbr", allDays, at)
		days := make(map[int64]bool)
		for _, e := range o.visible("touchpoints", id, "training", 90, at) {
			days[e.ts/nsPerDay] = true
		}
		x = append(x, []float64{1,
			float64(len(o.visible("usage", id, "login", 30, at))),
			float64(len(o.visible("usage", id, "export", 90, at))),
			sumOf(o.visible("usage", id, "feature_use", 30, at)),
			meanOf(o.visible("tickets", id, "csat", 90, at)),
			lastOf(o.visible("nps", id, "", allDays, at)),
			worst,
			float64(at - qbrs[len(qbrs)-1].ts/nsPerDay),
			float64(len(days)),
		})
		y = append(y, float64(one(text(&d.Contracts, "outcome", r) == "churned")))
		z = append(z, d.Truth.Contracts.Column("log_odds").Floats[r])
	}
	return x, y, z
}

func trueWeights(d *demo.Demo) []float64 {
	w := []float64{d.Truth.Intercept}
	for _, e := range d.Truth.Effects {
		w = append(w, e.Coef)
	}
	return w
}

// The log-odds are linear in the drivers, to rounding, and the drivers are as
// plain as promised.
func TestLinearTruth(t *testing.T) {
	d := demo.Linear(11, 2500)
	x, y, z := drivers(t, d)
	w := trueWeights(d)
	if len(x) < 2500 || len(x) > 2502 {
		t.Errorf("%d mature renewals, want 2,500 or one or two more", len(x))
	}
	for i := range x {
		var want float64
		for j := range w {
			want += w[j] * x[i][j]
		}
		if !(math.Abs(z[i]-want) < 2e-9) { // stored to nine decimals
			t.Fatalf("renewal %d: log-odds %v, want %v", i, z[i], want)
		}
	}
	var churned float64
	for _, v := range y {
		churned += v
	}
	if rate := churned / float64(len(y)); rate < .2 || rate > .35 {
		t.Errorf("%.3f of the renewals churned, want .2 to .35", rate)
	}
	for j := 1; j < len(w); j++ {
		n := float64(len(x))
		var m, m2, m3 float64
		often := make(map[float64]int)
		for i := range x {
			m += x[i][j] / n
			often[x[i][j]]++
		}
		for i := range x {
			e := x[i][j] - m
			m2, m3 = m2+e*e/n, m3+e*e*e/n
		}
		name := d.Truth.Effects[j-1].Feature
		if skew := m3 / math.Pow(m2, 1.5); math.Abs(skew) > .8 {
			t.Errorf("%s: skewness %.2f, want within .8", name, skew)
		}
		for v, k := range often {
			if float64(k) > .05*n || math.Abs(v-m) > 4*math.Sqrt(m2) {
				t.Errorf("%s: %v occurs %d times in %.0f and lies %.1f standard deviations out", name, v, k, n, (v-m)/math.Sqrt(m2))
			}
		}
		if effect := math.Abs(w[j]) * math.Sqrt(m2); effect < .15 || effect > .6 {
			t.Errorf("%s: one standard deviation moves the log-odds by %.2f, want .15 to .6", name, effect)
		}
	}
}

// A plain maximum-likelihood fit on the drivers covers the true coefficients
// with its 90 % intervals as often as it says: what any study on these
// histories rests on.
func TestLinearTruthIsRecovered(t *testing.T) {
	if testing.Short() {
		t.Skip("40 data sets")
	}
	const sets, renewals = 40, 1200
	var covered, all int
	for seed := range uint64(sets) {
		d := demo.Linear(100+seed, renewals)
		x, y, _ := drivers(t, d)
		w, se := maximumLikelihood(x, y)
		for j, want := range trueWeights(d)[1:] {
			all++
			covered += one(math.Abs(w[j+1]-want) <= 1.6449*se[j+1])
		}
	}
	// 320 intervals: 85 to 95 % is three binomial standard errors either way.
	if share := float64(covered) / float64(all); share < .85 || share > .95 {
		t.Errorf("90 %% intervals cover %d of %d true coefficients (%.3f), want .85 to .95", covered, all, share)
	}
}

// maximumLikelihood fits a logistic regression by Newton's method and returns
// the weights and their standard errors.
func maximumLikelihood(x [][]float64, y []float64) (w, se []float64) {
	p := len(x[0])
	w = make([]float64, p)
	var inverse [][]float64
	for range 25 {
		g, h := make([]float64, p), make([][]float64, p)
		for j := range h {
			h[j] = make([]float64, p)
		}
		for i := range x {
			var z float64
			for j := range w {
				z += w[j] * x[i][j]
			}
			mu := 1 / (1 + math.Exp(-z))
			for j := range w {
				g[j] += (y[i] - mu) * x[i][j]
				for k := range w {
					h[j][k] += mu * (1 - mu) * x[i][j] * x[i][k]
				}
			}
		}
		inverse = invert(h)
		var step float64
		for j := range w {
			var s float64
			for k := range w {
				s += inverse[j][k] * g[k]
			}
			w[j] += s
			step += math.Abs(s)
		}
		if step < 1e-10 {
			break
		}
	}
	for j := range w {
		se = append(se, math.Sqrt(inverse[j][j]))
	}
	return w, se
}

// invert inverts a positive definite matrix by Gauss-Jordan elimination.
func invert(a [][]float64) [][]float64 {
	n := len(a)
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		out[i][i] = 1
	}
	for c := range n {
		pivot := a[c][c]
		for k := range n {
			a[c][k], out[c][k] = a[c][k]/pivot, out[c][k]/pivot
		}
		for r := range n {
			if f := a[r][c]; r != c {
				for k := range n {
					a[r][k], out[r][k] = a[r][k]-f*a[c][k], out[r][k]-f*out[c][k]
				}
			}
		}
	}
	return out
}
