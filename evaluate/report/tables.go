// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// dash stands where there is no figure.
const dash = "–"

// A metricRow is one line of the table of candidates.
type metricRow struct {
	Name, Hint string
	Cells      []cell
}

// A cell holds a figure and, below it, its interval.
type cell struct {
	Figure, Interval string
}

// A metricLine is a line of the table of candidates, with what to look for, and
// what stands below the figure.
type metricLine struct {
	name, hint string
	text       func(*evaluate.Metrics) string
	below      func(*evaluate.Scores) string
}

// mainLines are the lines below log loss that are shown at once, otherLines those
// that must be opened.
var mainLines = []metricLine{
	{"AUC", "ranking; 0.5 is chance, 1 perfect; mean over origins",
		func(m *evaluate.Metrics) string { return m.AUC.Fixed(3) },
		func(s *evaluate.Scores) string { return between(s.Intervals.AUC, 3) }},
	{"Recall at capacity", "share of churn in the top of the list that you can work on",
		func(m *evaluate.Metrics) string { return m.Recall.Percent() },
		func(s *evaluate.Scores) string { return percents(s.Intervals.Recall) }},
	{"Value recall at capacity", "the same of churned money", byValue(func(v *evaluate.ValueMetrics) string { return v.Recall.Percent() }),
		func(s *evaluate.Scores) string { return percents(s.Intervals.ValueRecall) }},
	{"Mean prediction", "to be compared with the observed rate, below it",
		func(m *evaluate.Metrics) string { return m.MeanP.Percent() },
		func(s *evaluate.Scores) string { return s.Pooled.Rate.Percent() + " churned" }},
	{"ICI", "mean distance from the observed rate, smoothed; below it, what a perfect model stays under, without and with shocks per origin",
		func(m *evaluate.Metrics) string { return m.ICI.Fixed(4) },
		func(s *evaluate.Scores) string { return noise(s.Perfect.ICI, s.Shocked.ICI) }},
	{"Renewal accuracy", "right calls at p = ½; below it what “everyone renews” (or churns) gets, and the skill beyond that",
		func(m *evaluate.Metrics) string { return m.Accuracy.Accuracy.Percent() },
		func(s *evaluate.Scores) string {
			a := s.Pooled.Accuracy
			return a.Majority.Percent() + ", skill " + a.Skill.Percent()
		}},
}

var otherLines = []metricLine{
	{"Brier score", "mean squared error; lower is better",
		func(m *evaluate.Metrics) string { return m.Brier.Fixed(4) },
		func(s *evaluate.Scores) string { return between(s.Intervals.Brier, 4) }},
	{"… miscalibration, discrimination", "Brier = the first − the second + uncertainty",
		func(m *evaluate.Metrics) string { return m.Parts.MCB.Fixed(4) + ", " + m.Parts.DSC.Fixed(4) }, nil},
	{"Average precision", "ranking of the churned; the observed rate is chance",
		func(m *evaluate.Metrics) string { return m.AP.Fixed(3) },
		func(s *evaluate.Scores) string { return between(s.Intervals.AP, 3) }},
	{"Lift, top tenth", "churn there against the average",
		func(m *evaluate.Metrics) string { return m.Lift.Fixed(2) },
		func(s *evaluate.Scores) string { return between(s.Intervals.Lift, 2) }},
	{"Observed : expected", "1 is right; above, more churned than predicted",
		func(m *evaluate.Metrics) string { return m.OE.Fixed(2) },
		func(s *evaluate.Scores) string { return between(s.Intervals.OE, 2) }},
	{"By value: observed : expected", "value lost : value expected to be lost", byValue(func(v *evaluate.ValueMetrics) string { return v.OE.Fixed(2) }), nil},
	{"… log loss, Brier score", "each row counts with its value",
		byValue(func(v *evaluate.ValueMetrics) string { return v.LogLoss.Fixed(4) + ", " + v.Brier.Fixed(4) }), nil},
	{"… AUC", "each row counts with its value", byValue(func(v *evaluate.ValueMetrics) string { return v.AUC.Fixed(3) }), nil},
	{"… recall at capacity, by value at risk", "rows ranked by p times value",
		byValue(func(v *evaluate.ValueMetrics) string { return v.RecallByRisk.Percent() }), nil},
	{"Calibration in the large", "0 is right; in log-odds",
		func(m *evaluate.Metrics) string { return m.InTheLarge.Fixed(3) },
		func(s *evaluate.Scores) string { return between(s.Intervals.InTheLarge, 3) }},
	{"Calibration intercept", "0 is right; beside the slope",
		func(m *evaluate.Metrics) string { return m.Intercept.Fixed(3) }, nil},
	{"Calibration slope", "1 is right; below, predictions are too extreme",
		func(m *evaluate.Metrics) string { return m.Slope.Fixed(3) },
		func(s *evaluate.Scores) string { return between(s.Intervals.Slope, 2) }},
	{"ECE", "mean distance from the observed rate in 10 bins; below it the same bounds as of ICI",
		func(m *evaluate.Metrics) string { return m.ECE.Fixed(4) },
		func(s *evaluate.Scores) string { return noise(s.Perfect.ECE, s.Shocked.ECE) }},
	{"E90", "nine tenths of rows are no further off; below it the same bounds",
		func(m *evaluate.Metrics) string { return m.E90.Fixed(4) },
		func(s *evaluate.Scores) string { return noise(s.Perfect.E90, s.Shocked.E90) }},
}

