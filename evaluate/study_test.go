// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// study is set by make study: simulations that take minutes.
var study = flag.Bool("study", false, "run the simulation studies")

func needStudy(t *testing.T) {
	t.Helper()
	if !*study {
		t.Skip("a study: run make study")
	}
}

// The cluster bootstrap of 400 renewals with 5 snapshots each covers the true
// log loss in 83 to 95 % of cases at a nominal 90 %; one by rows does not.
func TestStudyCoverage(t *testing.T) {
	needStudy(t)
	const renewals, snapshots, repetitions, truthRows = 400, 5, 1000, 2_000_000
	random := rand.New(rand.NewPCG(1, 400))
	row := func(random *rand.Rand) (z float64) { return -1.5 + random.NormFloat64() }
	said := func(z, e float64) float64 { return 1 / (1 + math.Exp(-0.2-0.8*z-0.3*e)) } // predictions that are a little off
	var truth float64
	for range truthRows {
		z := row(random)
		p, q := said(z, random.NormFloat64()), 1/(1+math.Exp(-z))
		truth += (q*logLossOf(p, 1) + (1-q)*logLossOf(p, 0)) / truthRows
	}
	byAccount, byRow := 0, 0
	for b := range uint64(repetitions) {
		loss, accounts, rows := []float64{}, []int{}, []int{}
		for a := range renewals {
			z, y := row(random), 0.0
			if random.Float64() < 1/(1+math.Exp(-z)) {
				y = 1
			}
			shared := random.NormFloat64()
			for range snapshots { // one outcome, and predictions that hardly differ
				loss = append(loss, logLossOf(said(z, 0.95*shared+0.31*random.NormFloat64()), y))
				accounts, rows = append(accounts, a), append(rows, len(rows))
			}
		}
		covers := func(group []int, groups int) bool {
			s := newResampler(groups, 300, maxBlocks, b)
			i := s.ratio(s.sums(group, func(i int) float64 { return loss[i] }), s.sums(group, func(int) float64 { return 1 }))
			return float64(i.Low) <= truth && truth <= float64(i.High)
		}
		if covers(accounts, renewals) {
			byAccount++
		}
		if covers(rows, len(rows)) {
			byRow++
		}
	}
	share := float64(byAccount) / repetitions
	t.Logf("90 %% intervals cover %.3f by account, %.3f by row", share, float64(byRow)/repetitions)
	if share < 0.83 || share > 0.95 {
		t.Errorf("coverage %.3f", share)
	}
}

// The noise band contains a perfect model in 95 ± 2 % of cases, and a slope of .8
// at 3,000 rows lies outside in more than 80 %.
func TestStudyNoiseBand(t *testing.T) {
	needStudy(t)
	const rows, repetitions = 3000, 1000
	random := rand.New(rand.NewPCG(2, 3000))
	var inside struct{ ece, ici, slope, large int }
	flagged := map[string]int{}
	for b := range uint64(repetitions) {
		for _, slope := range []float64{1, 0.8} {
			t0 := &pool{starts: []int{0, rows}, groups: rows, renewals: rows, origin: make([]int, rows), value: make([]float64, rows)}
			p := make([]float64, rows)
			for i := range rows {
				z := -2.2 + 1.3*random.NormFloat64()
				q := z
				if slope != 1 {
					q = slope*(z+2.2) - 2.2 // what is true; predictions are too extreme
				}
				p[i] = 1 / (1 + math.Exp(-z))
				y := 0.0
				if random.Float64() < 1/(1+math.Exp(-q)) {
					y = 1
				}
				t0.y, t0.w, t0.group, t0.renewal = append(t0.y, y), append(t0.w, 1), append(t0.group, i), append(t0.renewal, i)
			}
			order := ascending(p)
			band, _ := t0.bands(p, order, equalMass(p, t0.y, t0.w, order), 0, &Options{Bootstrap: 200, Seed: b})
			m := measure(p, t0.y, t0.w, order, defaultCapacity)
			if slope == 1 {
				count := func(n *int, in bool) {
					if in {
						*n++
					}
				}
				count(&inside.ece, band.ECE.Inside(m.ECE))
				count(&inside.ici, band.ICI.Inside(m.ICI))
				count(&inside.slope, band.Slope.Inside(m.Slope))
				count(&inside.large, band.InTheLarge.Inside(m.InTheLarge))
				continue
			}
			for name, in := range map[string]bool{"ECE": band.ECE.Inside(m.ECE), "ICI": band.ICI.Inside(m.ICI), "slope": band.Slope.Inside(m.Slope)} {
				if !in {
					flagged[name]++
				}
			}
		}
	}
	for name, n := range map[string]int{"ECE": inside.ece, "ICI": inside.ici, "slope": inside.slope, "in the large": inside.large} {
		share := float64(n) / repetitions
		t.Logf("%s: the band contains a perfect model in %.3f", name, share)
		if math.Abs(share-0.95) > 0.02 {
			t.Errorf("%s: %.3f", name, share)
		}
	}
	for _, name := range []string{"ECE", "ICI", "slope"} {
		t.Logf("%s: a slope of .8 is flagged in %.3f", name, float64(flagged[name])/repetitions)
	}
	if power := float64(flagged["slope"]) / repetitions; power <= 0.80 {
		t.Errorf("a slope of .8 is flagged in %.3f", power)
	}
}

