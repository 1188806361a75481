// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// By numpy 2.4.6 and scipy 1.17.1: with r and q the shares of a and b with half a
// row added to each bin, sum((q-r)*log(q/r)) and chi2.ppf(.95, 3)*(1/1000+1/1000).
func TestShiftAgreesWithScipy(t *testing.T) {
	s := newShift("x", []string{"a", "b", "c", "d"}, []float64{100, 200, 300, 400}, []float64{130, 190, 250, 430})
	if !same(s.PSI, 0.019575383126751986, 1e-12) || !same(s.Chance, 0.01562945580650236, 1e-9) || !same(s.Moved, 0.06, 1e-12) ||
		s.Size != ShiftSmall {
		t.Errorf("%+v", s)
	}
	if none := newShift("x", []string{"a", "b"}, []float64{1, 2}, []float64{0, 0}); none.PSI.Defined() || none.Size != ShiftChance {
		t.Errorf("without rows: %+v", none)
	}
}

// Where nothing has moved, PSI lies above its chance band in 5 % of cases,
// whatever the number of rows; a move of half a standard deviation is seen.
func TestChanceBandHoldsItsLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 4))
	draw := func(n int, mean float64) (x, w []float64) {
		for range n {
			x, w = append(x, mean+random.NormFloat64()), append(w, 1)
		}
		return x, w
	}
	for _, n := range []int{150, 2000} {
		outside := 0
		const cases = 400
		for range cases {
			a, wa := draw(3000, 0)
			b, wb := draw(n, 0)
			if s := numberShift("x", a, wa, b, wb); s.Size != ShiftChance {
				outside++
			}
		}
		if share := float64(outside) / cases; math.Abs(share-0.05) > 0.035 { // 3 SE of 400 cases
			t.Errorf("%d rows: outside in %.3f of cases", n, share)
		}
	}
	a, wa := draw(3000, 0)
	b, wb := draw(600, 0.5)
	if s := numberShift("x", a, wa, b, wb); s.Size != ShiftLarge && s.Size != ShiftModerate || !(s.Median[1] > s.Median[0]) {
		t.Errorf("moved by half a standard deviation: %+v", s)
	}
	for i := range b {
		b[i] = math.NaN()
	}
	if s := numberShift("x", a, wa, b, wb); s.Missing != [2]Number{0, 1} || s.Size != ShiftLarge {
		t.Errorf("all missing: %+v", s)
	}
}

// What calibrated probabilities expect of themselves is the mean over their own
// outcomes.
func TestExpected(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 5))
	p, w := make([]float64, 300), make([]float64, 300)
	for i := range p {
		p[i], w[i] = math.Round(100*random.Float64())/100, 1/float64(1+i%3)
	}
	got := NewExpected(p, w)
	var loss, brier, auc float64
	const draws = 3000
	for range draws {
		y := make([]float64, len(p))
		for i := range y {
			if random.Float64() < p[i] {
				y[i] = 1
			}
		}
		loss += LogLoss(p, y, w) / draws
		brier += Brier(p, y, w) / draws
		auc += AUC(p, y, w) / draws
	}
	// 4 SE of a mean of 3,000 draws; the AUC expected is a ratio of means, not the mean of ratios
	if math.Abs(float64(got.LogLoss)-loss) > 0.003 || math.Abs(float64(got.Brier)-brier) > 0.001 || math.Abs(float64(got.AUC)-auc) > 0.004 {
		t.Errorf("%+v; drawn: %v, %v, %v", got, loss, brier, auc)
	}
	if none := NewExpected(nil, nil); none.LogLoss.Defined() {
		t.Errorf("of nothing: %+v", none)
	}
}

// model is a weight model of the level x with the true rates of history.
func model(asOf string, f *features.Frame) *predict.Model {
	m := &predict.Model{Format: predict.Format, Provenance: predict.Provenance{AsOf: asOf}}
	m.Spec.Features = []features.Feature{f.Columns[0].Feature}
	t := predict.Term{Feature: "x", Kind: string(features.LevelKind), Label: "level of x", Effect: predict.Interval{Estimate: 1}}
	for k, name := range f.Columns[0].Levels {
		t.Columns = append(t.Columns, predict.Basis{Kind: predict.Level, Level: name, SD: 1, Weight: logOddsOf(trueRate[k])})
	}
	m.Terms = []predict.Term{t}
	m.Calibration = predict.Calibration{Method: "none", Slope: 1}
	f.SpecDigest = m.Spec.Digest()
	return m
}

