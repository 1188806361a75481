// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// mostPoints is about how many points stand for the test rows in resamples. Up
// to so many rows are points of their own.
const mostPoints = 4000

// points are test rows put together by origin and p, ascending in p: rows of
// equal p, or, where there are more than mostPoints, of bins of equal mass
// within an origin. Resamples change their weights and outcomes, never p.
type points struct {
	p      []float64
	origin []int
	// The rows in the order of their points; point k has starts[k]:starts[k+1].
	starts []int
	rows   []int
	size   []float64 // rows of each origin, the weights of the mean AUC
}

func (t *pool) points(p []float64, order []int) *points {
	q := &points{size: make([]float64, len(t.starts)-1)}
	byOrigin := make([][]int, len(q.size)) // rows in ascending order of p
	for _, i := range order {
		o := t.origin[i]
		byOrigin[o] = append(byOrigin[o], i)
		q.size[o]++
	}
	type cell struct {
		p      float64
		origin int
		rows   []int
	}
	var cells []cell
	for o, rows := range byOrigin {
		bins := float64(mostPoints) * float64(len(rows)) / float64(len(order))
		per := float64(len(rows)) / max(bins, 20) // rows of a bin
		for lo := 0; lo < len(rows); {
			hi := tieEnd(p, rows, lo)
			if len(order) > mostPoints {
				for hi < len(rows) && float64(hi-lo) < per {
					hi = tieEnd(p, rows, hi)
				}
			}
			s := sumRows(p, t.y, t.w, rows[lo:hi])
			mean := s.low
			if s.low != s.high {
				mean = s.wp / s.w
			}
			cells = append(cells, cell{mean, o, rows[lo:hi]})
			lo = hi
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int { return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.origin, b.origin)) })
	for _, c := range cells {
		q.p, q.origin = append(q.p, c.p), append(q.origin, c.origin)
		q.starts, q.rows = append(q.starts, len(q.rows)), append(q.rows, c.rows...)
	}
	q.starts = append(q.starts, len(q.rows))
	return q
}

// A sample holds the weights of the points in one resample: all, of the churned
// rows, and the churned value; and the AUC of each origin.
type sample struct {
	w, wy, wvy []float64
	auc        []float64
}

// together is how many resamples are weighted in one pass over the rows, which
// is bound by memory: eight cost little more than one.
const together = 8

// A sampler weights the points of one candidate.
type sampler struct {
	*points
	w, lost, value []float64 // of each row in the order of the points: w, and of churned rows wy and wvy
	churned        []int     // places of the churned rows
	at             []int32   // their points
	block          []int32   // of each row
	times          [][together]float64
}

func (t *pool) sampler(q *points, s *resampler) *sampler {
	if len(q.p)*s.blocks < len(q.rows) {
		return t.cellSampler(q, s)
	}
	m := &sampler{points: q, w: make([]float64, len(q.rows)), block: make([]int32, len(q.rows)), times: make([][together]float64, s.blocks)}
	for k := range q.p {
		for at := q.starts[k]; at < q.starts[k+1]; at++ {
			i := q.rows[at]
			m.w[at], m.block[at] = t.w[i], s.blockOf[t.group[i]]
			if t.y[i] == 1 {
				m.churn(at, k, t.w[i], t.atStake(i))
			}
		}
	}
	return m
}

// cellSampler is sampler where there are fewer points than rows of a block, as of
// a rule with one p for all: the rows of one block in one point are put together.
func (t *pool) cellSampler(q *points, s *resampler) *sampler {
	cells := &points{p: q.p, origin: q.origin, size: q.size, starts: make([]int, len(q.starts))}
	m := &sampler{points: cells, times: make([][together]float64, s.blocks)}
	w, lost, value := make([]float64, s.blocks), make([]float64, s.blocks), make([]float64, s.blocks)
	for k := range q.p {
		clear(w)
		clear(lost)
		clear(value)
		for _, i := range q.rows[q.starts[k]:q.starts[k+1]] {
			b := s.blockOf[t.group[i]]
			w[b] += t.w[i]
			lost[b] += float64(t.w[i] * t.y[i])
			value[b] += float64(t.w[i] * float64(t.y[i]*t.atStake(i)))
		}
		for b := range w {
			if w[b] == 0 {
				continue
			}
			if lost[b] > 0 {
				m.churn(len(m.w), k, lost[b], value[b]/lost[b])
			}
			m.w, m.block = append(m.w, w[b]), append(m.block, int32(b))
		}
		cells.starts[k+1] = len(m.w)
	}
	return m
}

// churn notes the churned weight at a place, in point k, and the value of its
// rows. Points come in order.
func (m *sampler) churn(at, k int, w, value float64) {
	m.churned, m.at = append(m.churned, at), append(m.at, int32(k))
	m.lost, m.value = append(m.lost, w), append(m.value, float64(w*value))
}

// atStake is the value of a row, 0 where it has none.
func (t *pool) atStake(i int) float64 {
	if v := t.value[i]; v > 0 {
		return v
	}
	return 0
}

