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
)

func checkCommand(a *app) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "check",
		Short: "look for what is wrong with the data before they are learnt from",
		Long: `Reads every table of the project and reports rows that are left out and why,
duplicates, orphans, events before an account was created or outside its
contracts, tables that contradict each other, columns that may know the
outcome, how the terms ended, events and outcomes by month, how many snapshots have a value of each
feature, and what the matured outcomes are enough for.

Reads    the project's tables
Writes   nothing; with -o DIR: check.html, check.json, and findings.csv,
         events.csv, coverage.csv and labels.csv with what the page shortens
Exits    0 ok, warnings included; 2 configuration; 4 a fatal finding`,
		Example: "  holdfast check\n  holdfast check -o checked\n  holdfast check --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			r, err := a.check(cmd.Context(), l)
			if err != nil {
				return err
			}
			if output != "" {
				if err := a.writeCheck(r, output); err != nil {
					return err
				}
			}
			return a.showCheck(r, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "folder for a page with plots and its tables")
	return c
}

// check builds the features of the whole history and checks them and the
// tables.
func (a *app) check(ctx context.Context, l *loaded) (*evaluate.DataCheck, error) {
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
	return r, nil
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
	err = data.WriteFile(a.fsys, filepath.Join(dir, "check.html"), func(w io.Writer) error { return report.WriteCheckHTML(w, r) })
	if err == nil {
		err = data.WriteBytes(a.fsys, filepath.Join(dir, "check.json"), text)
	}
	if err == nil {
		err = report.WriteCheckCSV(a.fsys, dir, r)
	}
	return err
}

// showCheck prints the check, and ends the command where a finding is fatal.
func (a *app) showCheck(r *evaluate.DataCheck, dir string) error {
	a.progress.end()
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	}
	a.printf("%s: %d accounts, %d terms, newest event %s\n", r.Project, r.Accounts, r.Terms, r.Newest)
	a.showFindings(r.Findings)
	a.printf("  %d snapshots are eligible\n", r.Rows)
	for _, c := range r.Left {
		a.printf("    left out: %d, %s\n", c.Rows, c.Reason)
	}
	a.showEvents(r.Survey)
	a.showCoverage(r.Coverage)
	a.printf("\nhow the terms ended\n")
	for _, c := range r.Outcomes {
		a.printf("  %7d of %d %s: %s\n", c.Rows, c.Of, c.Table, c.Reason)
	}
	a.showLabels(r)
	a.printf("\nenough to learn from?\n")
	for _, w := range r.Plan.Words {
		a.printf("  %s\n", w)
	}
	if dir != "" {
		a.printf("\npage: %s\n", filepath.Join(dir, "check.html"))
	}
	if f := r.Fatal(); f != nil {
		return dataError("%s: %s", f.Subject, f.Message)
	}
	return nil
}
