// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
)

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

// The values are numpy.quantile's (2.4.6, default method).
func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 8, 16}
	for _, test := range []struct{ q, want float64 }{{0, 1}, {0.05, 1.2}, {0.5, 4}, {0.9, 12.8}, {1, 16}} {
		if got := quantile(x, test.q); math.Abs(got-test.want) > sumTol {
			t.Errorf("quantile %v = %v, want %v", test.q, got, test.want)
		}
	}
}