// byValue is the text of a figure that rows without a value do not have.
func byValue(text func(*evaluate.ValueMetrics) string) func(*evaluate.Metrics) string {
	return func(m *evaluate.Metrics) string {
		if m.Value == nil {
			return dash
		}
		return text(m.Value)
	}
}

func between(i evaluate.Interval, decimals int) string {
	if !i.Low.Defined() {
		return ""
	}
	return i.Low.Fixed(decimals) + " to " + i.High.Fixed(decimals)
}

func percents(i evaluate.Interval) string {
	if !i.Low.Defined() {
		return ""
	}
	return i.Low.Percent() + " to " + i.High.Percent()
}

func noise(perfect, shocked evaluate.Band) string {
	return "≤ " + perfect.High.Fixed(4) + ", " + shocked.High.Fixed(4)
}

// metricTable lists the pooled metrics that are shown at once, one column per
// candidate.
func metricTable(r *evaluate.Report) []metricRow {
	loss := metricRow{Name: "Log loss", Hint: "lower is better"}
	versus := metricRow{Name: "Difference to base rate",
		Hint: "of log loss, with its 90 % interval by account; below 0 is better"}
	ranking := metricRow{Name: "Difference to its own mean",
		Hint: "of each origin; below 0 it tells accounts apart"}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		figure := cell{Figure: "failed"}
		if c.Pooled != nil {
			figure.Figure = c.Pooled.LogLoss.Fixed(4)
		}
		loss.Cells = append(loss.Cells, figure)
		versus.Cells = append(versus.Cells, difference(c.VersusBase))
		ranking.Cells = append(ranking.Cells, difference(c.VersusOwnMean))
	}
	return append([]metricRow{loss, versus, ranking}, metricRows(r, mainLines)...)
}

// metricRows are the lines that any candidate has a figure for.
func metricRows(r *evaluate.Report, lines []metricLine) (rows []metricRow) {
	for _, line := range lines {
		row := metricRow{Name: line.name, Hint: line.hint}
		for i := range r.Candidates {
			at := cell{Figure: dash}
			if c := &r.Candidates[i]; c.Pooled != nil {
				at.Figure = line.text(c.Pooled)
				if line.below != nil && c.Intervals != nil && c.Perfect != nil {
					at.Interval = strings.ReplaceAll(line.below(c), " %", "\u00a0%") // never apart
				}
			}
			row.Cells = append(row.Cells, at)
		}
		if slices.ContainsFunc(row.Cells, func(c cell) bool { return c.Figure != dash }) {
			rows = append(rows, row)
		}
	}
	return rows
}

func difference(c *evaluate.Comparison) cell {
	if c == nil {
		return cell{Figure: dash}
	}
	return cell{c.LogLoss.Estimate.Signed(), c.LogLoss.Low.Signed() + " to " + c.LogLoss.High.Signed()}
}

// An originLine is one line of the table of origins, with the subject's mean
// prediction.
type originLine struct {
	evaluate.OriginRows
	MeanP evaluate.Number
	Off   bool
}

func originLines(r *evaluate.Report) []originLine {
	byName := map[string]*evaluate.OriginScores{}
	for i := range r.Candidates {
		if c := &r.Candidates[i]; c.Name == r.Subject {
			for k := range c.Origins {
				byName[c.Origins[k].Origin] = &c.Origins[k]
			}
		}
	}
	lines := make([]originLine, len(r.Origins))
	for i, o := range r.Origins {
		lines[i] = originLine{OriginRows: o, MeanP: evaluate.Number(math.NaN())}
		if s := byName[o.Name]; s != nil && s.Metrics != nil {
			lines[i].MeanP, lines[i].Off = s.Metrics.MeanP, s.Off
		}
	}
	return lines
}
