// SPDX-License-Identifier: Apache-2.0

//go:build unix

package evaluate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

// cpu is the time that the program has computed so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A backtest of twelve monthly origins costs at most 1.5 times the CPU of its
// fits: what is beside them is the deal of rows, predictions and the report with
// B = 1,000. The recipe is the cheapest there is, straight lines in 20 numbers and
// a level, so that the ratio is the worst.
func BenchmarkBacktest(b *testing.B) {
	for _, accounts := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("%dk", accounts/1000), func(b *testing.B) { benchmarkBacktest(b, accounts) })
	}
}

func benchmarkBacktest(b *testing.B, accounts int) {
	const numbers, years = 20, 3
	f, spec := yearly(accounts, years, numbers)
	var fits time.Duration
	ours := Candidate{Name: "holdfast", Fit: func(ctx context.Context, f *features.Frame) (Predictor, error) {
		start := cpu(b)
		m, err := train.Fit(ctx, f, spec, train.Options{Seed: 1, Workers: 1, Time: true, Stages: train.StagesLinear, Unexplained: true})
		fits += cpu(b) - start
		return m, err
	}}
	for b.Loop() {
		fits = 0
		start := cpu(b)
		r, err := Backtest(context.Background(), f, []Candidate{ours, BaseRate(), SegmentBaseRate()},
			Options{Seed: 1, Workers: 1, Origins: OriginOptions{First: day(b, "2023-12-01")}})
		if err != nil || r.Report.Candidates[0].Failure != "" {
			b.Fatal(err, r.Report.Candidates[0].Failure)
		}
		if r.Report.Design.Tested != 12 {
			b.Fatalf("%d origins", r.Report.Design.Tested)
		}
		all := cpu(b) - start
		b.ReportMetric(fits.Seconds(), "s-fits")
		b.ReportMetric(all.Seconds(), "s-all")
		b.ReportMetric(float64(all)/float64(fits), "all/fits")
		b.ReportMetric(float64(r.Report.Design.TestRows), "test-rows")
	}
}

// yearly makes accounts that renew once a year, a twelfth of them each month.
func yearly(accounts, years, numbers int) (*features.Frame, features.Spec) {
	random := rand.New(rand.NewPCG(12, 1))
	start := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &features.Frame{}
	plan := features.Column{Feature: features.Feature{Name: "plan", Kind: features.LevelKind}, Levels: []string{"a", "b", "c", "d"}}
	columns := make([]features.Column, numbers)
	for k := range columns {
		columns[k].Feature = features.Feature{Name: fmt.Sprint("x", k), Kind: features.NumberKind}
	}
	for a := range accounts {
		for year := range years {
			z := -2.0
			for k := range columns {
				v := random.NormFloat64()
				columns[k].Num = append(columns[k].Num, v)
				z += v / float64(2+k)
			}
			level := random.IntN(4)
			plan.Codes = append(plan.Codes, int32(level))
			var y int8
			if random.Float64() < 1/(1+math.Exp(-z-float64(level)/4)) {
				y = 1
			}
			due := start.AddDate(year, a%12, 1+a%27).UnixNano()
			f.Rows = append(f.Rows, features.Row{Account: fmt.Sprintf("account %d", a), Contract: fmt.Sprintf("c%d-%d", a, year),
				Segment: plan.Levels[level], Snapshot: due - 30*dayNS, Due: due, LeadDays: 30, Mature: due + 30*dayNS, Y: y, Weight: 1, Value: 100, Kept: math.NaN()})
		}
	}
	f.Columns = append(columns, plan)
	spec := features.Spec{Version: 1, Timezone: "UTC", Outcome: features.Outcome{Mode: features.Renewal}}
	for _, c := range f.Columns {
		spec.Features = append(spec.Features, c.Feature)
	}
	f.SpecDigest = spec.Digest()
	return f, spec
}
