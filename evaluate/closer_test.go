// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

// testPool draws rows of two origins, several snapshots a renewal and several
// renewals a group, with predictions that are off by the slope.
func testPool(t *testing.T, n int, slope float64) (*pool, []float64, []int) {
	t.Helper()
	random := rand.New(rand.NewPCG(9, uint64(n)))
	p := &pool{starts: []int{0, n / 3, n}, groups: n / 4, renewals: n / 2}
	predicted := make([]float64, n)
	for i := range n {
		z := -1.5 + random.NormFloat64()
		p.w = append(p.w, 1/float64(1+random.IntN(3)))
		p.y = append(p.y, 0)
		if random.Float64() < 1/(1+math.Exp(-z)) {
			p.y[i] = 1
		}
		predicted[i] = math.Round(1000/(1+math.Exp(0.2-slope*z))) / 1000 // with ties
		p.renewal, p.group = append(p.renewal, i/2), append(p.group, i/4)
		p.value = append(p.value, math.Exp(random.NormFloat64()))
		o := 0
		if i >= n/3 {
			o = 1
		}
		p.origin = append(p.origin, o)
	}
	p.hasValue = true
	p.resamples = newResampler(p.groups, 60, maxBlocks, 3)
	return p, predicted, ascending(predicted)
}

// Replicates of points are those of the rows: each metric of a resample is the
// metric of the rows with their weights times how often their group was drawn.
func TestIntervalsAreThoseOfTheRows(t *testing.T) {
	const n = 1200
	p, predicted, order := testPool(t, n, 1.3)
	q := p.points(predicted, order)
	draws := p.sampler(q, p.resamples)
	m := MeasureValued(predicted, p.y, p.w, p.value, 0.2)
	large, both := newLine(q.p, float64(m.InTheLarge), 1), newLine(q.p, float64(m.Intercept), float64(m.Slope))
	var drawn [together]sample
	for b, times := range p.resamples.times[:20] {
		if b%together == 0 {
			draws.draw(&drawn, p.resamples.times[b:min(b+together, 20)]) // the last lot is short
		}
		s := &drawn[b%together]
		var y, w, value, x []float64
		var rows []int
		for i := range n {
			if k := times[p.resamples.blockOf[p.group[i]]]; k > 0 {
				x, y, value, rows = append(x, predicted[i]), append(y, p.y[i]), append(value, p.value[i]), append(rows, i)
				w = append(w, p.w[i]*float64(k))
			}
		}
		var auc, size float64
		for o, lo := range p.starts[:2] {
			in := func(v []float64) (of []float64) {
				for k, i := range rows {
					if i >= lo && i < p.starts[o+1] {
						of = append(of, v[k])
					}
				}
				return of
			}
			auc += AUC(in(x), in(y), in(w)) * float64(p.starts[o+1]-lo)
			size += float64(p.starts[o+1] - lo)
		}
		_, slope := Recalibration(x, y, w)
		a, _ := large.step(s, false)
		_, oneStep := both.step(s, true)
		for _, c := range []struct {
			name      string
			got, want float64
			tol       float64
		}{
			{"AUC", q.meanAUC(s), auc / size, 1e-12},
			{"AP", q.ap(s), AveragePrecision(x, y, w), 1e-12},
			{"recall", q.captured(s, s.wy, 0.2), Recall(x, y, w, 0.2), 1e-12},
			{"value recall", q.captured(s, s.wvy, 0.2), ValueRecall(x, y, w, value, 0.2), 1e-12},
			// One Newton step errs by the square of what a resample moves, some .1.
			{"in the large", a, InTheLarge(x, y, w), 0.01},
			{"slope", oneStep, slope, 0.02},
		} {
			if math.Abs(c.got-c.want) > c.tol {
				t.Errorf("replicate %d: %s = %v, want %v", b, c.name, c.got, c.want)
			}
		}
	}
	scores := Scores{Pooled: &m, Origins: []OriginScores{p.measureOrigin(0, "a", predicted[:p.starts[1]], ascending(predicted[:p.starts[1]]), 0.2),
		p.measureOrigin(1, "b", predicted[p.starts[1]:], ascending(predicted[p.starts[1]:]), 0.2)}}
	v := p.intervals(predicted, order, &scores, 0.2)
	for _, o := range scores.Origins {
		if !(o.AUC.Low < o.Metrics.AUC && o.Metrics.AUC < o.AUC.High) || !(o.Rate.Low < o.Metrics.Rate && o.Metrics.Rate < o.Rate.High) {
			t.Errorf("origin %s: AUC %+v, rate %+v", o.Origin, o.AUC, o.Rate)
		}
	}
	for name, i := range map[string]Interval{"AP": v.AP, "recall": v.Recall, "slope": v.Slope, "O:E": v.OE, "value recall": v.ValueRecall} {
		if !(i.Low < i.Estimate && i.Estimate < i.High) {
			t.Errorf("%s: %+v", name, i)
		}
	}
	if v.AP.Estimate != m.AP || v.Slope.Estimate != m.Slope || v.ValueRecall.Estimate != m.Value.Recall {
		t.Errorf("estimates moved: %+v", v)
	}
}

