// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-churn/holdfast/predict"
)

// An Account is what the drawing of one account's score shows.
type Account struct {
	Title     string // who, and as of when
	Lead      string // the score in a sentence
	Trend     []TrendPoint
	Waterfall predict.Waterfall
}

// A TrendPoint is an account's health on a day, NaN where it had no score.
type TrendPoint struct {
	Date   string
	Days   int // before the as-of
	Health float64
}

// accountStyle stands in the drawing, which is a file of its own.
const accountStyle = `text{font:13px sans-serif;fill:#222}.title{font-weight:bold}.grid{stroke:#ddd}.axis{stroke:#888}` +
	`.trend{fill:none;stroke:#1f5a96;stroke-width:2}.dot{fill:#1f5a96}.risk{fill:#b3401f}.helps{fill:#2e7d4f}.part{opacity:.45}.link{stroke:#888;stroke-dasharray:2 2}`

// The layout of the drawing, in user units.
const (
	accountWidth = 760
	accountLeft  = 330 // of bars and of the trend
	trendTop     = 78
	trendFoot    = 190
	stepHeight   = 19
	stepsShown   = 2 // features of each pillar
)

// WriteAccountSVG draws the trend of an account's health and the steps from the
// base rate to its log-odds, pillar by pillar, as one SVG file that needs
// nothing else.
func WriteAccountSVG(w io.Writer, a *Account) error {
	steps := accountSteps(&a.Waterfall)
	top := float64(trendFoot + 60)
	height := top + stepHeight*float64(len(steps)) + 40
	c := newCanvas(accountWidth, height, a.Title+". "+a.Lead)
	c.text("start", 10, 24, a.Title)
	c.text("start", 10, 44, a.Lead)
	c.trend(a.Trend)
	c.text("start", 10, top-14, "From the base rate to this account, in log-odds of churn: red raises the risk, green lowers it")
	c.steps(steps, top)
	svg := strings.Replace(string(c.done()), "<svg ", `<svg xmlns="http://www.w3.org/2000/svg" `, 1)
	head := strings.Index(svg, ">") + 1
	_, err := fmt.Fprintf(w, "%s<style>%s</style>%s\n", svg[:head], accountStyle, svg[head:])
	return err
}

// trend draws health over time.
func (c *canvas) trend(points []TrendPoint) {
	c.text("start", 10, trendTop+4, "Health, 100 is healthy")
	if len(points) == 0 {
		return
	}
	longest := 1
	for _, p := range points {
		longest = max(longest, p.Days)
	}
	x := scale{from: -float64(longest), to: 0, low: accountLeft, high: accountWidth - 30}
	y := scale{from: 0, to: 100, low: trendFoot, high: trendTop}
	c.yAxis(x, y, []float64{0, 40, 60, 100}, func(v float64) string { return fmt.Sprintf("%.0f", v) }, "")
	var xs, ys []float64
	for _, p := range points {
		xs, ys = append(xs, x.at(-float64(p.Days))), append(ys, y.at(p.Health))
	}
	c.path("trend", xs, ys)
	for i, p := range points {
		if ys[i] == ys[i] {
			c.circle("dot", xs[i], ys[i], 3)
		}
		if i == 0 || i == len(points)-1 {
			c.text([]string{"start", "end"}[min(i, 1)], xs[i], trendFoot+18, p.Date)
		}
	}
}

// An accountStep is one bar: from where it begins to where it ends.
type accountStep struct {
	label    string
	from, to float64
	part     bool // of the pillar above
}

// accountSteps lays out the waterfall; features are drawn from where their
// pillar begins.
func accountSteps(w *predict.Waterfall) []accountStep {
	at := w.Base
	steps := []accountStep{{label: "average account", from: at, to: at + w.Average}}
	at += w.Average
	for _, p := range w.Pillars {
		steps = append(steps, accountStep{label: p.Name, from: at, to: at + p.Effect})
		part := at
		for _, f := range p.Features[:min(stepsShown, len(p.Features))] {
			steps = append(steps, accountStep{label: f.Label + ": " + f.Value, from: part, to: part + f.Effect, part: true})
			part += f.Effect
		}
		at += p.Effect
	}
	if w.Map != 0 {
		steps = append(steps, accountStep{label: "calibration map", from: at, to: at + w.Map})
	}
	return steps
}

// steps draws the bars below each other.
func (c *canvas) steps(steps []accountStep, top float64) {
	x := scale{from: steps[0].from, to: steps[0].from, low: accountLeft, high: accountWidth - 60}
	for _, s := range steps {
		x.from, x.to = min(x.from, s.from, s.to), max(x.to, s.from, s.to)
	}
	foot := top + stepHeight*float64(len(steps))
	for _, v := range x.round(5) {
		c.line("grid", x.at(v), top, x.at(v), foot)
		c.text("middle", x.at(v), foot+18, fmt.Sprintf("%.3g", v))
	}
	for i, s := range steps {
		y := top + stepHeight*float64(i)
		class, indent, thick := "risk", 10.0, float64(stepHeight-5)
		if s.to < s.from {
			class = "helps"
		}
		if s.part {
			class, indent, thick = class+" part", 26, stepHeight/3
		}
		c.text("start", indent, y+14, shortened(s.label, 46))
		c.rect(class, min(x.at(s.from), x.at(s.to)), y+(stepHeight-thick)/2, max(1, x.at(max(s.from, s.to))-x.at(min(s.from, s.to))), thick)
		c.text("start", max(x.at(s.from), x.at(s.to))+5, y+14, fmt.Sprintf("%+.2f", s.to-s.from))
	}
}

// shortened cuts a text that has no room.
func shortened(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
