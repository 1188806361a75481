// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math/rand/v2"
)

const (
	level             = 0.90 // of every interval
	defaultReplicates = 1000
)

// maxBlocks is the most blocks that are resampled. More groups are first dealt
// at random into so many blocks of groups, which are clusters just as well: the
// standard error is then known to 1/√(2·4,000) = 1.1 %, less than what 1,000
// resamples leave of chance in a quantile, and a million accounts cost no more
// than four thousand.
const maxBlocks = 4000

// A resampler holds bootstrap resamples of the groups: how often each block
// counts in each replicate. The groups are resampled, not the rows: with 5
// snapshots a renewal, a row bootstrap's 90 % interval covers .53, one by
// account .87 (METHODS.md, section 5). The draws depend on the seed and the
// number of groups alone, so that all candidates of a report are compared on
// the same resamples.
//
// Source: Field and Welsh, Bootstrapping clustered data, JRSS B 69 (2007).
type resampler struct {
	blockOf []int32    // of each group
	blocks  int        // with fewer than 2 there is nothing to resample
	times   [][]uint16 // by replicate and block
}

func newResampler(groups, replicates, mostBlocks int, seed uint64) *resampler {
	s := &resampler{blockOf: make([]int32, groups), blocks: min(groups, mostBlocks)}
	for g := range s.blockOf {
		s.blockOf[g] = int32(g)
	}
	if groups > mostBlocks {
		for k, g := range rand.New(rand.NewPCG(seed, blockStream)).Perm(groups) {
			s.blockOf[g] = int32(k % mostBlocks)
		}
	}
	if s.blocks < 2 {
		return s
	}
	random := rand.New(rand.NewPCG(seed, bootstrapStream))
	s.times = make([][]uint16, replicates)
	for b := range s.times {
		s.times[b] = make([]uint16, s.blocks)
		for range s.blocks {
			s.times[b][random.IntN(s.blocks)]++
		}
	}
	return s
}

// sums adds up a figure of each row by block, given the row's group.
func (s *resampler) sums(group []int, figure func(row int) float64) []float64 {
	out := make([]float64, s.blocks)
	for i, g := range group {
		out[s.blockOf[g]] += figure(i)
	}
	return out
}

// ratios returns Σ_k d_k / Σ_k w_k over the blocks of each replicate.
func (s *resampler) ratios(d, w []float64) []float64 {
	out := make([]float64, len(s.times))
	for b, times := range s.times {
		var num, den float64
		for k, t := range times {
			num += float64(float64(t) * d[k])
			den += float64(float64(t) * w[k])
		}
		out[b] = num / den
	}
	return out
}

// ratio returns Σ d / Σ w with its 90 % percentile bootstrap interval; with
// fewer than two blocks the bounds are NaN.
func (s *resampler) ratio(d, w []float64) Interval {
	return interval(sum(d)/sum(w), s.ratios(d, w), level)
}

// bootstrapStream keeps the bootstrap's draws apart from any other use of the
// same seed.
const bootstrapStream = 0x626f6f74

// blockStream is that of the deal of groups into blocks.
const blockStream = 0x626c6f63

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