// A rule with few values of p is resampled by cells of a block in a point, to the
// same end.
func TestIntervalsOfFewPoints(t *testing.T) {
	p, _, _ := testPool(t, 3000, 1)
	rule := make([]float64, len(p.y))
	for i := range rule {
		rule[i] = 0.1 + 0.2*float64(i%2)
	}
	q := p.points(rule, ascending(rule))
	few := newResampler(p.groups, 16, 40, 1)
	if len(q.p)*few.blocks >= len(q.rows) {
		t.Fatalf("%d points of %d rows", len(q.p), len(q.rows))
	}
	cells := p.sampler(q, few)
	var got [together]sample
	for lot := range 2 {
		times := few.times[lot*together : (lot+1)*together]
		cells.draw(&got, times)
		for r := range got {
			w, wy, wvy := make([]float64, len(q.p)), make([]float64, len(q.p)), make([]float64, len(q.p))
			for k := range q.p {
				for _, i := range q.rows[q.starts[k]:q.starts[k+1]] {
					n := float64(times[r][few.blockOf[p.group[i]]]) * p.w[i]
					w[k] += n
					wy[k] += n * p.y[i]
					wvy[k] += n * p.y[i] * p.atStake(i)
				}
			}
			for k := range w {
				if math.Abs(got[r].w[k]-w[k]) > 1e-9 || math.Abs(got[r].wy[k]-wy[k]) > 1e-9 || math.Abs(got[r].wvy[k]-wvy[k]) > 1e-6 {
					t.Fatalf("resample %d, point %d: %v, %v, %v, want %v, %v, %v", r, k, got[r].w[k], got[r].wy[k], got[r].wvy[k], w[k], wy[k], wvy[k])
				}
			}
		}
	}
}

// More rows than points are put into bins; intervals stay what they were.
func TestIntervalsOfManyRows(t *testing.T) {
	p, predicted, _ := testPool(t, 4*mostPoints, 1)
	for i := range predicted { // no ties
		predicted[i] += 1e-7 * float64(i%997)
	}
	order := ascending(predicted)
	q := p.points(predicted, order)
	if n := len(q.p); n < mostPoints/2 || n > mostPoints+100 {
		t.Fatalf("%d points", n)
	}
	var drawn [together]sample
	p.sampler(q, p.resamples).draw(&drawn, nil)
	s := &drawn[0]
	m := Measure(predicted, p.y, p.w)
	for name, c := range map[string][2]float64{"AP": {q.ap(s), float64(m.AP)}, "recall": {q.captured(s, s.wy, 0.1), float64(m.Recall)}} {
		if math.Abs(c[0]-c[1]) > 2e-3 { // a point is a four-thousandth of the rows wide
			t.Errorf("%s = %v by points, %v by rows", name, c[0], c[1])
		}
	}
}

