// SPDX-License-Identifier: Apache-2.0

package evaluate

// A Histogram counts rows by p in bins of equal width from 0 on. It covers the
// range in which the deciles lie; the few rows beyond are counted in Above.
type Histogram struct {
	Width Number `json:"width"`
	Rows  []int  `json:"rows"`
	Above int    `json:"above"`
}

// histogramBins is how many bins a Histogram has.
const histogramBins = 20

// histogramRanges are the ranges a Histogram may cover: round numbers, so that
// an axis can be drawn beside it.
var histogramRanges = []float64{0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3,
	0.4, 0.5, 0.6, 0.8, 1}

// histogram counts p over the smallest of the ranges that holds mean p and
// observed rate of every decile.
func histogram(p []float64, deciles []Bin) *Histogram {
	var need Number
	for _, b := range deciles {
		need = max(need, b.MeanP, b.Rate)
	}
	to := 1.0
	for _, r := range histogramRanges {
		if float64(need) <= r {
			to = r
			break
		}
	}
	h := &Histogram{Width: Number(to / histogramBins), Rows: make([]int, histogramBins)}
	for _, v := range p {
		if v > to {
			h.Above++
			continue
		}
		h.Rows[min(int(histogramBins*v/to), histogramBins-1)]++
	}
	return h
}

// ByOutcome counts the rows of a Histogram by their outcome, those above its
// range last.
type ByOutcome struct {
	Churned []int `json:"churned"`
	Stayed  []int `json:"stayed"`
}

func byOutcome(p, y []float64, h *Histogram) *ByOutcome {
	if h == nil {
		return nil
	}
	b := &ByOutcome{make([]int, histogramBins+1), make([]int, histogramBins+1)}
	to := float64(h.Width) * histogramBins
	for i, v := range p {
		bin := histogramBins
		if v <= to {
			bin = min(int(histogramBins*v/to), histogramBins-1)
		}
		if y[i] == 1 {
			b.Churned[bin]++
		} else {
			b.Stayed[bin]++
		}
	}
	return b
}
