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

// cities returns n rows of a number that says much and of a level of 60, from
// common to rare, that says little.
func cities(n int, seed uint64) (f *features.Frame, truth []float64) {
	r := rand.New(rand.NewPCG(seed, 60))
	var effect [60]float64
	for k := range effect {
		effect[k] = r.NormFloat64() * .1
	}
	f = &features.Frame{}
	var city []string
	x := make([]float64, n)
	for i := range n {
		k := int(60 * math.Pow(r.Float64(), 3))
		x[i] = r.NormFloat64()
		z := -1 + x[i] + effect[k]
		truth = append(truth, z)
		id := fmt.Sprint(i)
		f.Rows = append(f.Rows, features.Row{Account: id, Group: id, Y: int8(flip(r, z)), Weight: 1})
		city = append(city, fmt.Sprintf("city %02d", k))
	}
	f.Columns = []features.Column{numberColumn("x", x...), levelColumn("city", city...)}
	return f, truth
}

// skewed returns n rows of a number whose size counts, not its logarithm.
func skewed(n int, seed uint64) (f *features.Frame, truth []float64) {
	r := rand.New(rand.NewPCG(seed, 61))
	f = &features.Frame{}
	x := make([]float64, n)
	for i := range x {
		x[i] = r.ExpFloat64()
		z := -2.5 + 1.5*x[i]
		truth = append(truth, z)
		if i%50 == 0 {
			x[i] = nan
		}
		id := fmt.Sprint(i)
		f.Rows = append(f.Rows, features.Row{Account: id, Group: id, Y: int8(flip(r, z)), Weight: 1})
	}
	f.Columns = []features.Column{numberColumn("x", x...)}
	return f, truth
}

// Rare levels are held back, and a skewed number is taken as it is, where that
// predicts better: in cross-validation as against the truth. What is published,
// and what calibration fits, is that model.
func TestBestLinear(t *testing.T) {
	for _, test := range []struct {
		name      string
		make      func(n int, seed uint64) (*features.Frame, []float64)
		untouched bool
	}{{"rare levels", cities, false}, {"a skewed number", skewed, true}} {
		f, truth := test.make(1500, 3)
		o := Options{Workers: 2, Seed: 1, Folds: 5}
		spec := specOf(f)
		s, err := newSample(f, o.Seed, o.Folds)
		if err != nil {
			t.Fatal(err)
		}
		terms, _ := newTerms(s, 2)
		best, err := bestLinear(context.Background(), s, terms, &o)
		if err != nil {
			t.Fatal(err)
		}
		if best.untouched != test.untouched || !test.untouched && best.power == 1 {
			t.Fatalf("%s: chosen %+v, untouched %v", test.name, best.penalties, best.untouched)
		}
		p := &published{model: &predict.Model{Format: predict.Format, Spec: spec}, fitter: &fitter{spec: spec, workers: 2, options: &o}}
		if test.untouched {
			terms, _ = untransformed(s, terms)
		}
		if err := p.fitAdditive(context.Background(), contestOf(s, terms, 2), best, true); err != nil {
			t.Fatal(err)
		}
		quick, err := p.fitter.quickly(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		plain := mustFit(t, f, Options{Calibration: CalibrationNone})
		losses := make(map[string]float64)
		for name, m := range map[string]*predict.Model{"best": p.model, "quick": quick, "plain": plain} {
			z, err := m.LogOdds(nil, f)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range z {
				q := predict.Sigmoid(truth[i])
				losses[name] += (predict.Softplus(v) - q*v) / float64(len(z))
			}
		}
		t.Logf("%s: loss under the truth %.4f, standardised %.4f", test.name, losses["best"], losses["plain"])
		if !(losses["best"] < losses["plain"]-.001) {
			t.Errorf("%s: loss %.4f under the truth, standardised %.4f", test.name, losses["best"], losses["plain"])
		}
		if !near(losses["best"], losses["quick"], 1e-4) {
			t.Errorf("%s: calibration fits a model of loss %.5f, published is one of %.5f", test.name, losses["quick"], losses["best"])
		}
	}
}