// draw stores the weights of so many resamples as times has, at most together;
// nil times are those of the rows themselves, in the first.
func (m *sampler) draw(to *[together]sample, times [][]uint16) {
	for r := range to {
		if to[r].w == nil {
			n := len(m.p)
			to[r].w, to[r].wy, to[r].wvy = make([]float64, n), make([]float64, n), make([]float64, n)
		}
		clear(to[r].wy)
		clear(to[r].wvy)
		for k := range m.times {
			m.times[k][r] = 1
			if r < len(times) {
				m.times[k][r] = float64(times[r][k])
			}
		}
	}
	for k := range m.p {
		var w [together]float64
		lo, hi := m.starts[k], m.starts[k+1]
		block := m.block[lo:hi]
		for at, v := range m.w[lo:hi] {
			n := &m.times[block[at]]
			w[0] += float64(n[0] * v)
			w[1] += float64(n[1] * v)
			w[2] += float64(n[2] * v)
			w[3] += float64(n[3] * v)
			w[4] += float64(n[4] * v)
			w[5] += float64(n[5] * v)
			w[6] += float64(n[6] * v)
			w[7] += float64(n[7] * v)
		}
		for r := range to {
			to[r].w[k] = w[r]
		}
	}
	for c := 0; c < len(m.churned); { // in order of their points
		var wy, wvy [together]float64
		k := m.at[c]
		for ; c < len(m.churned) && m.at[c] == k; c++ {
			n, lost, value := &m.times[m.block[m.churned[c]]], m.lost[c], m.value[c]
			for r := range wy {
				wy[r] += float64(n[r] * lost)
				wvy[r] += float64(n[r] * value)
			}
		}
		for r := range to {
			to[r].wy[k], to[r].wvy[k] = wy[r], wvy[r]
		}
	}
	for r := range max(1, len(times)) {
		m.aucs(&to[r])
	}
}

// aucs stores the AUC of each origin, NaN where it has one class.
func (q *points) aucs(s *sample) {
	n := len(q.size)
	below, churned := make([]float64, n), make([]float64, n)
	s.auc = make([]float64, n)
	for k, o := range q.origin { // a point is all of its origin's rows with its p
		stayed := s.w[k] - s.wy[k]
		s.auc[o] += float64(s.wy[k] * (below[o] + stayed/2))
		below[o] += stayed
		churned[o] += s.wy[k]
	}
	for o := range s.auc {
		s.auc[o] /= float64(churned[o] * below[o])
		if churned[o] == 0 || below[o] == 0 {
			s.auc[o] = math.NaN()
		}
	}
}

// meanAUC returns the mean AUC over the origins, weighted by their rows; origins
// of one class are left out.
func (q *points) meanAUC(s *sample) float64 {
	var total, rows float64
	for o, a := range s.auc {
		if !math.IsNaN(a) {
			total += float64(q.size[o] * a)
			rows += q.size[o]
		}
	}
	return total / rows
}

// ap returns the average precision.
func (q *points) ap(s *sample) float64 {
	var all, churned, total float64
	for hi := len(q.p); hi > 0; {
		lo := hi
		var found float64
		for lo > 0 && q.p[lo-1] == q.p[hi-1] {
			lo--
			all += s.w[lo]
			found += s.wy[lo]
		}
		churned += found
		if all > 0 {
			total += float64(found * churned / all)
		}
		hi = lo
	}
	return total / churned
}

// captured returns the share of what, a weight of the churned rows, that lies in
// the top share c of all weight.
func (q *points) captured(s *sample, what []float64, c float64) float64 {
	room, got := c*sum(s.w), 0.0
	for hi := len(q.p); hi > 0 && room > 0; {
		lo := hi
		var w, lost float64
		for lo > 0 && q.p[lo-1] == q.p[hi-1] {
			lo--
			w += s.w[lo]
			lost += what[lo]
		}
		if w > 0 {
			share := min(1, room/w)
			got += float64(share * lost)
			room -= float64(share * w)
		}
		hi = lo
	}
	return got / sum(what)
}

// A line is the recalibration a + b z of a candidate, ready for the Newton step
// that a resample takes from there. One step is what the bootstrap needs: the
// error is of the order of the square of what the resample moves.
type line struct {
	z, q []float64 // of each point: log-odds, and σ(a + b z)
	a, b float64
}

func newLine(p []float64, a, b float64) *line {
	l := &line{z: logOdds(p), a: a, b: b, q: make([]float64, len(p))}
	for k, z := range l.z {
		l.q[k] = predict.Sigmoid(a + float64(b*z))
	}
	return l
}

// step returns a and b after the step, or with the slope fixed, a alone.
func (l *line) step(s *sample, slope bool) (a, b float64) {
	var g0, g1, h00, h01, h11 float64
	for k, q := range l.q {
		r := s.wy[k] - float64(s.w[k]*q)
		v := float64(s.w[k] * float64(q*(1-q)))
		g0 += r
		h00 += v
		if slope {
			z := l.z[k]
			g1 += float64(r * z)
			h01 += float64(v * z)
			h11 += float64(v * float64(z*z))
		}
	}
	if !slope {
		return l.a + g0/h00, l.b
	}
	det := float64(h00*h11) - float64(h01*h01)
	if !(det > 0) {
		return math.NaN(), math.NaN()
	}
	return l.a + (float64(h11*g0)-float64(h01*g1))/det, l.b + (float64(h00*g1)-float64(h01*g0))/det
}
