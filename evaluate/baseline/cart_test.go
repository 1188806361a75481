// SPDX-License-Identifier: Apache-2.0

package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// drawn makes a frame whose churn depends on the first number and on the level
// "gold", with noise columns, a constant one and missing values.
func drawn(rows, columns int, seed uint64) *features.Frame {
	random := rand.New(rand.NewPCG(seed, 0))
	f := &features.Frame{Rows: make([]features.Row, rows), Columns: make([]features.Column, columns+2)}
	for j := range columns + 1 {
		f.Columns[j] = features.Column{Feature: features.Feature{Name: fmt.Sprintf("n%d", j),
			Kind: features.NumberKind}, Num: make([]float64, rows)}
	}
	plan := &f.Columns[columns+1]
	*plan = features.Column{Feature: features.Feature{Name: "plan", Kind: features.LevelKind},
		Levels: []string{"free", "gold"}}
	for i := range f.Rows {
		for j := range columns {
			f.Columns[j].Num[i] = random.NormFloat64()
		}
		plan.Codes = append(plan.Codes, int32(random.IntN(3)-1))
		rate := 0.05
		if f.Columns[0].Num[i] > 0.5 {
			rate = 0.85
		}
		if plan.Codes[i] == 1 {
			rate = 0.02
		}
		if random.Float64() < rate {
			f.Rows[i].Y = 1
		}
		f.Rows[i].Account, f.Rows[i].Weight = fmt.Sprint("a", i), 1
		if random.IntN(10) == 0 {
			f.Columns[0].Num[i] = math.NaN()
		}
	}
	return f
}

func fitted(t *testing.T, f *features.Frame) evaluate.Predictor {
	t.Helper()
	p, err := CART().Fit(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The tree finds an effect of a number and one of a level, and gives each
// label the smoothed churn rate of its training rows.
func TestCARTFindsEffects(t *testing.T) {
	f := drawn(3000, 5, 1)
	p, err := fitted(t, f).Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	rows, churned := map[float64]float64{}, map[float64]float64{}
	var y []float64
	for i := range p {
		rows[p[i]]++
		churned[p[i]] += float64(f.Rows[i].Y)
		y = append(y, float64(f.Rows[i].Y))
	}
	if len(rows) != 2 {
		t.Fatalf("%d values of p, want one per label", len(rows))
	}
	for v := range rows {
		if want := (churned[v] + 1) / (rows[v] + 2); v != want {
			t.Errorf("p = %v for a label that %v of %v training rows churned with, want %v", v, churned[v],
				rows[v], want)
		}
	}
	// Visible x > .5 without gold holds .157 of .204 churned and .028 of .796 renewed: AUC (1 + .77 - .035)/2 = .87.
	if auc := evaluate.AUC(p, y, nil); auc < 0.8 {
		t.Errorf("AUC %v", auc)
	}
	if g := drawn(3000, 5, 2); testAUC(t, fitted(t, f), g) < 0.78 {
		t.Errorf("AUC on other rows %v", testAUC(t, fitted(t, f), g))
	}
}

func testAUC(t *testing.T, predictor evaluate.Predictor, f *features.Frame) float64 {
	t.Helper()
	p, err := predictor.Prob(make([]float64, len(f.Rows)), f)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, len(f.Rows))
	for i := range y {
		y[i] = float64(f.Rows[i].Y)
	}
	return evaluate.AUC(p, y, nil)
}

// Two fits on the same rows are the same, also with more rows than are used
// and more columns than golearn keeps in one group of its memory.
func TestCARTIsDeterministic(t *testing.T) {
	for _, size := range []struct{ rows, columns int }{{9000, 4}, {400, 600}} {
		f := drawn(size.rows, size.columns, 3)
		a, err := fitted(t, f).Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fitted(t, f).Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Errorf("%d rows, %d columns: two fits differ", size.rows, size.columns)
		}
		if slices.Max(a) == slices.Min(a) {
			t.Errorf("%d rows, %d columns: nothing was found", size.rows, size.columns)
		}
	}
}

// Levels are matched by name, whatever their code in the frame to predict.
func TestCARTMatchesLevelsByName(t *testing.T) {
	f := drawn(2000, 2, 4)
	predictor := fitted(t, f)
	want, err := predictor.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	g := f.Select(f.Where(func(*features.Row) bool { return true }))
	plan := &g.Columns[len(g.Columns)-1]
	plan.Levels = []string{"gold", "silver", "free"}
	for i, k := range plan.Codes {
		plan.Codes[i] = []int32{-1, 2, 0}[k+1]
	}
	if got, err := predictor.Prob(nil, g); err != nil || !slices.Equal(got, want) {
		t.Errorf("renumbered levels changed the predictions, %v", err)
	}
	if _, err := predictor.Prob(nil, &features.Frame{Rows: g.Rows, Columns: g.Columns[1:]}); err == nil ||
		!strings.Contains(err.Error(), `"n0"`) {
		t.Errorf("a frame without n0: %v", err)
	}
}

// Numbers go to the bin of their quantile, missing ones to that of the median.
func TestNumberCode(t *testing.T) {
	c := &features.Column{Feature: features.Feature{Name: "x", Kind: features.NumberKind}}
	var rows []int
	for i := range 160 {
		c.Num, rows = append(c.Num, float64(i)), append(rows, i)
	}
	code, varies := newNumberCode(c, rows)
	for _, test := range []struct{ x, want float64 }{
		{-5, 0}, {9.5, 0}, {10, 1}, {19, 1}, {159, 15}, {1e9, 15}, {math.NaN(), 8}, // the median is 80
	} {
		if got := code.bin(test.x); got != test.want {
			t.Errorf("bin(%v) = %v, want %v", test.x, got, test.want)
		}
	}
	if !varies {
		t.Error("160 values do not vary")
	}
	for i := range c.Num {
		c.Num[i] = math.NaN()
	}
	if _, varies := newNumberCode(c, rows); varies {
		t.Error("a column without values varies")
	}
}

func TestCARTWithoutAnythingToSplit(t *testing.T) {
	f := drawn(300, 0, 5)
	f.Columns = f.Columns[:1] // the constant one
	if _, err := CART().Fit(context.Background(), f); err == nil ||
		!strings.Contains(err.Error(), "no column varies") {
		t.Errorf("a constant column: %v", err)
	}
	f = drawn(300, 2, 5)
	for i := range f.Rows {
		f.Rows[i].Y = 1
	}
	if p, err := fitted(t, f).Prob(nil, f); err != nil || p[0] < 0.9 {
		t.Errorf("everybody churned: %v, %v", p[0], err)
	}
}

// The library's panics, its hanging and a cancelled context are errors.
func TestWithinLimit(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hang := func() (evaluate.Predictor, error) { <-release; return nil, nil }
	if _, err := withinLimit(context.Background(), time.Millisecond, hang); err == nil ||
		err.Error() != "golearn took more than 1ms" {
		t.Errorf("a fit that hangs: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := withinLimit(ctx, time.Minute, hang); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	_, err := withinLimit(context.Background(), time.Minute,
		func() (evaluate.Predictor, error) { panic("index out of range") })
	if err == nil || err.Error() != "golearn panicked: index out of range" {
		t.Errorf("a panic: %v", err)
	}
}

func BenchmarkCART(b *testing.B) {
	f := drawn(115_000, 90, 1)
	for b.Loop() {
		if _, err := CART().Fit(context.Background(), f); err != nil {
			b.Fatal(err)
		}
	}
}
