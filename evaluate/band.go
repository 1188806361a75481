// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// bandLevel is how often a perfect model lies inside a band.
const bandLevel = 0.95

// Made-up outcomes are drawn up to mostDraws times per replicate and row in all,
// and in at least leastDrawn replicates.
const (
	mostDraws  = 100_000_000
	leastDrawn = 200
)

// A Band is where a figure lies in 95 % of all cases if the model is perfect.
// For figures that can only be too large, Low is 0.
type Band struct {
	Low  Number `json:"low"`
	Mean Number `json:"mean"`
	High Number `json:"high"`
}

// Inside reports whether a figure lies in the band.
func (b Band) Inside(x Number) bool { return x >= b.Low && x <= b.High }

// Bands holds the noise bands of the figures of calibration: what a perfect
// model, whose predictions are the true probabilities of the same rows, would
// show. One uniform number per renewal decides the outcome at all its
// snapshots, and weights are kept. To lie inside is reported, never demanded:
// bands shrink with the number of rows, and the drift of reality does not.
type Bands struct {
	Replicates int    `json:"replicates"`
	Shock      Number `json:"shock"` // SD of the common shock per origin, in log-odds; 0 in the first kind
	ECE        Band   `json:"ece"`
	ICI        Band   `json:"ici"`
	E90        Band   `json:"e90"`
	InTheLarge Band   `json:"calibration_in_the_large"`
	Slope      Band   `json:"calibration_slope"`
	OE         Band   `json:"observed_to_expected"`
	Deciles    []Band `json:"deciles"` // of the observed rate, highest p first
}

// bands returns the noise bands of a candidate: of a perfect model, and of one
// that is perfect but for a common shock s_o ~ N(0, shock²) to the log-odds of
// all rows of an origin.
func (t *pool) bands(p []float64, order []int, deciles []binSums, shock float64, o *Options) (perfect, shocked *Bands) {
	m := t.newBandMeter(p, order, deciles)
	n := min(o.replicates(), max(leastDrawn, mostDraws/max(len(p), 1)))
	var figures [2]bandFigures
	kinds := figures[:]
	if shock == 0 {
		kinds = figures[:1] // both bands are one
	}
	random := rand.New(rand.NewPCG(o.Seed, bandStream))
	u, odds := make([]float64, t.renewals), make([]float64, len(t.starts)-1)
	for range n {
		for k := range odds {
			odds[k] = math.Exp(float64(shock * random.NormFloat64()))
		}
		uniforms(u, random)
		m.draw(p, u, odds)
		for k := range kinds {
			m.measure(&kinds[k], m.drawn[k])
		}
	}
	perfect, shocked = figures[0].bands(), kinds[len(kinds)-1].bands()
	perfect.Replicates, shocked.Replicates, shocked.Shock = n, n, Number(shock)
	return perfect, shocked
}

// uniforms fills u with numbers of 32 random bits between 0 and 1, two of each
// draw: finer ones would decide no outcome otherwise.
func uniforms(u []float64, random *rand.Rand) {
	const step = 1.0 / (1 << 32)
	for k := 0; k < len(u); k += 2 {
		bits := random.Uint64()
		u[k] = (float64(bits>>32) + 0.5) * step
		if k+1 < len(u) {
			u[k+1] = (float64(bits&(1<<32-1)) + 0.5) * step
		}
	}
}

// bandStream keeps these draws apart from any other use of the same seed.
const bandStream = 0x62616e64

// A bandMeter measures made-up outcomes of the rows of one candidate.
type bandMeter struct {
	*pool
	run    []int32      // of each row
	runs   *runs        // of the rows, with their true outcomes
	drawn  [2][]float64 // churned weight of each run: perfect, and with shocks
	decile []int        // of each run, lowest p first
	width  []float64    // weight of each decile
	wp     []float64    // Σwp of each decile
	ici    *iciMeter
	line   *line
	y      []float64
	sample sample
}

func (t *pool) newBandMeter(p []float64, order []int, deciles []binSums) *bandMeter {
	r, of := runsOf(p, t.y, t.w, order)
	m := &bandMeter{pool: t, runs: r, run: make([]int32, len(p)), ici: newICI(r), line: newLine(r.p, 0, 1),
		y: make([]float64, len(r.p)), width: make([]float64, len(deciles)), wp: make([]float64, len(deciles))}
	for at, i := range order {
		m.run[i] = int32(of[at])
	}
	for k := range m.drawn {
		m.drawn[k] = make([]float64, len(r.p))
	}
	d, edge, below := 0, 0.0, 0.0
	if len(deciles) > 0 {
		edge = deciles[0].w
	}
	for k, w := range r.w {
		for below+w/2 > edge && d < len(deciles)-1 {
			d++
			edge += deciles[d].w
		}
		below += w
		m.decile = append(m.decile, d)
		m.width[d] += w
		m.wp[d] += float64(w * r.p[k])
	}
	m.sample.w = r.w
	return m
}

