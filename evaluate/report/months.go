// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// revenueFigure draws, by due month, the value that was expected to leave and
// the value that left.
func revenueFigure(r *evaluate.Report) *figure {
	w := r.Forecast
	if w == nil || len(w.Months) == 0 {
		return nil
	}
	f := &figure{Title: "Revenue at risk, and what left: both bars as tall is right", File: "revenue",
		Note:  strings.TrimSpace("By due month. At risk is the sum of value times predicted probability of churn. " + w.Currency),
		Signs: []series{{Name: "at risk", Class: "s0", Marker: 1}, {Name: "left", Class: "s1", Marker: 1}}}
	const foot = plotTop + 180
	x := monthScale(len(w.Months))
	y := scale{from: 0, to: 0, low: foot, high: plotTop}
	var names []string
	var value, risk, lost []evaluate.Number
	for _, m := range w.Months {
		names = append(names, m.Month)
		value, risk, lost = append(value, m.Value), append(risk, m.AtRisk), append(lost, m.Lost)
		y.to = max(y.to, float64(m.AtRisk), float64(m.Lost))
	}
	ticks := y.round(4)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	c.yAxis(x, y, ticks, shortMoney, "value")
	c.monthAxis(x, names, foot)
	wide := min(24, 0.4*(x.at(1)-x.at(0)))
	for k := range names {
		at := x.at(float64(k) + 0.5)
		c.rect("bar s0", at-wide, y.at(float64(risk[k])), wide, foot-y.at(float64(risk[k])))
		c.rect("bar s1", at, y.at(float64(lost[k])), wide, foot-y.at(float64(lost[k])))
	}
	last := len(names) - 1
	money := func(v evaluate.Number) string { return evaluate.Money(v, w.Currency) }
	f.Picture = c.describe(fmt.Sprintf("%s. In %s, %s was at risk and %s left. The table below has every month.", f.Title, names[last], money(risk[last]), money(lost[last])))
	f.Columns = []figureColumn{texts("due", names), numbers("value", money, value), numbers("value_at_risk", money, risk), numbers("lost", money, lost)}
	return f
}

// forecastFigure draws gross retention by due month: forecast with its interval,
// and what came.
func forecastFigure(r *evaluate.Report) *figure {
	w := r.Forecast
	if w == nil || len(w.Months) == 0 {
		return nil
	}
	f := &figure{Title: "Retention: what was kept should lie inside the forecast", File: "forecast",
		Note: fmt.Sprintf("Gross revenue retention by due month. %d of %d months lie inside their 90 %% interval; mean error %s.",
			w.Covered, len(w.Months), w.Error.Percent()),
		Signs: []series{{Name: "forecast", Class: "s0", Marker: 0}, {Name: "actual", Class: "observed", Marker: 1}}}
	const foot = plotTop + 220
	x := monthScale(len(w.Months))
	y := scale{from: 1, to: 1, low: foot, high: plotTop}
	var names []string
	var was, nrrWas []evaluate.Number
	var grr, nrr []evaluate.Interval
	for _, m := range w.Months {
		names = append(names, m.Month)
		grr, was = append(grr, m.GRR), append(was, m.GRRWas)
		nrr, nrrWas = append(nrr, m.NRR), append(nrrWas, m.NRRWas)
		y.from = min(y.from, float64(m.GRR.Low), float64(m.GRRWas))
	}
	ticks := y.round(5)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	c.yAxis(x, y, ticks, share(1), "share of value kept")
	c.monthAxis(x, names, foot)
	for k := range names {
		at := x.at(float64(k) + 0.5)
		c.line("whisker s0", at-3, y.at(float64(grr[k].Low)), at-3, y.at(float64(grr[k].High)))
		c.marker("mark s0", 0, at-3, y.at(float64(grr[k].Estimate)))
		c.marker("mark observed", 1, at+3, y.at(float64(was[k])))
	}
	last := len(names) - 1
	f.Picture = c.describe(fmt.Sprintf("%s. In %s, %s was forecast and %s kept. The table below has every month.", f.Title, names[last],
		grr[last].Estimate.Percent(), was[last].Percent()))
	f.Columns = append([]figureColumn{texts("due", names)}, intervalColumns("grr", grr)...)
	f.Columns = append(f.Columns, numbers("grr_actual", inPercent, was))
	f.Columns = append(f.Columns, intervalColumns("nrr", nrr)...)
	f.Columns = append(f.Columns, numbers("nrr_actual", inPercent, nrrWas))
	return f
}

// intervalColumns are a forecast and the ends of its interval.
func intervalColumns(name string, all []evaluate.Interval) []figureColumn {
	var forecast, low, high []evaluate.Number
	for _, v := range all {
		forecast, low, high = append(forecast, v.Estimate), append(low, v.Low), append(high, v.High)
	}
	return []figureColumn{numbers(name+"_forecast", inPercent, forecast), numbers(name+"_low", inPercent, low), numbers(name+"_high", inPercent, high)}
}
