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

// The cost of an Excess is bounded: so many resamples, of so many blocks of
// groups, and so many runs of rows.
const (
	excessReplicates = 400
	excessLeastDrawn = 100
	excessDraws      = 20_000_000 // rows times resamples, if that leaves excessLeastDrawn
	excessRuns       = 400
	excessBlocks     = 1000
)

// excessDrawn is how many resamples so many rows get.
func excessDrawn(rows int, o *Options) int {
	return min(o.replicates(), excessReplicates, max(excessLeastDrawn, excessDraws/max(rows, 1)))
}

// excess measures some of the rows, in ascending order of p, of which a share
// churned.
func (t *pool) excess(p []float64, order []int, rate float64, o *Options) *Excess {
	n := excessDrawn(len(order), o)
	r, run := coarseRuns(p, t.y, t.w, order)
	meter := newICI(r)
	perfect := t.perfectICI(p, meter, run, order, n, o.Seed)
	return t.excessOver(meter.mean(r.y), perfect, r, run, order, rate, o)
}

// excessOfAll measures all rows, whose ICI and that of a perfect model are known.
func (t *pool) excessOfAll(j *judged, s *Scores, o *Options) *Excess {
	r, run := coarseRuns(j.p, t.y, t.w, j.order)
	return t.excessOver(float64(s.Pooled.ICI), float64(s.Perfect.ICI.Mean), r, run, j.order, float64(s.Pooled.Rate), o)
}

// excessOver returns by how much ICI is above that of a perfect model, for rows
// in coarse runs.
func (t *pool) excessOver(ici, perfect float64, r *runs, run, order []int, rate float64, o *Options) *Excess {
	n := excessDrawn(len(order), o)
	e := &Excess{ICI: Number(ici), Perfect: Number(perfect)}
	e.E = max(0, e.ICI-e.Perfect)
	e.Bound, e.Upper = Number(max(excessShare*rate, excessLeast)), undefinedInterval().High
	e.P = e.Upper
	if t.blocks == nil {
		t.blocks = newResampler(t.groups, min(o.replicates(), excessReplicates), excessBlocks, o.Seed)
	}
	if replicates := t.resampledICI(r, run, order, n); len(replicates) > 1 {
		mean := sum(replicates) / float64(len(replicates))
		slices.Sort(replicates)
		e.Upper = max(0, e.ICI-e.Perfect+Number(quantile(replicates, level)-mean))
		within, _ := slices.BinarySearch(replicates, float64(e.Bound-e.ICI+e.Perfect)+mean)
		e.P = Number(float64(within) / float64(len(replicates)))
	}
	return e
}

// perfectICI returns the mean ICI of n made-up outcomes of which the predictions
// are the probabilities.
func (t *pool) perfectICI(p []float64, meter *iciMeter, run, order []int, n int, seed uint64) float64 {
	random := rand.New(rand.NewPCG(seed, excessStream))
	// Rows in the order of the pool, not of p, so that memory is read in a row.
	runOf := make([]int32, len(p))
	for at, i := range order {
		runOf[i] = int32(run[at]) + 1
	}
	rows := make([]int, 0, len(order))
	for i, r := range runOf {
		if r > 0 {
			rows = append(rows, i)
		}
	}
	renewal, renewals := t.renumber(rows)
	u, y := make([]float64, renewals), make([]float64, len(meter.p))
	var perfect float64
	for range n {
		uniforms(u, random)
		clear(y)
		for at, i := range rows {
			if u[renewal[at]] < p[i] {
				y[runOf[i]-1] += t.w[i]
			}
		}
		for k := range y {
			y[k] /= meter.w[k]
		}
		perfect += meter.mean(y)
	}
	return perfect / float64(n)
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

// A cell is the rows of one block in one run.
type cell struct {
	block, run, rows int
	w, wy            float64
}

// cells returns the cells that hold rows, by block and run.
func (t *pool) cells(runs int, run, order []int) []cell {
	blocks := t.blocks
	all := make([]cell, blocks.blocks*runs)
	for at, i := range order {
		block := int(blocks.blockOf[t.group[i]])
		c := &all[block*runs+run[at]]
		c.block, c.run = block, run[at]
		c.rows++
		c.w += t.w[i]
		c.wy += float64(t.w[i] * t.y[i])
	}
	return slices.DeleteFunc(all, func(c cell) bool { return c.rows == 0 })
}

// resampledICI returns ICI over n resamples of the groups.
func (t *pool) resampledICI(r *runs, run, order []int, n int) []float64 {
	cells := t.cells(len(r.p), run, order)
	rows, w, wy := make([]int, len(r.p)), make([]float64, len(r.p)), make([]float64, len(r.p))
	var out []float64
	drawn := &runs{}
	for _, times := range t.blocks.times[:min(n, len(t.blocks.times))] {
		clear(rows)
		clear(w)
		clear(wy)
		for k := range cells {
			c := &cells[k]
			v := float64(times[c.block])
			rows[c.run] += c.rows * int(times[c.block])
			w[c.run] += float64(v * c.w)
			wy[c.run] += float64(v * c.wy)
		}
		drawn.p, drawn.n, drawn.w, drawn.y = drawn.p[:0], drawn.n[:0], drawn.w[:0], drawn.y[:0]
		for k := range w {
			if rows[k] > 0 {
				drawn.p, drawn.n = append(drawn.p, r.p[k]), append(drawn.n, rows[k])
				drawn.w, drawn.y = append(drawn.w, w[k]), append(drawn.y, wy[k]/w[k])
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
