// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

var nan = math.NaN()

// visits is a number term: trained on 0 to 15 with median 3, missing at times.
func visits() Term {
	return Term{Feature: "visits", Kind: string(features.NumberKind), Low: 0, High: 15, Median: 3, Columns: []Basis{
		{Kind: Linear, Transform: SignedLog, Mean: math.Ln2, SD: 2 * math.Ln2, Weight: -0.5, SE: 0.1},
		{Kind: Missing, Mean: 0.2, SD: 0.4, Weight: 0.25, SE: 0.2},
	}}
}

// plan is a level term: basic and pro have columns, rare ones share other.
func plan() Term {
	return Term{Feature: "plan", Kind: string(features.LevelKind), Pooled: []string{"(missing)", "legacy"}, Columns: []Basis{
		{Kind: Level, Level: "basic", Mean: 0.5, SD: 0.5, Weight: 1},
		{Kind: Level, Level: "pro", Mean: 0.36, SD: 0.48, Weight: -1},
		{Kind: Level, Level: "other", Mean: 0.01, SD: 0.1, Weight: 2},
	}}
}

// ln(1 + x) of 0, 1, 3, 7, 15 is 0, 1, 2, 3, 4 times ln 2, so that the
// standardised column is −.5, 0, .5, 1, 1.5.
func TestNumberBasis(t *testing.T) {
	x := []float64{0, 1, 3, 7, 15, 100, -4, math.Inf(1), nan}
	want := []float64{-.5, 0, .5, 1, 1.5, 1.5, -.5, 1.5, .5}
	term := visits()
	c := features.Column{Feature: features.Feature{Kind: features.NumberKind}, Num: x}
	in := NewInput(&term, &c)
	const stride = 3
	got := make([]float64, len(x)*stride)
	in.Basis(got, stride, 0, len(x))
	for i := range x {
		flag := -.5
		if x[i] != x[i] {
			flag = 2
		}
		if math.Abs(got[i*stride]-want[i]) > 1e-12 || math.Abs(got[i*stride+1]-flag) > 1e-12 || got[i*stride+2] != 0 {
			t.Errorf("x = %v: basis %v, want %v, %v and nothing beyond", x[i], got[i*stride:(i+1)*stride], want[i], flag)
		}
	}
	part := make([]float64, 2*stride)
	in.Basis(part, stride, 3, 5)
	if !slices.Equal(part, got[3*stride:5*stride]) {
		t.Errorf("rows 3 and 4 alone: %v, want %v", part, got[3*stride:5*stride])
	}
}

// Signed log is odd; the identity leaves x alone.
func TestTransform(t *testing.T) {
	for _, test := range []struct {
		t       Transform
		x, want float64
	}{{SignedLog, math.E - 1, 1}, {SignedLog, 1 - math.E, -1}, {SignedLog, 0, 0}, {Identity, -2.5, -2.5}} {
		if got := test.t.apply(test.x); math.Abs(got-test.want) > 1e-15 {
			t.Errorf("%s of %v is %v, want %v", test.t, test.x, got, test.want)
		}
	}
}

func TestStandardiseClips(t *testing.T) {
	b := Basis{Mean: 1, SD: 2}
	for u, v := range map[float64]float64{1: 0, 5: 2, 11: 5, 12: 5, -9: -5, -100: -5} {
		if got := b.Standardise(u); got != v {
			t.Errorf("u = %v: v = %v, want %v", u, got, v)
		}
	}
}

func TestLevelBasis(t *testing.T) {
	term := plan()
	c := features.Column{Feature: features.Feature{Kind: features.LevelKind},
		Levels: []string{"new", "pro", "legacy", "basic"}, Codes: []int32{0, 1, 2, 3, -1, 0}}
	in := NewInput(&term, &c)
	// Indicators (0 − q)/s and (1 − q)/s; "other" at 1 would be 9.9 and is clipped.
	basic, pro, other := []float64{1, -.75, -.1}, []float64{-1, 0.64 / 0.48, -.1}, []float64{-1, -.75, 5}
	want := slices.Concat(other, pro, other, basic, other, other)
	got := make([]float64, 3*len(c.Codes))
	in.Basis(got, 3, 0, len(c.Codes))
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Errorf("row %d, column %d: %v, want %v", i/3, i%3, got[i], want[i])
		}
	}
	weighed := make([]float64, 2*4)
	in.Weighed(weighed, 4, 3, 5)
	if !slices.Equal(weighed, []float64{1, 0, 0, 0, 0, 0, 1, 0}) { // basic, then a missing one
		t.Errorf("a fit weighs %v", weighed)
	}
	if n := in.Unseen(); n != 2 { // "new" twice; legacy and missing were pooled in training
		t.Errorf("%d unseen values, want 2", n)
	}
	// Without a column for the rest, an unknown level is 0 everywhere.
	term.Columns = term.Columns[:2]
	in = NewInput(&term, &c)
	in.Basis(got, 2, 0, 1)
	if math.Abs(got[0]+1) > 1e-12 || math.Abs(got[1]+.75) > 1e-12 {
		t.Errorf("unknown level: %v, want the zeros of both indicators", got[:2])
	}
}

// Effects on the two scales, by hand: weight −.5 ± 1.645 × .1 a standard
// deviation of 2 ln 2.
func TestPerUnit(t *testing.T) {
	const z95 = 1.6448536
	b := visits().Columns[0]
	sd, unit := b.PerSD(), b.PerUnit()
	if sd.Estimate != -.5 || math.Abs(sd.Low+.5+.1*z95) > 1e-7 || math.Abs(sd.High+.5-.1*z95) > 1e-7 {
		t.Errorf("per standard deviation %+v", sd)
	}
	if scale := 2 * math.Ln2; math.Abs(unit.Low*scale-sd.Low) > 1e-12 || math.Abs(unit.High*scale-sd.High) > 1e-12 {
		t.Errorf("per unit %+v, per standard deviation %+v", unit, sd)
	}
}
