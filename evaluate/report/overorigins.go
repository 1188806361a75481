// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"html/template"
	"math"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// A series is one line of a plot over origins; values that are not defined
// leave gaps.
type series struct {
	Name   string
	Class  string // colour, from page.css
	Marker int
	Values []float64
	Low    []float64 // ends of intervals; may be nil
	High   []float64
	Ringed []bool // points to call attention to; may be nil
}

// Sign returns the series' marker for a legend of 26 by 12.
func (s series) Sign() template.HTML {
	var c canvas
	c.marker("mark "+s.Class, s.Marker, 13, 6)
	return template.HTML(c.String())
}

// overOrigins is a plot of one figure over the origins.
type overOrigins struct {
	Alt     string
	Label   string   // of the vertical axis
	Origins []string // names, in order
	Series  []series
	Guide   float64 // a horizontal line for comparison, NaN for none
	Format  func(float64) string
	Joined  bool // points are joined: the origins follow one another in time
	Zero    bool // the vertical axis starts at 0
}

// draw returns the plot.
func (o *overOrigins) draw() template.HTML {
	const foot = 250
	y := o.range_(scale{low: foot, high: plotTop})
	ticks := y.round(5)
	x := scale{0, float64(max(1, len(o.Origins)-1)), plotLeft + 18, plotWidth - plotRight - 18}
	if len(o.Origins) == 1 {
		x.from, x.to = -1, 1 // one point stands in the middle
	}
	c := newCanvas(plotWidth, foot+plotBottom, o.Alt)
	c.yAxis(scale{low: plotLeft, high: plotWidth - plotRight}, y, ticks, o.Format, o.Label)
	if !math.IsNaN(o.Guide) {
		c.line("guide", plotLeft, y.at(o.Guide), plotWidth-plotRight, y.at(o.Guide))
	}
	o.names(c, x, foot+18)
	// The first series is the subject and lies on top.
	for k := len(o.Series) - 1; k >= 0; k-- {
		o.line(c, &o.Series[k], x, y)
	}
	return c.done()
}

// range_ returns y with the range of all values.
func (o *overOrigins) range_(y scale) scale {
	y.from, y.to = math.Inf(1), math.Inf(-1)
	widen := func(v float64) {
		if !math.IsNaN(v) {
			y.from, y.to = min(y.from, v), max(y.to, v)
		}
	}
	for _, s := range o.Series {
		for _, values := range [][]float64{s.Values, s.Low, s.High} {
			for _, v := range values {
				widen(v)
			}
		}
	}
	widen(o.Guide)
	if o.Zero || y.from > y.to { // nothing to show at all still needs an axis
		y.from, y.to = 0, max(y.to, 0)
	}
	return y
}

// names writes the names of as many origins as fit side by side.
func (o *overOrigins) names(c *canvas, x scale, bottom float64) {
	const wide = 84 // of a date at the size of text, with a gap
	fit := max(1, int((plotWidth-plotLeft)/wide))
	every := (len(o.Origins) + fit - 1) / fit
	for i, name := range o.Origins {
		c.line("axis", x.at(float64(i)), bottom-18, x.at(float64(i)), bottom-14)
		if i%every == 0 {
			c.text("middle", x.at(float64(i)), bottom, name)
		}
	}
}

func (o *overOrigins) line(c *canvas, s *series, x, y scale) {
	xs, ys := make([]float64, len(s.Values)), make([]float64, len(s.Values))
	for i, v := range s.Values {
		xs[i], ys[i] = x.at(float64(i)), y.at(v)
	}
	if o.Joined {
		c.path("curve "+s.Class, xs, ys)
	}
	for i := range xs {
		if math.IsNaN(ys[i]) {
			continue
		}
		if s.Low != nil && !math.IsNaN(s.Low[i]) {
			c.line("whisker "+s.Class, xs[i], y.at(s.Low[i]), xs[i], y.at(s.High[i]))
		}
		if s.Ringed != nil && s.Ringed[i] {
			c.circle("ring", xs[i], ys[i], 8)
		}
		c.marker("mark "+s.Class, s.Marker, xs[i], ys[i])
	}
}

// perCandidate returns one series per candidate that has the figure anywhere,
// in the candidates' order; the base rate has a colour of its own.
func perCandidate(r *evaluate.Report, figure func(*evaluate.Metrics) evaluate.Number,
	withBase bool) []series {
	var all []series
	others := 0
	for i := range r.Candidates {
		c := &r.Candidates[i]
		s := series{Name: c.Name, Class: "base", Marker: 1}
		if c.Name != evaluate.BaseRateName {
			s.Class, s.Marker = fmt.Sprintf("s%d", others%7), []int{0, 2, 3}[others%3]
			others++
		} else if !withBase {
			continue
		}
		defined := 0
		for _, o := range c.Origins {
			v := math.NaN()
			if o.Metrics != nil {
				v = float64(figure(o.Metrics))
			}
			if s.Values = append(s.Values, v); !math.IsNaN(v) {
				defined++
			}
		}
		if defined > 0 {
			all = append(all, s)
		}
	}
	return all
}
