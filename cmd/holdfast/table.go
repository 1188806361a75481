// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

// tableFlags are the flags of the ready-table forms of train, predict and
// evaluate.
type tableFlags struct {
	path     string
	label    string
	positive string
	id       string
	time     string
	drop     []string
	stages   string
}

func (t *tableFlags) register(c *cobra.Command, learns bool) {
	f := c.Flags()
	f.StringVar(&t.path, "table", "", "a ready Parquet table, one row per account; no project needed")
	f.StringVar(&t.id, "id", "", "column that identifies a row")
	if learns {
		f.StringVar(&t.label, "label", "", "column with the outcome: 0/1, true/false, or two values with --positive")
		f.StringVar(&t.positive, "positive", "", "value of the label that means churn")
		f.StringVar(&t.time, "time", "", "column with the row's time; splits then go by time")
		f.StringSliceVar(&t.drop, "drop", nil, "columns to leave out, separated by commas")
		f.StringVar(&t.stages, "stages", train.StagesAuto, "largest kind of model of a table: linear, splines, pairs or auto")
	}
}

// options says what the columns of the table are.
func (t *tableFlags) options() features.TableOptions {
	return features.TableOptions{Label: t.label, Positive: t.positive, ID: t.id, Time: t.time, Drop: t.drop}
}

// refuseAlone refuses table flags without --table.
func (t *tableFlags) refuseAlone() error {
	if t.label != "" || t.positive != "" || t.id != "" || t.time != "" || t.drop != nil {
		return usageError("--label, --positive, --id, --time and --drop go with --table")
	}
	return nil
}

// tableProject stands in for the project file that a ready table lacks.
func tableProject(tf tableFlags) *project {
	return &project{fit: train.Options{Stages: tf.stages}, timed: tf.time != ""}
}

// tableFrame reads a ready table and makes its frame: under the given spec, or
// under one made from the table's own columns.
func (a *app) tableFrame(tf tableFlags, spec *features.Spec) (*features.Frame, *features.Spec, *data.Table, error) {
	a.progress.begin("reading the table")
	t, err := data.Read(a.fsys, tf.path, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	o := tf.options()
	if spec == nil {
		if spec, err = features.TableSpec(t, o); err != nil {
			return nil, nil, nil, err
		}
	}
	f, err := features.TableFrame(t, spec, o)
	return f, spec, t, err
}

// labelled returns the rows of a ready table that have a label to learn from,
// and how many do not.
func labelled(f *features.Frame) (rows []int, without int) {
	rows = f.Where(func(r *features.Row) bool { return r.Y != features.Unknown })
	return rows, len(f.Rows) - len(rows)
}
