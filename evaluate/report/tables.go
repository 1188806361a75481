// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"

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

// metricLines are the lines below log loss, with what to look for.
var metricLines = []struct {
	name, hint string
	text       func(*evaluate.Metrics) string
}{
	{"Brier score", "mean squared error; lower is better",
		func(m *evaluate.Metrics) string { return m.Brier.Fixed(4) }},
	{"AUC", "ranking; 0.5 is chance, 1 perfect; mean over origins",
		func(m *evaluate.Metrics) string { return m.AUC.Fixed(3) }},
	{"Lift, top tenth", "churn there against the average",
		func(m *evaluate.Metrics) string { return m.Lift.Fixed(2) }},
	{"Mean prediction", "to be compared with the next line",
		func(m *evaluate.Metrics) string { return m.MeanP.Percent() }},
	{"Observed rate", "share that churned", func(m *evaluate.Metrics) string { return m.Rate.Percent() }},
	{"Observed : expected", "1 is right; above, more churned than predicted",
		func(m *evaluate.Metrics) string { return m.OE.Fixed(2) }},
	{"Calibration in the large", "0 is right; in log-odds",
		func(m *evaluate.Metrics) string { return m.InTheLarge.Fixed(3) }},
	{"Calibration intercept", "0 is right; beside the slope",
		func(m *evaluate.Metrics) string { return m.Intercept.Fixed(3) }},
	{"Calibration slope", "1 is right; below, predictions are too extreme",
		func(m *evaluate.Metrics) string { return m.Slope.Fixed(3) }},
	{"ECE", "mean distance from the observed rate; lower is better",
		func(m *evaluate.Metrics) string { return m.ECE.Fixed(4) }},
}

// metricTable lists the pooled metrics, one column per candidate.
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
	rows := []metricRow{loss, versus, ranking}
	for _, line := range metricLines {
		row := metricRow{Name: line.name, Hint: line.hint}
		for i := range r.Candidates {
			text := dash
			if m := r.Candidates[i].Pooled; m != nil {
				text = line.text(m)
			}
			row.Cells = append(row.Cells, cell{Figure: text})
		}
		rows = append(rows, row)
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
