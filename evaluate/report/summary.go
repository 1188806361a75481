// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed" // for summary.html
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
)

//go:embed summary.html
var summarySource string

var summaryTemplate = parsed("summary", summarySource, template.FuncMap{
	"money":   func(x float64) string { return evaluate.Count(int(x + 0.5)) },
	"percent": func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"health":  func(x float64) string { return fmt.Sprintf("%.0f", x) },
	"whole":   func(x *float64) string { return wholeOf(x) },
})

// A summaryPage is what summary.html is filled with.
type summaryPage struct {
	*predict.Summary
	Project string
	Policy  string
	Style   template.CSS
	Lead    string
	Figures []checkFigure
	Lists   []summaryList
}

type summaryList struct {
	Title, Words string
	Show         []string
	Reason       string // heading of the last column
	Entries      []summaryEntry
}

type summaryEntry struct {
	predict.Listed
	Why string
}

// ListWords says whom a list names, in words.
func ListWords(list predict.List) string {
	switch list {
	case predict.Support:
		return "who may leave, and why"
	case predict.Loyalty:
		return "whom to ask for a review or a referral, and what speaks for them"
	}
	return "who may grow, and what speaks for them"
}

// WriteSummaryHTML writes a summary of scores as one page that needs nothing
// else; see WriteHTML. Its size depends on the number of months, segments,
// currencies and listed rows.
func WriteSummaryHTML(w io.Writer, project string, s *predict.Summary) error {
	p := &summaryPage{Summary: s, Project: project, Policy: policy(), Style: template.CSS(style), Lead: summaryLead(s)}
	for _, m := range s.Money {
		if m.Renewals > 0 {
			p.Figures = append(p.Figures, dueFigure(s, m.Currency), retentionFigure(s, m.Currency))
		}
	}
	for _, list := range predict.Lists {
		l := summaryList{Title: strings.ToUpper(string(list[:1])) + string(list[1:]), Words: ListWords(list), Show: s.Show, Reason: "what helps"}
		if list == predict.Support {
			l.Reason = "first reason"
		}
		for _, e := range s.Lists[list] {
			why := e.Helps
			if list == predict.Support {
				why = e.Reason
			}
			l.Entries = append(l.Entries, summaryEntry{Listed: e, Why: why})
		}
		if len(l.Entries) > 0 {
			p.Lists = append(p.Lists, l)
		}
	}
	return summaryTemplate.Execute(w, p)
}

func summaryLead(s *predict.Summary) string {
	return fmt.Sprintf("As of %s, model %s: %s of %s rows have a probability; %s are at risk.", s.AsOf, s.ModelID,
		evaluate.Count(s.Scored), evaluate.Count(s.Rows), evaluate.Count(s.Tiers[0].Rows))
}

// monthsOf returns the months of one currency.
func monthsOf(s *predict.Summary, currency string) (months []predict.MonthLine, names []string) {
	for _, m := range s.Months {
		if m.Currency == currency {
			months, names = append(months, m), append(names, m.Month)
		}
	}
	return months, names
}

// dueFigure draws the value due by month, the part at risk below.
func dueFigure(s *predict.Summary, currency string) checkFigure {
	months, names := monthsOf(s, currency)
	f := checkFigure{Title: strings.TrimSpace("Value due by month " + currency),
		Note:   "Renewals with a probability, by the month in which they are due. At risk is the sum of value times probability of churn.",
		Legend: []checkKey{{"bar s1", "at risk"}, {"bar s0", "the rest"}},
		Head:   []string{"month", "renewals", "value", "at risk"}}
	most := 0.0
	for _, m := range months {
		most = max(most, m.Value)
	}
	const foot = 230
	x, y := monthScale(len(months)), scale{from: 0, to: most, low: foot, high: plotTop}
	ticks := y.round(4)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	c.yAxis(x, y, ticks, func(v float64) string { return shortMoney(v) }, "value")
	for i, m := range months {
		left, wide := x.at(float64(i))+1, x.at(1)-x.at(0)-2
		c.rect("bar s1", left, y.at(m.AtRisk), wide, foot-y.at(m.AtRisk))
		c.rect("bar s0", left, y.at(m.Value), wide, y.at(m.AtRisk)-y.at(m.Value))
		f.Rows = append(f.Rows, []string{m.Month, evaluate.Count(m.Renewals), evaluate.Count(int(m.Value + 0.5)), evaluate.Count(int(m.AtRisk + 0.5))})
	}
	c.monthAxis(x, names, foot)
	f.Picture = c.describe(f.Title + ". The table below has every value.")
	return f
}

// retentionFigure draws the forecast of gross retention with its intervals.
func retentionFigure(s *predict.Summary, currency string) checkFigure {
	months, names := monthsOf(s, currency)
	f := checkFigure{Title: strings.TrimSpace("Gross retention by month due " + currency),
		Note: fmt.Sprintf("Share of the value due that is kept: mean, and intervals that hold 50, 80 and 90 %% of simulated futures. "+
			"A quarter's common shock has a standard deviation of %.2f in log-odds, %s.", s.ShockSD, s.ShockFrom),
		Head: []string{"month", "GRR", "50 %", "80 %", "90 %", "NRR", "90 %"}}
	least := 1.0
	for _, m := range months {
		least = min(least, m.GRR.P90.Low)
	}
	const foot = 230
	x, y := monthScale(len(months)), scale{from: least, to: 1, low: foot, high: plotTop}
	ticks := y.round(4)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	c.yAxis(x, y, ticks, func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }, "GRR")
	between := func(r predict.Range) string { return fmt.Sprintf("%.1f to %.1f %%", 100*r.Low, 100*r.High) }
	for i, m := range months {
		at := x.at(float64(i) + 0.5)
		c.line("axis", at, y.at(m.GRR.P90.Low), at, y.at(m.GRR.P90.High))
		for _, r := range []predict.Range{m.GRR.P90, m.GRR.P80} {
			c.line("axis", at-5, y.at(r.Low), at+5, y.at(r.Low))
			c.line("axis", at-5, y.at(r.High), at+5, y.at(r.High))
		}
		c.rect("bar s0", at-4, y.at(m.GRR.P50.High), 8, max(1, y.at(m.GRR.P50.Low)-y.at(m.GRR.P50.High)))
		c.marker("mark s1", 0, at, y.at(m.GRR.Mean))
		f.Rows = append(f.Rows, []string{m.Month, fmt.Sprintf("%.1f %%", 100*m.GRR.Mean), between(m.GRR.P50), between(m.GRR.P80),
			between(m.GRR.P90), fmt.Sprintf("%.1f %%", 100*m.NRR.Mean), between(m.NRR.P90)})
	}
	c.monthAxis(x, names, foot)
	f.Picture = c.describe(f.Title + ". The table below has every value.")
	return f
}

// shortMoney writes an amount of an axis: 1.2M, 340k.
func shortMoney(v float64) string {
	switch {
	case v >= 1e6:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v/1e6), ".0") + "M"
	case v >= 1e3:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v/1e3), ".0") + "k"
	}
	return fmt.Sprintf("%.0f", v)
}

func wholeOf(x *float64) string {
	if x == nil {
		return dash
	}
	return evaluate.Count(int(*x + 0.5))
}
