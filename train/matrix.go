// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// A matrix is the design of an additive model, kept by rows: of the columns of
// a B-spline four are not 0 in a row, of those of a level or a table one is.
// Column 0 is 1, for the intercept. Columns are raw (predict.Basis, u), but for
// linear ones, which are standardised; a scale enters through the penalty
// alone, because centring a column moves nothing but the intercept, which is
// not penalised.
type matrix struct {
	rows, cols int
	start      []int // entries of row i are start[i] … start[i+1]−1, columns rising
	col        []int32
	val        []float64
	y, w       []float64
	total      float64 // Σ w
	chunks     []chunk
	workers    int
	limits     []limit // of the columns; nil where all are free
}

// A block is some columns beside each other, numbered from 0, as in matrix.
type block struct {
	cols  int
	start []int
	col   []int32
	val   []float64
	// limits are those of the columns, or nil.
	limits []limit
}

// newBlock evaluates columns, row by row.
func newBlock(rows, cols int, entries func(dst []predict.Entry, row int) []predict.Entry) *block {
	b := &block{cols: cols, start: make([]int, rows+1)}
	var buffer []predict.Entry
	for i := range rows {
		buffer = entries(buffer[:0], i)
		for _, e := range buffer {
			b.col, b.val = append(b.col, e.Column), append(b.val, e.Value)
		}
		b.start[i+1] = len(b.col)
	}
	return b
}

// moments returns each column's weighted mean and standard deviation, and the
// share of the rows, by count, in which it is not 0.
func (b *block) moments(w []float64, total float64) (mean, sd, share []float64) {
	mean, sd, share = make([]float64, b.cols), make([]float64, b.cols), make([]float64, b.cols)
	for i, wi := range w {
		for e := b.start[i]; e < b.start[i+1]; e++ {
			c, v := b.col[e], b.val[e]
			mean[c] += float64(wi * v)
			sd[c] += float64(wi * v * v)
			if v > 1e-6 || v < -1e-6 {
				share[c]++
			}
		}
	}
	for c := range mean {
		mean[c] /= total
		sd[c] = math.Sqrt(max(sd[c]/total-float64(mean[c]*mean[c]), 0))
		share[c] /= float64(len(w))
	}
	return mean, sd, share
}

// keep returns the block with the marked columns only.
func (b *block) keep(marked []bool) *block {
	number := make([]int32, b.cols)
	k := &block{start: make([]int, len(b.start))}
	for c, m := range marked {
		number[c] = -1
		if m {
			number[c] = int32(k.cols)
			k.cols++
		}
	}
	for i := range len(b.start) - 1 {
		for e := b.start[i]; e < b.start[i+1]; e++ {
			if c := number[b.col[e]]; c >= 0 {
				k.col, k.val = append(k.col, c), append(k.val, b.val[e])
			}
		}
		k.start[i+1] = len(k.col)
	}
	return k
}

// newMatrix returns the matrix of a sample with the intercept alone.
func newMatrix(s *sample, workers int) *matrix {
	n := len(s.frame.Rows)
	m := &matrix{rows: n, cols: 1, start: make([]int, n+1), col: make([]int32, n), val: make([]float64, n),
		y: make([]float64, n), w: make([]float64, n), total: s.total, chunks: chunksOf(s.starts), workers: workers}
	for i := range n {
		r := &s.frame.Rows[i]
		m.start[i+1], m.val[i] = i+1, 1
		m.y[i], m.w[i] = float64(r.Y), r.Weight
	}
	return m
}

