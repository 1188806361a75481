// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func runCommand(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run --as-of DATE",
		Short: "the scheduler's one call: check and predict, once for each date, model and input",
		Long: `Checks the data, scores every account at risk at the date, and says what changed
since the run before. A run of the same date, model and input files that is
already there is left as it is: the command may be called as often as a
scheduler likes. The folder of a date is put in place in one step; a run that
fails, or is killed, leaves the one before untouched.

Reads    the project's tables, a model, and the run before
Writes   runs/<date>/scores.parquet   as predict does
                     summary.html     the portfolio, as predict --summary shows it
                     changes.csv      accounts newly below 40 or newly at risk
                     run.json         inputs and outputs with their sha256, counts
         and with --metrics a file for Prometheus's textfile collector
Exits    0 ok, also where nothing was left to do; 2 configuration; 4 bad data;
         10 no such model, or none promoted yet; 11 another run is under way;
         12 a damaged model; 130, 143 interrupted`,
		Example: `  holdfast -C /srv/acme run --as-of 2026-01-31 --json
  holdfast run --as-of "$(date +%F)" --max-memory 2GB --metrics /var/lib/node_exporter/holdfast.prom`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.began = time.Now()
			r, err := a.run(cmd.Context(), &o)
			if o.metrics != "" {
				err = errors.Join(err, a.writeMetrics(o.metrics, r, exitCodeOf(cmd.Context(), err), time.Now()))
			}
			if err != nil {
				return err
			}
			return a.showRun(r)
		},
	}
	c.Flags().StringVar(&o.asOf, "as-of", "", "date whose midnight counts as now")
	c.Flags().StringVar(&o.maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVar(&o.ref, "model", registry.Champion, "model id, its beginning, champion, latest, or a file")
	c.Flags().StringVar(&o.metrics, "metrics", "", "file to write for Prometheus's textfile collector, such as holdfast.prom")
	return c
}

// runOptions are the flags of run.
type runOptions struct {
	asOf, maxAge, ref, metrics string

	began time.Time
}

// A runDone is what a run left, and whether it had been left before.
type runDone struct {
	Path     string `json:"path"`
	Repeated bool   `json:"repeated"` // the same had been done already
	manifest
}

// The files of a run's folder.
const (
	runsFolder   = "runs"
	scoresFile   = "scores.parquet"
	summaryFile  = "summary.html"
	changesFile  = "changes.csv"
	manifestFile = "run.json"
)

// run does a scheduler's run, unless it is done already.
func (a *app) run(ctx context.Context, o *runOptions) (*runDone, error) {
	if o.asOf == "" {
		return nil, usageError("--as-of DATE is needed: what a run is repeated for must not depend on the clock")
	}
	if _, err := time.Parse(time.DateOnly, o.asOf); err != nil {
		return nil, usageError("--as-of %q: expected a date such as 2026-01-31", o.asOf)
	}
	p, err := findProject(a.fsys, a.dir)
	if err != nil {
		return nil, err
	}
	model, id, err := a.findModel(p, o.ref)
	if err != nil {
		return nil, err
	}
	runs := filepath.Join(p.dir, runsFolder)
	if err := data.MakeFolder(a.fsys, runs); err != nil {
		return nil, fmt.Errorf("making the folder of runs: %w", err)
	}
	lock, err := data.Hold(a.fsys, filepath.Join(runs, ".lock"), holder(a.command), a.breakLock)
	if err != nil {
		return nil, err
	}
	if h := lock.After; h != nil {
		a.warn("process %d on %s did not end its run of %s; what it left is cleared away", h.PID, h.Host, h.Since.Format(time.RFC3339))
	}
	r, err := a.runLocked(ctx, o, p, model, id)
	return r, errors.Join(err, lock.Release())
}

