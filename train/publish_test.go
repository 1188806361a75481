// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// additive builds a contestant of a given kind on a frame, as fitAdditive does.
func additive(t *testing.T, f *features.Frame, x *contestant) (*contest, *built) {
	t.Helper()
	s := mustSample(t, f)
	terms, _ := newTerms(s, 2)
	c := newContest(s, terms, nil, 2)
	b, err := c.build(context.Background(), x, true)
	if err != nil {
		t.Fatal(err)
	}
	return c, b
}

// everything is a contestant with all kinds of columns, tables of the given
// shape among them.
func everything(shape int) *contestant {
	x := &contestant{name: "tables", curves: true, pairs: 4, shape: &treeShapes[shape], rules: 15}
	x.penalties = penalties{plain: 3, curve: 5, pair: 10, rule: treeShapes[shape].penalty, power: .5}
	return x
}

// A published model scores the training rows as the fit does; the contributions
// of its parts sum to its log-odds; its reference means are those of the rows,
// and the shares of variance sum to 1.
func TestPublishedIsTheFit(t *testing.T) {
	f := history(1500, -1, 21)
	for i := range f.Rows { // two interactions, and weights
		switch login, ticket, noise := f.Columns[0].Num[i], f.Columns[1].Num[i], f.Columns[2].Num[i]; {
		case ticket*noise > .3:
			f.Rows[i].Y = 1
		case ticket*login > .3:
			f.Rows[i].Y = 0
		}
		f.Rows[i].Weight = []float64{1, .5, .25}[i%3]
	}
	f.Columns[3].Num[7] *= 1e4
	splines := &contestant{name: "splines", curves: true, penalties: penalties{plain: 2, curve: 4, power: 1}}
	for name, x := range map[string]*contestant{"splines": splines, "small": everything(0), "deep": everything(1)} {
		c, b := additive(t, f, x)
		if x.rules > 0 && (len(b.logit.Pairs) < 2 || len(b.logit.Tables) < 2) {
			t.Fatalf("%s: %d pairs, %d tables", name, len(b.logit.Pairs), len(b.logit.Tables))
		}
		c.setEffects(b, c.sandwich(b))
		setShares(&b.logit, b.fit.m, b.fit.theta)
		m := &predict.Model{Format: predict.Format, Spec: specOf(c.s.frame), Logit: b.logit, Score: scoreConstants()}
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		z, err := m.LogOdds(nil, c.s.frame)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, len(z))
		b.fit.m.logOdds(want, b.fit.theta, 0, len(z))
		mean := 0.0
		for i := range z {
			if !near(z[i], want[i], 1e-9) {
				t.Fatalf("%s: row %d scores %v, the fit gives %v", name, i, z[i], want[i])
			}
			mean += c.base.w[i] * z[i] / c.base.total
		}
		reference := m.Intercept
		shares := 0.0
		for j := range m.Terms {
			reference += m.Terms[j].RefMean
			shares += m.Terms[j].Share
		}
		for k := range m.Pairs {
			reference += m.Pairs[k].RefMean
			shares += m.Pairs[k].Share
		}
		for k := range m.Tables {
			reference += m.Tables[k].RefMean
			shares += m.Tables[k].Share
		}
		if !near(reference, mean, 1e-9) {
			t.Errorf("%s: references sum to %v, the mean of the rows is %v", name, reference, mean)
		}
		if !near(shares, 1, 1e-9) {
			t.Errorf("%s: shares sum to %v", name, shares)
		}
		checkParts(t, name, c, m, z)
	}
}