// with returns a matrix with the blocks' columns after those of m.
func (m *matrix) with(blocks ...*block) *matrix {
	out := *m
	size := len(m.col)
	for _, b := range blocks {
		size += len(b.col)
		out.limits = joined(out.limits, out.cols, b)
		out.cols += b.cols
	}
	out.start = make([]int, m.rows+1)
	out.col, out.val = make([]int32, 0, size), make([]float64, 0, size)
	for i := range m.rows {
		out.col = append(out.col, m.col[m.start[i]:m.start[i+1]]...)
		out.val = append(out.val, m.val[m.start[i]:m.start[i+1]]...)
		first := int32(m.cols)
		for _, b := range blocks {
			for e := b.start[i]; e < b.start[i+1]; e++ {
				out.col, out.val = append(out.col, first+b.col[e]), append(out.val, b.val[e])
			}
			first += int32(b.cols)
		}
		out.start[i+1] = len(out.col)
	}
	return &out
}

// lanes is the number of partial sums over the chunks; it does not depend on
// the number of workers, so that sums do not either.
const lanes = 4

// eachLane calls work for every lane with its chunks, those of the fold hold
// left out.
func (m *matrix) eachLane(hold int, work func(lane int, c chunk)) {
	parallel(m.workers, lanes, func(lane int) {
		for k := lane; k < len(m.chunks); k += lanes {
			if c := m.chunks[k]; c.fold != hold {
				work(lane, c)
			}
		}
	})
}

// logOdds stores z = X θ of the rows from … to−1 in dst, one value a row.
func (m *matrix) logOdds(dst, theta []float64, from, to int) {
	for i := from; i < to; i++ {
		z := 0.0
		col := m.col[m.start[i]:m.start[i+1]]
		val := m.val[m.start[i]:][:len(col)]
		for k, j := range col {
			z += float64(val[k] * theta[j])
		}
		dst[i-from] = z
	}
}

// logLoss returns the summed log loss over the rows outside the fold hold and
// stores its gradient, as design.logLoss does.
func (m *matrix) logLoss(grad, theta []float64, hold int) float64 {
	var loss [lanes]float64
	grads := make([]float64, lanes*m.cols)
	m.eachLane(hold, func(lane int, c chunk) {
		g := grads[lane*m.cols : (lane+1)*m.cols]
		var zs, ps, ls [blockRows]float64
		c.blocks(func(from, rows int) {
			z, p, l := zs[:rows], ps[:rows], ls[:rows]
			m.logOdds(z, theta, from, from+rows)
			logistic(p, l, z)
			for r, zr := range z {
				i := from + r
				loss[lane] += float64(m.w[i] * rowLoss(l[r], m.y[i], zr))
				e := float64(m.w[i] * (p[r] - m.y[i]))
				col := m.col[m.start[i]:m.start[i+1]]
				val := m.val[m.start[i]:][:len(col)]
				for k, j := range col {
					g[j] += float64(val[k] * e)
				}
			}
		})
	})
	clear(grad)
	sum := 0.0
	for lane := range lanes {
		sum += loss[lane]
		for j, g := range grads[lane*m.cols : (lane+1)*m.cols] {
			grad[j] += g
		}
	}
	return sum
}

// folds returns the number of folds that hold rows.
func (m *matrix) folds() int {
	n, last := 0, noFold
	for _, c := range m.chunks {
		if c.fold != last {
			n, last = n+1, c.fold
		}
	}
	return n
}

// hessian returns X'WX over the rows outside the fold hold, cols×cols
// row-major, upper triangle.
func (m *matrix) hessian(theta []float64, hold int) []float64 {
	n := m.cols
	parts := make([]float64, lanes*n*n)
	m.eachLane(hold, func(lane int, c chunk) {
		h := parts[lane*n*n : (lane+1)*n*n]
		for i := c.from; i < c.to; i++ {
			m.addOuter(h, theta, i)
		}
	})
	sum := parts[: n*n : n*n]
	for lane := 1; lane < lanes; lane++ {
		for k, v := range parts[lane*n*n : (lane+1)*n*n] {
			sum[k] += v
		}
	}
	return sum
}

// addOuter adds w p (1 − p) x x' of a row to h, upper triangle.
func (m *matrix) addOuter(h, theta []float64, i int) {
	var z [1]float64
	m.logOdds(z[:], theta, i, i+1)
	p := predict.Sigmoid(z[0])
	m.addSquare(h, i, float64(m.w[i]*p*(1-p)))
}

