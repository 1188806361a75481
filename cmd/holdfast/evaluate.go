// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/evaluate/report"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func evaluateCommand(a *app) *cobra.Command {
	var output string
	var table tableFlags
	var compare bool
	c := &cobra.Command{
		Use:   "evaluate [--compare A B]",
		Short: "backtest the recipe out of time and write the report",
		Long: `Refits everything at each origin on what was mature then, predicts what came
next, and reports accuracy and calibration beside simple rules, golearn's tree
and naive Bayes, and the champion as it is. A ready table without a time column is cross-validated instead. Of a
project, 200 snapshots are first rebuilt without their future, with another one
and with events from the future planted: not a bit of a feature may change.

--compare sets model B beside model A: their recipes refitted at every origin,
the models as they are on what matured after both, and what becomes of today's
scores, split into the change of data and that of the model.

Reads    the project's tables; or one ready table (--table)
Writes   report.html, report.json, card.md, predictions.parquet and CSV files to the
         report folder; report.json also beside the model latest it speaks for
Exits    0 ok; 2 configuration; 4 bad data, no usable origin, or a proof that
         failed (the report is written and says which); 10 a table that is not
         there`,
		Example: `  holdfast evaluate
  holdfast evaluate -o reports/2026-01
  holdfast evaluate --compare champion latest
  holdfast evaluate --table churn.parquet --label churned -o report`,
		Args: func(_ *cobra.Command, args []string) error {
			if compare && len(args) != 2 {
				return fmt.Errorf("--compare: found %d models; expected two, each an id, the beginning of one, champion, latest or a file", len(args))
			}
			if !compare && len(args) > 0 {
				return fmt.Errorf("found %q; expected no arguments but those of --compare", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if compare {
				if table.path != "" {
					return usageError("--compare goes with a project, not with --table")
				}
				return a.compare(cmd.Context(), args, output)
			}
			if table.path != "" {
				if a.dir != "" {
					return usageError("-C goes with a project, not with --table")
				}
				r, err := a.evaluateTable(cmd.Context(), table)
				if err != nil {
					return err
				}
				text, err := r.Report.JSON()
				if err != nil {
					return err
				}
				return a.finishReport(r, text, orDefault(output, "report"))
			}
			if err := table.refuseAlone(); err != nil {
				return err
			}
			l, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			_, err = a.evaluate(cmd.Context(), l, output)
			return err
		},
	}
	c.Flags().BoolVar(&compare, "compare", false, "compare two models, named after it")
	c.Flags().StringVarP(&output, "output", "o", "", "report folder (default: reports/<id> in the project)")
	table.register(c, true)
	return c
}

// evaluate backtests a project, writes its report and attaches it to the model
// that was trained on the same data by the same recipe.
func (a *app) evaluate(ctx context.Context, l *loaded, output string) (*evaluate.Result, error) {
	b, err := a.buildHistory(ctx, l)
	if err != nil {
		return nil, err
	}
	suspects, err := a.refuseLeaks(b.Frame)
	if err != nil {
		return nil, err
	}
	o := a.backtestOptions()
	o.Origins, o.Project, o.Data = l.origins, l.name, l.history.Fingerprint()
	findings, err := data.Check(l.history, l.sources)
	if err != nil {
		return nil, err
	}
	o.DataFindings = append(findings, suspects...)
	proof, err := a.proveFeatures(ctx, l, b.Frame, proofSample)
	if err != nil {
		return nil, err
	}
	o.Leaks = &evaluate.Leaks{Features: proof.WithoutIDs()} // reports hold no ids
	champions, err := a.champions(ctx, l, b.Frame)
	if err != nil {
		return nil, err
	}
	if o.Curves, err = a.curves(l, b.Frame.SpecDigest); err != nil {
		return nil, err
	}
	work := &unfinished{a.fsys, filepath.Join(orDefault(output, filepath.Join(l.dir, "reports")), ".work")}
	o.Finished, o.Build, o.Capacity, o.Score = work, programDigest(), l.capacity, l.score
	r, err := evaluate.Backtest(ctx, b.Frame, append(a.candidates(l.project, &l.spec), champions...), o)
	if err != nil {
		return nil, err
	}
	text, err := r.Report.JSON()
	if err != nil {
		return nil, err
	}
	if output == "" {
		sum := sha256.Sum256(text)
		output = filepath.Join(l.dir, "reports", hex.EncodeToString(sum[:6]))
	}
	if err := a.finishReport(r, text, output); err != nil {
		return nil, err
	}
	if err := work.remove(); err != nil {
		return nil, err
	}
	if err := a.attachReport(l, r.Report, text); err != nil {
		return nil, err
	}
	return r, refuseLeak(o.Leaks.Failure()) // check --leaks names the account
}

// curves are those of the model that the report speaks for, if there is one.
func (a *app) curves(l *loaded, specDigest string) ([]evaluate.Curve, error) {
	m, _, err := a.spokenFor(l, specDigest)
	if m == nil || err != nil {
		return nil, err
	}
	return evaluate.Curves(m), nil
}

// spokenFor returns the model latest, if it was trained on the same data under
// the same spec as a report; nil otherwise.
func (a *app) spokenFor(l *loaded, specDigest string) (*predict.Model, string, error) {
	m, id, err := l.registry.Read(registry.Latest)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil, "", nil // nothing is trained yet
	case err != nil:
		return nil, "", err
	case m.Provenance.Data != l.history.Fingerprint() || m.Spec.Digest() != specDigest:
		return nil, "", nil
	}
	return m, id, nil
}

