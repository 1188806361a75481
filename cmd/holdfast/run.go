// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func runCommand(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run --as-of DATE",
		Short: "the scheduler's one call: check, predict and monitor, once for each date, model and input",
		Long: `Checks the data, scores every account at risk at the date, says what changed
since the run before, and whether the model still fits what it sees. A run of the same date, model and input files that is
already there is left as it is: the command may be called as often as a
scheduler likes. The folder of a date is put in place in one step; a run that
fails, or is killed, leaves the one before untouched.

With --retrain it first tests the champion on what matured since it was trained,
changes as little of it as it must (train --update), backtests what comes of it,
and promotes it if the gates let it. A refused challenger is no failure: the
champion stays and scores, and retrain.md says why.

Reads    the project's tables, a model, and the run before
Writes   runs/<date>/scores.parquet   as predict does
                     summary.html     the portfolio, as predict --summary shows it
                     changes.csv      accounts newly below 40 or newly at risk
                     monitor.html, monitor.json   drift and realised accuracy
                     retrain.md       with --retrain: the decision, on one page
                     run.json         inputs and outputs with their sha256, counts
         and with --metrics a file for Prometheus's textfile collector
Exits    0 ok, also where nothing was left to do; 2 configuration; 4 bad data;
         5 with --fail-on-drift: the run is complete, and the monitor raised an
         alarm; or a first model that the gates refuse;
         10 no such model, or none promoted yet; 11 another run is under way;
         12 a damaged model; 130, 143 interrupted`,
		Example: `  holdfast -C /srv/acme run --as-of 2026-01-31 --json
  holdfast run --as-of "$(date +%F)" --max-memory 2GB --metrics /var/lib/node_exporter/holdfast.prom`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.began = time.Now()
			r, err := a.run(cmd.Context(), &o)
			if err == nil && o.failOnDrift {
				err = r.drifted()
			}
			if o.metrics != "" {
				err = errors.Join(err, a.writeMetrics(o.metrics, r, exitCodeOf(cmd.Context(), a.orPartial(err)), time.Now()))
			}
			if r == nil {
				return err
			}
			return errors.Join(err, a.showRun(r))
		},
	}
	c.Flags().StringVar(&o.asOf, "as-of", "", "date whose midnight counts as now")
	c.Flags().StringVar(&o.maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVar(&o.ref, "model", registry.Champion, "model id, its beginning, champion, latest, or a file")
	c.Flags().StringVar(&o.metrics, "metrics", "", "file to write for Prometheus's textfile collector, such as holdfast.prom")
	c.Flags().BoolVar(&o.retrain, "retrain", false, "first bring the champion up to date, if the gates let it")
	c.Flags().BoolVar(&o.failOnDrift, "fail-on-drift", false, "exit with 5 where the monitor raises an alarm")
	return c
}

// errDrift is wrapped by the error of a run whose monitor raised an alarm.
var errDrift = errors.New("drift")

// drifted returns an error where the monitor raised an alarm.
func (r *runDone) drifted() error {
	if r.Monitor == nil || len(r.Monitor.Alarms) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; the run is complete, see %s", errDrift, strings.Join(r.Monitor.Alarms, "; "), filepath.Join(r.Path, monitorPageFile))
}

