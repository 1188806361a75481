// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// Weights by value are in proportion to it within a currency, between a tenth and
// ten times the mean before they are scaled, and a currency weighs what it did.
func TestByValue(t *testing.T) {
	f := &features.Frame{}
	for i, v := range []float64{100, 200, 300, 1e9, nan, -5, 1, 3} {
		r := features.Row{Value: v, Currency: "EUR", Weight: .5, Account: string(rune('a' + i))}
		if i >= 6 {
			r.Currency = "USD"
		}
		f.Rows = append(f.Rows, r)
	}
	g, err := byValue(f)
	if err != nil {
		t.Fatal(err)
	}
	// EUR: the mean is 250,000,150, so u is .1, .1, .1 and, below 10 times the
	// mean, 4 - tiny; their mean is scaled to 1. USD: 1 and 3 of mean 2.
	for i, want := range []float64{.0465, .0465, .0465, 1.8605, .5, .5, .25, .75} {
		if got := g.Rows[i].Weight; !near(got, want, 1e-3) {
			t.Errorf("row %d: weight %v, want %v", i, got, want)
		}
	}
	if sum := g.Rows[0].Weight + g.Rows[1].Weight + g.Rows[2].Weight + g.Rows[3].Weight; !near(sum, 2, 1e-12) {
		t.Errorf("euros weigh %v, want 2", sum)
	}
	if f.Rows[0].Weight != .5 {
		t.Error("the frame itself was changed")
	}
	if _, err := byValue(f.Select([]int{4, 5})); !errors.Is(err, errNoValue) {
		t.Errorf("%v for rows without values", err)
	}
}

// A fit weighted by value is that of rows weighted by hand, counts renewals as
// they are, and says so.
func TestWeightsByValue(t *testing.T) {
	f := process(600, 4, linearTruth)
	for i := range f.Rows {
		f.Rows[i].Value, f.Rows[i].Currency = math.Exp(f.Columns[3].Num[i]), "EUR"
	}
	m := mustFit(t, f, Options{Weights: WeightsValue})
	g, err := byValue(f)
	if err != nil {
		t.Fatal(err)
	}
	byHand, plain := mustFit(t, g, Options{}), mustFit(t, f, Options{})
	if m.Intercept != byHand.Intercept || m.Terms[0].Columns[0].Weight != byHand.Terms[0].Columns[0].Weight {
		t.Errorf("weights %v and %v, by hand %v and %v", m.Intercept, m.Terms[0].Columns[0].Weight, byHand.Intercept, byHand.Terms[0].Columns[0].Weight)
	}
	if m.Intercept == plain.Intercept {
		t.Error("values move nothing")
	}
	if m.Provenance.Weights != WeightsValue || plain.Provenance.Weights != "" {
		t.Errorf("provenance says %q and %q", m.Provenance.Weights, plain.Provenance.Weights)
	}
	if m.Provenance.Churned != plain.Provenance.Churned || m.Provenance.Renewals != 600 || m.Score.BaseRate != plain.Score.BaseRate {
		t.Errorf("%+v, %v: want the counts of %+v, %v", m.Provenance, m.Score.BaseRate, plain.Provenance, plain.Score.BaseRate)
	}
}

// Folds by time are stretches: no fold begins before the one before it ends, the
// rows of one due date share one, and they weigh about the same.
func TestFoldsByTime(t *testing.T) {
	f := segmented(1000, [3]float64{}, 1, 3)
	for i := range f.Rows { // four snapshots a renewal
		f.Rows[i].Due = int64(i/4) * 86400e9
		f.Rows[i].Mature = f.Rows[i].Due
	}
	fold := foldsByTime(f, 5)
	weights := make([]float64, 5)
	for i := range f.Rows {
		k := fold(i)
		weights[k]++
		if i > 0 && (k < fold(i-1) || f.Rows[i].Due == f.Rows[i-1].Due && k != fold(i-1)) {
			t.Fatalf("row %d due %d is in fold %d, the one before in %d", i, f.Rows[i].Due, k, fold(i-1))
		}
	}
	if slices.Min(weights) < 190 {
		t.Errorf("folds of %v rows", weights)
	}
	m := mustFit(t, f, Options{FoldsBy: FoldsByTime, Time: true})
	if m.Provenance.FoldsBy != FoldsByTime || m.OutOfFold.Folds != 5 {
		t.Errorf("%+v", m.Provenance)
	}
	if by := mustFit(t, f, Options{Time: true}); by.OutOfFold.LogLoss == m.OutOfFold.LogLoss {
		t.Error("folds by time and by group predict the same")
	}
	_, err := Fit(context.Background(), f, specOf(f), Options{FoldsBy: FoldsByTime})
	if err == nil || !strings.Contains(err.Error(), "rows need a time") {
		t.Errorf("%v without times", err)
	}
}

// One standard error: the penalty is the largest whose loss is within one of the
// lowest, by the definition, for both solvers.
func TestPenaltyOneSE(t *testing.T) {
	f := process(500, 6, linearTruth)
	s := mustSample(t, f)
	terms, _ := newTerms(s, 1)
	d := newDesign(s, terms, 1)
	best, err := chooseLambda(context.Background(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	groups, _ := groupsOf(s.frame.Rows)
	simple, err := oneSE(context.Background(), d, best, groups)
	if err != nil {
		t.Fatal(err)
	}
	se, n := 0.0, float64(len(best.z)) // of independent rows of weight 1: sd/√n
	for i, z := range best.z {
		loss := math.Log(1+math.Exp(z)) - d.y[i]*z
		se += (loss - best.loss) * (loss - best.loss)
	}
	se = math.Sqrt(se) / n
	at := func(lambda float64) float64 {
		cv, err := chooseLambda(context.Background(), d, lambda)
		if err != nil {
			t.Fatal(err)
		}
		return cv.loss
	}
	t.Logf("best %.4g, one standard error %.4g", best.lambda, simple.lambda)
	if !(simple.lambda > best.lambda) || at(simple.lambda) > best.loss+se || at(simple.lambda*math.Pow(10, 1./perDecade)) <= best.loss+se {
		t.Errorf("penalty %v of loss %v, the next one's %v; the best, %v, has %v with standard error %v", simple.lambda, at(simple.lambda),
			at(simple.lambda*math.Pow(10, 1./perDecade)), best.lambda, best.loss, se)
	}
	m := mustFit(t, f, Options{Penalty: PenaltyOneSE})
	if m.Provenance.Lambda != simple.lambda || m.Provenance.Penalty != PenaltyOneSE {
		t.Errorf("published at %+v", m.Provenance)
	}
	for _, o := range []Options{{Stages: StagesSplines}, {Directions: true}} {
		g := process(500, 6, curvedTruth)
		g.Columns[1].Feature.Direction = features.Healthy
		loose := mustFit(t, g, o)
		o.Penalty = PenaltyOneSE
		if stiff := mustFit(t, g, o); !(stiff.Provenance.Lambda > loose.Provenance.Lambda) {
			t.Errorf("%+v: penalty %v, without the rule %v", o, stiff.Provenance.Lambda, loose.Provenance.Lambda)
		}
	}
}
