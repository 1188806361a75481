// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math/rand/v2"
	"slices"
)

// An Excess is the miscalibration of predictions beyond what chance gives a
// perfect model on the same rows:
//
//	E = max(0, ICI - mean ICI of a perfect model)
//
// with the upper end of its one-sided 90 % interval by account. A resample adds
// noise to ICI as the sample did, so replicates are centred on the estimate.
type Excess struct {
	ICI     Number `json:"ici"`
	Perfect Number `json:"perfect_ici"` // mean of a perfect model
	E       Number `json:"excess"`
	Upper   Number `json:"upper"`
	// Bound is how large E may be: a tenth of the observed rate, at least .005. P
	// is the share of centred replicates at or below it: small where E is above the
	// bound beyond doubt.
	Bound Number `json:"bound"`
	P     Number `json:"p_within_bound"`
}

// The bound of E: a share of the observed rate, and the least it can be.
const (
	excessShare = 0.1
	excessLeast = 0.005
)

// The cost of an Excess is bounded: so many resamples, and so many runs of rows.
const (
	excessReplicates = 400
	excessLeastDrawn = 100
	excessDraws      = 20_000_000 // rows times resamples, if that leaves excessLeastDrawn
	excessRuns       = 400
)

// excess measures the rows, in ascending order of p, of which a share churned.
func (t *pool) excess(p []float64, order []int, rate float64, o *Options) *Excess {
	n := min(o.replicates(), excessReplicates, max(excessLeastDrawn, excessDraws/max(len(order), 1)))
	r, run := coarseRuns(p, t.y, t.w, order)
	meter := newICI(r)
	e := &Excess{ICI: Number(meter.mean(r.y))}
	random := rand.New(rand.NewPCG(o.Seed, excessStream))
	renewal, renewals := t.renumber(order)
	u, y := make([]float64, renewals), make([]float64, len(r.p))
	var perfect float64
	for range n {
		for k := range u {
			u[k] = random.Float64()
		}
		clear(y)
		for at, i := range order {
			if u[renewal[at]] < p[i] {
				y[run[at]] += t.w[i]
			}
		}
		for k := range y {
			y[k] /= r.w[k]
		}
		perfect += meter.mean(y)
	}
	e.Perfect = Number(perfect / float64(n))
	e.E = max(0, e.ICI-e.Perfect)
	e.Bound, e.Upper = Number(max(excessShare*rate, excessLeast)), undefinedInterval().High
	e.P = e.Upper
	if replicates := t.resampledICI(r, run, order, n); len(replicates) > 1 {
		mean := sum(replicates) / float64(len(replicates))
		slices.Sort(replicates)
		e.Upper = max(0, e.ICI-e.Perfect+Number(quantile(replicates, level)-mean))
		within, _ := slices.BinarySearch(replicates, float64(e.Bound-e.ICI+e.Perfect)+mean)
		e.P = Number(float64(within) / float64(len(replicates)))
	}
	return e
}

// renumber numbers the renewals of the given rows from 0 on.
func (t *pool) renumber(rows []int) (of []int32, n int) {
	number := make([]int32, t.renewals)
	of = make([]int32, len(rows))
	for at, i := range rows {
		k := t.renewal[i]
		if number[k] == 0 {
			n++
			number[k] = int32(n)
		}
		of[at] = number[k] - 1
	}
	return of, n
}

// excessStream keeps these draws apart from any other use of the same seed.
const excessStream = 0x65786365

// resampledICI returns ICI over resamples of the groups.
func (t *pool) resampledICI(r *runs, run, order []int, n int) []float64 {
	s := t.resamples
	var out []float64
	drawn := &runs{}
	for b := range min(n, len(s.times)) {
		w, y, rows := make([]float64, len(r.p)), make([]float64, len(r.p)), make([]int, len(r.p))
		for at, i := range order {
			times := s.times[b][s.blockOf[t.group[i]]]
			if times == 0 {
				continue
			}
			k := run[at]
			v := float64(float64(times) * t.w[i])
			rows[k] += int(times)
			w[k] += v
			y[k] += float64(v * t.y[i])
		}
		drawn.p, drawn.n, drawn.w, drawn.y = drawn.p[:0], drawn.n[:0], drawn.w[:0], drawn.y[:0]
		for k := range w {
			if rows[k] > 0 {
				drawn.p, drawn.n = append(drawn.p, r.p[k]), append(drawn.n, rows[k])
				drawn.w, drawn.y = append(drawn.w, w[k]), append(drawn.y, y[k]/w[k])
			}
		}
		if len(drawn.p) > 0 {
			out = append(out, newICI(drawn).mean(drawn.y))
		}
	}
	return out
}

// coarseRuns are runsOf with at most about excessRuns runs.
func coarseRuns(p, y, w []float64, order []int) (r *runs, of []int) {
	fine, of := runsOf(p, y, w, order)
	if len(fine.p) <= excessRuns {
		return fine, of
	}
	r = new(runs)
	total, below := sum(fine.w), 0.0
	to := make([]int, len(fine.p))
	var bin binSums
	for k := range fine.p {
		bin = bin.plus(binSums{rows: fine.n[k], w: fine.w[k], wp: float64(fine.w[k] * fine.p[k]),
			wy: float64(fine.w[k] * fine.y[k]), low: fine.p[k], high: fine.p[k]})
		to[k] = len(r.p)
		if below += fine.w[k]; below >= total*float64(len(r.p)+1)/excessRuns || k == len(fine.p)-1 {
			r.add(bin)
			bin = binSums{}
		}
	}
	for at := range of {
		of[at] = to[of[at]]
	}
	return r, of
}
