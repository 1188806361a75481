// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	level             = 0.90 // of every interval
	defaultReplicates = 1000
)

// clusterInterval returns the weighted mean of per-row differences with its
// 90 % percentile bootstrap interval by group. The groups are resampled, not
// the rows: with 5 snapshots a renewal, a row bootstrap's 90 % interval covers
// .53, one by account .87 (METHODS.md, section 5). Group g enters with its
// sums only,
//
//	estimate = Σ_g d_g / Σ_g w_g,  d_g = Σ w δ and w_g = Σ w over the rows of g
//
// and a replicate is the same ratio over len(d) groups drawn with replacement.
// The draws depend on seed and len(d) alone, so that all candidates of a
// report are compared on the same resamples. With fewer than two groups the
// bounds are NaN.
//
// Source: Field and Welsh, Bootstrapping clustered data, JRSS B 69 (2007).
func clusterInterval(d, w []float64, replicates int, seed uint64) Interval {
	estimate := Number(sum(d) / sum(w))
	if len(d) < 2 {
		nan := Number(math.NaN())
		return Interval{Estimate: estimate, Low: nan, High: nan}
	}
	random := rand.New(rand.NewPCG(seed, bootstrapStream))
	means := make([]float64, replicates)
	for b := range means {
		var num, den float64
		for range d {
			g := random.IntN(len(d))
			num += d[g]
			den += w[g]
		}
		means[b] = num / den
	}
	slices.Sort(means)
	return Interval{
		Estimate: estimate,
		Low:      Number(quantile(means, (1-level)/2)),
		High:     Number(quantile(means, (1+level)/2)),
	}
}

// bootstrapStream keeps the bootstrap's draws apart from any other use of the
// same seed.
const bootstrapStream = 0x626f6f74

func sum(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s
}

// quantile returns the q-quantile of sorted values, interpolated between order
// statistics (type 7 of Hyndman and Fan, the default of R and numpy).
func quantile(sorted []float64, q float64) float64 {
	h := float64(q * float64(len(sorted)-1))
	k := min(int(h), len(sorted)-2)
	return sorted[k] + float64((h-float64(k))*(sorted[k+1]-sorted[k]))
}
