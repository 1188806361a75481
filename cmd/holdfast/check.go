// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

func checkCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "look for what is wrong with the data before they are learnt from",
		Long: `Reads every table of the project and reports rows that are left out and why,
events dated before their account was created, attributes that may know the
outcome, outcomes that the contracts contradict, how the terms ended, and how
many outcomes there are to learn from, by month.

Reads    the project's tables
Writes   nothing
Exits    0 ok, warnings included; 2 configuration; 4 a fatal finding`,
		Example: "  holdfast check\n  holdfast check --json",
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
			return a.showCheck(r)
		},
	}
}

// A checkResult is what check found.
type checkResult struct {
	Project  string         `json:"project"`
	Accounts int            `json:"accounts"`
	Terms    int            `json:"terms"`
	Events   map[string]int `json:"events"`
	Newest   string         `json:"newest_event"`
	Findings []data.Finding `json:"findings"`
	Labels   []labelMonth   `json:"labels"`   // by month of the due date
	Outcomes []data.Count   `json:"outcomes"` // how terms ended, each once, and what else is known of some
	Left     []data.Count   `json:"left_out"`
	Rows     int            `json:"eligible_snapshots"`
}

// A labelMonth counts the renewals that were due in one month. Each counts
// once, however many snapshots it has.
type labelMonth struct {
	Month   string `json:"month"`
	Churned int    `json:"churned"`
	Stayed  int    `json:"stayed"`
	Unknown int    `json:"unknown"`
}

func (a *app) check(ctx context.Context, l *loaded) (*checkResult, error) {
	h := l.history
	findings, err := data.Check(h, l.sources)
	if err != nil {
		return nil, err
	}
	r := &checkResult{Project: l.name, Accounts: len(h.Accounts), Terms: len(h.Contracts), Events: map[string]int{},
		Findings: append([]data.Finding{}, findings...)}
	for i := range h.Sources {
		if !h.Sources[i].Derived {
			r.Events[h.Sources[i].Name] = h.Sources[i].Rows
		}
	}
	if h.Newest != data.NoTime {
		r.Newest = time.Unix(0, h.Newest).In(l.sources.Location).Format(time.DateOnly)
	}
	b, err := a.build(ctx, l, &l.spec, time.Time{})
	if err != nil {
		return nil, err
	}
	r.Left, r.Outcomes, r.Rows = b.Left, b.Outcomes, len(b.Frame.Rows)
	r.Findings = append(r.Findings, suspectFindings(b.Frame)...)
	r.Labels = labelMonths(b.Frame, l.sources.Location)
	churned, stayed := 0, 0
	for _, m := range r.Labels {
		churned, stayed = churned+m.Churned, stayed+m.Stayed
	}
	switch {
	case r.Rows == 0:
		r.add(data.Fatal, "no_snapshots", b.Explain())
	case churned == 0 || stayed == 0:
		r.add(data.Fatal, "one_class", fmt.Sprintf(
			"cannot fit: %d churned of %d renewals with a known outcome; both kinds are needed", churned, churned+stayed))
	case churned < 100 || stayed < 300:
		r.add(data.Warning, "few_labels", fmt.Sprintf(
			"%d churned and %d renewed outcomes; below 100 and 300 a model is provisional", churned, stayed))
	}
	return r, nil
}

func (r *checkResult) add(s data.Severity, check, message string) {
	r.Findings = append(r.Findings, data.Finding{Severity: s, Check: check, Subject: "outcome", Message: message})
}

// labelMonths counts outcomes by the month of their due date; rows are in
// order of renewal, so that the snapshots of one follow each other.
func labelMonths(f *features.Frame, loc *time.Location) []labelMonth {
	months := make(map[string]*labelMonth)
	first, last := "9999-12", ""
	for i := range f.Rows {
		row := &f.Rows[i]
		if i > 0 && row.Contract != "" && f.Rows[i-1].Contract == row.Contract {
			continue
		}
		name := time.Unix(0, row.Due).In(loc).Format("2006-01")
		first, last = min(first, name), max(last, name)
		m := months[name]
		if m == nil {
			m = &labelMonth{Month: name}
			months[name] = m
		}
		switch row.Y {
		case 1:
			m.Churned++
		case 0:
			m.Stayed++
		default:
			m.Unknown++
		}
	}
	out := []labelMonth{}
	for t, err := time.Parse("2006-01", first); err == nil && t.Format("2006-01") <= last; t = t.AddDate(0, 1, 0) {
		name := t.Format("2006-01")
		if m := months[name]; m != nil {
			out = append(out, *m)
		} else {
			out = append(out, labelMonth{Month: name})
		}
	}
	return out
}

func (a *app) showCheck(r *checkResult) error {
	a.progress.end()
	fatal := 0
	for _, f := range r.Findings {
		if f.Severity == data.Fatal {
			fatal++
		}
	}
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	}
	a.printf("%s: %d accounts, %d terms, newest event %s\n", r.Project, r.Accounts, r.Terms, r.Newest)
	for _, f := range r.Findings {
		a.printf("  %-8s %s: %s\n", f.Severity, f.Subject, f.Message)
		if len(f.Examples) > 0 {
			a.printf("           for example %q\n", f.Examples)
		}
	}
	a.printf("  %d snapshots are eligible\n", r.Rows)
	for _, c := range r.Left {
		a.printf("    left out: %d, %s\n", c.Rows, c.Reason)
	}
	a.printf("\nhow the terms ended\n")
	for _, c := range r.Outcomes {
		a.printf("  %7d of %d %s: %s\n", c.Rows, c.Of, c.Table, c.Reason)
	}
	a.printf("\noutcomes by month due\n  month     churned   stayed  unknown   churn rate\n")
	for _, m := range r.Labels {
		rate := "-"
		if n := m.Churned + m.Stayed; n > 0 {
			rate = fmt.Sprintf("%.1f %%", 100*float64(m.Churned)/float64(n))
		}
		a.printf("  %s %9d %8d %8d %12s\n", m.Month, m.Churned, m.Stayed, m.Unknown, rate)
	}
	if fatal > 0 {
		for _, f := range r.Findings {
			if f.Severity == data.Fatal {
				return dataError("%s: %s", f.Subject, f.Message)
			}
		}
	}
	return nil
}