// runLocked does the run while no other one can.
func (a *app) runLocked(ctx context.Context, o *runOptions, p *project, model *predict.Model, id string) (*runDone, error) {
	final := filepath.Join(p.dir, runsFolder, o.asOf)
	written := filepath.Join(p.dir, runsFolder, "."+o.asOf+".tmp")
	if err := data.RestoreFolder(a.fsys, written, final); err != nil {
		return nil, err
	}
	before, err := a.runBefore(filepath.Join(p.dir, runsFolder), o.asOf)
	if err != nil {
		return nil, err
	}
	a.progress.begin("reading inputs")
	m, err := a.newManifest(ctx, p, o.asOf, id, before)
	if err != nil {
		return nil, err
	}
	if old := a.readManifest(final); old != nil && old.Key == m.Key && a.intact(ctx, final, old) {
		return &runDone{Path: final, Repeated: true, manifest: *old}, nil
	}
	m.Timings.Inputs = seconds(o.began)
	if err := a.fsys.MkdirAll(written); err != nil {
		return nil, fmt.Errorf("making the folder of a run: %w", err)
	}
	err = a.fillRun(ctx, o, m, model, id, before, written)
	if err == nil {
		err = ctx.Err() // a signal that came late still undoes all of it
	}
	if err == nil {
		m.Timings.Total = seconds(o.began)
		err = a.writeManifest(ctx, written, m)
	}
	if err == nil {
		err = data.ReplaceFolder(a.fsys, written, final)
	}
	if err != nil {
		return nil, errors.Join(err, data.RemoveFolder(a.fsys, written))
	}
	return &runDone{Path: final, manifest: *m}, nil
}

// fillRun checks, scores and compares, and writes the outputs into a folder.
func (a *app) fillRun(ctx context.Context, o *runOptions, m *manifest, model *predict.Model, id string, before *runFolder, dir string) error {
	start := time.Now()
	l, t, err := a.loadAt(ctx, o.asOf, o.maxAge, model)
	if err != nil {
		return err
	}
	m.Data, m.Timings.Load = l.history.Fingerprint(), seconds(start)

	start = time.Now()
	if m.Findings, err = data.Check(l.history, l.sources); err != nil {
		return err
	}
	for i := range m.Findings {
		if f := &m.Findings[i]; f.Severity == data.Fatal {
			return dataError("%s: %s", f.Subject, f.Message)
		}
	}
	m.Timings.Check = seconds(start)

	start = time.Now()
	s, err := a.score(ctx, l, t, model, id)
	if err != nil {
		return err
	}
	m.count(s)
	if err := data.Write(a.fsys, filepath.Join(dir, scoresFile), s.table); err != nil {
		return err
	}
	m.Timings.Predict = seconds(start)

	start = time.Now()
	summary, err := a.summarise(l, t, id, s.table)
	if err != nil {
		return err
	}
	m.Counts.Money = summary.Money
	if err := a.summaryPage(filepath.Join(dir, summaryFile), l, summary); err != nil {
		return err
	}
	m.Timings.Summary = seconds(start)

	changes, err := a.changesSince(before, s.table, l.history.Show)
	if err != nil {
		return err
	}
	m.Counts.Changes = changes.Rows
	return data.Write(a.fsys, filepath.Join(dir, changesFile), changes)
}

// seconds returns the time since start, to the millisecond.
func seconds(start time.Time) float64 { return float64(time.Since(start).Milliseconds()) / 1000 }

// showRun prints what a run left.
func (a *app) showRun(r *runDone) error {
	a.progress.end()
	if a.json {
		return a.printJSON(r)
	}
	if r.Repeated {
		a.printf("%s: nothing to do; this date, model and input were run already\n", r.Path)
	} else {
		a.printf("%s: %d rows, model %s, %.1f s\n", r.Path, r.Counts.Rows, r.ModelID, r.Timings.Total)
	}
	a.printf("  status   %s\n", tallyText(r.Counts.Status))
	a.printf("  tiers    %s\n", tallyText(r.Counts.Tiers))
	for _, k := range r.Counts.Money {
		if k.Renewals > 0 {
			a.printf("  money    %.0f of %.0f %s due is at risk; GRR %.1f %% (90 %% interval %.1f to %.1f)\n", k.AtRisk, k.Value,
				orDefault(k.Currency, "(no currency)"), 100*k.GRR.Mean, 100*k.GRR.P90.Low, 100*k.GRR.P90.High)
		}
	}
	since := "no run before it to compare with"
	if r.Before != nil {
		since = "since " + r.Before.AsOf
	}
	a.printf("  changes  %d accounts newly below 40 or at risk, %s\n", r.Counts.Changes, since)
	for _, f := range r.Findings {
		if f.Severity == data.Warning {
			a.warn("%s: %s", f.Subject, f.Message)
		}
	}
	return nil
}