// runOptions are the flags of run.
type runOptions struct {
	asOf, maxAge, ref, metrics string
	retrain, failOnDrift       bool

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
	retrainFile  = "retrain.md"
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
	p, err := a.findProject()
	if err != nil {
		return nil, err
	}
	if o.retrain && o.ref != registry.Champion {
		return nil, usageError("--retrain brings the champion up to date; leave out --model %s", o.ref)
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
	r, err := a.runLocked(ctx, o, p)
	return r, errors.Join(err, lock.Release())
}

// runLocked does the run while no other one can.
func (a *app) runLocked(ctx context.Context, o *runOptions, p *project) (*runDone, error) {
	final := filepath.Join(p.dir, runsFolder, o.asOf)
	written := filepath.Join(p.dir, runsFolder, "."+o.asOf+".tmp")
	if err := data.RestoreFolder(a.fsys, written, final); err != nil {
		return nil, err
	}
	a.progress.begin("reading inputs")
	if err := a.screenFor(ctx, p, o.ref); err != nil {
		return nil, err
	}
	w := &working{old: a.readManifest(final), dir: written}
	if o.retrain {
		if err := a.retrainFirst(ctx, o, p, w); err != nil {
			return nil, err
		}
	}
	var err error
	if w.scorers, err = a.scorers(p, o.ref); err != nil {
		return nil, err
	}
	before, err := a.runBefore(filepath.Join(p.dir, runsFolder), o.asOf)
	if err != nil {
		return nil, err
	}
	a.progress.begin("reading inputs")
	m, err := a.newManifest(ctx, p, o.asOf, w.scorers, before)
	if err != nil {
		return nil, err
	}
	if w.old != nil && w.old.Key == m.Key && w.retrained == nil && a.intact(ctx, final, w.old) {
		return &runDone{Path: final, Repeated: true, manifest: *w.old}, nil
	}
	m.Timings.Inputs, m.Retrain = seconds(o.began), w.retrained
	if m.Retrain == nil && w.old != nil && o.retrain {
		m.Retrain = w.old.Retrain // decided already on the same inputs
	}
	if err := a.fsys.MkdirAll(written); err != nil {
		return nil, fmt.Errorf("making the folder of a run: %w", err)
	}
	err = a.fillRun(ctx, o, m, w, before)
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

// A working run is what is known of a run on its way.
type working struct {
	old       *manifest // of the run of the same date that is there
	dir       string    // where files are written
	scorers   []scorer
	retrained *retraining // nil where nothing was decided now
	page      string      // of it
}

// retrainFirst brings the champion up to date, unless that was decided on the
// same inputs before.
func (a *app) retrainFirst(ctx context.Context, o *runOptions, p *project, w *working) error {
	champion, id, err := a.championOf(p)
	if err != nil {
		return err
	}
	key, err := a.newManifest(ctx, p, o.asOf, nil, nil)
	if err != nil {
		return err
	}
	if w.old != nil && w.old.Retrain != nil && w.old.Retrain.Key == key.Key && w.old.Retrain.Now == id {
		return nil
	}
	var models []*predict.Model
	if champion != nil {
		models = append(models, champion)
	}
	l, t, err := a.loadAt(ctx, o.asOf, o.maxAge, models...)
	if err != nil {
		return err
	}
	defer l.history.Close()
	r, err := a.retrain(ctx, l, t, champion, id)
	if err != nil {
		return err
	}
	r.Key = key.Key
	to := champion
	if r.Challenger != "" {
		if to, _, err = l.registry.Read(r.Challenger); err != nil {
			return err
		}
	}
	w.retrained, w.page = r, r.page(o.asOf, [2]*predict.Model{champion, to})
	if to == champion {
		w.page = r.page(o.asOf, [2]*predict.Model{})
	}
	return nil
}

// fillRun checks, scores and compares, and writes the outputs into a folder.
func (a *app) fillRun(ctx context.Context, o *runOptions, m *manifest, w *working, before *runFolder) error {
	start, dir := time.Now(), w.dir
	l, t, err := a.loadAt(ctx, o.asOf, o.maxAge, modelsOf(w.scorers)...)
	if err != nil {
		return err
	}
	m.Data, m.Timings.Load = l.history.Fingerprint(), seconds(start)

	start = time.Now()
	survey, err := data.NewSurvey(l.history, a.workers)
	if err != nil {
		return err
	}
	m.Findings = survey.Check(l.history, l.sources)
	for i := range m.Findings {
		if f := &m.Findings[i]; f.Severity == data.Fatal {
			return dataError("%s: %s", f.Subject, f.Message)
		}
	}
	m.Timings.Check = seconds(start)

	start = time.Now()
	s, err := a.scoreAll(ctx, l, t, w.scorers)
	if err != nil {
		return err
	}
	m.count(s)
	if err := data.Write(a.fsys, filepath.Join(dir, scoresFile), s.table); err != nil {
		return err
	}
	m.Timings.Predict = seconds(start)

	start = time.Now()
	summary, err := a.summarise(l, t, m.ModelID, s.table)
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
	if err := data.Write(a.fsys, filepath.Join(dir, changesFile), changes); err != nil {
		return err
	}
	start = time.Now()
	if m.Monitor, err = a.watchRun(ctx, l, t, w, s.frame, survey); err != nil {
		return err
	}
	m.Timings.Monitor = seconds(start)
	if m.Retrain == nil {
		return nil
	}
	return a.writeRetrain(m, w)
}

// A runMonitor is what a run's manifest holds of monitor.json.
type runMonitor struct {
	Alarms []string `json:"alarms"`
	Words  []string `json:"words"`
}

// watchRun monitors the model of a run. One of which nothing says what it was
// fitted on, such as a scorecard made by hand, cannot be watched.
func (a *app) watchRun(ctx context.Context, l *loaded, t time.Time, w *working, now *features.Frame, survey *data.Survey) (*runMonitor, error) {
	a.progress.begin("monitor")
	r, err := a.watch(ctx, l, t, w.scorers[0].m, w.scorers[0].id, now, survey)
	if errors.Is(err, evaluate.ErrNoReference) {
		return &runMonitor{Alarms: []string{}, Words: []string{"The model is not watched: " + oneLine(err) + "."}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &runMonitor{Alarms: r.Alarms, Words: r.Words}, a.writeMonitor(r, w.dir)
}

// writeRetrain writes the page of a retraining: the one of now, or that of the
// run of the same date where all was decided before.
func (a *app) writeRetrain(m *manifest, w *working) error {
	if w.page == "" {
		w.page = m.Retrain.page(m.AsOf, [2]*predict.Model{})
	}
	return data.WriteBytes(a.fsys, filepath.Join(w.dir, retrainFile), []byte(w.page))
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
	a.showProfiles(r.Counts.Profiles)
	for _, k := range r.Counts.Money {
		if k.Renewals > 0 {
			a.printf("  money    %.0f of %.0f %s due is at risk; GRR %.1f %% (90 %% interval %.1f to %.1f)\n", k.AtRisk, k.Value,
				orDefault(k.Currency, "(no currency)"), 100*k.GRR.Mean, 100*k.GRR.P90.Low, 100*k.GRR.P90.High)
		}
	}
	if r.Retrain != nil {
		a.printf("  retrain  %s: %s\n", r.Retrain.Decision, r.Retrain.Reason)
	}
	since := "no run before it to compare with"
	if r.Before != nil {
		since = "since " + r.Before.AsOf
	}
	a.printf("  changes  %d accounts newly below 40 or at risk, %s\n", r.Counts.Changes, since)
	if r.Monitor != nil {
		for i, words := range r.Monitor.Words {
			a.printf("  %-8s %s\n", []string{"monitor", ""}[min(i, 1)], words)
		}
		for _, alarm := range r.Monitor.Alarms {
			a.warn("%s", alarm)
		}
	}
	for _, f := range r.Findings {
		if f.Severity == data.Warning {
			a.warn("%s: %s", f.Subject, f.Message)
		}
	}
	return nil
}
