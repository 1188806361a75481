// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"path/filepath"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
)

// WriteCSV writes the tables of the report into the folder dir, which must
// exist: metrics.csv (pooled), origins.csv (rows and metrics per origin and
// candidate, which are also the plots over origins), deciles.csv (which is also
// the reliability diagram), histogram.csv, gates.csv, shifts.csv, and one file
// for each other figure of the page. A figure that is not defined is an empty
// cell.
func WriteCSV(fsys data.FS, dir string, r *evaluate.Report) error {
	tables := []*data.Table{metricsTable(r), originsTable(r), decilesTable(r), gatesTable(r), shiftsTable(r)}
	for i := range r.Candidates {
		if c := &r.Candidates[i]; c.Name == r.Subject && c.Pooled != nil {
			tables = append(tables, histogramTable(c.Histogram))
			for _, f := range figures(r, c) {
				tables = append(tables, f.table())
			}
		}
	}
	for _, t := range tables {
		if err := data.Write(fsys, filepath.Join(dir, t.Name+".csv"), t); err != nil {
			return err
		}
	}
	return nil
}

// A tableBuilder collects a table row by row.
type tableBuilder struct {
	data.Table
}

// text, number and whole append a value to the column of that name; the first
// call makes it.

func (b *tableBuilder) text(name, value string) {
	c := b.column(name, data.Text)
	c.Codes = append(c.Codes, int32(len(c.Dict)))
	c.Dict = append(c.Dict, value)
}

func (b *tableBuilder) number(name string, value evaluate.Number) {
	c := b.column(name, data.Float)
	c.Floats = append(c.Floats, float64(value))
}

func (b *tableBuilder) whole(name string, value int) {
	c := b.column(name, data.Int)
	c.Ints = append(c.Ints, int64(value))
}

func (b *tableBuilder) column(name string, kind data.Kind) *data.Column {
	if c := b.Column(name); c != nil {
		return c
	}
	b.Columns = append(b.Columns, data.Column{Name: name, Kind: kind})
	return &b.Columns[len(b.Columns)-1]
}

// metrics appends every metric.
func (b *tableBuilder) metrics(m *evaluate.Metrics) {
	b.number("observed_rate", m.Rate)
	b.number("mean_p", m.MeanP)
	b.number("log_loss", m.LogLoss)
	b.number("brier", m.Brier)
	b.number("auc", m.AUC)
	b.number("ece", m.ECE)
	b.number("calibration_intercept", m.Intercept)
	b.number("calibration_slope", m.Slope)
	b.number("calibration_in_the_large", m.InTheLarge)
	b.number("observed_to_expected", m.OE)
	b.number("lift_top_decile", m.Lift)
	b.number("average_precision", m.AP)
	b.number("recall_at_capacity", m.Recall)
	b.number("ici", m.ICI)
	b.number("e90", m.E90)
	b.number("miscalibration", m.Parts.MCB)
	b.number("discrimination", m.Parts.DSC)
	b.number("uncertainty", m.Parts.UNC)
	b.number("renewal_accuracy", m.Accuracy.Accuracy)
	b.number("majority_accuracy", m.Accuracy.Majority)
	b.number("accuracy_skill", m.Accuracy.Skill)
	v := evaluate.ValueMetrics{Value: nan, LogLoss: nan, Brier: nan, AUC: nan, OE: nan, Recall: nan, RecallByRisk: nan}
	if m.Value != nil {
		v = *m.Value
	}
	b.number("value", v.Value)
	b.number("value_log_loss", v.LogLoss)
	b.number("value_brier", v.Brier)
	b.number("value_auc", v.AUC)
	b.number("value_observed_to_expected", v.OE)
	b.number("value_recall_at_capacity", v.Recall)
	b.number("value_recall_by_value_at_risk", v.RecallByRisk)
}

// interval appends the ends of an interval.
func (b *tableBuilder) interval(name string, i evaluate.Interval) {
	b.number(name+"_low", i.Low)
	b.number(name+"_high", i.High)
}

// uncertainty appends the intervals of the pooled metrics and the upper ends of
// the noise bands.
func (b *tableBuilder) uncertainty(c *evaluate.Scores) {
	undefined := evaluate.Interval{Low: nan, High: nan}
	v := evaluate.Intervals{LogLoss: undefined, Brier: undefined, AUC: undefined, AP: undefined, Recall: undefined, ValueRecall: undefined,
		Lift: undefined, OE: undefined, InTheLarge: undefined, Slope: undefined}
	if c.Intervals != nil {
		v = *c.Intervals
	}
	b.interval("log_loss", v.LogLoss)
	b.interval("brier", v.Brier)
	b.interval("auc", v.AUC)
	b.interval("average_precision", v.AP)
	b.interval("recall_at_capacity", v.Recall)
	b.interval("value_recall_at_capacity", v.ValueRecall)
	b.interval("lift_top_decile", v.Lift)
	b.interval("observed_to_expected", v.OE)
	b.interval("calibration_in_the_large", v.InTheLarge)
	b.interval("calibration_slope", v.Slope)
	unknown := evaluate.Band{High: nan}
	none := evaluate.Bands{ECE: unknown, ICI: unknown, E90: unknown}
	for k, band := range []*evaluate.Bands{c.Perfect, c.Shocked} {
		if band == nil {
			band = &none
		}
		name := []string{"_perfect_high", "_perfect_with_shock_high"}[k]
		b.number("ece"+name, band.ECE.High)
		b.number("ici"+name, band.ICI.High)
		b.number("e90"+name, band.E90.High)
	}
}