// A feature that knows the outcome makes a brilliant model, which the gates
// refuse because of its proof; the same model without the leak passes.
func TestStudyLeakIsRefused(t *testing.T) {
	needStudy(t)
	f := history(600, 14, 1)
	leak := Candidate{Name: "leaks", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(f *features.Frame, i int) float64 { return f.Columns[1].Num[i] }), nil
	}}
	c := features.Column{Feature: features.Feature{Name: "closed_at", Kind: features.NumberKind}}
	for i := range f.Rows {
		c.Num = append(c.Num, 0.05+0.85*float64(f.Rows[i].Y))
	}
	f.Columns = append(f.Columns, c)
	proof := &features.Proof{Snapshots: 200, Trials: []features.Trial{{Name: features.Canary, Snapshots: 200, Values: 400, Leaks: 31,
		First: &features.Leak{Feature: "closed_at", Snapshot: "2022-05-01", Was: "0.05", Got: "0.9"}}}}
	r := backtest(t, f, Options{Leaks: &Leaks{Features: proof}}, leak).Report
	if v := r.Promotion(); v.Pass || r.Gates[0].Pass || r.Candidates[0].Pooled.AUC < 0.99 {
		t.Errorf("AUC %v: %+v", r.Candidates[0].Pooled.AUC, v)
	}
	proof.Trials[0].Leaks = 0
	if v := backtest(t, f, Options{Leaks: &Leaks{Features: proof}}, byLevel()).Report.Promotion(); !v.Pass {
		t.Errorf("without the leak: %+v", v)
	}
}

// Test rows and two candidates: metrics, intervals, bands, slices, forecast and
// gates. make bench-evaluate adds the page.
func BenchmarkReport(b *testing.B) {
	b.Run("200k", func(b *testing.B) { benchmarkReport(b, 20_000) })
	b.Run("1M", func(b *testing.B) { benchmarkReport(b, 100_000) })
}

func benchmarkReport(b *testing.B, accounts int) {
	const months = 10
	f := history(accounts, months+2, 1)
	for i := range f.Rows {
		f.Rows[i].Segment = "s" + string(rune('a'+i%5))
	}
	origins, err := Origins(f, OriginOptions{First: day(b, "2022-03-01")})
	if err != nil {
		b.Fatal(err)
	}
	var tested []Origin
	for _, o := range origins {
		if o.Skipped == "" {
			tested = append(tested, o)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	predictions := make([][]prediction, len(tested))
	rows := 0
	for o := range tested {
		rows += len(tested[o].Test)
		ours, base := make([]float64, len(tested[o].Test)), make([]float64, len(tested[o].Test))
		for k, i := range tested[o].Test {
			ours[k], base[k] = 1/(1+math.Exp(-logOddsOf(trueRate[f.Columns[0].Codes[i]])-0.2*random.NormFloat64())), 0.2
		}
		predictions[o] = []prediction{{p: ours}, {p: base}}
	}
	options := Options{Seed: 1}
	for b.Loop() {
		r := newResult(f, origins, tested, []Candidate{byLevel(), BaseRate()}, predictions, &options, Design{Kind: RollingOrigins})
		if len(r.Report.Gates) == 0 {
			b.Fatal("no gates")
		}
	}
	b.ReportMetric(float64(rows), "rows")
}
