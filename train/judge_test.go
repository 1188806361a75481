// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// The evidence of a model of one number agrees with the integral of likelihood
// and prior over its intercept and weight, but for a constant. Laplace's
// approximation errs by O(1/n) of a unit, which differences between penalties
// mostly lose.
func TestEvidence(t *testing.T) {
	const tolerance = 0.01
	r := rand.New(rand.NewPCG(5, 6))
	f := &features.Frame{}
	x := make([]float64, 400)
	for i := range x {
		x[i] = r.NormFloat64()
		id := fmt.Sprint(i)
		f.Rows = append(f.Rows, features.Row{Account: id, Group: id, Y: int8(flip(r, -1+.4*x[i])), Weight: 1})
	}
	f.Columns = []features.Column{numberColumn("x", x...)}
	s := mustSample(t, f)
	terms, _ := newTerms(s, 1)
	c := contestOf(s, terms, 1)
	j := c.judge(c.base)
	evidence := func(lambda float64) float64 {
		if _, err := j.at(context.Background(), penalties{plain: lambda, power: 1}); err != nil {
			t.Fatal(err)
		}
		return j.whole.evidence()
	}
	integral := func(lambda float64) float64 { // by the midpoint rule, around the optimum
		low, sum := math.Inf(1), 0.0
		theta := make([]float64, 2)
		var values []float64
		for b := -2.0; b < 0; b += .05 {
			for w := -.2; w < 1; w += .01 {
				theta[0], theta[1] = b, w
				loss := c.base.logLoss(make([]float64, 2), theta, noFold) + lambda/2*w*w
				values, low = append(values, loss), min(low, loss)
			}
		}
		for _, v := range values {
			sum += math.Exp(low - v)
		}
		return low - math.Log(sum) - math.Log(lambda)/2
	}
	for _, lambda := range []float64{.1, 100, 1000} {
		got, want := evidence(lambda)-evidence(1), integral(lambda)-integral(1)
		if !near(got, want, tolerance) {
			t.Errorf("λ = %v: evidence %.4f above that at 1, by integration %.4f", lambda, got, want)
		}
	}
}

// On few rows the judge's penalties predict better than those of the lowest
// cross-validated loss, and the worst of its samples is less bad.
func TestJudgeOnFewRows(t *testing.T) {
	ctx := context.Background()
	const samples = 40
	var sum, worst [2]float64
	for seed := range uint64(samples) {
		f, truth := cities(250, seed)
		s, err := newSample(f, 1, 5)
		if err != nil {
			t.Fatal(err)
		}
		terms, _ := newTerms(s, 1)
		for k := range 2 {
			lambda := 0.0
			if k == 1 { // cross-validation alone
				cv, err := chooseLambda(ctx, newDesign(s, terms, 1), 0)
				if err != nil {
					t.Fatal(err)
				}
				lambda = cv.lambda
			}
			c := contestOf(s, terms, 1)
			x, err := c.linear(ctx, lambda, 1)
			if err != nil {
				t.Fatal(err)
			}
			b, err := c.build(ctx, x, false)
			if err != nil {
				t.Fatal(err)
			}
			z, err := (&predict.Model{Spec: specOf(f), Logit: b.logit}).LogOdds(nil, f)
			if err != nil {
				t.Fatal(err)
			}
			excess := 0.0
			for i, v := range z {
				q := predict.Sigmoid(truth[i])
				excess += (predict.Softplus(v) - q*v - predict.Softplus(truth[i]) + q*truth[i]) / float64(len(z))
			}
			sum[k] += excess / samples
			worst[k] = max(worst[k], excess)
		}
	}
	t.Logf("loss above that of the truth: %.4f, worst %.4f; by cross-validation alone %.4f, %.4f", sum[0], worst[0], sum[1], worst[1])
	if !(sum[0] < sum[1] && worst[0] < .8*worst[1]) {
		t.Errorf("loss above that of the truth %.4f, worst %.4f; by cross-validation alone %.4f, %.4f", sum[0], worst[0], sum[1], worst[1])
	}
}

// Curves are held back by half a decade more than is judged best where that
// worsens the judgement by less than a unit of log likelihood, and only there.
func TestCurvesHeldBack(t *testing.T) {
	ctx := context.Background()
	f, _ := skewed(1500, 4)
	s := mustSample(t, f)
	terms, _ := newTerms(s, 1)
	c := newContest(s, terms, nil, 1)
	mains, err := c.bestMains(ctx)
	if err != nil {
		t.Fatal(err)
	}
	j := c.judge(c.base)
	at := func(l penalties) float64 {
		loss, err := j.at(ctx, l)
		if err != nil {
			t.Fatal(err)
		}
		return loss * c.s.total
	}
	looser, stiffer := mains.penalties, mains.penalties
	looser.curve /= halfDecade
	stiffer.curve *= halfDecade
	low, here, high := at(looser), at(mains.penalties), at(stiffer)
	t.Logf("%+v: judged %.3f, %.3f half a decade below, %.3f above", mains.penalties, here, low, high)
	if !(low < here && here <= low+1) {
		t.Errorf("%+v: judged %.3f, half a decade below %.3f", mains.penalties, here, low)
	}
}