// A perfect model lies inside its band as often as the band says, a slope of .8
// is seen; make study has the figures. Here: the means of the bands are those
// of outcomes drawn row by row.
func TestBandsAreThoseOfPerfectModels(t *testing.T) {
	p, predicted, order := testPool(t, 900, 1)
	perfect, shocked := p.bands(predicted, order, equalMass(predicted, p.y, p.w, order), 0.3, &Options{Bootstrap: 300, Seed: 2})
	random := rand.New(rand.NewPCG(77, 0))
	var ece, ici, oe []float64
	for range 300 {
		y := make([]float64, len(predicted))
		for i := 0; i < len(y); i += 2 {
			u := random.Float64()
			for k := i; k < min(i+2, len(y)); k++ { // both snapshots of a renewal
				if u < predicted[k] {
					y[k] = 1
				}
			}
		}
		v, _ := ICI(predicted, y, p.w)
		ece, ici, oe = append(ece, ECE(predicted, y, p.w)), append(ici, v), append(oe, OE(predicted, y, p.w))
	}
	check := func(name string, got Band, want []float64, upper bool) {
		slices.Sort(want)
		mean, high := sum(want)/300, quantile(want, 0.975)
		if upper {
			high = quantile(want, 0.95)
		}
		// Means of 300 draws are known to 3 %, their 95 % quantiles to 10 % of the distance to the mean or so.
		if math.Abs(float64(got.Mean)-mean) > 0.15*(high-mean) || math.Abs(float64(got.High)-high) > 0.3*(high-mean) {
			t.Errorf("%s: %+v, drawn row by row mean %v, high %v", name, got, mean, high)
		}
	}
	check("ECE", perfect.ECE, ece, true)
	check("ICI", perfect.ICI, ici, true)
	check("O:E", perfect.OE, oe, false)
	if !(shocked.OE.High-shocked.OE.Low > 1.5*(perfect.OE.High-perfect.OE.Low)) || !(shocked.ICI.Mean > perfect.ICI.Mean) {
		t.Errorf("a shock of .3 hardly widens the band: %+v, %+v", perfect.OE, shocked.OE)
	}
	if len(perfect.Deciles) != 10 || !(perfect.Deciles[0].Low > perfect.Deciles[9].High) {
		t.Errorf("deciles %+v", perfect.Deciles)
	}
}

// The shock is found where there is one, and next to nothing where there is none.
func TestShock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	draw := func(sd float64) float64 {
		const origins, rows = 60, 800
		p := &pool{starts: []int{0}}
		var predicted []float64
		for range origins {
			s := sd * random.NormFloat64()
			for range rows {
				z := -2 + random.NormFloat64()
				y := 0.0
				if random.Float64() < 1/(1+math.Exp(-z-s)) {
					y = 1
				}
				p.y, p.w, predicted = append(p.y, y), append(p.w, 1), append(predicted, 1/(1+math.Exp(-z)))
			}
			p.starts = append(p.starts, len(p.y))
		}
		return p.shock(predicted)
	}
	if got := draw(0.4); math.Abs(got-0.4) > 0.12 { // 3 SE of a standard deviation of 60
		t.Errorf("shock %v, want about .4", got)
	}
	if got := draw(0); got > 0.08 {
		t.Errorf("shock %v where there is none", got)
	}
}

// A model that is off beyond chance shows an excess, a perfect one next to none.
func TestExcess(t *testing.T) {
	p, predicted, _ := testPool(t, 6000, 1)
	for i := range predicted {
		predicted[i] = min(0.99, 1.4*predicted[i])
	}
	order := ascending(predicted)
	off := p.excess(predicted, order, 0.2, &Options{Seed: 1, Bootstrap: 60})
	if !(off.E > 0.03) || !(off.Upper > off.E) || !(off.Upper < off.E+0.03) || !(off.P < 0.05) || !same(off.Bound, 0.02, 1e-12) {
		t.Errorf("40 %% too high: %+v", off)
	}
	for i := range p.y { // perfect: the outcomes are drawn from the predictions
		p.y[i] = 0
	}
	random := rand.New(rand.NewPCG(5, 5))
	for i := range p.y {
		if random.Float64() < predicted[i] {
			p.y[i] = 1
		}
	}
	if fine := p.excess(predicted, order, 0.2, &Options{Seed: 1, Bootstrap: 60}); !(fine.E < 0.01) || !(fine.P > 0.5) {
		t.Errorf("perfect: %+v", fine)
	}
}

