// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// A plot is one figure over origins with the table of its values.
type plot struct {
	Title, Note string
	Picture     template.HTML
	Origins     []string
	Series      []series
	Joined      bool // by lines
	Format      func(float64) string
}

// Rows returns the values for the table below the plot, one row per origin.
func (p plot) Rows() [][]string {
	rows := make([][]string, len(p.Origins))
	for i, name := range p.Origins {
		rows[i] = []string{name}
		for _, s := range p.Series {
			text := dash
			if v := s.Values[i]; !math.IsNaN(v) {
				text = p.Format(v)
				if s.Low != nil && !math.IsNaN(s.Low[i]) {
					text += fmt.Sprintf(" (%s to %s)", p.Format(s.Low[i]), p.Format(s.High[i]))
				}
			}
			rows[i] = append(rows[i], text)
		}
	}
	return rows
}

// plots returns the plots over origins. The one of predictions needs a subject
// that was judged.
func plots(r *evaluate.Report, subject *evaluate.Scores) []plot {
	var names []string
	for _, o := range r.Origins {
		if o.Skipped == "" {
			names = append(names, o.Name)
		}
	}
	three := func(v float64) string { return fmt.Sprintf("%.3f", v) }
	short := func(v float64) string { return fmt.Sprintf("%.4g", v) }
	two := func(v float64) string { return fmt.Sprintf("%.2f", v) }
	percent := func(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }
	all := []plot{}
	add := func(p plot, o overOrigins) {
		if len(p.Series) == 0 {
			return
		}
		o.Origins, o.Series, o.Joined = names, p.Series, r.Design.Kind == evaluate.RollingOrigins
		o.Alt = p.Title + ". " + alt(names, p.Series, p.Format)
		p.Origins, p.Joined, p.Picture = names, o.Joined, o.draw()
		all = append(all, p)
	}
	if subject != nil {
		add(plot{
			Title:  "Mean prediction and observed rate should move together",
			Note:   "Rings mark where the mean prediction is more than 10 % off. Upright: 90 % intervals by account.",
			Series: predictedAndObserved(r, subject),
			Format: func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
		}, overOrigins{Label: "churn", Guide: math.NaN(), Zero: true, Format: percent})
	}
	add(plot{
		Title: "Log loss: below the base rate is better",
		Note:  "All lines move with the observed rate; the distance between them is what counts. Upright: 90 % intervals by account.",
		Series: withIntervals(perCandidate(r, func(m *evaluate.Metrics) evaluate.Number { return m.LogLoss }, true), subject,
			func(o *evaluate.OriginScores) evaluate.Interval { return o.LogLoss }),
		Format: func(v float64) string { return fmt.Sprintf("%.4f", v) },
	}, overOrigins{Label: "log loss", Guide: math.NaN(), Format: short})
	add(plot{
		Title: "AUC: how well churned and renewed are told apart",
		Note:  "The line at 0.5 is chance. Upright: 90 % intervals by account.",
		Series: withIntervals(perCandidate(r, func(m *evaluate.Metrics) evaluate.Number { return m.AUC }, false), subject,
			func(o *evaluate.OriginScores) evaluate.Interval { return o.AUC }),
		Format: three,
	}, overOrigins{Label: "AUC", Guide: 0.5, Format: two})
	return all
}

// withIntervals gives the subject's series its intervals.
func withIntervals(all []series, subject *evaluate.Scores, of func(*evaluate.OriginScores) evaluate.Interval) []series {
	for k := range all {
		if subject == nil || all[k].Name != subject.Name {
			continue
		}
		for i := range subject.Origins {
			v := of(&subject.Origins[i])
			all[k].Low, all[k].High = append(all[k].Low, float64(v.Low)), append(all[k].High, float64(v.High))
		}
	}
	return all
}

func predictedAndObserved(r *evaluate.Report, subject *evaluate.Scores) []series {
	predicted := series{Name: "predicted by " + subject.Name, Class: "s0", Marker: 0}
	observed := series{Name: "observed", Class: "observed", Marker: 1}
	for _, o := range subject.Origins {
		predicted.Values = append(predicted.Values, float64(o.Metrics.MeanP))
		predicted.Ringed = append(predicted.Ringed, o.Off)
		observed.Values = append(observed.Values, float64(o.Metrics.Rate))
		observed.Low, observed.High = append(observed.Low, float64(o.Rate.Low)), append(observed.High, float64(o.Rate.High))
	}
	return []series{predicted, observed}
}

// alt names first and last value of every series.
func alt(names []string, all []series, format func(float64) string) string {
	if len(names) == 0 {
		return "There are no origins."
	}
	var b strings.Builder
	last := len(names) - 1
	for _, s := range all {
		value := func(i int) string {
			if math.IsNaN(s.Values[i]) {
				return "undefined"
			}
			return format(s.Values[i])
		}
		if last == 0 {
			fmt.Fprintf(&b, "%s: %s at %s. ", s.Name, value(0), names[0])
		} else {
			fmt.Fprintf(&b, "%s: %s at %s, %s at %s. ", s.Name, value(0), names[0], value(last), names[last])
		}
	}
	b.WriteString("The table below has every value.")
	return b.String()
}
