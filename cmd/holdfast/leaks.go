// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// proofSample is how many snapshots the proofs look at unless told otherwise.
const proofSample = 200

// A leakCheck is what check --leaks found. The seconds are no part of a
// report, which must not depend on the clock.
type leakCheck struct {
	*evaluate.Leaks
	Failure string  `json:"failure,omitempty"`
	Seconds float64 `json:"seconds"`
}

// proveFeatures tries to make features show something of the future, on up to
// n snapshots of as many accounts.
func (a *app) proveFeatures(ctx context.Context, l *loaded, f *features.Frame, n int) (*features.Proof, error) {
	a.progress.begin("reading for the proofs against leaks")
	rows := features.Sample(f, n, trainSeed)
	accounts := make([]string, len(rows))
	for i, r := range rows {
		accounts[i] = f.Rows[r].Account
	}
	t, err := data.ReadTablesOf(ctx, a.fsys, l.sources, accounts)
	if err != nil {
		return nil, err
	}
	return features.Prove(ctx, t, l.sources, &l.spec, f, rows, features.ProofOptions{Workers: a.workers,
		Progress: func(done, total int) { a.progress.step("proofs against leaks, snapshots", done, total) }})
}

// proveLeaks makes every proof: those on features, those that refit the recipe
// on shuffled outcomes, and the look at what later values would seem worth.
func (a *app) proveLeaks(ctx context.Context, l *loaded, f *features.Frame, n int) (*leakCheck, error) {
	start := time.Now()
	c := &leakCheck{Leaks: new(evaluate.Leaks)}
	var err error
	if c.Features, err = a.proveFeatures(ctx, l, f, n); err != nil {
		return nil, err
	}
	if c.Failure = c.Leaks.Failure(); c.Failure != "" { // no refit on features that leak tells more
		c.Seconds = time.Since(start).Seconds()
		return c, nil
	}
	o := a.backtestOptions()
	o.Origins = l.origins
	ours := a.candidates(l.project, &l.spec)[0]
	o.Progress = func(done, total int, _ string) { a.progress.step("shuffled outcomes", done, total) }
	if c.Shuffled, err = evaluate.ShuffleLabels(ctx, f, ours, o); err != nil {
		return nil, err
	}
	o.Progress = func(done, total int, _ string) { a.progress.step("later values", done, total) }
	if c.Hindsight, err = evaluate.CompareHindsight(ctx, f, a.glances(ctx, l, f), ours, o); err != nil {
		return nil, err
	}
	c.Failure, c.Seconds = c.Leaks.Failure(), time.Since(start).Seconds()
	return c, nil
}

// glances are the instants from which a join without the point-in-time rule
// would see features: when the renewal is due, when its outcome is known, if
// that is later, and today, at the end of the data.
func (a *app) glances(ctx context.Context, l *loaded, f *features.Frame) []evaluate.Glance {
	end := data.MidnightAfter(l.history.Newest, l.sources.Location).UnixNano()
	known := func(r *features.Row) int64 {
		if r.Mature == features.Never {
			return r.Due
		}
		return r.Matured()
	}
	glance := func(words string, from func(*features.Row) int64) evaluate.Glance {
		return evaluate.Glance{From: words, Frame: func() (*features.Frame, error) {
			return features.BuildHindsight(ctx, l.history, &l.spec, features.Options{Workers: a.workers,
				Progress: func(done, total int) { a.progress.step("features seen from "+words, done, total) }}, from)
		}}
	}
	due := "the due date"
	if l.spec.Outcome.Mode == features.Activity {
		due = "the end of the horizon"
	}
	glances := []evaluate.Glance{glance(due, func(r *features.Row) int64 { return r.Due })}
	if slices.ContainsFunc(f.Rows, func(r features.Row) bool { return known(&r) > r.Due }) {
		glances = append(glances, glance("the day the outcome was known", known))
	}
	return append(glances, glance("the end of the data", func(*features.Row) int64 { return end }))
}

// showLeaks prints the proofs, one in two lines, and the verdict.
func (a *app) showLeaks(c *leakCheck) {
	p := c.Features
	a.printf("\nproofs against leaks: %d snapshots, one each of %d of %d accounts, %d features, %.1f s\n",
		p.Snapshots, p.Snapshots, p.Of, p.Features, c.Seconds)
	for _, line := range c.Lines() {
		a.printf("  %-16s %s\n  %-16s %s\n", line.Name, line.Did, "", line.Result)
	}
	if len(p.Assumed) > 0 {
		a.printf("  %-16s %s: they have no valid-from\n", "exempt", strings.Join(p.Assumed, ", "))
	}
	if c.Failure == "" {
		a.printf("  %s\n", c.Proved())
	}
}

// refuseLeak is the error of a proof that failed.
func refuseLeak(failure string) error {
	if failure == "" {
		return nil
	}
	return dataError("%s", failure)
}