// nan is a figure that is not defined.
var nan = evaluate.Number(math.NaN())

// gatesTable lists the gates.
func gatesTable(r *evaluate.Report) *data.Table {
	var b tableBuilder
	for _, g := range r.Gates {
		pass := 0
		if g.Pass {
			pass = 1
		}
		b.text("gate", g.Name)
		b.whole("pass", pass)
		b.text("found", g.Figure)
		b.text("asked", g.Need)
		b.text("reason", g.Reason)
	}
	return b.named("gates", "gate")
}

// shiftsTable lists how far features moved.
func shiftsTable(r *evaluate.Report) *data.Table {
	var b tableBuilder
	for _, s := range r.Shifts {
		b.text("feature", s.Name)
		b.number("psi", s.PSI)
		b.number("chance_95", s.Chance)
		b.number("moved", s.Moved)
		b.text("size", string(s.Size))
		b.number("missing_before", s.Missing[0])
		b.number("missing_now", s.Missing[1])
		b.number("median_before", s.Median[0])
		b.number("median_now", s.Median[1])
	}
	return b.named("shifts", "feature")
}

// done returns the table under a name. A report without rows for it still has
// its first column.
func (b *tableBuilder) done(name string) *data.Table { return b.named(name, "candidate") }

// named is done for a table with another first column.
func (b *tableBuilder) named(name, first string) *data.Table {
	b.Name = name
	if len(b.Columns) == 0 {
		b.column(first, data.Text)
	}
	b.Rows = b.Columns[0].Len()
	return &b.Table
}

func metricsTable(r *evaluate.Report) *data.Table {
	var b tableBuilder
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Pooled == nil {
			continue
		}
		b.text("candidate", c.Name)
		b.whole("rows", c.Pooled.Rows)
		b.whole("churned", c.Pooled.Churned)
		b.metrics(c.Pooled)
		d := evaluate.Interval{Estimate: nan, Low: nan, High: nan}
		if c.VersusBase != nil {
			d = c.VersusBase.LogLoss
		}
		b.number("log_loss_difference", d.Estimate)
		b.interval("log_loss_difference", d)
		b.uncertainty(c)
	}
	return b.done("metrics")
}

func originsTable(r *evaluate.Report) *data.Table {
	rows := map[string]*evaluate.OriginRows{}
	for i := range r.Origins {
		rows[r.Origins[i].Name] = &r.Origins[i]
	}
	var b tableBuilder
	for i := range r.Candidates {
		for _, o := range r.Candidates[i].Origins {
			if o.Metrics == nil {
				continue
			}
			counts := rows[o.Origin]
			b.text("candidate", r.Candidates[i].Name)
			b.text("origin", o.Origin)
			b.whole("train_rows", counts.TrainRows)
			b.whole("train_churned", counts.TrainChurned)
			b.number("train_rate", counts.TrainRate)
			b.whole("purged", counts.Purged)
			b.whole("test_rows", counts.TestRows)
			b.whole("test_churned", counts.TestChurned)
			b.whole("censored", counts.Censored)
			b.metrics(o.Metrics)
			b.interval("log_loss", o.LogLoss)
			b.interval("auc", o.AUC)
			b.interval("observed_rate", o.Rate)
		}
	}
	return b.done("origins")
}

func decilesTable(r *evaluate.Report) *data.Table {
	var b tableBuilder
	for i := range r.Candidates {
		for k, d := range r.Candidates[i].Deciles {
			b.text("candidate", r.Candidates[i].Name)
			b.whole("decile", d.Decile)
			b.whole("rows", d.Rows)
			b.whole("churned", d.Churned)
			b.number("low_p", d.LowP)
			b.number("high_p", d.HighP)
			b.number("mean_p", d.MeanP)
			b.number("rate", d.Rate)
			b.number("lift", d.Lift)
			b.number("captured", d.Captured)
			perfect, shocked := evaluate.Band{Low: nan, High: nan}, evaluate.Band{Low: nan, High: nan}
			if p, s := r.Candidates[i].Perfect, r.Candidates[i].Shocked; p != nil && len(p.Deciles) == len(r.Candidates[i].Deciles) {
				perfect, shocked = p.Deciles[k], s.Deciles[k]
			}
			b.number("perfect_low", perfect.Low)
			b.number("perfect_high", perfect.High)
			b.number("perfect_with_shock_low", shocked.Low)
			b.number("perfect_with_shock_high", shocked.High)
		}
	}
	return b.done("deciles")
}
