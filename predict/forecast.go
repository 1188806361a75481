// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A Due is one renewal that a forecast is about.
type Due struct {
	Cell    int     // its place in the forecast, such as a month and currency; from 0
	Quarter int     // renewals of one quarter share a shock
	P       float64 // of churn, calibrated
	Value   float64 // at stake, above 0
}

// ForecastOptions configures Forecasts. The zero value simulates without a
// shock.
type ForecastOptions struct {
	Cells   int     // above every Due.Cell
	ShockSD float64 // of a quarter's shock, in log-odds
	// Kept holds the shares of value that renewals of the past kept (1 is all
	// of it): each simulated renewal takes one of them. Empty: all keep 1.
	Kept []float64
	Seed uint64
	// Draws is the number of simulated futures; zero means 2,000, fewer where
	// there are very many renewals.
	Draws int
}

// A Range is the two ends of an interval.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A Forecast is the mean and the intervals of a share in simulated futures.
type Forecast struct {
	Mean float64 `json:"mean"`
	P50  Range   `json:"p50"`
	P80  Range   `json:"p80"`
	P90  Range   `json:"p90"`
}

// A Retention is what a forecast says of one cell.
type Retention struct {
	Renewals int      `json:"renewals"`
	Value    float64  `json:"value"` // due
	GRR      Forecast `json:"grr"`
	NRR      Forecast `json:"nrr"`
}

// Forecasts simulates which renewals stay and what they keep, and returns gross
// and net retention of every cell and of all of them together,
//
//	GRR = Σ min(kept, due value) / Σ due value,  NRR = Σ kept / Σ due value.
//
// In each simulated future every quarter draws one shock u ~ N(0, ShockSD²) and
// each of its renewals churns with
//
//	p' = sigmoid(c z + u),  c = √(1 + π ShockSD²/8),
//
// where c keeps the mean of p' at p, to the accuracy of the probit's likeness
// to the logit. A cell without renewals has NaN. Futures are drawn in the order
// of due, which must not depend on chance for the same result.
func Forecasts(due []Due, o ForecastOptions) (cells []Retention, all Retention) {
	draws := o.Draws
	if draws == 0 {
		const evaluations = 20_000_000 // about a second
		draws = min(2000, max(500, evaluations/max(1, len(due))))
	}
	out := make([]Retention, o.Cells+1) // the last is of all
	quarters := 0
	z := make([]float64, len(due))
	c := math.Sqrt(1 + math.Pi*o.ShockSD*o.ShockSD/8)
	for i, d := range due {
		z[i] = c * math.Log(d.P/(1-d.P)) // ±Inf where p is 0 or 1, and stays so
		quarters = max(quarters, d.Quarter+1)
		for _, cell := range []int{d.Cell, o.Cells} {
			out[cell].Renewals++
			out[cell].Value += d.Value
		}
	}
	gross, net := make([][]float64, len(out)), make([][]float64, len(out))
	for k := range gross {
		gross[k], net[k] = make([]float64, draws), make([]float64, draws)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	shock := make([]float64, quarters)
	for s := range draws {
		for q := range shock {
			shock[q] = o.ShockSD * rng.NormFloat64()
		}
		for i, d := range due {
			if rng.Float64() < Sigmoid(z[i]+shock[d.Quarter]) {
				continue
			}
			kept := 1.0
			if len(o.Kept) > 0 {
				kept = o.Kept[rng.IntN(len(o.Kept))]
			}
			stays, keeps := d.Value*min(kept, 1), d.Value*kept
			gross[d.Cell][s] += stays
			gross[o.Cells][s] += stays
			net[d.Cell][s] += keeps
			net[o.Cells][s] += keeps
		}
	}
	for k := range out {
		out[k].GRR, out[k].NRR = forecastOf(gross[k], out[k].Value), forecastOf(net[k], out[k].Value)
	}
	return out[:o.Cells], out[o.Cells]
}

// forecastOf sums up sums of simulated futures as shares of a value. It sorts
// them.
func forecastOf(sums []float64, value float64) Forecast {
	mean := 0.0
	for i := range sums {
		sums[i] /= value // NaN where nothing is due
		mean += sums[i]
	}
	slices.Sort(sums)
	between := func(share float64) Range {
		return Range{quantileOf(sums, (1-share)/2), quantileOf(sums, (1+share)/2)}
	}
	return Forecast{Mean: mean / float64(len(sums)), P50: between(0.5), P80: between(0.8), P90: between(0.9)}
}

// quantileOf returns the q-quantile of sorted values, linear between the two
// nearest (type 7 of Hyndman and Fan, 1996).
func quantileOf(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 >= len(sorted) {
		return sorted[k]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}
