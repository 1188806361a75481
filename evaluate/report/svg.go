// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A canvas collects the shapes of one drawing. Colours and strokes come from
// classes of page.css, so that they follow dark mode and print.
type canvas struct {
	strings.Builder
}

// newCanvas starts a drawing of the given size in user units, which the page
// scales to the width it has. alt says in a sentence or two what it shows.
func newCanvas(width, height float64, alt string) *canvas {
	c := &canvas{}
	fmt.Fprintf(c, `<svg viewBox="0 0 %s %s" role="img" aria-label="%s">`, px(width), px(height),
		html.EscapeString(alt))
	return c
}

// done ends the drawing.
func (c *canvas) done() template.HTML {
	return template.HTML(c.String() + "</svg>")
}

// describe ends a drawing that was started without alternative text.
func (c *canvas) describe(alt string) template.HTML {
	return template.HTML(strings.Replace(string(c.done()), `aria-label=""`, `aria-label="`+html.EscapeString(alt)+`"`, 1))
}

// px writes a coordinate with one decimal; more would only take space.
func px(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, px(x1), px(y1), px(x2),
		px(y2))
}

func (c *canvas) rect(class string, x, y, width, height float64) {
	fmt.Fprintf(c, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, px(x), px(y),
		px(width), px(height))
}

func (c *canvas) circle(class string, x, y, r float64) {
	fmt.Fprintf(c, `<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, px(x), px(y), px(r))
}

// text writes s with its anchor (start, middle or end) at x and its baseline at y.
func (c *canvas) text(anchor string, x, y float64, s string) {
	fmt.Fprintf(c, `<text text-anchor="%s" x="%s" y="%s">%s</text>`, anchor, px(x), px(y),
		html.EscapeString(s))
}

// path joins the points by lines; a point that is not a number breaks it.
func (c *canvas) path(class string, xs, ys []float64) {
	var d strings.Builder
	pen := "M"
	for i := range xs {
		if math.IsNaN(xs[i]) || math.IsNaN(ys[i]) {
			pen = "M"
			continue
		}
		d.WriteString(pen + px(xs[i]) + " " + px(ys[i]))
		pen = "L"
	}
	if d.Len() > 0 {
		fmt.Fprintf(c, `<path class="%s" d="%s"/>`, class, d.String())
	}
}

// marker draws the sign of series k at a point. Series differ by shape as well
// as by colour.
func (c *canvas) marker(class string, k int, x, y float64) {
	const r = 4
	switch k % 4 {
	case 0:
		c.circle(class, x, y, r)
	case 1:
		c.rect(class, x-r, y-r, 2*r, 2*r)
	case 2:
		fmt.Fprintf(c, `<path class="%s" d="M%s %sl5 9h-10z"/>`, class, px(x), px(y-5))
	default:
		fmt.Fprintf(c, `<path class="%s" d="M%s %sl5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>`, class, px(x), px(y-5.5))
	}
}

// A scale maps values from..to to positions low..high, which may fall.
type scale struct {
	from, to, low, high float64
}

func (s scale) at(v float64) float64 {
	return s.low + (v-s.from)/(s.to-s.from)*(s.high-s.low)
}

// round widens a range to steps of 1, 2 or 5 times a power of ten, about n of
// them, and returns the steps' values. An empty range is given some width.
func (s *scale) round(n int) []float64 {
	if !(s.to > s.from) {
		pad := max(math.Abs(s.from)/10, 0.01)
		s.from, s.to = s.from-pad, s.to+pad
	}
	raw := (s.to - s.from) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw*(1-1e-9) {
			step *= m
			break
		}
	}
	// The slack keeps a value that lies on a step, but for rounding, there.
	first, last := math.Floor(s.from/step+1e-9), math.Ceil(s.to/step-1e-9)
	s.from, s.to = first*step, last*step
	var ticks []float64
	for k := first; k <= last; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}

// yAxis draws horizontal grid lines with their values and the axis label.
func (c *canvas) yAxis(x, y scale, ticks []float64, format func(float64) string, label string) {
	for _, v := range ticks {
		c.line("grid", x.low, y.at(v), x.high, y.at(v))
		c.text("end", x.low-6, y.at(v)+4, format(v))
	}
	c.text("start", 2, y.high-12, label)
}

// xLabel writes the label of the horizontal axis at its right end.
func (c *canvas) xLabel(x scale, bottom float64, label string) {
	c.text("end", x.high, bottom, label)
}
