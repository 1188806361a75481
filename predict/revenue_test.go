// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestLifetimeValue(t *testing.T) {
	for _, c := range []struct{ value, p, want float64 }{
		{1000, 1, 1000},
		{1000, 0, 1000 * (1 + .9 + .81 + .729 + .6561 + .59049)},
		{100, 0.5, 100 * (1 + .45 + .2025 + .091125 + .04100625 + .0184528125)}, // (.5 x .9)^k
		{math.NaN(), 0.5, math.NaN()},
		{100, math.NaN(), math.NaN()},
	} {
		if got := LifetimeValue(c.value, c.p); math.Abs(got-c.want) > 1e-9 || (got != got) != (c.want != c.want) {
			t.Errorf("LifetimeValue(%v, %v) = %v, want %v", c.value, c.p, got, c.want)
		}
	}
}

func TestShockSD(t *testing.T) {
	// By hand: V = 100 x .2 x .8 = 16, d = (30-20)/16 = .625 and -.625 and 0;
	// (16 (.625^2 + .625^2) - 3) / 48 = (12.5 - 3)/48 = .1979, its root .4449.
	got, ok := ShockSD([]QuarterResult{{100, .3, .2}, {100, .1, .2}, {100, .2, .2}})
	if !ok || math.Abs(got-0.44488) > 1e-5 {
		t.Errorf("ShockSD = %v, %v, want 0.44488", got, ok)
	}
	if got, ok := ShockSD([]QuarterResult{{100, .2, .2}, {100, .21, .2}, {100, .19, .2}}); got != 0 || !ok {
		t.Errorf("nothing beyond chance: %v, %v, want 0", got, ok)
	}
	if _, ok := ShockSD([]QuarterResult{{100, .2, .2}, {100, .3, .2}, {0, math.NaN(), math.NaN()}}); ok {
		t.Error("two periods were taken to tell the size of a shock")
	}
}

// The shock of made quarters is found again.
func TestShockSDRecovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const sd, quarters, n = 0.4, 400, 1000
	var results []QuarterResult
	for range quarters {
		u, churned, mean := sd*rng.NormFloat64(), 0.0, 0.0
		for range n {
			z := -2 + rng.NormFloat64()/2
			mean += Sigmoid(z)
			if rng.Float64() < Sigmoid(z+u) {
				churned++
			}
		}
		results = append(results, QuarterResult{n, churned / n, mean / n})
	}
	// d = (O-E)/V is linear in u, which makes large shocks look larger: 15 %.
	if got, ok := ShockSD(results); !ok || math.Abs(got/sd-1) > 0.15 {
		t.Errorf("sd %v, want about %v", got, sd)
	}
}

// The 90 % interval covers the truth in 90 % of futures that have the shock; an
// interval without it covers far less (METHODS section 6).
func TestForecastCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const futures, n, sd = 300, 150, 0.4
	covered := map[bool]int{}
	var meanError float64
	for range futures {
		due := make([]Due, n)
		u := sd * rng.NormFloat64()
		var kept, value float64
		for i := range due {
			z := -2 + rng.NormFloat64()
			due[i] = Due{P: Sigmoid(z), Value: math.Exp(rng.NormFloat64())}
			value += due[i].Value
			if rng.Float64() >= Sigmoid(math.Sqrt(1+math.Pi*sd*sd/8)*z+u) {
				kept += due[i].Value
			}
		}
		for _, with := range []bool{true, false} {
			o := ForecastOptions{Cells: 1, Seed: 1, Draws: 200}
			if with {
				o.ShockSD = sd
			}
			_, all := Forecasts(due, o)
			f := all.GRR
			if f.P90.Low <= kept/value && kept/value <= f.P90.High {
				covered[with]++
			}
			if with {
				meanError += (f.Mean - kept/value) / futures
			}
		}
	}
	// 90 % of 300 futures, give or take three binomial standard errors (1.7 %).
	if share := float64(covered[true]) / futures; math.Abs(share-0.9) > 0.052 {
		t.Errorf("the 90 %% interval covers %.3f", share)
	}
	if share := float64(covered[false]) / futures; share > 0.75 {
		t.Errorf("without the shock the 90 %% interval covers %.3f: there is nothing to show", share)
	}
	if math.Abs(meanError) > 0.01 { // the mean of 300 futures has a standard error of .003
		t.Errorf("the mean forecast is off by %v", meanError)
	}
}

func TestForecastsByHand(t *testing.T) {
	due := []Due{{0, 0, 0, 100}, {0, 0, 1, 300}, {2, 1, 0, 50}}
	f, all := Forecasts(due, ForecastOptions{Cells: 3, Kept: []float64{1.2}, Draws: 10})
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"GRR of one that stays and one that goes", f[0].GRR.Mean, 0.25},
		{"its NRR", f[0].NRR.Mean, 0.3},
		{"its 90 % interval", f[0].GRR.P90.Low, 0.25},
		{"value due", f[0].Value, 400},
		{"GRR of the last cell", f[2].GRR.P50.High, 1},
		{"GRR of all", all.GRR.Mean, 1.0 / 3},
		{"value of all", all.Value, 450},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if f[1].Renewals != 0 || f[1].GRR.Mean == f[1].GRR.Mean {
		t.Errorf("an empty cell: %+v", f[1])
	}
	// A cell's intervals lie within each other, and the seed decides everything.
	due = nil
	for i := range 200 {
		due = append(due, Due{0, i % 3, float64(i+1) / 300, 1})
	}
	cells, _ := Forecasts(due, ForecastOptions{Cells: 1, ShockSD: 0.3, Seed: 4})
	_, again := Forecasts(due, ForecastOptions{Cells: 1, ShockSD: 0.3, Seed: 4})
	a, b := cells[0].GRR, again.GRR
	if a != b || !(a.P90.Low < a.P80.Low && a.P80.Low < a.P50.Low && a.P50.High < a.P80.High && a.P80.High < a.P90.High) {
		t.Errorf("%+v, again %+v", a, b)
	}
}
