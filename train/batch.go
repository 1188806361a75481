// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"slices"
)

// A batch is a design in float32 for fits that only choose: many weight
// vectors at once, each with a fold of its own left out, share the products
// with the rows.
type batch struct {
	d      *design
	stride int // d.cols rounded up to whole tiles
	x      []float32
	y, w   []float32
}

// A column is one weight vector of a batch, fitted to the rows outside the
// fold hold at the penalty lambda.
type column struct {
	staleFit
	lambda   float64
	share    float64   // of the design's weight that lies outside hold
	curve    []float64 // where its hessian was taken
	start    []float64 // where it began on all rows
	renewals int
	slow     bool // for the exact solver
}

const (
	// batchRows is the number of rows in a block: with 64 columns and 64
	// vectors, x and z take 64 kB.
	batchRows = 128
	// flushBlocks is the number of blocks summed in float32 before the sum goes
	// to float64: its rounding, √(1024) times 6e-8 of one row's, is lost in the
	// sum over thousands of such sums.
	flushBlocks = 8
)

func newBatch(d *design) *batch {
	b := &batch{d: d, stride: (d.cols + fastUnit - 1) / fastUnit * fastUnit}
	padded := d.rows + fastTile // tiles of a last block may read on
	b.x, b.y, b.w = make([]float32, padded*b.stride), make([]float32, padded), make([]float32, padded)
	parallel(d.workers, len(d.chunks), func(i int) {
		for r := d.chunks[i].from; r < d.chunks[i].to; r++ {
			row := b.x[r*b.stride : r*b.stride+d.cols]
			for j, v := range d.x[r*d.stride : r*d.stride+d.cols] {
				row[j] = float32(v)
			}
			b.y[r], b.w[r] = float32(d.y[r]), float32(d.w[r])
		}
	})
	return b
}

// A panelOf holds the weights of several columns side by side, as products
// want them.
type panelOf struct {
	width int // len(which) rounded up to whole tiles
	which []int
	theta []float32 // stride×width
}

func (b *batch) panel(columns []*column, which []int) panelOf {
	p := panelOf{which: which, width: (len(which) + fastUnit - 1) / fastUnit * fastUnit}
	p.theta = make([]float32, b.stride*p.width)
	for c, v := range which {
		for j, t := range columns[v].theta {
			p.theta[j*p.width+c] = float32(t)
		}
	}
	return p
}

// predict stores the log-odds of a block of rows, rows×width, in z, which
// has room for whole tiles.
func (b *batch) predict(z []float32, p *panelOf, from, rows int) {
	tiles := (rows + fastTile - 1) / fastTile * fastTile
	clear(z[:tiles*p.width])
	x := view{b.x[from*b.stride:], b.stride, 1}
	fastProduct(z, p.width, x, p.theta, p.width, tiles, b.d.cols, p.width)
}

// outside returns for every fold the panel of the columns that are fitted to
// its rows.
func (b *batch) outside(columns []*column) map[int]*panelOf {
	panels := map[int]*panelOf{}
	for _, c := range b.d.chunks {
		if panels[c.fold] != nil {
			continue
		}
		var which []int
		for v := range columns {
			if columns[v].hold != c.fold {
				which = append(which, v)
			}
		}
		p := b.panel(columns, which)
		panels[c.fold] = &p
	}
	return panels
}

// gradients returns the gradient of each column's penalised loss, where the
// loss is summed over the given chunks and multiplied by scale:
//
//	g = scale Σ_i w_i (p_i − y_i) x_i + λ (0, w₁, …)
func (b *batch) gradients(columns []*column, chunks []chunk, scale float64) [][]float64 {
	panels := b.outside(columns)
	n := b.d.cols
	sum := make([][]float64, len(columns))
	for v := range columns {
		sum[v] = make([]float64, n)
	}
	b.residualProducts(panels, chunks, func(c chunk, total []float64) {
		addPanel(sum, panels[c.fold], total)
	})
	for v, c := range columns {
		for j := range sum[v] {
			sum[v][j] *= scale
			if j > 0 {
				sum[v][j] += c.lambda * c.theta[j]
			}
		}
	}
	return sum
}

// gradientsByFold returns the gradient of each column's loss, without the
// penalty, summed over the rows of each fold: of fits that still share their
// weights one pass then gives all.
func (b *batch) gradientsByFold(columns []*column) map[int][][]float64 {
	var every []int
	for v := range columns {
		every = append(every, v)
	}
	all := b.panel(columns, every)
	panels, sums := map[int]*panelOf{}, map[int][][]float64{}
	for _, c := range b.d.chunks {
		if panels[c.fold] == nil {
			panels[c.fold], sums[c.fold] = &all, make([][]float64, len(columns))
			for v := range columns {
				sums[c.fold][v] = make([]float64, b.d.cols)
			}
		}
	}
	b.residualProducts(panels, b.d.chunks, func(c chunk, total []float64) {
		addPanel(sums[c.fold], &all, total)
	})
	return sums
}

// residualProducts computes Σ_i w_i (p_i − y_i) x_i over each chunk for the
// columns of its fold's panel, stride×width, and hands it to add, chunk by chunk
// in order.
func (b *batch) residualProducts(panels map[int]*panelOf, chunks []chunk, add func(c chunk, total []float64)) {
	most := 0
	for _, p := range panels {
		most = max(most, p.width)
	}
	b.waves(chunks, b.stride*most, func(total []float64, c chunk) {
		p := panels[c.fold]
		z, g := make([]float32, batchRows*p.width), make([]float32, b.stride*p.width)
		c.batches(func(from, rows int, flush bool) {
			b.predict(z, p, from, rows)
			fastResidual(z, b.y[from:], b.w[from:], rows, p.width)
			fastProduct(g, p.width, view{b.x[from*b.stride:], 1, b.stride}, z, p.width, b.stride, rows, p.width)
			if flush {
				addTo(total, g)
			}
		})
	}, func(total []float64, c chunk) { add(c, total) })
}

