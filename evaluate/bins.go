// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"slices"
)

// binCount is the number of equal-mass bins of ECE and of the decile table.
const binCount = 10

// edge is how near below the edge between two bins, in bins, counts as on it.
const edge = 1e-9

// Binning states the rule of ECE and Deciles in words; it stands in every
// report, because the same predictions give .016 and .021 under two binnings.
const Binning = "10 equal-mass bins of p: rows are ordered by p, rows with the same p stay together, " +
	"and each such run goes to the bin in which the middle of its weight falls"

// ECE returns the expected calibration error, the weighted mean distance
// between observed rate and mean p over 10 equal-mass bins:
//
//	E = Σ_b W_b |ȳ_b - p̄_b| / Σ_b W_b,  W_b, ȳ_b, p̄_b the weight and the weighted means in bin b
//
// A run of equal p with the weight V below it and the weight R in it goes,
// whole, to bin ⌊10 (V + R/2) / W + 1e-9⌋ of 0 … 9, with W the weight of all
// rows; so the order of rows does not matter, fewer than 10 bins may be used,
// and a constant p has the error |ȳ - p̄|. The 1e-9 keeps the rounding of a sum
// of weights such as 1/3 from deciding where a run on the edge of a bin goes. p, y and w are as Measure describes.
// Without rows, or with a NaN among p or w, the result is NaN.
//
// Source: Naeini, Cooper and Hauskrecht, AAAI 2015; equal mass after Nguyen
// and O'Connor, EMNLP 2015.
func ECE(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	return ece(equalMass(p, y, w, ascending(p)))
}

func ece(bins []binSums) float64 {
	var sum, total float64
	for _, b := range bins {
		sum += math.Abs(b.wy - b.wp)
		total += b.w
	}
	return sum / total
}

// binSums holds the sums over the rows of one bin.
type binSums struct {
	rows, churned int
	w, wp, wy     float64 // Σw, Σwp, Σwy
	low, high     float64 // range of p
}

// equalMass returns the bins of ECE that hold rows, lowest p first.
func equalMass(p, y, w []float64, order []int) []binSums {
	var all float64
	for _, i := range order {
		all += weight(w, i)
	}
	var bins []binSums
	below, current := 0.0, -1
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(p, order, lo)
		run := sumRows(p, y, w, order[lo:hi])
		bin := min(int(binCount*(below+run.w/2)/all+edge), binCount-1)
		below += run.w
		if bin != current {
			bins, current = append(bins, run), bin
			continue
		}
		bins[len(bins)-1] = bins[len(bins)-1].plus(run)
	}
	return bins
}

// plus returns the sums over two bins, of which next has the higher p.
func (b binSums) plus(next binSums) binSums {
	if b.rows == 0 {
		return next
	}
	return binSums{rows: b.rows + next.rows, churned: b.churned + next.churned,
		w: b.w + next.w, wp: b.wp + next.wp, wy: b.wy + next.wy, low: b.low, high: next.high}
}

func sumRows(p, y, w []float64, rows []int) binSums {
	s := binSums{low: p[rows[0]], high: p[rows[0]]}
	for _, i := range rows {
		wi := weight(w, i)
		s.rows++
		s.w += wi
		s.wp += float64(wi * p[i])
		if y[i] == 1 {
			s.churned++
			s.wy += wi
		}
	}
	return s
}

// A Bin is one row of the decile table and one point of the reliability
// diagram. Means, rates and shares are weighted; counts are of rows.
type Bin struct {
	Decile   int    `json:"decile"` // 1 holds the highest p; numbered without gaps where ties leave fewer than 10
	Rows     int    `json:"rows"`
	Churned  int    `json:"churned"`
	LowP     Number `json:"low_p"`
	HighP    Number `json:"high_p"`
	MeanP    Number `json:"mean_p"`
	Rate     Number `json:"rate"`     // observed churn rate
	Lift     Number `json:"lift"`     // Rate over the rate of all rows
	Captured Number `json:"captured"` // share of all churned rows that lie in this bin or a higher one
}

// Deciles returns the bins of ECE, highest p first. Lift and Captured are NaN
// where nobody churned; without rows, or with a NaN among p or w, there are no
// bins.
func Deciles(p, y, w []float64) []Bin {
	if !defined(p, y, w) {
		return nil
	}
	return deciles(equalMass(p, y, w, ascending(p)))
}

func deciles(sums []binSums) []Bin {
	var all, churned float64
	for _, s := range sums {
		all += s.w
		churned += s.wy
	}
	bins := make([]Bin, 0, len(sums))
	var captured float64
	for _, s := range slices.Backward(sums) {
		captured += s.wy
		bins = append(bins, Bin{
			Decile: len(bins) + 1, Rows: s.rows, Churned: s.churned,
			LowP: Number(s.low), HighP: Number(s.high),
			MeanP: Number(s.wp / s.w), Rate: Number(s.wy / s.w),
			Lift: Number(s.wy / s.w / (churned / all)), Captured: Number(captured / churned),
		})
	}
	return bins
}
