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
)

func checkCommand(a *app) *cobra.Command {
	var output string
	var leaks bool
	var sample int
	c := &cobra.Command{
		Use:   "check",
		Short: "look for what is wrong with the data before they are learnt from",
		Long: `Reads every table of the project and reports rows that are left out and why,
duplicates, orphans, events before an account was created or outside its
contracts, tables that contradict each other, columns that may know the
outcome, how the terms ended, events and outcomes by month, how many snapshots
have a value of each feature, and what the matured outcomes are enough for.

With --leaks it proves on these data that nothing leaks from the future.
Snapshots are rebuilt with all that was not visible then taken out, made up
anew, and with events from the future planted: not a bit of a feature may
change. Then the recipe is refitted on outcomes shuffled within months, which
must show no skill, and on features seen from later instants, to show what a
careless join would seem to be worth. Facts without a valid-from are exempt and
named.

Reads    the project's tables
Writes   nothing; with -o DIR: check.html, check.json, and findings.csv,
         events.csv, coverage.csv and labels.csv with what the page shortens
Exits    0 ok, warnings included; 2 configuration; 4 a fatal finding, or a
         proof that failed; 10 a table that is not there`,
		Example: "  holdfast check\n  holdfast check -o checked\n  holdfast check --json\n  holdfast check --leaks --sample 1000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case sample < 1:
				return usageError("--sample %d: expected one snapshot or more", sample)
			case cmd.Flags().Changed("sample") && !leaks:
				return usageError("--sample goes with --leaks")
			case !leaks:
				sample = 0
			}
			l, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			r, err := a.check(cmd.Context(), l, sample)
			if err != nil {
				return err
			}
			if output != "" {
				if err := a.writeCheck(r.DataCheck, output); err != nil {
					return err
				}
			}
			return a.showCheck(r, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "folder for a page with plots and its tables")
	c.Flags().BoolVar(&leaks, "leaks", false, "prove that nothing leaks from the future; refits the recipe several times")
	c.Flags().IntVar(&sample, "sample", proofSample, "snapshots to rebuild, each of another account, with --leaks")
	return c
}

// A checked project is what check found of its data, and with --leaks the
// proofs that nothing leaks.
type checked struct {
	*evaluate.DataCheck
	Leaks *leakCheck `json:"leaks,omitempty"`
}

// check builds the features of the whole history and checks them and the
// tables. With a sample above 0 it also proves on so many snapshots that
// nothing leaks, where there is anything to learn from.
func (a *app) check(ctx context.Context, l *loaded, sample int) (*checked, error) {
	b, err := a.build(ctx, l, &l.spec, time.Time{})
	if err != nil {
		return nil, err
	}
	a.progress.begin("checking")
	r, err := evaluate.NewDataCheck(l.history, l.sources, &l.spec, b, a.workers)
	if err != nil {
		return nil, err
	}
	r.Project = l.name
	r.Add(suspectFindings(b.Frame)...)
	if l.file != "" && !data.CanLock(a.fsys, l.file) {
		r.Add(data.Finding{Severity: data.Warning, Check: "no_locks", Subject: l.file, Message: "this file system has no locks, so two writers could not be kept apart: " +
			"train, models and run will end with an error; put the project on another one"})
	}
	found := &checked{DataCheck: r}
	if sample > 0 && r.Rows > 0 {
		found.Leaks, err = a.proveLeaks(ctx, l, b.Frame, sample)
	}
	return found, err
}

// writeCheck writes the page, the JSON object and the tables into a folder.
func (a *app) writeCheck(r *evaluate.DataCheck, dir string) error {
	a.progress.begin("writing " + dir)
	if err := a.fsys.MkdirAll(dir); err != nil {
		return fmt.Errorf("writing the check: %w", err)
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	err = data.WriteFile(a.fsys, filepath.Join(dir, "check.html"),
		func(w io.Writer) error { return report.WriteCheckHTML(w, r) })
	if err == nil {
		err = data.WriteBytes(a.fsys, filepath.Join(dir, "check.json"), text)
	}
	if err == nil {
		err = report.WriteCheckCSV(a.fsys, dir, r)
	}
	return err
}

// showCheck prints the check, and ends the command where a finding is fatal.
func (a *app) showCheck(r *checked, dir string) error {
	a.progress.end()
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	}
	terms, ended := fmt.Sprintf(", %d terms", r.Terms), "how the terms ended"
	if r.Mode == features.Activity {
		terms, ended = "", "how the snapshots turned out"
	}
	a.printf("%s: %d accounts%s, newest event %s\n", r.Project, r.Accounts, terms, r.Newest)
	a.showFindings(r.Findings)
	a.printf("  %d snapshots are eligible\n", r.Rows)
	for _, c := range r.Left {
		a.printf("    left out: %d, %s\n", c.Rows, c.Reason)
	}
	a.showEvents(r.Survey)
	a.showCoverage(r.Coverage)
	a.printf("\n%s\n", ended)
	for _, c := range r.Outcomes {
		a.printf("  %7d of %d %s: %s\n", c.Rows, c.Of, c.Table, c.Reason)
	}
	a.showLabels(r.DataCheck)
	a.printf("\nenough to learn from?\n")
	for _, w := range r.Plan.Words {
		a.printf("  %s\n", w)
	}
	if dir != "" {
		a.printf("\npage: %s\n", filepath.Join(dir, "check.html"))
	}
	if r.Leaks != nil {
		a.showLeaks(r.Leaks)
	}
	if f := r.Fatal(); f != nil {
		return dataError("%s: %s", f.Subject, f.Message)
	}
	if r.Leaks != nil {
		return refuseLeak(r.Leaks.Failure)
	}
	return nil
}