// Slices hold the rows they say, and their figures are those of these rows.
func TestSlices(t *testing.T) {
	f := history(300, 12, 1)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Segment = []string{"large", "small", "small"}[i%3]
		r.AutoRenew, r.TermDays = int8(i%2), int32(365+365*(i%5/4))
		r.Involuntary = r.Y == 1 && i%4 == 0
		if i%7 == 0 {
			r.LeadDays = 60
		}
	}
	result := backtest(t, f, Options{}, byLevel())
	kinds := map[string]int{}
	for _, s := range result.Report.Slices {
		kinds[s.Kind] += s.Rows
		if s.Kind == ByInvoluntary {
			continue
		}
		if got := s.Scores[0]; got.Candidate != "by_level" || !same(got.OE.Estimate, s.Rate/got.MeanP, 1e-12) {
			t.Errorf("%s %s: %+v", s.Kind, s.Name, got)
		}
	}
	all := result.Report.Design.TestRows
	for _, kind := range []string{ByLead, BySegment, ByInvoluntary, ByAutoRenew, ByTerm} {
		if kinds[kind] != all {
			t.Errorf("%s: %d of %d rows", kind, kinds[kind], all)
		}
	}
	large := result.Report.Slices[slices.IndexFunc(result.Report.Slices, func(s Slice) bool { return s.Name == "large" })]
	var p, y []float64
	table := result.Predictions
	for i := range table.Rows {
		if table.Column("candidate").Text(i) == "by_level" && table.Column("segment").Text(i) == "large" {
			p, y = append(p, table.Column("p_churn").Floats[i]), append(y, float64(table.Column("y").Ints[i]))
		}
	}
	if got := large.Scores[0]; large.Rows != len(p) || !same(got.LogLoss, Number(LogLoss(p, y, nil)), 1e-12) ||
		got.Accuracy != MeasureAccuracy(p, y, nil) {
		t.Errorf("large: %+v, log loss %v", got, LogLoss(p, y, nil))
	}
}

// Accounts that no training row had are told apart, and small slices are put together.
func TestStrata(t *testing.T) {
	f := history(300, 12, 1)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Segment = "s" + r.Account[len(r.Account)-2:]
		if strings.HasSuffix(r.Account, "7") { // began after the first origin
			r.Group = "new " + r.Account
			if time.Unix(0, r.Due).Before(day(t, "2022-09-01")) {
				r.Y = features.Unknown
			}
		}
	}
	r := backtest(t, f, Options{}, byLevel()).Report
	var names []string
	for _, s := range r.Slices {
		if s.Kind == BySeen {
			names = append(names, s.Name)
		}
		if s.Kind == BySegment && s.Rows < leastSlice {
			t.Errorf("segment %s has %d rows", s.Name, s.Rows)
		}
	}
	if !slices.Equal(names, []string{"seen in training", "never seen in training"}) {
		t.Errorf("%q", names)
	}
}

