// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// clusterInterval is the interval of Σ d / Σ w over groups.
func clusterInterval(d, w []float64, replicates int, seed uint64) Interval {
	return newResampler(len(d), replicates, maxBlocks, seed).ratio(d, w)
}

// Over many equal groups the interval is that of the normal approximation,
// and the estimate is the ratio of the sums.
func TestClusterInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const groups = 2000
	d, w := make([]float64, groups), make([]float64, groups)
	var squares float64
	for g := range d {
		w[g] = 5
		d[g] = 5*0.3 + 5*random.NormFloat64()
	}
	mean := sum(d) / sum(w)
	for g := range d {
		e := d[g]/5 - mean
		squares += e * e
	}
	half := 1.6449 * math.Sqrt(squares) / groups
	got := clusterInterval(d, w, 2000, 3)
	// 2,000 replicates know a 5 % quantile to about 4 % of the half width (2 SE).
	if float64(got.Estimate) != mean || math.Abs(float64(got.Low)-(mean-half)) > half/10 ||
		math.Abs(float64(got.High)-(mean+half)) > half/10 {
		t.Errorf("%+v, want %v ± %v", got, mean, half)
	}
	if again := clusterInterval(d, w, 2000, 3); again != got {
		t.Errorf("the same seed gave %+v and %+v", got, again)
	}
}

// Rows of a group stand or fall together: repeating each row five times inside
// its group leaves the interval as it is.
func TestClusterIntervalIgnoresRepeatsWithinGroups(t *testing.T) {
	d, w := []float64{1, -2, 0.5, 3}, []float64{1, 1, 2, 1}
	d5, w5 := []float64{5, -10, 2.5, 15}, []float64{5, 5, 10, 5}
	a, b := clusterInterval(d, w, 500, 1), clusterInterval(d5, w5, 500, 1)
	if !same(a.Low, b.Low, sumTol) || !same(a.High, b.High, sumTol) || !(a.Low < a.High) {
		t.Errorf("%+v and %+v", a, b)
	}
}

func TestClusterIntervalOfOneGroup(t *testing.T) {
	got := clusterInterval([]float64{1}, []float64{4}, 100, 1)
	if got.Estimate != 0.25 || got.Low.Defined() || got.High.Defined() {
		t.Errorf("%+v", got)
	}
}

// Many groups are resampled in blocks, each once, and the interval is as wide
// as it was.
func TestResamplerPutsManyGroupsIntoBlocks(t *testing.T) {
	const groups = 3*maxBlocks + 7
	random := rand.New(rand.NewPCG(4, 2))
	s := newResampler(groups, 400, maxBlocks, 1)
	group, x := make([]int, groups), make([]float64, groups)
	for g := range group {
		group[g], x[g] = g, random.NormFloat64()
	}
	n := s.sums(group, func(int) float64 { return 1 })
	if low, high := slices.Min(n), slices.Max(n); s.blocks != maxBlocks || low != 3 || high != 4 {
		t.Fatalf("%d blocks of %v to %v groups", s.blocks, low, high)
	}
	got := s.ratio(s.sums(group, func(i int) float64 { return x[i] }), n)
	half := 1.6449 / math.Sqrt(groups)
	// 400 replicates know the width to about 5 % (1 SE)
	if width := float64(got.High-got.Low) / 2; math.Abs(width/half-1) > 0.15 {
		t.Errorf("half width %v, want %v", width, half)
	}
}

// The values are numpy.quantile's (2.4.6, default method).
func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 8, 16}
	for _, test := range []struct{ q, want float64 }{{0, 1}, {0.05, 1.2}, {0.5, 4}, {0.9, 12.8}, {1, 16}} {
		if got := quantile(x, test.q); math.Abs(got-test.want) > sumTol {
			t.Errorf("quantile %v = %v, want %v", test.q, got, test.want)
		}
	}
}
