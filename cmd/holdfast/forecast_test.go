// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"math"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

var futures = flag.Int("futures", 20, "made companies of the forecast study")

// The forecast study: for made companies, each with a future of its own, a model
// is trained as of 150 days before the end of the history, renewals are scored
// and retention is forecast by month due and currency; the 90 % intervals hold
// what came of 80 to 95 % of them.
func TestStudyForecast(t *testing.T) {
	if !*study {
		t.Skip("a study: run make study")
	}
	inside, total := map[string]int{}, 0
	for seed := range uint64(*futures) {
		for _, m := range forecastAndActual(t, demo.Make(demo.Options{Seed: seed + 100, Accounts: 1500})) {
			total++
			for name, in := range map[string]bool{
				"GRR 90 %": holds(m.line.GRR.P90, m.grr), "GRR 50 %": holds(m.line.GRR.P50, m.grr), "NRR 90 %": holds(m.line.NRR.P90, m.nrr)} {
				if in {
					inside[name]++
				}
			}
		}
	}
	for _, name := range []string{"GRR 90 %", "NRR 90 %", "GRR 50 %"} {
		t.Logf("%s intervals hold %.1f %% of %d months of %d companies", name, 100*float64(inside[name])/float64(total), total, *futures)
	}
	for _, name := range []string{"GRR 90 %", "NRR 90 %"} {
		if share := float64(inside[name]) / float64(total); share < .80 || share > .95 {
			t.Errorf("%s intervals hold %.1f %%, want 80 to 95", name, 100*share)
		}
	}
}

func holds(v predict.Range, x float64) bool { return v.Low <= x && x <= v.High }

// A monthOutcome is the forecast of a month and what came of its renewals.
type monthOutcome struct {
	line     predict.MonthLine
	grr, nrr float64
}

// forecastAndActual forecasts as of 150 days before the history's end: renewals
// due within 105 days of it have matured since.
func forecastAndActual(t *testing.T, d *demo.Demo) []monthOutcome {
	t.Helper()
	ctx := context.Background()
	l := made(t, d)
	a := &app{progress: new(progress), workers: 2}
	asOf := data.Midnight(data.MidnightAfter(l.history.Newest, l.sources.Location).AddDate(0, 0, -150), l.sources.Location)
	b, err := a.buildHistory(ctx, l)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := matureAt(b.Frame, asOf)
	m, err := train.Fit(ctx, b.Frame.Select(rows), l.spec, train.Options{Seed: trainSeed, Stages: train.StagesLinear, Time: true, Score: l.score})
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.score(ctx, l, asOf, m, "made")
	if err != nil {
		t.Fatal(err)
	}
	summary := predict.Summarise(s.table, predict.SummaryOptions{Forecast: predict.ForecastOptions{
		Seed: forecastSeed, Kept: features.KeptShares(l.history, &l.outcome, asOf.UnixNano()), ShockSD: predict.DefaultShockSD}})
	kept := make(map[string]float64)
	for i := range b.Frame.Rows {
		if r := &b.Frame.Rows[i]; r.Y != features.Unknown {
			kept[r.Contract] = r.Kept
		}
	}
	var out []monthOutcome
	for _, line := range summary.Months {
		o := monthOutcome{line: line}
		value, known := 0.0, true
		for i := range s.table.Rows {
			c := s.table.Column("value")
			due := time.Unix(s.table.Column("due").Ints[i]*24*60*60, 0).UTC().Format("2006-01")
			if s.table.Column("p_churn").Missing(i) || c.Missing(i) || due != line.Month || s.table.Column("currency").Text(i) != line.Currency {
				continue
			}
			k, ok := kept[s.table.Column("contract_id").Text(i)]
			known = known && ok && k == k
			value += c.Floats[i]
			o.grr += c.Floats[i] * math.Min(k, 1)
			o.nrr += c.Floats[i] * k
		}
		if known && line.Renewals >= 10 {
			o.grr, o.nrr = o.grr/value, o.nrr/value
			out = append(out, o)
		}
	}
	if len(out) < 3 {
		t.Fatalf("%d months can be compared", len(out))
	}
	return out
}
