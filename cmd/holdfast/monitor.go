// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/evaluate/report"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func monitorCommand(a *app) *cobra.Command {
	var asOf, maxAge, ref, output string
	c := &cobra.Command{
		Use:   "monitor",
		Short: "watch a model: drift, expected and realised accuracy at a date",
		Long: `Compares what the model sees at a date with what it was trained on, feature by
feature and in its scores, each beside what chance allows; names sources that
have fallen silent, for one segment or all; states the accuracy
that its probabilities expect of themselves, which needs no outcome; and sets
beside it what became of the scores since the model was fitted.

Reads    the project's tables and models/
Writes   monitor.html, monitor.json and metrics.prom (for a node exporter) to
         the monitor folder
Exits    0 ok, alarms included; 2 configuration; 4 bad data; 10 no such model;
         12 a damaged model`,
		Example: "  holdfast monitor --as-of 2026-07-01\n  holdfast monitor --model 3f2a -o watch",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.findProject()
			if err != nil {
				return err
			}
			m, id, err := a.findModel(p, orDefault(ref, registry.Champion))
			if err != nil {
				return err
			}
			l, t, err := a.loadAt(cmd.Context(), asOf, maxAge, m)
			if err != nil {
				return err
			}
			_, err = a.monitor(cmd.Context(), l, t, m, id, output)
			return err
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "date whose midnight counts as now (default: midnight after the newest event)")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVar(&ref, "model", "", "model id, its beginning, champion, latest, or a file (default: champion)")
	c.Flags().StringVarP(&output, "output", "o", "", "folder to write to (default: monitor/<as-of> in the project)")
	return c
}

// monitor watches a model, for which the project was loaded, writes what it
// found and prints it.
func (a *app) monitor(ctx context.Context, l *loaded, asOf time.Time, m *predict.Model, id, output string) (*evaluate.Monitor, error) {
	if err := sameRules(&m.Spec, &l.spec); err != nil {
		return nil, err
	}
	now, err := a.build(ctx, l, &m.Spec, asOf)
	if err != nil {
		return nil, err
	}
	survey, err := data.NewSurvey(l.history, a.workers)
	if err != nil {
		return nil, err
	}
	r, err := a.watch(ctx, l, asOf, m, id, now.Frame, survey)
	if err != nil {
		return nil, err
	}
	dir := orDefault(output, filepath.Join(l.dir, "monitor", r.AsOf))
	if err := a.fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("writing to the monitor folder: %w", err)
	}
	if err := a.writeMonitor(r, dir); err != nil {
		return nil, err
	}
	if err := data.WriteFile(a.fsys, filepath.Join(dir, "metrics.prom"), r.WriteMetrics); err != nil {
		return nil, err
	}
	return r, a.showMonitor(r, dir)
}

// watchedAccounts is how many accounts' past is looked at, at most: enough for
// bands far below any drift that matters, and a part of the time.
const watchedAccounts = 20_000

// watch compares a model's past with the frame now of asOf, and names what the
// survey of all events finds silent.
func (a *app) watch(ctx context.Context, l *loaded, asOf time.Time, m *predict.Model, id string, now *features.Frame, survey *data.Survey) (*evaluate.Monitor, error) {
	o := a.buildOptions(time.Time{})
	o.Every = max(1, (len(l.history.Accounts)+watchedAccounts-1)/watchedAccounts)
	past, err := features.Build(ctx, l.history, &m.Spec, o)
	if err != nil {
		return nil, err
	}
	dates, err := evaluate.ReferenceDates(m, past.Frame, l.sources.Location)
	if err != nil {
		return nil, err
	}
	f := evaluate.Watched{History: past.Frame, Before: past.Frame.Select(nil), Now: now}
	if n := len(dates); n > 0 {
		o.Earlier, o.AsOf, o.OnlyScored = dates[:n-1], dates[n-1], true
		before, err := features.Build(ctx, l.history, &m.Spec, o)
		if err != nil {
			return nil, err
		}
		f.Before = before.Frame
	}
	return evaluate.NewMonitor(m, f, evaluate.MonitorOptions{Project: l.name, Model: id, AsOf: asOf,
		Location: l.sources.Location, Seed: trainSeed, Every: o.Every, Silences: survey.Silences})
}

// The files of a monitor.
const (
	monitorFile     = "monitor.json"
	monitorPageFile = "monitor.html"
)

// writeMonitor writes a monitor as JSON and as a page.
func (a *app) writeMonitor(r *evaluate.Monitor, dir string) error {
	text, err := r.JSON()
	if err != nil {
		return err
	}
	if err := data.WriteBytes(a.fsys, filepath.Join(dir, monitorFile), text); err != nil {
		return err
	}
	return data.WriteFile(a.fsys, filepath.Join(dir, monitorPageFile), func(w io.Writer) error { return report.WriteMonitorHTML(w, r) })
}

func (a *app) showMonitor(r *evaluate.Monitor, dir string) error {
	a.progress.end()
	if a.json {
		return a.printJSON(struct {
			Path string `json:"path"`
			*evaluate.Monitor
		}{dir, r})
	}
	for _, alarm := range r.Alarms {
		a.warn("%s", alarm)
	}
	for _, words := range r.Words {
		a.printf("%s\n", words)
	}
	a.printf("\n  %-40s %8s %12s %8s  %s\n", "moved most", "PSI", "chance up to", "moved", "size")
	for _, s := range r.Features[:min(5, len(r.Features))] {
		a.printf("  %-40s %8s %12s %8s  %s\n", s.Name, s.PSI.Fixed(3), s.Chance.Fixed(3), s.Moved.Percent(), s.Size)
	}
	a.printf("monitor: %s\n", filepath.Join(dir, monitorPageFile))
	return nil
}
