// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/predict"
)

// sumTol allows for sums taken in another order.
const sumTol = 1e-12

// drawRows draws up to 60 rows with many ties and, half the time, weights.
func drawRows(t *rapid.T) (p, y, w []float64) {
	n := rapid.IntRange(1, 60).Draw(t, "n")
	weighted := rapid.Bool().Draw(t, "weighted")
	for range n {
		p = append(p, float64(rapid.IntRange(1, 19).Draw(t, "p"))/20)
		y = append(y, float64(rapid.IntRange(0, 1).Draw(t, "y")))
		if weighted {
			w = append(w, 1/float64(rapid.IntRange(1, 5).Draw(t, "1/w")))
		}
	}
	return p, y, w
}

// AUC is the share of pairs in the right order, ties one half.
func TestAUCIsTheShareOfPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y, w := drawRows(t)
		var won, pairs float64
		for i := range p {
			for j := range p {
				if y[i] == 1 && y[j] == 0 {
					v := weight(w, i) * weight(w, j)
					pairs += v
					if p[i] > p[j] {
						won += v
					} else if p[i] == p[j] {
						won += v / 2
					}
				}
			}
		}
		if got := Number(AUC(p, y, w)); !same(got, Number(won/pairs), sumTol) {
			t.Fatalf("AUC = %v, by pairs %v", got, won/pairs)
		}
	})
}

// A monotone map of p leaves AUC and lift as they are, and the outcomes of
// Recalibration undo a line through the log-odds.
func TestMetricsUnderMapsOfP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y, w := drawRows(t)
		q := make([]float64, len(p))
		for i := range p {
			q[i] = p[i] * p[i] * p[i]
		}
		if a, b := AUC(p, y, w), AUC(q, y, w); !same(Number(a), Number(b), 0) {
			t.Fatalf("AUC %v became %v", a, b)
		}
		if a, b := Lift(p, y, w), Lift(q, y, w); !same(Number(a), Number(b), sumTol) {
			t.Fatalf("lift %v became %v", a, b)
		}
		a, b := Recalibration(p, y, w)
		for i, z := range logOdds(p) {
			q[i] = predict.Sigmoid(a + b*z)
		}
		// The rounding of q is magnified where rows are nearly separated (b is
		// large) and where nothing is left to tell q apart (b is next to 0).
		if math.IsNaN(a) || math.Abs(b) > 20 || math.Abs(b) < 1e-3 {
			return
		}
		if c, d := Recalibration(q, y, w); math.Abs(c) > 1e-6 || math.Abs(d-1) > 1e-6 {
			t.Fatalf("recalibrated by %v + %v z, the rest is %v + %v z", a, b, c, d)
		}
		if oe := OE(q, y, w); math.Abs(oe-1) > 1e-9 { // the score equation of the intercept
			t.Fatalf("recalibrated O:E = %v", oe)
		}
	})
}

// No metric depends on the order of rows, and weights count like repeated rows.
func TestMetricsUnderOrderAndRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, y, w := drawRows(t)
		backwards := func(x []float64) []float64 {
			x = slices.Clone(x)
			slices.Reverse(x)
			return x
		}
		want := Measure(p, y, w)
		again := Measure(backwards(p), backwards(y), backwards(w))
		sameMetrics(t, again, want)
		if !same(again.ICI, want.ICI, 1e-9) { // repeated rows also move the radius, which counts rows
			t.Fatalf("ICI = %v, want %v", again.ICI, want.ICI)
		}

		double := make([]float64, len(p))
		for i := range double {
			double[i] = 2 * weight(w, i)
		}
		twice := Measure(slices.Concat(p, p), slices.Concat(y, y), slices.Concat(w, w))
		sameMetrics(t, Measure(p, y, double), twice)
	})
}

func sameMetrics(t *rapid.T, got, want Metrics) {
	t.Helper()
	for _, m := range []struct {
		name      string
		got, want Number
		tol       float64
	}{
		{"log loss", got.LogLoss, want.LogLoss, sumTol},
		{"Brier", got.Brier, want.Brier, sumTol},
		{"AUC", got.AUC, want.AUC, sumTol},
		{"ECE", got.ECE, want.ECE, sumTol},
		{"lift", got.Lift, want.Lift, 1e-9},
		{"O:E", got.OE, want.OE, sumTol},
		{"in the large", got.InTheLarge, want.InTheLarge, 1e-9},
		{"rate", got.Rate, want.Rate, sumTol},
		{"mean p", got.MeanP, want.MeanP, sumTol},
		{"AP", got.AP, want.AP, 1e-9},
		{"recall", got.Recall, want.Recall, 1e-9},
		{"MCB", got.Parts.MCB, want.Parts.MCB, sumTol},
		{"DSC", got.Parts.DSC, want.Parts.DSC, sumTol},
		{"accuracy", got.Accuracy.Accuracy, want.Accuracy.Accuracy, sumTol},
	} {
		if !same(m.got, m.want, m.tol) {
			t.Fatalf("%s = %v, want %v", m.name, m.got, m.want)
		}
	}
}

