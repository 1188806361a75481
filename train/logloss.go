// SPDX-License-Identifier: Apache-2.0

package train

import "slices"

// noFold marks a weight vector that is fitted to the rows of every fold.
const noFold = -1

// logLoss returns the summed log loss of a weight vector on the rows outside
// the fold hold (noFold: on all) and stores its gradient in grad:
//
//	L(θ)    = Σ_i w_i [softplus(z_i) − y_i z_i],   z = X θ
//	∂L/∂θ_j = Σ_i w_i (p_i − y_i) x_ij,            p = sigmoid(z)
//
// θ and grad have d.cols values, the intercept first; the penalty is added by
// the caller (addPenalty).
//
// Source: Hastie, Tibshirani and Friedman, The Elements of Statistical
// Learning, 2nd ed., section 4.4.
func (d *design) logLoss(grad, theta []float64, hold int) float64 {
	loss := [1]float64{}
	d.logLosses(loss[:], [][]float64{grad}, [][]float64{theta}, []int{hold})
	return loss[0]
}

// logLosses is logLoss for several weight vectors, each with a fold of its own
// left out, in one pass over the rows. A vector's sums do not depend on which
// others are computed beside it, except for the order inside one row's z.
func (d *design) logLosses(loss []float64, grad, theta [][]float64, hold []int) {
	type part struct{ loss, grad []float64 } // by vector; grad is vectors×cols
	parts := make([]part, len(d.chunks))
	parallel(d.workers, len(d.chunks), func(i int) {
		p := part{make([]float64, len(theta)), make([]float64, len(theta)*d.cols)}
		var active []int
		for v := range theta {
			if hold[v] != d.chunks[i].fold {
				active = append(active, v)
			}
		}
		for len(active) > 0 {
			few := active[:min(vectors, len(active))]
			d.chunkLosses(d.chunks[i], few, theta, p.loss, p.grad)
			active = active[len(few):]
		}
		parts[i] = p
	})
	for v := range theta {
		loss[v] = 0
		clear(grad[v])
		for i := range parts {
			loss[v] += parts[i].loss[v]
			for j, g := range parts[i].grad[v*d.cols : (v+1)*d.cols] {
				grad[v][j] += g
			}
		}
	}
}

// chunkLosses adds one chunk's part of logLosses for one to eight vectors.
func (d *design) chunkLosses(c chunk, which []int, theta [][]float64, loss, grad []float64) {
	width := vectors
	if len(which) == 1 {
		width = 1
	}
	packed, g := make([]float64, d.stride*width), make([]float64, d.stride*width)
	for k, v := range which {
		for j, t := range theta[v] {
			packed[j*width+k] = t
		}
	}
	var z, p, l [vectors * blockRows]float64
	c.blocks(func(from, rows int) {
		x := d.x[from*d.stride : (from+rows)*d.stride]
		z, p, l := z[:rows*width], p[:rows*width], l[:rows*width]
		if width == 1 {
			predict1(z, x, packed, rows, d.stride)
		} else {
			clear(z)
			predictMany(z, x, packed, rows, d.stride)
		}
		logistic(p, l, z)
		for r := range rows {
			y, w := d.y[from+r], d.w[from+r]
			for k, v := range which {
				i := r*width + k
				loss[v] += float64(w * rowLoss(l[i], y, z[i]))
				p[i] = float64(w * (p[i] - y)) // the residual
			}
		}
		if width == 1 {
			gradient1(g, x, p, rows, d.stride)
		} else {
			gradientMany(g, x, p, rows, d.stride)
		}
	})
	for k, v := range which {
		for j := range d.cols {
			grad[v*d.cols+j] += g[j*width+k]
		}
	}
}

// rowLoss returns softplus(z) − y z for l = log(1 + e^−|z|). For y of 0 or 1 the
// first two terms cancel exactly, so that the losses of nearly separated rows,
// far below the rounding of z, keep their digits: a line search must see them
// fall.
func rowLoss(l, y, z float64) float64 { return (max(z, 0) - float64(y*z)) + l }