// A model that fits is quiet; one whose world has changed raises its alarms.
func TestMonitor(t *testing.T) {
	f := history(400, 14, 1)
	m := model("2022-09-01", f)
	at := func(from, to string) *features.Frame {
		return f.Select(f.Where(func(r *features.Row) bool {
			return r.Snapshot >= day(t, from).UnixNano() && r.Snapshot < day(t, to).UnixNano()
		}))
	}
	now := at("2022-12-01", "2023-01-01")
	o := MonitorOptions{Project: `a "shop"`, Model: "0123456789ab", AsOf: day(t, "2022-12-01"), Location: time.UTC, Bootstrap: quick}
	before := f.Select(f.Where(func(r *features.Row) bool { return r.Snapshot < day(t, "2022-09-01").UnixNano() }))
	calm, err := NewMonitor(m, Watched{f, before, now}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(calm.Alarms) != 0 || calm.Realised == nil || len(calm.Months) == 0 || !calm.Realised.OE.Low.Defined() {
		t.Errorf("%+v", calm)
	}
	for _, month := range calm.Months { // due by the as-of: what came later is not known
		if month.Month < "2022-10" || month.Month > "2022-12" {
			t.Errorf("month %s", month.Month)
		}
	}
	if r := calm.Realised; !same(r.Metrics.LogLoss, r.Expected.LogLoss, 0.03) || math.Abs(float64(r.OE.Estimate)-1) > 0.15 {
		t.Errorf("%+v", r)
	}
	var text bytes.Buffer
	if err := calm.WriteMetrics(&text); err != nil || !strings.Contains(text.String(), `holdfast_score_psi{project="a \"shop\"",model="0123456789ab"} `) ||
		strings.Contains(text.String(), "NaN") {
		t.Errorf("%v\n%s", err, text.String())
	}
	for i := range now.Columns[0].Codes { // only the worst two levels are left
		now.Columns[0].Codes[i] = 2 + now.Columns[0].Codes[i]%2
	}
	for i := range f.Rows {
		if r := &f.Rows[i]; r.Snapshot >= day(t, "2022-09-01").UnixNano() && i%3 == 0 {
			r.Y = 1
		}
	}
	moved, err := NewMonitor(m, Watched{f, before, now}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(moved.Alarms) != 3 || moved.Score.Size != ShiftLarge || moved.Features[0].Size != ShiftLarge || moved.Expected.LogLoss <= calm.Expected.LogLoss {
		t.Errorf("%q, %+v", moved.Alarms, moved.Score)
	}
}

// The dates to compare with are of the year before the fit, and not before the
// history begins; a model of other data has none.
func TestReferenceDates(t *testing.T) {
	f := history(400, 14, 1)
	first := int64(math.MaxInt64)
	for i := range f.Rows {
		first = min(first, f.Rows[i].Snapshot)
	}
	dates, err := ReferenceDates(model("2022-09-01", f), f, time.UTC)
	if err != nil || len(dates) < 3 {
		t.Fatal(dates, err)
	}
	for i, d := range dates {
		if want := day(t, "2022-09-01").AddDate(0, 0, -30*(len(dates)-i)); !d.Equal(want) || d.UnixNano() < first {
			t.Errorf("date %d is %v, want %v", i, d, want)
		}
	}
	if all, err := ReferenceDates(model("2030-01-01", f), f, time.UTC); err != nil || len(all) != 12 || !all[0].Equal(day(t, "2029-01-06")) {
		t.Errorf("after a long history: %v, %v", all, err)
	}
	if _, err := ReferenceDates(model("2021-01-01", f), f, time.UTC); !errors.Is(err, ErrNoReference) {
		t.Errorf("a model of other data has dates: %v", err)
	}
	if _, err := ReferenceDates(model("", f), f, time.UTC); !errors.Is(err, ErrNoReference) {
		t.Errorf("a model of no date has dates: %v", err)
	}
	if _, err := ReferenceDates(model("soon", f), f, time.UTC); !errors.Is(err, predict.ErrIntegrity) {
		t.Errorf("an as-of that is no date: %v", err)
	}
}

// A renewal that is seen at three dates counts once.
func TestEachOnce(t *testing.T) {
	f := &features.Frame{Rows: []features.Row{{Account: "a", Contract: "1"}, {Account: "a", Contract: "2"}, {Account: "a", Contract: "1"}, {Account: "b"}}}
	eachOnce(f)
	for i, want := range []float64{0.5, 1, 0.5, 1} {
		if f.Rows[i].Weight != want {
			t.Errorf("row %d weighs %v, want %v", i, f.Rows[i].Weight, want)
		}
	}
}