// addSquare adds q x x' of a row to h, upper triangle.
func (m *matrix) addSquare(h []float64, i int, q float64) {
	n := m.cols
	col, val := m.col[m.start[i]:m.start[i+1]], m.val[m.start[i]:m.start[i+1]]
	for k, j := range col {
		v := float64(q * val[k])
		row := h[int(j)*n : int(j)*n+n]
		rest := val[k:]
		for l, jl := range col[k:] {
			row[jl] += float64(v * rest[l])
		}
	}
}

// firstShare returns the part of the rows that a first preconditioner takes.
// Rows of a rare outcome carry little: p (1 − p) of that of an even chance.
func (m *matrix) firstShare() float64 {
	churn, rows := 0.0, 0
	for _, c := range m.chunks {
		rows += c.to - c.from
		for i := c.from; i < c.to; i++ {
			churn += float64(m.w[i] * m.y[i])
		}
	}
	rate := churn / m.total
	return max(renewRows, renewRatio*float64(m.cols)/(4*rate*(1-rate))) / float64(rows)
}

// fastHessian returns X'WX over a random part of the rows outside the fold hold,
// scaled up to them, in float32: it serves as a preconditioner. share is that
// part, 0 to 1.
func (m *matrix) fastHessian(theta []float64, hold int, share float64) []float64 {
	n := m.cols
	stride := (n + fastUnit - 1) / fastUnit * fastUnit
	totals := make([][]float64, lanes)
	var all, used [lanes]float64
	parallel(m.workers, lanes, func(lane int) {
		total := make([]float64, stride*stride)
		x, u := make([]float32, (batchRows+fastTile)*stride), make([]float32, (batchRows+fastTile)*stride)
		h, q := make([]float32, stride*stride), make([]float32, batchRows)
		var z, p, l [batchRows]float64
		for k := lane; k < len(m.chunks); k += lanes {
			c := m.chunks[k]
			if c.fold == hold {
				continue
			}
			end := c.from + int(math.Ceil(share*float64(c.to-c.from)))
			for i := c.from; i < c.to; i++ {
				all[lane] += m.w[i]
			}
			chunk{c.from, end, c.fold}.batches(func(from, rows int, flush bool) {
				clear(x)
				m.logOdds(z[:rows], theta, from, from+rows)
				logistic(p[:rows], l[:rows], z[:rows])
				for r := range rows {
					i := from + r
					used[lane] += m.w[i]
					q[r] = float32(m.w[i] * p[r] * (1 - p[r]))
					row := x[r*stride : (r+1)*stride]
					for e := m.start[i]; e < m.start[i+1]; e++ {
						row[m.col[e]] = float32(m.val[e])
					}
				}
				fastScale(u, x[:rows*stride], q, rows, stride)
				fastCross(h, x, u, rows, stride)
				if flush {
					addTo(total, h)
				}
			})
		}
		totals[lane] = total
	})
	a, b := 0.0, 0.0
	for lane := range lanes {
		a, b = a+all[lane], b+used[lane]
	}
	sum := make([]float64, n*n)
	for j := range n {
		for k := j; k < n; k++ {
			v := 0.0
			for _, t := range totals {
				v += t[j*stride+k]
			}
			sum[j*n+k] = a / b * v
		}
	}
	return sum
}

// sampled returns a view of a random part of the rows of each fold, of about
// the given number in all.
func (m *matrix) sampled(rows int) *matrix {
	all := 0
	for _, c := range m.chunks {
		all += c.to - c.from
	}
	if rows >= all {
		return m
	}
	out := *m
	out.chunks, out.total = nil, 0
	for _, c := range m.chunks {
		c.to = c.from + (rows*(c.to-c.from)+all-1)/all
		out.chunks = append(out.chunks, c)
		for i := c.from; i < c.to; i++ {
			out.total += m.w[i]
		}
	}
	return &out
}
