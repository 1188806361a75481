// SPDX-License-Identifier: Apache-2.0

package train

import "github.com/holdfast-churn/holdfast/predict"

// A design is the standardised matrix X of one fit with its outcomes. Column
// 0 is 1, for the intercept; then come the basis columns of the terms in
// order.
type design struct {
	rows, cols int       // cols counts the intercept
	stride     int       // cols rounded up to whole tiles; the padding is 0
	x          []float64 // rows×stride, row-major
	y, w       []float64
	total      float64 // Σ w
	chunks     []chunk
	workers    int
}

// A chunk is a run of rows of one fold. Sums are taken by chunk and the chunks
// added in order, whoever computed them.
type chunk struct{ from, to, fold int }

// chunkRows bounds a chunk: enough chunks for a few workers, few enough that
// their partial Hessians (74 kB at 96 columns) stay small.
const chunkRows = 4096

// newDesign evaluates the terms on the sample, through the same code that
// scores: predict.Input.
func newDesign(s *sample, terms []predict.Term, workers int) *design {
	n := len(s.frame.Rows)
	d := &design{rows: n, cols: 1, y: make([]float64, n), w: make([]float64, n), total: s.total, workers: workers}
	inputs := make([]predict.Input, len(terms))
	for j := range terms {
		inputs[j] = predict.NewInput(&terms[j], s.frame.Column(terms[j].Feature))
		d.cols += len(terms[j].Columns)
	}
	d.stride = (d.cols + strideUnit - 1) / strideUnit * strideUnit
	d.x = make([]float64, n*d.stride)
	d.chunks = chunksOf(s.starts)
	parallel(workers, len(d.chunks), func(i int) {
		const block = 256
		c := d.chunks[i]
		for from := c.from; from < c.to; from += block {
			to := min(from+block, c.to)
			for r := from; r < to; r++ {
				row := &s.frame.Rows[r]
				d.y[r], d.w[r] = float64(row.Y), row.Weight
				d.x[r*d.stride] = 1
			}
			at := 1
			for j := range inputs {
				inputs[j].Basis(d.x[from*d.stride+at:], d.stride, from, to)
				at += len(terms[j].Columns)
			}
		}
	})
	return d
}

// chunksOf cuts folds, given by their first rows and the end, into chunks.
func chunksOf(starts []int) []chunk {
	var chunks []chunk
	for k := range len(starts) - 1 {
		for from := starts[k]; from < starts[k+1]; from += chunkRows {
			chunks = append(chunks, chunk{from, min(from+chunkRows, starts[k+1]), k})
		}
	}
	return chunks
}

// blocks calls work with the bounds of the chunk's row blocks in order.
func (c chunk) blocks(work func(from, rows int)) {
	for from := c.from; from < c.to; from += blockRows {
		work(from, min(blockRows, c.to-from))
	}
}
