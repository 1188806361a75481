// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A card that is worth more renewals moves linear terms towards the ranking by
// hand, and at 10¹² all terms are 0, of whatever kind.
func TestScorecardBetween(t *testing.T) {
	f := history(1200, -1, 3)
	card := handCard()
	s := scoresOf(t, card, f)
	last := 0.0
	for _, worth := range []float64{0, 200, 1500, 20000} {
		m := mustFit(t, f, Options{Scorecard: card, ScorecardWorth: worth, Time: true})
		p, err := m.Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		if a := -correlation(s, p); a <= last {
			t.Errorf("worth %v renewals, correlation with the card %v, before %v", worth, a, last)
		} else {
			last = a
		}
		if worth > 0 {
			wantWhole(t, m, f)
		}
	}
	for _, stages := range []string{StagesLinear, StagesAuto} {
		m := mustFit(t, f, Options{Scorecard: card, ScorecardWorth: 1e12, Stages: stages, Calibration: CalibrationNone})
		if !near(m.Scorecard.Weight, cardPrior(m.Scorecard), 1e-6) {
			t.Errorf("%s: worth 10¹² renewals, weight %v, by hand %v", stages, m.Scorecard.Weight, cardPrior(m.Scorecard))
		}
		z, err := m.LogOdds(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range z {
			by := m.Intercept + m.Scorecard.Weight*(s[i]-m.Scorecard.Mean)/m.Scorecard.SD
			if !near(z[i], by, 1e-6) {
				t.Fatalf("%s: worth 10¹² renewals, row %d has the log-odds %v, by the card alone %v", stages, i, z[i], by)
			}
		}
	}
}

// Curves, pairs and tables stand beside a card too, also in the fits behind
// calibration, and all workers make the same model.
func TestScorecardBesideCurves(t *testing.T) {
	f := history(1500, -1, 3)
	o := Options{Scorecard: handCard(), ScorecardWorth: 1500, Stages: StagesSplines, Time: true, Workers: 1}
	m := mustFit(t, f, o)
	if !slices.ContainsFunc(m.Provenance.Contest, func(c predict.Contestant) bool { return c.Stage == "splines" && c.Chosen }) {
		t.Fatalf("splines were not chosen: %+v", m.Provenance.Contest)
	}
	wantWhole(t, m, f)
	o.Workers = 3
	if !bytes.Equal(marshal(t, m), marshal(t, mustFit(t, f, o))) {
		t.Error("three workers give another model")
	}
	o.Stages, o.Time = StagesAuto, false
	m = mustFit(t, f, o)
	if len(m.Pairs)+len(m.Tables) == 0 {
		t.Fatalf("neither pairs nor tables were chosen: %+v", m.Provenance.Contest)
	}
	wantWhole(t, m, f)
}

// wantWhole checks that reasons lead from the reference to every row's
// probability, that shares sum to 1, and that the card's weight has an error.
func wantWhole(t *testing.T, m *predict.Model, f *features.Frame) {
	t.Helper()
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	c, n := b.Contributions(nil), len(m.Terms)
	for i := range p {
		sum := m.Score.ZRef
		for _, e := range c[i*n : (i+1)*n] {
			sum += e
		}
		if !near(sum, predict.LogOddsOf(p[i]), 1e-8) {
			t.Fatalf("row %d: reasons lead to %v, not to %v", i, sum, predict.LogOddsOf(p[i]))
		}
	}
	share := m.Scorecard.Share
	for _, x := range m.Terms {
		share += x.Share
	}
	for _, x := range m.Pairs {
		share += x.Share
	}
	for _, x := range m.Tables {
		share += x.Share
	}
	if !near(share, 1, 1e-9) || !(m.Scorecard.SE > 0) {
		t.Errorf("shares sum to %v, the card's weight has the error %v", share, m.Scorecard.SE)
	}
}

// correlation returns Pearson's coefficient.
func correlation(a, b []float64) float64 {
	n := float64(len(a))
	var ma, mb, aa, bb, ab float64
	for i := range a {
		ma, mb = ma+a[i]/n, mb+b[i]/n
	}
	for i := range a {
		aa, bb, ab = aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb), ab+(a[i]-ma)*(b[i]-mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// Without folds a card still has its say.
func TestScorecardWithoutFolds(t *testing.T) {
	f := history(60, 0, 13)
	for i := range f.Rows {
		f.Rows[i].Group = "one parent company"
	}
	m := mustFit(t, f, Options{Scorecard: handCard(), ScorecardWorth: 50})
	if m.Scorecard == nil || m.OutOfFold.Folds != 0 || m.Provenance.Lambda != fallbackLambda {
		t.Errorf("card %v, out of fold %+v, penalty %v", m.Scorecard, m.OutOfFold, m.Provenance.Lambda)
	}
}
