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

// The noise band contains a perfect model in 95 ± 2 % of cases, of renewals with
// one snapshot and of renewals with five; a slope of .8 at 3,000 rows lies
// outside in more than 80 %.
func TestStudyNoiseBand(t *testing.T) {
	needStudy(t)
	const sets, repetitions = 4, 500
	for _, snapshots := range []int{1, 5} {
		inside, flagged := map[string]int{}, map[string]int{}
		for set := range uint64(sets) {
			random := rand.New(rand.NewPCG(set, 3000))
			t0, p := studyRows(3000, snapshots, random)
			order := ascending(p)
			band, _ := t0.bands(p, order, equalMass(p, t0.y, t0.w, order), 0, &Options{Bootstrap: 2000, Seed: set})
			for range repetitions {
				for _, slope := range []float64{1, 0.8} {
					t0.drawOutcomes(p, slope, random)
					m := measure(p, t0.y, t0.w, order, defaultCapacity)
					for name, in := range map[string]bool{"ECE": band.ECE.Inside(m.ECE), "ICI": band.ICI.Inside(m.ICI), "E90": band.E90.Inside(m.E90),
						"slope": band.Slope.Inside(m.Slope), "in the large": band.InTheLarge.Inside(m.InTheLarge), "O:E": band.OE.Inside(m.OE)} {
						if in && slope == 1 {
							inside[name]++
						} else if !in && slope != 1 {
							flagged[name]++
						}
					}
				}
			}
		}
		for name, n := range inside {
			share := float64(n) / (sets * repetitions)
			t.Logf("%d snapshots, %s: the band contains a perfect model in %.3f; a slope of .8 is flagged in %.3f", snapshots, name, share,
				float64(flagged[name])/(sets*repetitions))
			if math.Abs(share-0.95) > 0.02 {
				t.Errorf("%s: %.3f", name, share)
			}
		}
		if power := float64(flagged["slope"]) / (sets * repetitions); snapshots == 1 && power <= 0.80 {
			t.Errorf("a slope of .8 is flagged in %.3f", power)
		}
	}
}

// studyRows makes up n rows of renewals with so many snapshots, whose predictions
// hardly differ.
func studyRows(n, snapshots int, random *rand.Rand) (*pool, []float64) {
	t := &pool{starts: []int{0, n}, groups: n / snapshots, renewals: n / snapshots, origin: make([]int, n), value: make([]float64, n), y: make([]float64, n)}
	p := make([]float64, n)
	var z float64
	for i := range n {
		if i%snapshots == 0 {
			z = -2.2 + 1.3*random.NormFloat64()
		}
		at := z
		if snapshots > 1 {
			at += 0.2 * random.NormFloat64()
		}
		p[i] = 1 / (1 + math.Exp(-at))
		t.w, t.group, t.renewal = append(t.w, 1/float64(snapshots)), append(t.group, i/snapshots), append(t.renewal, i/snapshots)
	}
	return t, p
}

// drawOutcomes draws outcomes of which log-odds are true that have so much of the
// predictions' slope.
func (t *pool) drawOutcomes(p []float64, slope float64, random *rand.Rand) {
	var u float64
	for i := range p {
		if i == 0 || t.renewal[i] != t.renewal[i-1] {
			u = random.Float64()
		}
		t.y[i] = 0
		if u < 1/(1+math.Exp(-slope*(logOddsOf(p[i])+2.2)+2.2)) {
			t.y[i] = 1
		}
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