// addPenalty adds λ/2 ‖weights‖² to a loss and λ·weights to its gradient. The
// intercept is not penalised, so that the mean prediction equals the base rate
// at the optimum.
func addPenalty(loss float64, grad, theta []float64, lambda float64) float64 {
	square := 0.0
	for j := 1; j < len(theta); j++ {
		square += float64(theta[j] * theta[j])
		grad[j] += float64(lambda * theta[j])
	}
	return loss + float64(lambda/2*square)
}

// hessian returns the matrix of second derivatives of logLoss over the given
// chunks, times scale, plus lambda on the diagonal but for the intercept:
//
//	A = scale Σ_i w_i p_i (1 − p_i) x_i x_i' + λ diag(0, 1, …, 1)
//
// cols×cols row-major, upper triangle.
func (d *design) hessian(theta []float64, chunks []chunk, scale, lambda float64) []float64 {
	packed := make([]float64, d.stride)
	copy(packed, theta)
	return d.crossProducts(chunks, scale, lambda, func(dst []float64, _, from, rows int) {
		x := d.x[from*d.stride : (from+rows)*d.stride]
		var z, p [blockRows]float64
		predict1(z[:], x, packed, rows, d.stride)
		logistic(p[:rows], z[:rows], z[:rows])
		for r := range rows {
			p[r] = float64(d.w[from+r] * p[r] * (1 - p[r]))
		}
		scaleRows(dst, x, p[:rows], rows, d.stride)
	})
}

// newtonSums returns what logLoss and hessian do of the rows of every fold, from
// one pass over them, with their bits.
func (d *design) newtonSums(grad, theta []float64, lambda float64) (loss float64, a []float64) {
	packed := make([]float64, d.stride)
	copy(packed, theta)
	losses, grads := make([]float64, len(d.chunks)), make([]float64, len(d.chunks)*d.stride)
	a = d.crossProducts(d.chunks, 1, lambda, func(dst []float64, chunk, from, rows int) {
		x := d.x[from*d.stride : (from+rows)*d.stride]
		var z, p, l [blockRows]float64
		predict1(z[:], x, packed, rows, d.stride)
		logistic(p[:rows], l[:rows], z[:rows])
		for r := range rows {
			y, w := d.y[from+r], d.w[from+r]
			losses[chunk] += float64(w * rowLoss(l[r], y, z[r]))
			z[r] = float64(w * (p[r] - y)) // the residual
			p[r] = float64(w * p[r] * (1 - p[r]))
		}
		gradient1(grads[chunk*d.stride:(chunk+1)*d.stride], x, z[:rows], rows, d.stride)
		scaleRows(dst, x, p[:rows], rows, d.stride)
	})
	clear(grad)
	for i, l := range losses {
		loss += l
		for j := range grad {
			grad[j] += grads[i*d.stride+j]
		}
	}
	return loss, a
}

// crossProducts returns scale Σ X'U + λ diag(0, 1, …, 1) over the chunks,
// cols×cols row-major, upper triangle, where fill stores the rows of U that
// belong to rows from … from+rows−1, of a chunk, in dst.
func (d *design) crossProducts(
	chunks []chunk, scale, lambda float64, fill func(dst []float64, chunk, from, rows int),
) []float64 {
	parts := make([][]float64, min(2*d.workers, len(chunks))) // a few at a time, whatever the number of rows
	for i := range parts {
		parts[i] = make([]float64, d.stride*d.stride)
	}
	sum := make([]float64, d.cols*d.cols)
	first := 0
	for wave := range slices.Chunk(chunks, 2*d.workers) {
		parallel(d.workers, len(wave), func(i int) {
			h := parts[i]
			clear(h)
			u := make([]float64, blockRows*d.stride)
			wave[i].blocks(func(from, rows int) {
				fill(u, first+i, from, rows)
				crossProduct(h, d.x[from*d.stride:], u, rows, d.stride)
			})
		})
		first += len(wave)
		for j := range d.cols {
			row := sum[j*d.cols : (j+1)*d.cols]
			for _, h := range parts[:len(wave)] {
				for k := j; k < d.cols; k++ {
					row[k] += h[j*d.stride+k]
				}
			}
		}
	}
	for j := range d.cols {
		row := sum[j*d.cols : (j+1)*d.cols]
		for k := j; k < d.cols; k++ {
			row[k] = float64(scale * row[k])
		}
		if j > 0 {
			row[j] += lambda
		}
	}
	return sum
}