// checkParts compares each part's RefMean with the mean of what it adds, and its
// share with cov(part, z)/var(z).
func checkParts(t *testing.T, name string, c *contest, m *predict.Model, z []float64) {
	t.Helper()
	check := func(words string, l predict.Logit, reference, share float64) {
		t.Helper()
		l.Calibration = m.Calibration
		part, err := (&predict.Model{Spec: m.Spec, Logit: l}).LogOdds(nil, c.s.frame)
		if err != nil {
			t.Fatal(err)
		}
		w := c.base.w
		if mean := stat.Mean(part, w); !near(reference, mean, 1e-9) {
			t.Errorf("%s: %s has the reference %v, its mean is %v", name, words, reference, mean)
		}
		// gonum's denominators, Σw − 1, cancel.
		if want := stat.Covariance(part, z, w) / stat.Variance(z, w); !near(share, want, 1e-9) {
			t.Errorf("%s: %s has the share %v, want %v", name, words, share, want)
		}
	}
	for j := range m.Terms {
		u := m.Terms[j]
		check(u.Feature, predict.Logit{Terms: []predict.Term{u}}, u.RefMean, u.Share)
	}
	still := slices.Clone(m.Terms) // pairs and tables read features that have terms
	for j := range still {
		still[j].Columns = slices.Clone(still[j].Columns)
		for k := range still[j].Columns {
			still[j].Columns[k].Weight = 0
		}
	}
	for k, p := range m.Pairs {
		check(fmt.Sprintf("pair %d", k), predict.Logit{Terms: still, Pairs: []predict.Pair{p}}, p.RefMean, p.Share)
	}
	for k, u := range m.Tables {
		check(fmt.Sprintf("table %d", k), predict.Logit{Terms: still, Tables: []predict.Table{u}}, u.RefMean, u.Share)
	}
}

// The standard errors of effects are, to 30 %, those of a bootstrap by account
// of the same model at the same penalty, knots and levels kept.
func TestEffectErrorsAgainstABootstrap(t *testing.T) {
	const draws = 100
	f := history(900, -.5, 22)
	for i := range f.Rows { // three rows an account, alike in what it logs
		f.Rows[i].Group = f.Rows[i-i%3].Group
		f.Rows[i].Account = f.Rows[i].Group
		f.Columns[0].Num[i] = f.Columns[0].Num[i-i%3] + .1*f.Columns[0].Num[i]
	}
	x := &contestant{name: "splines", curves: true, penalties: penalties{plain: 2, curve: 10, power: 1}}
	c, b := additive(t, f, x)
	c.setEffects(b, c.sandwich(b))
	r := rand.New(rand.NewPCG(23, 23))
	groups := 0
	for _, g := range c.groups {
		groups = max(groups, int(g)+1)
	}
	sum, square := make([]float64, len(b.logit.Terms)), make([]float64, len(b.logit.Terms))
	for range draws {
		times := make([]float64, groups)
		for range groups {
			times[r.IntN(groups)]++
		}
		m := *b.fit.m
		m.w = make([]float64, m.rows)
		for i, g := range c.groups {
			m.w[i] = times[g]
		}
		refit := newRidge(&m, noFold)
		mustSolve(t, refit, b.fit.penalty, 1e-9, true)
		at := 1
		for j := range b.logit.Terms {
			contrast, _ := rawContrast(&b.logit.Terms[j], c.s.frame.Column(b.logit.Terms[j].Feature), c.base.w)
			e := dot(contrast, refit.theta[at:at+len(contrast)])
			sum[j] += e / draws
			square[j] += e * e / draws
			at += len(b.logit.Terms[j].Columns)
		}
	}
	const z95 = 1.6448536269514722
	for j := range b.logit.Terms {
		u := &b.logit.Terms[j]
		// Ridge shrinks: the variance of METHODS 3 holds the prior's part Λ too,
		// which a bootstrap does not see. It is small at these penalties.
		got, want := (u.Effect.High-u.Effect.Low)/2/z95, math.Sqrt(square[j]-sum[j]*sum[j])
		t.Logf("%s: standard error %.3f, by bootstrap %.3f", u.Feature, got, want)
		if got < .7*want || got > 1.3*want {
			t.Errorf("%s: standard error %v, by bootstrap %v", u.Feature, got, want)
		}
	}
}
