// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

func TestSigmoid(t *testing.T) {
	for _, test := range []struct{ z, p, s float64 }{
		{0, .5, math.Ln2},
		{math.Log(3), .75, math.Log(4)},
		{-math.Log(3), .25, math.Log(4. / 3)},
		{800, 1, 800},                       // e^800 overflows
		{-700, math.Exp(-700), 9.86e-305},   // 1 + e^−700 would round to 1 and the log to 0
		{-800, 0, 0},                        // below the smallest number
		{math.Inf(1), 1, math.Inf(1)},       //
		{math.Inf(-1), 0, 0},                //
		{40, 1, 40 + 4.248354255291589e-18}, // e^−40
	} {
		if got := Sigmoid(test.z); math.Abs(got-test.p) > 1e-15*test.p {
			t.Errorf("Sigmoid(%v) = %v, want %v", test.z, got, test.p)
		}
		if got := Softplus(test.z); got != test.s && math.Abs(got-test.s) > 1e-3*test.s {
			t.Errorf("Softplus(%v) = %v, want %v", test.z, got, test.s)
		}
	}
	if !math.IsNaN(Sigmoid(nan)) || !math.IsNaN(Softplus(nan)) {
		t.Error("NaN must stay NaN")
	}
}

// σ(z) + σ(−z) = 1, softplus(z) − softplus(−z) = z, and softplus' = σ; the
// combined function gives the same bits.
func TestSigmoidLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.Float64Range(-60, 60).Draw(t, "z")
		if d := Sigmoid(z) + Sigmoid(-z) - 1; math.Abs(d) > 1e-15 {
			t.Fatalf("sum off by %v", d)
		}
		if d := Softplus(z) - Softplus(-z) - z; math.Abs(d) > 1e-13 {
			t.Fatalf("difference off by %v", d)
		}
		const h = 1e-5 // central differences: O(h²) + O(ε z/h)
		if d := (Softplus(z+h)-Softplus(z-h))/(2*h) - Sigmoid(z); math.Abs(d) > 1e-8 {
			t.Fatalf("slope off by %v", d)
		}
		if p, s := SigmoidSoftplus(z); p != Sigmoid(z) || s != Softplus(z) {
			t.Fatalf("together %v and %v, alone %v and %v", p, s, Sigmoid(z), Softplus(z))
		}
	})
}

// scoring returns a model of both terms and a frame of n rows for it.
func scoring(n int) (*Model, *features.Frame) {
	m := &Model{Logit: Logit{Terms: []Term{plan(), visits()}, Intercept: -1,
		Calibration: Calibration{Method: "platt", Intercept: 0.1, Slope: 0.8}}}
	m.Spec = features.Spec{Version: 1, Features: []features.Feature{
		{Name: "visits", Kind: features.NumberKind}, {Name: "plan", Kind: features.LevelKind}}}
	f := &features.Frame{SpecDigest: m.Spec.Digest(), Rows: make([]features.Row, n), Columns: []features.Column{
		{Feature: m.Spec.Features[0]}, {Feature: m.Spec.Features[1], Levels: []string{"basic", "pro", "new"}}}}
	for i := range n {
		f.Columns[0].Num = append(f.Columns[0].Num, []float64{0, 7, nan}[i%3])
		f.Columns[1].Codes = append(f.Columns[1].Codes, int32(i%3))
	}
	return m, f
}

func TestLogOdds(t *testing.T) {
	m, f := scoring(600) // more than one block of rows
	// By hand from the basis values of TestNumberBasis and TestLevelBasis:
	// plan: basic 1 + .75 − .2, pro −1 − 4/3 − .2, other −1 + .75 + 10;
	// visits: .25 − .125, −.5 − .125, −.25 + .5.
	want := []float64{-1 + 1.55 + .125, -1 - 2.2 - 1./3 - .625, -1 + 9.75 + .25}
	dst := make([]float64, 600)
	z, err := m.LogOdds(dst, f)
	if err != nil {
		t.Fatal(err)
	}
	if &z[0] != &dst[0] {
		t.Error("dst was not used")
	}
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range z {
		if math.Abs(z[i]-want[i%3]) > 1e-12 {
			t.Fatalf("row %d: z = %v, want %v", i, z[i], want[i%3])
		}
		if want := 1 / (1 + math.Exp(-(0.1 + 0.8*want[i%3]))); math.Abs(p[i]-want) > 1e-12 {
			t.Fatalf("row %d: p = %v, want %v", i, p[i], want)
		}
	}
	s, err := m.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Unseen(); n != 200 {
		t.Errorf("%d unseen levels, want 200", n)
	}
}

// Base and contributions sum to the calibrated log-odds.
func TestContributions(t *testing.T) {
	m, f := scoring(300)
	z, err := m.LogOdds(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	m.Calibration.Apply(z, z)
	c, err := m.Contributions(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range z {
		if sum := m.Reference() + c[2*i] + c[2*i+1]; math.Abs(sum-z[i]) > 1e-13 {
			t.Fatalf("row %d: contributions sum to %v, z = %v", i, sum, z[i])
		}
	}
	if want := 0.8 * 1.55; math.Abs(c[0]-want) > 1e-12 {
		t.Errorf("plan basic contributes %v, want %v", c[0], want)
	}
}

// An empty frame has an empty answer.
func TestNoRows(t *testing.T) {
	m, f := scoring(0)
	if p, err := m.Prob(nil, f); err != nil || len(p) != 0 {
		t.Errorf("%v, %v", p, err)
	}
}

func TestWrongLengthPanics(t *testing.T) {
	m, f := scoring(3)
	defer func() {
		if recover() == nil {
			t.Error("a dst of the wrong length was taken")
		}
	}()
	_, _ = m.LogOdds(make([]float64, 2), f)
}

func TestSpecMismatch(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*features.Frame)
		want   SpecMismatchError
		says   string
	}{
		{"missing", func(f *features.Frame) { f.Columns = f.Columns[1:] }, SpecMismatchError{Missing: []string{"visits"}}, "missing: visits"},
		{"extra", func(f *features.Frame) {
			f.SpecDigest = "0123456789abcdef"
			f.Columns = append(f.Columns, features.Column{Feature: features.Feature{Name: "seats", Kind: features.NumberKind}})
		}, SpecMismatchError{Extra: []string{"seats"}}, "not in the spec: seats"},
		{"changed", func(f *features.Frame) { f.Columns[0].Feature.WindowDays = 7 }, SpecMismatchError{Changed: []string{"visits"}}, "defined differently: visits"},
		{"digest only", func(f *features.Frame) { f.SpecDigest = "0123456789abcdef" }, SpecMismatchError{}, "the features agree"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, f := scoring(2)
			test.change(f)
			_, err := m.Prob(nil, f)
			var got *SpecMismatchError
			if !errors.As(err, &got) {
				t.Fatalf("error %v, want a *SpecMismatchError", err)
			}
			if got.Want != m.Spec.Digest() || got.Got != f.SpecDigest || !slices.Equal(got.Missing, test.want.Missing) ||
				!slices.Equal(got.Extra, test.want.Extra) || !slices.Equal(got.Changed, test.want.Changed) {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), m.Spec.Digest()) {
				t.Errorf("error %q, want %q and the digest in it", err, test.says)
			}
		})
	}
}

func BenchmarkProb(b *testing.B) {
	m, f := scoring(100000)
	dst := make([]float64, 100000)
	for b.Loop() {
		if _, err := m.Prob(dst, f); err != nil {
			b.Fatal(err)
		}
	}
}