// The deciles hold every row once, ECE is what they say, and without ties
// their sizes differ by at most one.
func TestDecilesHoldEveryRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(10, 200).Draw(t, "n")
		p, y := make([]float64, n), make([]float64, n)
		for i := range p {
			p[i] = (float64(i) + 0.5) / float64(n)
			y[i] = float64(rapid.IntRange(0, 1).Draw(t, "y"))
		}
		bins := Deciles(p, y, nil)
		if len(bins) != 10 {
			t.Fatalf("%d bins", len(bins))
		}
		rows, churned, gap := 0, 0, 0.0
		for _, b := range bins {
			if b.Rows < n/10 || b.Rows > n/10+1 {
				t.Fatalf("a bin of %d of %d rows", b.Rows, n)
			}
			rows += b.Rows
			churned += b.Churned
			gap += float64(b.Rows) * math.Abs(float64(b.Rate-b.MeanP))
		}
		if rows != n || float64(churned) != sum(y) {
			t.Fatalf("%d rows and %d churned of %d and %v", rows, churned, n, sum(y))
		}
		if got := ECE(p, y, nil); math.Abs(got-gap/float64(n)) > sumTol {
			t.Fatalf("ECE %v, by deciles %v", got, gap/float64(n))
		}
	})
}

// The histogram counts every row once, in the bin of its p, and covers the
// deciles.
func TestHistogram(t *testing.T) {
	// 98 rows at .02, one at .11 and one at .9: in deciles, .02 throughout and
	// .117 for the last ten.
	p, y := make([]float64, 100), make([]float64, 100)
	for i := range p {
		p[i] = 0.02 + float64(i)*1e-9
	}
	p[98], p[99] = 0.11, 0.9
	h := histogram(p, Deciles(p, y, nil))
	// .02 / .006 = 3.3, .11 / .006 = 18.3.
	if !same(h.Width, 0.12/20, sumTol) || h.Above != 1 || h.Rows[3] != 98 || h.Rows[18] != 1 {
		t.Errorf("%+v", h)
	}
	y[99], p[98] = 1, 1
	if h := histogram(p[98:], Deciles(p[98:], y[98:], nil)); h.Width != 0.05 || h.Above != 0 ||
		h.Rows[19] != 1 || h.Rows[18] != 1 {
		t.Errorf("up to 1: %+v", h)
	}
}

// What is not defined is NaN, and null in JSON.
func TestUndefinedMetrics(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name      string
		p, y, w   []float64
		undefined []string
	}{
		{"empty", nil, nil, nil, []string{"log_loss", "brier", "auc", "ece", "calibration_slope",
			"calibration_in_the_large", "observed_to_expected", "lift_top_decile",
			"observed_rate", "mean_p", "weight"}},
		{"NaN among p", []float64{0.5, nan}, []float64{0, 1}, nil,
			[]string{"log_loss", "auc", "ece", "lift_top_decile"}},
		{"NaN among w", []float64{0.5, 0.5}, []float64{0, 1}, []float64{1, nan},
			[]string{"brier", "calibration_slope"}},
		{"nobody churned", []float64{0.1, 0.2}, []float64{0, 0}, nil, []string{"auc", "calibration_slope",
			"calibration_in_the_large", "lift_top_decile"}},
		{"everybody churned", []float64{0.1, 0.2}, []float64{1, 1}, nil, []string{"auc", "calibration_slope",
			"calibration_in_the_large"}},
		{"constant p", []float64{0.3, 0.3}, []float64{0, 1}, nil,
			[]string{"calibration_intercept", "calibration_slope"}},
		{"separated", []float64{0.1, 0.2, 0.2, 0.4}, []float64{0, 0, 1, 1}, nil,
			[]string{"calibration_slope"}},
		{"nothing expected", []float64{0, 0}, []float64{0, 1}, nil, []string{"observed_to_expected"}},
	}
	for _, test := range tests {
		b, err := json.Marshal(Measure(test.p, test.y, test.w))
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		for _, name := range test.undefined {
			if v, ok := fields[name]; !ok || v != nil {
				t.Errorf("%s: %s = %v, want null", test.name, name, v)
			}
		}
	}
	if bins := Deciles(nil, nil, nil); bins != nil {
		t.Errorf("deciles of nothing: %v", bins)
	}
	var back Number
	if err := json.Unmarshal([]byte("null"), &back); err != nil || back.Defined() {
		t.Errorf("null read back as %v, %v", back, err)
	}
}