// By hand: two renewals of value 100 and 300 due in one month.
func TestForecast(t *testing.T) {
	f := history(400, 12, 1)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Kept = math.NaN()
		if r.Y == 0 {
			r.Kept = 0.9
		}
	}
	half := Candidate{Name: "half", Fit: func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(*features.Frame, int) float64 { return 0.5 }), nil
	}}
	got := backtest(t, f, Options{}, half).Report.Forecast
	for _, m := range got.Months {
		// (1 - .5) · .9 of the value; what came of it is .9 of the share that renewed
		if !same(m.GRR.Estimate, 0.45, 1e-9) || !same(m.NRR.Estimate, 0.45, 1e-9) || !same(m.GRRWas, 0.9*(1-m.Lost/m.Value), 1e-9) {
			t.Fatalf("%+v", m)
		}
		// all who renew keep .9: both retentions have one future
		if !(m.GRR.Low < 0.45 && 0.45 < m.GRR.High) || m.NRR != m.GRR || m.AtRisk != m.Value/2 {
			t.Errorf("%+v", m)
		}
	}
	if got.NoKept || got.Covered != 0 || got.NRRCovered != 0 || !(got.Error > 0.2) || len(got.Months) == 0 {
		t.Errorf("%d months, %d covered, error %v", len(got.Months), got.Covered, got.Error)
	}
	good := backtest(t, f, Options{}, byLevel()).Report.Forecast
	if n := len(good.Months); good.Covered < n-2 || good.NRRCovered < n-2 || !(good.Error < 0.03) {
		t.Errorf("%d of %d months covered, error %v", good.Covered, n, good.Error)
	}
	for i := range f.Rows {
		f.Rows[i].Value = math.NaN()
	}
	if none := backtest(t, f, Options{}, byLevel()).Report; none.Forecast != nil || none.Candidates[0].Pooled.Value != nil {
		t.Error("a forecast without values")
	}
}

// Two currencies are never added.
func TestCurrenciesAreNotAdded(t *testing.T) {
	f := history(300, 12, 1)
	for i := range f.Rows {
		f.Rows[i].Currency = []string{"EUR", "EUR", "JPY"}[i%3]
		if i%3 == 2 {
			f.Rows[i].Value = 1e9
		}
	}
	r := backtest(t, f, Options{}, byLevel()).Report
	if v := r.Candidates[0].Pooled.Value; r.Design.Currency != "EUR" || v.Value != Number(100*v.Rows) || r.Forecast.Months[0].Value > 1e6 {
		t.Errorf("%s, %+v", r.Design.Currency, v)
	}
	if r.Design.WithoutCurrency == 0 || !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "another currency") }) {
		t.Errorf("%d rows in another currency, warnings %q", r.Design.WithoutCurrency, r.Warnings)
	}
}

// The simple rules find what there is to find by their means.
func TestRules(t *testing.T) {
	f := history(400, 12, 1)
	noise := features.Column{Feature: features.Feature{Name: "noise", Kind: features.NumberKind}, Num: make([]float64, len(f.Rows))}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Num {
		noise.Num[i] = random.NormFloat64()
		if i%10 == 0 {
			noise.Num[i] = math.NaN()
		}
		f.Rows[i].Segment = f.Columns[0].Levels[f.Columns[0].Codes[i]]
	}
	f.Columns = append([]features.Column{noise}, f.Columns...)
	ours := byLevel()
	ours.Fit = func(context.Context, *features.Frame) (Predictor, error) {
		return predictorFunc(func(f *features.Frame, i int) float64 { return trueRate[f.Columns[1].Codes[i]] }), nil
	}
	r := backtest(t, f, Options{}, ours, SegmentBaseRate(), OneFeature()).Report
	for _, name := range []string{SegmentBaseRateName, OneFeatureName} {
		s := scoresOf(t, r, name)
		if s.Failure != "" || math.Abs(float64(s.Pooled.LogLoss-r.Candidates[0].Pooled.LogLoss)) > 0.004 {
			t.Errorf("%s: failure %q, log loss %v; the truth has %v", name, s.Failure, s.Pooled, r.Candidates[0].Pooled.LogLoss)
		}
	}
	// A level that training never saw has the mean.
	rule := newFeatureRule(f, 1, []int{0, 1, 2, 3, 4, 5, 6, 7})
	f.Columns[1].Levels = []string{"w", "x", "y", "z"}
	p, err := rule.Prob(nil, f)
	if err != nil || slices.ContainsFunc(p, func(v float64) bool { return v != rule.mean }) {
		t.Errorf("%v, mean %v, %v", p[:4], rule.mean, err)
	}
}