// draw makes up outcomes: churn where u < p, and with the odds of an origin
// multiplied by e^s, where u < p k / (1 - p + p k).
func (m *bandMeter) draw(p, u, odds []float64) {
	clear(m.drawn[0])
	clear(m.drawn[1])
	for i, pi := range p {
		ui, pk := u[m.renewal[i]], float64(pi*odds[m.origin[i]])
		if ui < pi {
			m.drawn[0][m.run[i]] += m.w[i]
		}
		if float64(ui*(1-pi+pk)) < pk {
			m.drawn[1][m.run[i]] += m.w[i]
		}
	}
}

// bandFigures collects the replicates of every figure.
type bandFigures struct {
	ece, ici, e90, large, slope, oe []float64
	deciles                         [][]float64
}

func (m *bandMeter) measure(f *bandFigures, wy []float64) {
	churned := make([]float64, len(m.width))
	var all, expected float64
	for k, v := range wy {
		m.y[k] = v / m.runs.w[k]
		churned[m.decile[k]] += v
		all += v
	}
	if f.deciles == nil {
		f.deciles = make([][]float64, len(m.width))
	}
	var ece float64
	for d := range churned {
		ece += math.Abs(churned[d] - m.wp[d])
		expected += m.wp[d]
		f.deciles[d] = append(f.deciles[d], churned[d]/m.width[d])
	}
	ici, e90 := m.ici.of(m.y)
	m.sample.wy = wy
	_, slope := m.line.step(&m.sample, true)
	large, _ := m.line.step(&m.sample, false)
	f.ece, f.ici, f.e90 = append(f.ece, ece/m.ici.total), append(f.ici, ici), append(f.e90, e90)
	f.large, f.slope, f.oe = append(f.large, large), append(f.slope, slope), append(f.oe, all/expected)
}

func (f *bandFigures) bands() *Bands {
	b := &Bands{ECE: upperBand(f.ece), ICI: upperBand(f.ici), E90: upperBand(f.e90),
		InTheLarge: bothBand(f.large), Slope: bothBand(f.slope), OE: bothBand(f.oe), Deciles: []Band{}}
	for _, d := range slices.Backward(f.deciles) {
		b.Deciles = append(b.Deciles, bothBand(d))
	}
	return b
}

// upperBand is the band of a figure that can only be too large.
func upperBand(x []float64) Band { return band(x, 0, bandLevel) }

func bothBand(x []float64) Band { return band(x, (1-bandLevel)/2, (1+bandLevel)/2) }

func band(x []float64, low, high float64) Band {
	nan := Number(math.NaN())
	x = slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	if len(x) < 2 {
		return Band{nan, nan, nan}
	}
	slices.Sort(x)
	b := Band{Mean: Number(sum(x) / float64(len(x))), High: Number(quantile(x, high))}
	if low > 0 {
		b.Low = Number(quantile(x, low))
	}
	return b
}

// shock returns the standard deviation of what all rows of an origin have in
// common, in log-odds: that of the origins' calibration in the large a_o beyond
// what chance explains. With v_o = 1 / Σ w p (1-p) the variance of a_o by
// chance, u_o = 1/v_o and ā the mean of a_o weighted by u_o,
//
//	τ² = max(0, (Σ u_o (a_o - ā)² - (k-1)) / (Σ u_o - Σ u_o² / Σ u_o))
//
// over the k origins that have both classes; fewer than 3 have no shock. Rows
// of one renewal are not independent: weights of 1/K make them count as one.
//
// Source: DerSimonian and Laird, Controlled Clinical Trials 7 (1986).
func (t *pool) shock(p []float64) float64 {
	var k, su, suu, sa, saa float64
	for o := range len(t.starts) - 1 {
		lo, hi := t.starts[o], t.starts[o+1]
		a := InTheLarge(p[lo:hi], t.y[lo:hi], t.w[lo:hi])
		if math.IsNaN(a) {
			continue
		}
		var u float64
		for i := lo; i < hi; i++ {
			q := predict.Sigmoid(logOddsOf(p[i]) + a)
			u += float64(t.w[i] * float64(q*(1-q)))
		}
		k++
		su += u
		suu += float64(u * u)
		sa += float64(u * a)
		saa += float64(u * float64(a*a))
	}
	if k < 3 {
		return 0
	}
	excess := saa - float64(sa*sa)/su - (k - 1)
	return math.Sqrt(max(0, excess/(su-suu/su)))
}