// One row: what a definition gives, and nothing where it gives nothing.
func TestMetricsOfOneRow(t *testing.T) {
	const p, w, v = 0.3, 0.5, 40.0
	for _, y := range []float64{0, 1} {
		m := MeasureValued([]float64{p}, []float64{y}, []float64{w}, []float64{v}, 0.2)
		off, loss := Number(math.Abs(p-y)), Number(-math.Log(1-p))
		if y == 1 {
			loss = Number(-math.Log(p))
		}
		nan := Number(math.NaN())
		ifChurned := func(x Number) Number {
			if y == 0 {
				return nan
			}
			return x
		}
		for name, c := range map[string][2]Number{"log loss": {m.LogLoss, loss}, "Brier": {m.Brier, off * off}, "AUC": {m.AUC, nan}, "ECE": {m.ECE, off},
			"ICI": {m.ICI, off}, "E90": {m.E90, off}, "O:E": {m.OE, Number(y / p)}, "slope": {m.Slope, nan}, "in the large": {m.InTheLarge, nan},
			"lift": {m.Lift, ifChurned(1)}, "AP": {m.AP, ifChurned(1)}, "recall": {m.Recall, ifChurned(0.2)}, "weight": {m.Weight, w},
			"MCB": {m.Parts.MCB, off * off}, "DSC": {m.Parts.DSC, 0}, "UNC": {m.Parts.UNC, 0}, "majority": {m.Accuracy.Majority, 1},
			"accuracy": {m.Accuracy.Accuracy, Number(1 - y)}, "skill": {m.Accuracy.Skill, nan}, "value": {m.Value.Value, w * v},
			"value log loss": {m.Value.LogLoss, loss}, "value recall": {m.Value.Recall, ifChurned(0.2)}} {
			if !same(c[0], c[1], sumTol) {
				t.Errorf("y = %v: %s = %v, want %v", y, name, c[0], c[1])
			}
		}
	}
}

// The AUC that probabilities expect of themselves, and the shock of origins, are
// what their definitions say, summed up the long way.
func TestSumsTheLongWay(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const n, origins = 120, 6
	q := &pool{starts: []int{0}}
	var p []float64
	for o := range origins {
		for range n {
			v := math.Round(20*random.Float64()) / 25 // ties, none certain to churn
			p = append(p, max(v, 0.02))
			y := 0.0
			if random.Float64() < 0.1+0.1*float64(o) {
				y = 1
			}
			q.y, q.w = append(q.y, y), append(q.w, 1/float64(1+random.IntN(3)))
		}
		q.starts = append(q.starts, len(p))
	}
	var won, pairs float64
	for i := range p {
		for j := range p {
			both := q.w[i] * p[i] * q.w[j] * (1 - p[j])
			pairs += both
			switch {
			case p[i] > p[j]:
				won += both
			case p[i] == p[j]:
				won += both / 2
			}
		}
	}
	if got := expectedAUC(p, q.w); math.Abs(got-won/pairs) > peerTol {
		t.Errorf("expected AUC %v, want %v", got, won/pairs)
	}
	var u, a []float64
	for o := range origins {
		lo, hi := q.starts[o], q.starts[o+1]
		at := InTheLarge(p[lo:hi], q.y[lo:hi], q.w[lo:hi])
		var information float64
		for i := lo; i < hi; i++ {
			odds := p[i] / (1 - p[i]) * math.Exp(at)
			information += q.w[i] * odds / (1 + odds) / (1 + odds)
		}
		u, a = append(u, information), append(a, at)
	}
	var mean, spread, squares float64
	for o := range u {
		mean += u[o] * a[o] / sum(u)
		squares += u[o] * u[o]
	}
	for o := range u {
		spread += u[o] * (a[o] - mean) * (a[o] - mean)
	}
	want := math.Sqrt((spread - (origins - 1)) / (sum(u) - squares/sum(u)))
	if got := q.shock(p); math.Abs(got-want) > peerTol || !(want > 0.1) {
		t.Errorf("shock %v, want %v", got, want)
	}
}

// One class and a constant p are defined where the formula is.
func TestDegenerateMetrics(t *testing.T) {
	none := Measure([]float64{0.2, 0.2}, []float64{0, 0}, nil)
	if want := Number(-math.Log(0.8)); !same(none.LogLoss, want, sumTol) || !same(none.ECE, 0.2, sumTol) ||
		none.OE != 0 {
		t.Errorf("nobody churned: %+v", none)
	}
	constant := Measure([]float64{0.3, 0.3, 0.3, 0.3}, []float64{0, 1, 0, 0}, nil)
	if constant.AUC != 0.5 || !same(constant.Lift, 1, sumTol) || !same(constant.ECE, 0.05, sumTol) {
		t.Errorf("constant p: %+v", constant)
	}
	certain := LogLoss([]float64{0, 1}, []float64{1, 1}, nil)
	if want := -math.Log(1e-15) / 2; math.Abs(certain-want) > sumTol { // one row wrong at the clip, one right
		t.Errorf("log loss of a certain error: %v, want %v", certain, want)
	}
}
