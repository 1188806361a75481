// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []weighted
		q      float64
		want   float64
	}{
		{"lower median of an even number", []weighted{{4, 1}, {1, 1}, {3, 1}, {2, 1}}, 0.5, 2},
		{"median of an odd number", []weighted{{9, 1}, {1, 1}, {5, 1}}, 0.5, 5},
		{"one heavy value", []weighted{{1, 1}, {2, 1}, {3, 10}}, 0.25, 3},
		{"thirds add up to one", []weighted{{1, 1. / 3}, {1, 1. / 3}, {1, 1. / 3}, {2, 1}}, 0.5, 1},
		{"lowest", []weighted{{2, 1}, {1, 1}}, 0, 1},
		{"highest", []weighted{{2, 1}, {1, 1}}, 1, 2},
	} {
		if got := quantile(test.values, test.q); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing is %v, want NaN", got)
	}
}

// The quickselect agrees with the definition applied to sorted values.
func TestQuantileAgreesWithSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		v := make([]weighted, n)
		total := 0.0
		for i := range v {
			v[i] = weighted{float64(rapid.IntRange(-5, 5).Draw(t, "x")), float64(rapid.IntRange(1, 4).Draw(t, "w"))}
			total += v[i].w
		}
		q := float64(rapid.IntRange(0, 20).Draw(t, "q")) / 20
		sorted := slices.Clone(v)
		slices.SortFunc(sorted, func(a, b weighted) int { return int(a.x - b.x) })
		want, below := 0.0, 0.0
		for _, e := range sorted {
			want = e.x
			if below += e.w; below >= q*total-1e-9 {
				break
			}
		}
		if got := quantile(v, q); got != want {
			t.Fatalf("%v-quantile is %v, want %v", q, got, want)
		}
	})
}

func TestMeasure(t *testing.T) {
	// By hand: mean 6/3 = 2; deviations −1, −1, 2; m₂ = 2, m₃ = 2; skew = 2/2^1.5.
	got := measure([]float64{1, 4}, []float64{2, 1})
	if !near(got.mean, 2, 1e-15) || !near(got.sd, math.Sqrt2, 1e-15) || !near(got.skew, math.Sqrt2/2, 1e-15) {
		t.Errorf("got %+v", got)
	}
	if got := measure([]float64{3, 3}, []float64{1, 1}); got.sd != 0 || got.skew != 0 {
		t.Errorf("moments of a constant: %+v", got)
	}
}
