// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
)

// Sizes of every plot in user units, at which text of 12 is legible on a phone
// of 390 pixels and not coarse on a desktop.
const (
	plotWidth  = 440
	plotLeft   = 46 // room for the values of the vertical axis
	plotRight  = 18
	plotTop    = 28 // room for its label
	plotBottom = 34
)

// reliability draws the deciles' observed rate over their mean p, with the
// line on which both agree, and below it the histogram of p on the same axis.
func reliability(s *evaluate.Scores) template.HTML {
	const (
		square = plotWidth - plotLeft - plotRight // both axes have one scale, so that the line is a diagonal
		foot   = plotTop + square
		bars   = 70 // height of the histogram
		base   = foot + 52 + bars
		height = base + plotBottom
	)
	to := float64(s.Histogram.Width) * float64(len(s.Histogram.Rows))
	x := scale{0, to, plotLeft, plotWidth - plotRight}
	y := scale{0, to, foot, plotTop}
	ticks := (&scale{from: 0, to: to}).round(6)
	ticks = slices.DeleteFunc(ticks, func(v float64) bool { return v > to*(1+1e-9) })

	c := newCanvas(plotWidth, height, reliabilityAlt(s))
	c.yAxis(x, y, ticks, share(to), "observed churn rate")
	c.line("guide", x.at(0), y.at(0), x.at(to), y.at(to))
	for _, v := range ticks {
		c.text("middle", x.at(v), foot+16, share(to)(v))
	}
	if s.Perfect != nil && len(s.Perfect.Deciles) == len(s.Deciles) {
		for k, b := range s.Deciles {
			at, shocked, perfect := x.at(float64(b.MeanP)), s.Shocked.Deciles[k], s.Perfect.Deciles[k]
			c.line("shock", at, y.at(float64(shocked.Low)), at, y.at(min(float64(shocked.High), to)))
			c.line("noise", at, y.at(float64(perfect.Low)), at, y.at(min(float64(perfect.High), to)))
		}
	}
	var xs, ys []float64
	for _, b := range s.Deciles {
		xs = append(xs, x.at(float64(b.MeanP)))
		ys = append(ys, y.at(float64(b.Rate)))
	}
	c.path("curve s0", xs, ys)
	for i := range xs {
		c.marker("mark s0", 0, xs[i], ys[i])
	}
	c.histogram(s.Histogram, x, scale{0, float64(max(1, slices.Max(s.Histogram.Rows))), base, base - bars})
	c.xLabel(x, base+20, "predicted probability of churn")
	return c.done()
}

// histogram draws one bar per bin, with the count at the tallest.
func (c *canvas) histogram(h *evaluate.Histogram, x, y scale) {
	tallest := slices.Index(h.Rows, slices.Max(h.Rows))
	for k, n := range h.Rows {
		left, right := x.at(float64(h.Width)*float64(k)), x.at(float64(h.Width)*float64(k+1))
		if n > 0 {
			// A bin of one row must still be seen.
			tall := max(y.low-y.at(float64(n)), 1)
			c.rect("bar s0", left+0.5, y.low-tall, right-left-1, tall)
		}
		if k == tallest {
			anchor, at := "start", left
			if k >= len(h.Rows)/2 {
				anchor, at = "end", right
			}
			c.text(anchor, at, y.high-5, evaluate.Count(n)+" rows")
		}
	}
	c.line("axis", x.low, y.low, x.high, y.low)
	if h.Above > 0 {
		c.text("start", x.low, y.low+20, fmt.Sprintf("(%s beyond)", evaluate.Count(h.Above)))
	}
}

// histogramTable lists the rows of every bin, those above the last one at the end.
func histogramTable(h *evaluate.Histogram) *data.Table {
	var b tableBuilder
	for _, at := range bars(h) {
		b.number("from", at.From)
		b.number("to", at.To)
		b.whole("rows", at.Rows)
	}
	b.number("from", h.Width*evaluate.Number(len(h.Rows)))
	b.number("to", nan)
	b.whole("rows", h.Above)
	return b.named("histogram", "from")
}

// A bar is one bin of a histogram.
type bar struct {
	From, To evaluate.Number
	Rows     int
}

func bars(h *evaluate.Histogram) []bar {
	all := make([]bar, len(h.Rows))
	for k, n := range h.Rows {
		all[k] = bar{h.Width * evaluate.Number(k), h.Width * evaluate.Number(k+1), n}
	}
	return all
}

func reliabilityAlt(s *evaluate.Scores) string {
	low, high := s.Deciles[len(s.Deciles)-1], s.Deciles[0]
	return fmt.Sprintf("Reliability diagram of %s with %d points, one a decile of p. "+
		"The lowest: predicted %s, observed %s. The highest: predicted %s, observed %s. "+
		"Below it a histogram of the predictions.", s.Name, len(s.Deciles),
		low.MeanP.Percent(), low.Rate.Percent(), high.MeanP.Percent(), high.Rate.Percent())
}

// share writes a rate as a percentage, with the decimals that a range needs.
func share(to float64) func(float64) string {
	format := "%.0f %%"
	if to <= 0.05 {
		format = "%.1f %%"
	}
	return func(v float64) string { return fmt.Sprintf(format, 100*v) }
}
