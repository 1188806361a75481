// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// A ranking measures how predictions rank the test rows of origins within
// strata: rows are compared with rows of their own stratum only.
type ranking struct {
	*pool
	strata   [][]int // rows of the pool
	distinct int     // names of strata, whatever the origin
}

// newRanking puts the test rows of each origin into strata by name.
func newRanking(f *features.Frame, origins []Origin, stratum func(origin, row int) string) *ranking {
	r := &ranking{pool: newPool(f, origins)}
	number, names := map[string]int{}, map[string]bool{}
	i := 0
	for o := range origins {
		for _, row := range origins[o].Test {
			name := stratum(o, row)
			names[name] = true
			key := fmt.Sprintf("%d %s", o, name)
			s, ok := number[key]
			if !ok {
				s = len(r.strata)
				number[key] = s
				r.strata = append(r.strata, nil)
			}
			r.strata[s] = append(r.strata[s], i)
			i++
		}
	}
	r.distinct = len(names)
	return r
}

// auc returns the mean of the strata's AUC, weighted by their rows; strata of
// one outcome are left out. times says how often each group counts; nil is once.
func (r *ranking) auc(p []float64, times []float64) float64 {
	return r.measure(p, r.orders(p), slices.Clone(r.w), times)
}

// orders returns the rows of each stratum in ascending order of p.
func (r *ranking) orders(p []float64) [][]int {
	at := make([]int, len(p)) // of each row in the order of all
	for k, i := range ascending(p) {
		at[i] = k
	}
	orders := make([][]int, len(r.strata))
	for s, rows := range r.strata {
		orders[s] = slices.Clone(rows)
		slices.SortFunc(orders[s], func(a, b int) int { return at[a] - at[b] })
	}
	return orders
}

// measure is auc with the order of rows given and room for weights.
func (r *ranking) measure(p []float64, orders [][]int, w, times []float64) float64 {
	if times != nil {
		for i, g := range r.group {
			w[i] = r.w[i] * times[g]
		}
	}
	var total, rows float64
	for _, order := range orders {
		if a := auc(p, r.y, w, order); !math.IsNaN(a) {
			total += float64(a * float64(len(order)))
			rows += float64(len(order))
		}
	}
	return total / rows
}

// replicates returns the AUC over bootstrap resamples of the groups. The draws
// depend on the seed and the number of groups alone, so that two predictions
// of the same rows can be compared replicate by replicate.
func (r *ranking) replicates(p []float64, n int, seed uint64) []float64 {
	if r.groups < 2 {
		return nil
	}
	random := rand.New(rand.NewPCG(seed, bootstrapStream))
	orders, w, times := r.orders(p), make([]float64, len(r.w)), make([]float64, r.groups)
	out := make([]float64, n)
	for b := range out {
		clear(times)
		for range times {
			times[random.IntN(r.groups)]++
		}
		out[b] = r.measure(p, orders, w, times)
	}
	return out
}

// interval returns the percentile interval of an estimate; its bounds are not
// defined where a replicate is not.
func interval(estimate float64, replicates []float64, level float64) Interval {
	v := undefinedInterval()
	v.Estimate = Number(estimate)
	if len(replicates) < 2 || slices.ContainsFunc(replicates, math.IsNaN) {
		return v
	}
	sorted := slices.Sorted(slices.Values(replicates))
	v.Low, v.High = Number(quantile(sorted, (1-level)/2)), Number(quantile(sorted, (1+level)/2))
	return v
}

func undefinedInterval() Interval {
	nan := Number(math.NaN())
	return Interval{Estimate: nan, Low: nan, High: nan}
}
