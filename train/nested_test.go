// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// valued gives the renewed rows of a history a share of value kept: many logins
// grow it by 20 %, many tickets cut it to .7, else it stays; churned rows keep
// nothing.
func valued(f *features.Frame, seed uint64) *features.Frame {
	r := rand.New(rand.NewPCG(seed, 8))
	for i := range f.Rows {
		row := &f.Rows[i]
		row.Kept, row.Value = 1, 100
		switch {
		case row.Y == 1:
			row.Kept = 0
		case r.Float64() < predict.Sigmoid(-2+f.Columns[1].Num[i]):
			row.Kept = .7
		case r.Float64() < predict.Sigmoid(-1.5+f.Columns[0].Num[i]):
			row.Kept = 1.2
		}
	}
	return f
}

func nestedModel(t *testing.T, f *features.Frame) *predict.Model {
	t.Helper()
	spec := specOf(f)
	o := Options{Stages: StagesLinear, Time: true}
	m, err := Fit(context.Background(), f, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Nested, err = FitNested(context.Background(), f, spec, o); err != nil {
		t.Fatal(err)
	}
	return m
}

// The questions find what decides them, their answers cohere to the bit, and the
// model is the same when read back.
func TestNested(t *testing.T) {
	f := valued(history(6000, -1.5, 4), 4)
	m := nestedModel(t, f)
	n := m.Nested
	if n.Contract.Logit == nil || n.Grow.Logit == nil || !near(n.KeptContract, .7, 1e-12) || n.KeptSame != 1 || !near(n.KeptGrow, 1.2, 1e-12) {
		t.Fatalf("%+v", n)
	}
	for _, test := range []struct {
		part    *predict.NestedPart
		feature string
	}{{&n.Contract, "ticket"}, {&n.Grow, "login"}} {
		for _, term := range test.part.Logit.Terms {
			// One unit of a standard normal is 1.35 between quartiles; a standard
			// error is about .1.
			want := 0.0
			if term.Feature == test.feature {
				want = 1.35
			}
			if math.Abs(term.Effect.Estimate-want) > .5 {
				t.Errorf("%s: effect of %s is %v, want about %v", test.feature, term.Feature, term.Effect.Estimate, want)
			}
		}
	}
	file, err := predict.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = predict.Parse(file); err != nil {
		t.Fatal(err)
	}
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	o, err := m.Outlooks(f)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := m.Scores(f, predict.ScoreOptions{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	grow, renew, churn := scores.Column("p_grow").Floats, scores.Column("p_renew").Floats, scores.Column("p_churn").Floats
	grew, contracted, kept, rows := 0.0, 0.0, 0.0, 0.0
	for i := range f.Rows {
		if renew[i]+churn[i] != 1 || !(grow[i] >= 0 && grow[i] <= renew[i]) {
			t.Fatalf("row %d: P(churn) %v, P(renew) %v, P(grow) %v", i, churn[i], renew[i], grow[i])
		}
		if sum := o.Contract[i] + o.Grow[i]; !(sum <= 1+1e-15) || grow[i] != (1-p[i])*o.Grow[i] {
			t.Fatalf("row %d: P(contract or grow | renewed) %v", i, sum)
		}
		if f.Rows[i].Y == 0 {
			rows++
			grew += o.Grow[i]
			contracted += o.Contract[i]
			kept += o.Kept[i] - f.Rows[i].Kept
		}
	}
	// On the rows of the fit, the sums are those of the outcomes, but for what
	// calibration shifts and for the overlap of the two questions.
	if want := float64(n.Grow.Events); math.Abs(grew-want) > .1*want {
		t.Errorf("%v renewals are expected to grow, %v did", grew, want)
	}
	if want := float64(n.Contract.Events); math.Abs(contracted-want) > .1*want {
		t.Errorf("%v renewals are expected to contract, %v did", contracted, want)
	}
	if math.Abs(kept/rows) > .01 {
		t.Errorf("the share kept is off by %v a renewal", kept/rows)
	}
}

// With few events the rate stands for all; without values nothing is said, and
// p_grow is empty.
func TestNestedWithLittle(t *testing.T) {
	f := valued(history(600, -1.5, 4), 4)
	for i := range f.Rows {
		if f.Rows[i].Kept == 1.2 && i%8 > 0 {
			f.Rows[i].Kept = 1
		}
	}
	m := nestedModel(t, f)
	if n := m.Nested; n.Grow.Logit != nil || !strings.Contains(n.Grow.Reason, "fewer than 50") || !(n.Grow.Rate > 0) {
		t.Errorf("%+v", n.Grow)
	}
	o, err := m.Outlooks(f)
	if err != nil || !math.IsNaN(o.Grow[0]) || !(o.Kept[0] > .7 && o.Kept[0] < 1.2) {
		t.Errorf("%v, %v", o, err)
	}
	for i := range f.Rows {
		f.Rows[i].Kept = math.NaN()
	}
	if m = nestedModel(t, f); m.Nested != nil {
		t.Error("a model of values that nobody knows")
	}
	scores, err := m.Scores(f, predict.ScoreOptions{Location: time.UTC})
	if err != nil || !math.IsNaN(scores.Column("p_grow").Floats[0]) {
		t.Errorf("p_grow %v, %v", scores.Column("p_grow").Floats[0], err)
	}
}
