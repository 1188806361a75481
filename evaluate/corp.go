// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// A Decomposition splits the Brier score into what is lost by calibration that
// is off and what is won by telling rows apart:
//
//	B = MCB - DSC + UNC
//
// with q the best monotone recalibration of p (isotonic regression of y on p)
// and ȳ the observed rate: MCB = B(p) - B(q), DSC = B(ȳ) - B(q), UNC = B(ȳ).
// All are ≥ 0. In sample, q always gains: MCB of a perfect model is above 0.
//
// Source: Dimitriadis, Gneiting and Jordan, PNAS 118 (2021) (CORP).
type Decomposition struct {
	MCB Number `json:"miscalibration"`
	DSC Number `json:"discrimination"`
	UNC Number `json:"uncertainty"`
}

// Decompose returns the decomposition of the Brier score. p, y and w are as
// Measure describes. Without rows, or with a NaN among p or w, its parts are
// NaN.
func Decompose(p, y, w []float64) Decomposition {
	if !defined(p, y, w) {
		nan := Number(math.NaN())
		return Decomposition{nan, nan, nan}
	}
	return decompose(p, y, w, ascending(p))
}

func decompose(p, y, w []float64, order []int) Decomposition {
	blocks := isotonic(p, y, w, order)
	var all, churned, recalibrated float64
	for _, b := range blocks {
		all += b.w
		churned += b.wy
		recalibrated += float64(b.wy * (1 - b.wy/b.w)) // Σ w (q-y)² of a block
	}
	unc := float64(churned / all * (1 - churned/all))
	recalibrated /= all
	return Decomposition{MCB: Number(Brier(p, y, w) - recalibrated), DSC: Number(unc - recalibrated), UNC: Number(unc)}
}

// isotonic returns the blocks of the weighted isotonic regression of y on p,
// lowest p first, by pooling adjacent violators; rows of equal p share a block.
// The rate of a block is wy / w.
func isotonic(p, y, w []float64, order []int) []binSums {
	var blocks []binSums
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(p, order, lo)
		blocks = append(blocks, sumRows(p, y, w, order[lo:hi]))
		for n := len(blocks); n > 1 && float64(blocks[n-2].wy*blocks[n-1].w) >= float64(blocks[n-1].wy*blocks[n-2].w); n-- {
			blocks[n-2] = blocks[n-2].plus(blocks[n-1])
			blocks = blocks[:n-1]
		}
	}
	return blocks
}
