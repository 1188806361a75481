// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// monthScale places n months side by side; month m lies from at(m) to at(m+1).
func monthScale(n int) scale {
	return scale{0, float64(max(1, n)), plotLeft, plotWidth - plotRight}
}

// monthAxis writes the names of as many months as fit, and of the last.
func (c *canvas) monthAxis(x scale, months []string, foot float64) {
	const wide = 62 // of a month at the size of text, with a gap
	every := (len(months)*wide + int(x.high-x.low) - 1) / int(x.high-x.low)
	c.line("axis", x.low, foot, x.high, foot)
	for i, name := range months {
		if every = max(every, 1); (len(months)-1-i)%every != 0 {
			continue
		}
		middle := x.at(float64(i) + 0.5)
		c.line("axis", middle, foot, middle, foot+4)
		c.text("middle", min(middle, plotWidth-24), foot+17, name)
	}
}

// eventFigure draws the events of each type by month, one row of bars a type,
// each on its own scale.
func eventFigure(d *evaluate.DataCheck) (f checkFigure, ok bool) {
	s := d.Survey
	if len(s.Types) == 0 {
		return f, false
	}
	types := slices.Clone(s.Types)
	slices.SortStableFunc(types, func(a, b data.TypeMonths) int { return cmp.Compare(b.Events, a.Events) })
	f.Title = "Gaps and jumps: a source that stopped or was loaded twice"
	f.Note = "Events by month, each type on its own scale; the figure is its busiest month."
	if n := len(types) - pageTypes; n > 0 {
		f.Rest, types = fmt.Sprintf("%d rarer types are in events.csv.", n), types[:pageTypes]
	}
	first := max(0, len(s.Months)-pageMonths)
	if first > 0 {
		f.Rest = strings.TrimSpace(f.Rest + fmt.Sprintf(" Months before %s are in events.csv.", s.Months[first]))
	}
	months := s.Months[first:]
	const row, tall, top = 50, 30, 4
	foot := float64(top + row*len(types))
	x := monthScale(len(months))
	alt := []string{f.Title + "."}
	c := newCanvas(plotWidth, foot+plotBottom, "")
	for k, t := range types {
		counts := t.ByMonth[first:]
		base, most := float64(top+row*(k+1)), slices.Max(counts)
		c.text("start", x.low, base-tall-6, t.Name())
		c.text("end", x.high, base-tall-6, evaluate.Count(most))
		y := scale{0, float64(max(1, most)), base, base - tall}
		c.line("grid", x.low, base, x.high, base)
		empty := 0
		for m, n := range counts {
			if n == 0 {
				empty++
				continue
			}
			height := max(y.low-y.at(float64(n)), 1) // one event must still be seen
			c.rect("bar s0", x.at(float64(m))+0.5, base-height, x.at(1)-x.at(0)-1, height)
		}
		alt = append(alt, fmt.Sprintf("%s: %s events, %d of %d months without any.",
			t.Name(), evaluate.Count(t.Events), empty, len(counts)))
	}
	c.monthAxis(x, months, foot)
	f.Picture = c.describe(strings.Join(alt, " ") + " The table below has every value.")
	f.Head = []string{"month"}
	for _, t := range types {
		f.Head = append(f.Head, t.Name())
	}
	for m, name := range months {
		cells := []string{name}
		for _, t := range types {
			cells = append(cells, evaluate.Count(t.ByMonth[first+m]))
		}
		f.Rows = append(f.Rows, cells)
	}
	return f, true
}

