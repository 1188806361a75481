// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
)

func featuresCommand(a *app) *cobra.Command {
	var asOf, maxAge, output, format string
	var history bool
	c := &cobra.Command{
		Use:   "features",
		Short: "write the feature frame: one row per snapshot",
		Long: `Builds the features of every account and term at one date (--as-of), or of
every snapshot of the whole history (--history, the default), each from what
was known at its snapshot.

Reads    the project's tables
Writes   the frame, as Parquet, CSV, JSON lines or Arrow by extension
Exits    0 ok; 2 configuration; 4 bad data, or no eligible snapshot`,
		Example: `  holdfast features --history -o frame.parquet
  holdfast features --as-of 2026-01-01 -o frame.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if history && asOf != "" {
				return usageError("--history and --as-of exclude each other")
			}
			if err := checkOutput(output, format, a.json); err != nil {
				return err
			}
			l, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			var t time.Time
			if asOf != "" {
				if t, err = l.asOf(asOf, maxAge); err != nil {
					return err
				}
			}
			b, err := a.build(cmd.Context(), l, &l.spec, t)
			if err != nil {
				return err
			}
			if len(b.Frame.Rows) == 0 && asOf == "" {
				return dataError("%s", b.Explain())
			}
			if err := a.writeTable(output, format, b.Frame.Table(l.sources.Location)); err != nil {
				return err
			}
			return a.showFeatures(output, len(b.Frame.Rows), len(b.Frame.Columns), b.Left)
		},
	}
	c.Flags().BoolVar(&history, "history", false, "every snapshot of the history (the default)")
	c.Flags().StringVar(&asOf, "as-of", "", "one date instead: every account and term running then")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVarP(&output, "output", "o", "", "file to write, or - for standard output")
	c.Flags().StringVar(&format, "format", "", "with -o -: arrow, csv or jsonl")
	return c
}

// showFeatures prints what a frame holds and what it does not. With -o - the
// table is the output, so nothing else goes there.
func (a *app) showFeatures(output string, rows, columns int, left []data.Count) error {
	a.progress.end()
	if output == "-" {
		return nil
	}
	if a.json {
		return a.printJSON(struct {
			Path     string       `json:"path"`
			Rows     int          `json:"rows"`
			Features int          `json:"features"`
			Left     []data.Count `json:"left_out"`
		}{output, rows, columns, left})
	}
	a.printf("%s: %d snapshots, %d features\n", output, rows, columns)
	for _, c := range left {
		a.printf("  left out: %d, %s\n", c.Rows, c.Reason)
	}
	return nil
}