// addPanel adds a chunk's sums to those of the panel's columns.
func addPanel(sum [][]float64, p *panelOf, total []float64) {
	for k, v := range p.which {
		for j := range sum[v] {
			sum[v][j] += total[j*p.width+k]
		}
	}
}

// curvature returns the data part of the Hessian at theta over the given
// chunks, times scale, cols×cols row-major, upper triangle.
func (b *batch) curvature(theta []float64, chunks []chunk, scale float64) []float64 {
	p := b.panel([]*column{{staleFit: staleFit{theta: theta}}}, []int{0})
	n := b.d.cols
	sum := make([]float64, n*n)
	zeros, ones := make([]float32, batchRows), make([]float32, batchRows)
	for i := range ones {
		ones[i] = 1
	}
	b.waves(chunks, b.stride*b.stride, func(total []float64, c chunk) {
		z, u := make([]float32, batchRows*p.width), make([]float32, batchRows*b.stride)
		h, q := make([]float32, b.stride*b.stride), make([]float32, batchRows)
		c.batches(func(from, rows int, flush bool) {
			b.predict(z, &p, from, rows)
			fastResidual(z, zeros, ones, rows, p.width)
			for r := range rows {
				s := z[r*p.width]
				q[r] = b.w[from+r] * s * (1 - s)
			}
			x := b.x[from*b.stride : (from+rows)*b.stride]
			fastScale(u, x, q, rows, b.stride)
			fastCross(h, x, u, rows, b.stride)
			if flush {
				addTo(total, h)
			}
		})
	}, func(total []float64, _ chunk) {
		for j := range n {
			for k := j; k < n; k++ {
				sum[j*n+k] += scale * total[j*b.stride+k]
			}
		}
	})
	return sum
}

// outOfFold returns Σ_i w_i loss(y_i, z_i) over the rows of each column's fold.
func (b *batch) outOfFold(columns []*column) []float64 {
	panels := map[int]*panelOf{}
	most := 0
	for _, c := range b.d.chunks {
		if panels[c.fold] == nil {
			var which []int
			for v := range columns {
				if columns[v].hold == c.fold {
					which = append(which, v)
				}
			}
			p := b.panel(columns, which)
			panels[c.fold] = &p
			most = max(most, len(which))
		}
	}
	losses := make([]float64, len(columns))
	b.waves(b.d.chunks, most, func(total []float64, c chunk) {
		p := panels[c.fold]
		z := make([]float32, batchRows*p.width)
		wide, l := make([]float64, len(z)), make([]float64, len(z))
		c.batches(func(from, rows int, _ bool) {
			b.predict(z, p, from, rows)
			for i, v := range z[:rows*p.width] {
				wide[i] = float64(v)
			}
			logistic(l[:rows*p.width], l[:rows*p.width], wide[:rows*p.width])
			for r := range rows {
				y, w := b.d.y[from+r], b.d.w[from+r]
				for k := range p.which {
					total[k] += w * rowLoss(l[r*p.width+k], y, wide[r*p.width+k])
				}
			}
		})
	}, func(total []float64, c chunk) {
		for k, v := range panels[c.fold].which {
			losses[v] += total[k]
		}
	})
	return losses
}

// waves sums over chunks: work adds a chunk's part to total, which holds size
// zeros before it, and add takes the parts in the order of the chunks. A few
// parts exist at a time.
func (b *batch) waves(chunks []chunk, size int, work, add func(total []float64, c chunk)) {
	totals := make([][]float64, min(4*b.d.workers, len(chunks)))
	for i := range totals {
		totals[i] = make([]float64, size)
	}
	for wave := range slices.Chunk(chunks, max(1, len(totals))) {
		parallel(b.d.workers, len(wave), func(i int) {
			clear(totals[i])
			work(totals[i], wave[i])
		})
		for i := range wave {
			add(totals[i], wave[i])
		}
	}
}

// batches calls work with the bounds of the chunk's row batches in order, and
// says after which of them float32 sums are to be flushed.
func (c chunk) batches(work func(from, rows int, flush bool)) {
	for from, i := c.from, 1; from < c.to; from, i = from+batchRows, i+1 {
		last := from+batchRows >= c.to
		work(from, min(batchRows, c.to-from), last || i%flushBlocks == 0)
	}
}

// addTo adds float32 sums to float64 ones and clears them.
func addTo(total []float64, part []float32) {
	for i, v := range part {
		total[i] += float64(v)
	}
	clear(part)
}

// prefixes returns the first part of every chunk, about share of its rows, and
// the share of all weight in them. Rows are in random order within a fold, so
// these are a random part, whatever order they came in.
func (d *design) prefixes(share float64) ([]chunk, float64) {
	var chunks []chunk
	part := 0.0
	for _, c := range d.chunks {
		end := c.from + min(int(math.Ceil(share*float64(c.to-c.from))), c.to-c.from)
		chunks = append(chunks, chunk{c.from, end, c.fold})
		for i := c.from; i < end; i++ {
			part += d.w[i]
		}
	}
	return chunks, part / d.total
}