// labelFigure stacks the outcomes by month due.
func labelFigure(d *evaluate.DataCheck) (f checkFigure, ok bool) {
	if len(d.Labels) == 0 {
		return f, false
	}
	months := d.Labels[max(0, len(d.Labels)-pageMonths):]
	if n := len(d.Labels) - len(months); n > 0 {
		f.Rest = fmt.Sprintf("%d earlier months are in labels.csv.", n)
	}
	named := evaluate.NamesOf(d.Mode)
	kinds := []struct {
		checkKey
		of func(*features.LabelMonth) int
	}{
		{checkKey{"bar s1", "churned"}, func(m *features.LabelMonth) int { return m.Churned }},
		{checkKey{"bar s0", named.Kept}, func(m *features.LabelMonth) int { return m.Renewed }},
		{checkKey{"bar s4", "censored"}, func(m *features.LabelMonth) int { return m.Censored }},
		{checkKey{"bar base", "not mature"}, func(m *features.LabelMonth) int { return m.NotMature }},
	}
	f.Title = "Outcomes to learn from, by the month in which they were due"
	f.Note = "Each of the " + named.Unit + " once. Not mature: its outcome is still to come. Censored: it should be known, and is not."
	f.Head = []string{"month", "churned", named.Kept, "censored", "not mature", "churn"}
	const foot = 230
	names := make([]string, len(months))
	y := scale{low: foot, high: plotTop}
	for i, m := range months {
		names[i] = m.Month
		y.to = max(y.to, float64(m.Churned+m.Renewed+m.Censored+m.NotMature))
	}
	ticks := y.round(5)
	x := monthScale(len(months))
	alt := fmt.Sprintf("%s. In all %s churned, %s %s, %s censored, %s not mature. The table below has every month.",
		f.Title, evaluate.Count(d.Total.Churned), evaluate.Count(d.Total.Renewed), named.Kept,
		evaluate.Count(d.Total.Censored), evaluate.Count(d.Total.NotMature))
	c := newCanvas(plotWidth, foot+plotBottom, alt)
	c.yAxis(x, y, ticks, func(v float64) string { return evaluate.Count(int(v)) }, named.Unit)
	for i := range months {
		m, sum := &months[i], 0
		cells := []string{m.Month}
		for _, k := range kinds {
			n := k.of(m)
			cells = append(cells, evaluate.Count(n))
			if n > 0 {
				above := y.at(float64(sum + n))
				c.rect(k.Class, x.at(float64(i))+0.5, above, x.at(1)-x.at(0)-1, y.at(float64(sum))-above)
			}
			sum += n
		}
		f.Rows = append(f.Rows, append(cells, percentOf(m.Churned, m.Matured())))
	}
	c.monthAxis(x, names, foot)
	for _, k := range kinds {
		f.Legend = append(f.Legend, k.checkKey)
	}
	f.Picture = c.done()
	return f, true
}

// planFigure compares what has matured with what each need asks for.
func planFigure(d *evaluate.DataCheck) (f checkFigure, ok bool) {
	p, named := d.Plan, evaluate.NamesOf(d.Mode)
	f.Title = "Bars that reach the line: enough outcomes"
	f.Note = "Matured " + named.Unit + " as a share of what each aim needs (Riley et al. 2019 and 2020; the gates of promotion)."
	f.Legend = []checkKey{{"bar s1", "churned"}, {"bar s0", named.Kept}}
	f.Head = []string{"aim", "churned", "needed", named.Kept, "needed", "more churned", "by"}
	const row, thick, top, most = 58, 14, 6, 1.5
	foot := float64(top + row*len(p.Needs))
	x := scale{0, most, 12, plotWidth - plotRight}
	alt := []string{f.Title + "."}
	c := newCanvas(plotWidth, foot+plotBottom, "")
	for k, n := range p.Needs {
		at := float64(top + row*k)
		c.text("start", x.low, at+12, n.What)
		for i, have := range []struct{ n, of int }{{p.Churned, n.Churned}, {p.Renewed, n.Renewed}} {
			share, y := float64(have.n)/float64(max(have.of, 1)), at+18+float64(i)*(thick+2)
			c.rect(f.Legend[i].Class, x.low, y, max(x.at(min(share, most))-x.low, 1), thick)
		}
		alt = append(alt, fmt.Sprintf("%s: %s of %s churned, %s of %s %s.", n.What,
			evaluate.Count(p.Churned), evaluate.Count(n.Churned), evaluate.Count(p.Renewed), evaluate.Count(n.Renewed), named.Kept))
		by := dash
		if n.By != "" {
			by = n.By
		}
		f.Rows = append(f.Rows, []string{n.What, evaluate.Count(p.Churned), evaluate.Count(n.Churned), evaluate.Count(p.Renewed),
			evaluate.Count(n.Renewed), evaluate.Count(n.More), by})
	}
	c.text("start", x.low, foot+17, "0 %")
	c.text("middle", x.at(1), foot+17, "100 %")
	c.text("end", x.high, foot+17, "150 % and more")
	c.line("axis", x.low, foot, x.high, foot)
	c.line("axis", x.at(1), top, x.at(1), foot)
	f.Picture = c.describe(strings.Join(alt, " "))
	return f, true
}
