// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

func featuresCommand(a *app) *cobra.Command {
	var asOf, maxAge, output, format string
	var history bool
	var engine engineFlags
	c := &cobra.Command{
		Use:   "features",
		Short: "write the feature frame: one row per snapshot",
		Long: `Builds the features of every account and term at one date (--as-of), or of
every snapshot of the whole history (--history, the default), each from what
was known at its snapshot. Past --max-memory events go to disk; the frame is
the same to the byte. With --engine spark a cluster does the work, and the file
is the same to the byte too; cmd/holdfast/SPARK.md has its set-up.

Reads    the project's tables
Writes   the frame, as Parquet, CSV, JSON lines or Arrow by extension
Exits    0 ok; 2 configuration; 4 bad data, or no eligible snapshot;
         10 a table that is not there; 12 what a cluster wrote is not whole`,
		Example: `  holdfast features --history -o frame.parquet
  holdfast features --as-of 2026-01-01 -o frame.csv
  holdfast features --history --max-memory 512MB -o frame.parquet`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if history && asOf != "" {
				return usageError("--history and --as-of exclude each other")
			}
			if err := errors.Join(checkOutput(output, format, a.json), engine.check(a, output)); err != nil {
				return err
			}
			if engine.engine == engineSpark {
				return a.sparkFeatures(cmd.Context(), &engine, frameRequest{asOf, maxAge, output, format})
			}
			// What lives long is blocks of records, which the collector passes over
			// at no cost: let it come sooner than at twice their size.
			defer debug.SetGCPercent(debug.SetGCPercent(70))
			l, err := a.loadForFrame(cmd.Context())
			if err != nil {
				return err
			}
			var t time.Time
			if asOf != "" {
				if t, err = l.asOf(asOf, maxAge); err != nil {
					return err
				}
			}
			b, rows, err := a.writeFeatures(cmd.Context(), l, t, output, format)
			if err != nil {
				return err
			}
			if rows == 0 {
				a.warn("no account is at risk at %s; %s is empty", asOf, output)
			}
			return a.showFeatures(output, rows, len(l.spec.Features), b.Left)
		},
	}
	c.Flags().BoolVar(&history, "history", false, "every snapshot of the history (the default)")
	c.Flags().StringVar(&asOf, "as-of", "", "one date instead: every account and term running then")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVarP(&output, "output", "o", "", "file to write, or - for standard output")
	c.Flags().StringVar(&format, "format", "", "with -o -: arrow, csv or jsonl")
	engine.register(c)
	return c
}

// writeFeatures writes the frame at t, or of the whole history if t is zero. A
// file but for Arrow's is written as the frame is made, part by part.
func (a *app) writeFeatures(ctx context.Context, l *loaded, t time.Time, output, format string) (b *features.Built, rows int, err error) {
	if output == "-" || ext(output) == ".arrow" {
		if b, err = a.build(ctx, l, &l.spec, t); err != nil {
			return nil, 0, err
		}
		if rows = len(b.Frame.Rows); rows == 0 && t.IsZero() {
			return nil, 0, dataError("%s", b.Explain())
		}
		return b, rows, a.writeTable(output, format, b.Frame.Table(l.sources.Location))
	}
	if err := a.fsys.MkdirAll(filepath.Dir(output)); err != nil {
		return nil, 0, fmt.Errorf("writing %s: %w", output, err)
	}
	var failed error // of making the frame, rather than of writing it
	err = data.StreamFile(a.fsys, output, func(w data.TableWriter) error {
		var writing error
		b, failed = features.BuildParts(ctx, l.history, &l.spec, a.buildOptions(t), func(f *features.Frame) error {
			rows += len(f.Rows)
			writing = w.Append(f.Table(l.sources.Location))
			return writing
		})
		if failed != nil {
			failed = l.placed(failed)
		}
		if failed == nil && rows == 0 && t.IsZero() {
			failed = dataError("%s", b.Explain())
		}
		if writing != nil {
			failed = nil
			return writing
		}
		return failed
	})
	if failed != nil {
		err = failed
	}
	return b, rows, err
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
