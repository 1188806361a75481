// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"slices"
)

// The settings of the smoother behind ICI and E90, which are those of R's
// lowess and so of rms val.prob: two thirds of the rows in each local fit, no
// robustness steps, and no fit nearer to the last one than a hundredth of the
// range of p.
const (
	lowessSpan  = 2.0 / 3
	lowessDelta = 0.01
)

// Rows whose p are all different are smoothed as they are up to exactRows; more
// are first put together in smoothBins bins of equal mass. On 20,000 rows drawn
// from a curve ICI moves by less than 1e-5.
const (
	exactRows  = 5000
	smoothBins = 2000
)

// runs are rows put together by their p, ascending: those of equal p, or those
// of a narrow bin.
type runs struct {
	p []float64 // weighted mean
	n []int     // rows
	w []float64 // Σw
	y []float64 // Σwy / Σw
}

func (r *runs) add(s binSums) {
	r.p = append(r.p, s.wp/s.w)
	if s.low == s.high { // no rounding where there is nothing to average
		r.p[len(r.p)-1] = s.low
	}
	r.n, r.w, r.y = append(r.n, s.rows), append(r.w, s.w), append(r.y, s.wy/s.w)
}

// runsOf returns the runs of rows in ascending order of p, and the run of each
// place in that order.
func runsOf(p, y, w []float64, order []int) (r *runs, of []int) {
	r, of = new(runs), make([]int, len(order))
	var mass float64
	if len(order) > exactRows {
		for _, i := range order {
			mass += weight(w, i)
		}
	}
	var bin binSums
	start, below := 0, 0.0
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(p, order, lo)
		run := sumRows(p, y, w, order[lo:hi])
		bin = bin.plus(run)
		below += run.w
		full := len(order) <= exactRows || below >= mass*float64(len(r.p)+1)/smoothBins
		if full || hi == len(order) {
			for k := start; k < hi; k++ {
				of[k] = len(r.p)
			}
			r.add(bin)
			bin, start = binSums{}, hi
		}
	}
	return r, of
}

// A smoother estimates the outcome at every run as a weighted sum of the runs'
// outcomes. Its coefficients depend on p and w alone, so that outcomes can be
// exchanged at the price of a product:
//
//	s_k = Σ_j c_kj y_j  at the runs k that are fitted, linear in p between them
//
// Each c_k is a local linear fit at p_k with the weights
// w_j (1 - (|p_j - p_k|/h)³)³, h the radius that holds two thirds of the rows.
// Weights w enter the fits and not the radius, which counts rows; of a run that
// the edge of the window cuts, the share of its rows within it counts.
//
// Source: Cleveland, JASA 74 (1979); with w = 1 it is lowess of R, iter = 0.
type smoother struct {
	p     []float64
	knots []int // runs that are fitted, ascending; the first and the last run are among them
	first []int // of the coefficients of each knot
	coef  [][]float64
}

func newSmoother(r *runs) *smoother {
	s := &smoother{p: r.p}
	rows, last := 0, len(r.p)-1
	for _, n := range r.n {
		rows += n
	}
	near := lowessDelta * (r.p[last] - r.p[0])
	v := window{runs: r, size: min(rows, max(2, int(lowessSpan*float64(rows)+1e-7)))}
	v.start()
	for k := 0; ; {
		v.moveTo(r.p[k])
		first, coef := v.fit(k, r.p[last]-r.p[0])
		s.knots, s.first, s.coef = append(s.knots, k), append(s.first, first), append(s.coef, coef)
		if k == last {
			return s
		}
		next := k + 1
		for next <= last && r.p[next] <= r.p[k]+near {
			next++
		}
		k = max(k+1, next-1)
	}
}

// apply stores the estimates for the outcomes y of the runs in dst.
func (s *smoother) apply(dst, y []float64) {
	before, at := 0, 0.0
	for i, k := range s.knots {
		var v float64
		for j, c := range s.coef[i] {
			v += float64(c * y[s.first[i]+j])
		}
		for j := before + 1; j < k; j++ {
			share := (s.p[j] - s.p[before]) / (s.p[k] - s.p[before])
			dst[j] = float64(share*v) + float64((1-share)*at)
		}
		dst[k] = v
		before, at = k, v
	}
}

// A window holds size rows: from row cut of run left to the last one that
// fits, which lies in run right.
type window struct {
	*runs
	size             int
	left, cut        int // rows of run left that lie before the window
	right, rightRows int // rows of run right within the window
}

func (v *window) start() {
	room := v.size
	for v.right = 0; room > v.n[v.right]; v.right++ {
		room -= v.n[v.right]
	}
	v.rightRows = room
}

// moveTo moves the window up, row by row, as long as that brings its farther
// edge nearer to x.
func (v *window) moveTo(x float64) {
	for {
		next := v.right
		if v.rightRows == v.n[v.right] {
			next++
		}
		if next == len(v.p) || x-v.p[v.left] <= v.p[next]-x {
			return
		}
		if v.rightRows++; next != v.right {
			v.right, v.rightRows = next, 1
		}
		if v.cut++; v.cut == v.n[v.left] {
			v.left, v.cut = v.left+1, 0
		}
	}
}

// fit returns the coefficients of the local fit at run k, from run first on,
// over a range of p.
func (v *window) fit(k int, spread float64) (first int, coef []float64) {
	x := v.p[k]
	h := max(x-v.p[v.left], v.p[v.right]-x)
	coef = make([]float64, 0, v.right-v.left+1)
	var all, mean float64
	for j := v.left; j < len(v.p); j++ {
		r := math.Abs(v.p[j] - x)
		if r > 0.999*h {
			if v.p[j] > x {
				break
			}
			coef = append(coef, 0)
			continue
		}
		c := v.w[j]
		if j == v.left {
			c *= float64(v.n[j]-v.cut) / float64(v.n[j])
		}
		if r > 0.001*h {
			u := r / h
			u = 1 - float64(u*u*u)
			c *= float64(u * u * u)
		}
		coef = append(coef, c)
		all += c
	}
	if all <= 0 {
		return k, []float64{1}
	}
	for j := range coef {
		coef[j] /= all
		mean += float64(coef[j] * v.p[v.left+j])
	}
	var square float64
	for j := range coef {
		d := v.p[v.left+j] - mean
		square += float64(coef[j] * float64(d*d))
	}
	if math.Sqrt(square) > 0.001*spread { // else the slope is not determined
		for j := range coef {
			coef[j] *= float64((x-mean)/square*(v.p[v.left+j]-mean)) + 1
		}
	}
	return v.left, slices.Clip(coef)
}