// evaluateTable cross-validates a ready table, or splits it by time where it
// has a time column.
func (a *app) evaluateTable(ctx context.Context, tf tableFlags) (*evaluate.Result, error) {
	if tf.label == "" {
		return nil, usageError("--label COLUMN is needed to evaluate on a table")
	}
	f, spec, t, err := a.tableFrame(tf, nil)
	if err != nil {
		return nil, err
	}
	suspects, err := a.refuseLeaks(f)
	if err != nil {
		return nil, err
	}
	o := a.backtestOptions()
	o.DataFindings = suspects
	o.Project, o.Data = filepath.Base(tf.path), data.Fingerprint(t)
	p := tableProject(tf)
	if tf.time != "" {
		r, err := evaluate.Backtest(ctx, f, a.candidates(p, spec), o)
		if err == nil {
			r.Report.Warnings = append(r.Report.Warnings, "a ready table does not say when outcomes were known: they are taken as known at the "+
				"row's time, so nothing could be purged; figures are too good if outcomes came later")
		}
		return r, err
	}
	return evaluate.CrossValidate(ctx, f, a.candidates(p, spec), o)
}

func (a *app) backtestOptions() evaluate.Options {
	return evaluate.Options{Seed: trainSeed, Workers: orDefault(a.workers, runtime.GOMAXPROCS(0)), Version: version,
		MaxMemory: a.eventBytes, Progress: func(done, total int, _ string) { a.progress.step("backtest", done, total) }}
}

// finishReport writes the report folder, text being the report's JSON, and
// prints its findings.
func (a *app) finishReport(r *evaluate.Result, text []byte, dir string) error {
	a.progress.begin("writing " + dir)
	if err := a.fsys.MkdirAll(dir); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	err := data.WriteFile(a.fsys, filepath.Join(dir, "report.html"), func(w io.Writer) error { return report.WriteHTML(w, r.Report) })
	if err == nil {
		err = data.WriteBytes(a.fsys, filepath.Join(dir, "report.json"), text)
	}
	if err == nil {
		err = data.WriteFile(a.fsys, filepath.Join(dir, "card.md"), func(w io.Writer) error { return report.WriteCard(w, r.Report) })
	}
	if err == nil {
		err = report.WriteCSV(a.fsys, dir, r.Report)
	}
	if err == nil {
		err = data.Write(a.fsys, filepath.Join(dir, "predictions.parquet"), r.Predictions)
	}
	if err != nil {
		return err
	}
	return a.showReport(r.Report, dir)
}

// attachReport puts the report beside the model latest, if that was trained on
// the same data under the same spec; its promotion is judged by it.
func (a *app) attachReport(l *loaded, r *evaluate.Report, text []byte) error {
	m, id, err := a.spokenFor(l, r.Provenance.SpecDigest)
	if m == nil || err != nil {
		return err
	}
	err = data.WriteBytes(a.fsys, filepath.Join(l.registry.Dir, id, "report.json"), text)
	if err == nil {
		err = data.WriteFile(a.fsys, filepath.Join(l.registry.Dir, id, "card.md"), func(w io.Writer) error { return report.WriteCard(w, r) })
	}
	return err
}

func (a *app) showReport(r *evaluate.Report, dir string) error {
	a.progress.end()
	if a.json {
		if err := a.printJSON(struct {
			Path string `json:"path"`
			*evaluate.Report
		}{dir, r}); err != nil {
			return err
		}
	}
	a.printf("%s\n\n", strings.Join(r.Verdict, " "))
	a.printf("  %-18s %9s %9s %9s %9s %10s %9s\n", "", "log loss", "Brier", "AUC", "ECE", "mean p", "observed")
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Pooled == nil {
			a.printf("  %-18s failed: %s\n", c.Name, c.Failure)
			continue
		}
		m := c.Pooled
		a.printf("  %-18s %9.4f %9.4f %9.3f %9.4f %8.2f %% %7.2f %%\n",
			c.Name, m.LogLoss, m.Brier, m.AUC, m.ECE, 100*m.MeanP, 100*m.Rate)
	}
	a.printf("\n")
	for _, w := range r.Warnings {
		a.warn("%s", w)
	}
	a.printf("report: %s\n", filepath.Join(dir, "report.html"))
	for i := range r.Candidates {
		if c := &r.Candidates[i]; c.Name == r.Subject && c.Failure != "" {
			return fmt.Errorf("the backtest of %s %s", c.Name, c.Failure)
		}
	}
	return nil
}
