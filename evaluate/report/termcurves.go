// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
)

// The panels of the terms' curves, small multiples on one vertical scale.
const (
	panelColumns = 2
	panelWide    = 180
	panelTall    = 84
	panelDensity = 16 // under it: where the training rows lie
	panelStep    = panelTall + panelDensity + 46
	panelLevels  = 8 // the commonest levels
)

// curveFigure draws what each feature adds to the log-odds of churn, with its band
// and the density of the training rows.
func curveFigure(r *evaluate.Report) *figure {
	if len(r.Curves) == 0 {
		return nil
	}
	f := &figure{Title: "What the model reads from each feature, the strongest first", File: "curves",
		Note: "What a value adds to the log-odds of churn against the average account, its 90 % band, and, in grey below, where the " +
			"training rows lie. 0.7 doubles the odds. Association, not effect."}
	y := curveScale(r.Curves)
	ticks := y.round(4)
	lines := (len(r.Curves) + panelColumns - 1) / panelColumns
	c := newCanvas(plotWidth, float64(panelStep*lines), "")
	for i := range r.Curves {
		p := panel{c, &r.Curves[i], float64(plotLeft) + float64(i%panelColumns)*(panelWide+26), y}
		p.y.high = float64(panelStep*(i/panelColumns) + 22)
		p.y.low = p.y.high + panelTall
		for _, v := range ticks {
			c.line("grid", p.left, p.y.at(v), p.left+panelWide, p.y.at(v))
			if i%panelColumns == 0 {
				c.text("end", p.left-4, p.y.at(v)+4, fmt.Sprintf("%.3g", v))
			}
		}
		p.draw()
	}
	f.Picture = c.describe(f.Title + ". The table below has every value.")
	f.Columns = curveColumns(r.Curves)
	return f
}

// curveScale spans the effects where there are rows; bands may leave it.
func curveScale(curves []evaluate.Curve) scale {
	const few = 0.005 // of the rows
	var y scale
	for _, k := range curves {
		for _, p := range k.Points {
			if p.Share >= few {
				y.from, y.to = min(y.from, p.Effect.Estimate), max(y.to, p.Effect.Estimate)
			}
		}
	}
	return y
}

func curveColumns(curves []evaluate.Curve) []figureColumn {
	var names, values []string
	var effect, low, high, share []evaluate.Number
	for _, k := range curves {
		for _, p := range k.Points {
			names, values = append(names, k.Feature), append(values, p.Label())
			effect = append(effect, evaluate.Number(p.Effect.Estimate))
			low, high = append(low, evaluate.Number(p.Effect.Low)), append(high, evaluate.Number(p.Effect.High))
			share = append(share, evaluate.Number(p.Share))
		}
	}
	return []figureColumn{texts("feature", names), texts("value", values), numbers("log_odds", inFull, effect),
		numbers("low", inFull, low), numbers("high", inFull, high), numbers("rows", inPercent, share)}
}

// A panel draws one curve.
type panel struct {
	c    *canvas
	k    *evaluate.Curve
	left float64
	y    scale
}

func (p *panel) draw() {
	title := p.k.Label
	if title == "" {
		title = p.k.Feature
	}
	p.c.text("start", p.left, p.y.high-8, clip(title, 26))
	known, missing := p.k.Points, []predict.CurvePoint(nil)
	if n := len(known) - 1; known[n].Missing {
		known, missing = known[:n], known[n:]
	}
	right := p.left + panelWide
	if missing != nil { // a place of its own at the right
		right -= 26
		p.spot(right+14, 8, &missing[0])
	}
	if p.k.Level {
		p.levels(known, right)
	} else {
		p.line(known, right)
	}
}

// at keeps a value inside the panel.
func (p *panel) at(v float64) float64 { return min(max(p.y.at(v), p.y.high), p.y.low) }

// spot draws a single value with its band, and the share of the rows as a bar.
func (p *panel) spot(x, wide float64, at *predict.CurvePoint) {
	p.c.line("whisker s0", x, p.at(at.Effect.Low), x, p.at(at.Effect.High))
	p.c.circle("mark s0", x, p.at(at.Effect.Estimate), 3)
	p.bar(x-wide/2, wide, at.Share)
}

// bar draws a share of the rows, or a density, 0 to 1.
func (p *panel) bar(x, wide, part float64) {
	tall := panelDensity * part
	p.c.rect("density", x, p.y.low+4+panelDensity-tall, wide, tall)
}

// levels draws the commonest levels side by side.
func (p *panel) levels(points []predict.CurvePoint, right float64) {
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b predict.CurvePoint) int { return cmp.Compare(b.Share, a.Share) })
	points = points[:min(panelLevels, len(points))]
	step := (right - p.left) / float64(len(points))
	var names []string
	for i := range points {
		p.spot(p.left+(float64(i)+.5)*step, min(.7*step, 20), &points[i])
		names = append(names, points[i].Label())
	}
	p.c.text("start", p.left, p.y.low+panelDensity+18, clip(strings.Join(names, ", "), 26))
}

// line draws the curve of a number: its band, itself, and the density, bars whose
// areas are the shares of the rows.
func (p *panel) line(points []predict.CurvePoint, right float64) {
	along := func(x float64) float64 { return x }
	if p.k.Log {
		along = func(x float64) float64 { return math.Copysign(math.Log1p(math.Abs(x)), x) }
	}
	n := len(points)
	x := scale{along(points[0].At), along(points[n-1].At), p.left, right}
	if !(x.to > x.from) {
		x.to = x.from + 1
	}
	xs, ys, low, high := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	edges := make([]float64, n+1)
	edges[0], edges[n] = p.left, right
	for i, at := range points {
		xs[i], ys[i] = x.at(along(at.At)), p.at(at.Effect.Estimate)
		low[i], high[i] = p.at(at.Effect.Low), p.at(at.Effect.High)
		if i > 0 {
			edges[i] = x.at(along((points[i-1].At + at.At) / 2))
		}
	}
	most := 0.0
	density := make([]float64, n)
	for i := range density {
		density[i] = points[i].Share / max(edges[i+1]-edges[i], 1)
		most = max(most, density[i])
	}
	for i := range density {
		if most > 0 {
			p.bar(edges[i], max(edges[i+1]-edges[i], 1), density[i]/most)
		}
	}
	slices.Reverse(low)
	back := slices.Clone(xs)
	slices.Reverse(back)
	p.c.path("band", append(slices.Clone(xs), back...), append(high, low...))
	p.c.path("curve s0", xs, ys)
	p.c.text("start", p.left, p.y.low+panelDensity+18, clip(points[0].Label(), 12))
	last := clip(points[n-1].Label(), 12)
	if p.k.Unit != "" {
		last = clip(last+" "+p.k.Unit, 20)
	}
	p.c.text("end", right, p.y.low+panelDensity+18, last)
}
