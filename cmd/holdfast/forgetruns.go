// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// forgetInRuns removes an account from every run, oldest first. A run's folder
// is replaced in one step, so that its manifest always fits its files. A run
// that does not hold the account is left as it is.
func (a *app) forgetInRuns(ctx context.Context, f *forgotten, p *project, account string) error {
	runs := filepath.Join(p.dir, runsFolder)
	entries, err := a.fsys.ReadDir(runs)
	if err != nil {
		return fmt.Errorf("reading the folder of runs: %w", err)
	}
	r := runForgetter{app: a, ctx: ctx, project: p, account: account, done: f}
	for _, e := range entries {
		if _, err := time.Parse(time.DateOnly, e.Name()); err != nil || !e.IsDir() {
			continue
		}
		if err := r.forget(filepath.Join(runs, e.Name()), filepath.Join(runs, "."+e.Name()+".tmp")); err != nil {
			return err
		}
	}
	return nil
}

// A runForgetter removes one account from runs.
type runForgetter struct {
	*app
	ctx     context.Context
	project *project
	account string
	done    *forgotten

	loaded *loaded           // once a page has to be made again
	scores map[string]string // by the old digest of a run's scores, the new one
}

// forget rewrites one run into the folder written and puts that in its place.
func (r *runForgetter) forget(final, written string) error {
	if err := data.RestoreFolder(r.fsys, written, final); err != nil {
		return err
	}
	held, err := r.holds(final)
	if err != nil || !held {
		return err
	}
	if err := r.fsys.MkdirAll(written); err != nil {
		return fmt.Errorf("making the folder of a run: %w", err)
	}
	if err = r.write(final, written); err == nil {
		err = data.ReplaceFolder(r.fsys, written, final)
	}
	if err != nil {
		return errors.Join(err, data.RemoveFolder(r.fsys, written))
	}
	return nil
}

// tables lists the table files of a run.
func (r *runForgetter) tables(dir string) ([]string, error) {
	entries, err := r.fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading a run: %w", err)
	}
	var out []string
	for _, e := range entries {
		if slices.Contains(tableExtensions, ext(e.Name())) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// holds reports whether a table of a run has a row of the account.
func (r *runForgetter) holds(dir string) (bool, error) {
	tables, err := r.tables(dir)
	for _, name := range tables {
		n, err := data.CountAccount(r.fsys, filepath.Join(dir, name), "account_id", r.account)
		if n > 0 || err != nil {
			return n > 0, err
		}
	}
	return false, err
}

// write copies a run without the account: tables row by row, the page made
// again from the scores that are left, the manifest with the new digests.
func (r *runForgetter) write(final, written string) error {
	entries, err := r.fsys.ReadDir(final)
	if err != nil {
		return fmt.Errorf("reading a run: %w", err)
	}
	changes := 0
	for _, e := range entries {
		if e.Name() == manifestFile || e.Name() == summaryFile {
			continue
		}
		to := filepath.Join(written, e.Name())
		if err := data.CopyFile(r.fsys, filepath.Join(final, e.Name()), to); err != nil {
			return err
		}
		if !slices.Contains(tableExtensions, ext(to)) {
			continue
		}
		rows, err := data.RemoveAccount(r.fsys, to, "account_id", r.account)
		if err != nil {
			return err
		}
		r.done.rewritten(filepath.Join(final, e.Name()), rows)
		if e.Name() == changesFile {
			changes = rows
		}
	}
	m := r.readManifest(final)
	if m == nil {
		return nil // without a manifest the next run does its work again
	}
	m.Counts.Changes -= changes
	if err := r.page(written, filepath.Join(final, summaryFile), m); err != nil {
		return err
	}
	return r.manifest(written, m)
}

// page makes the page of a run again from its scores. Where the project's
// tables cannot be read any more, the page is deleted.
func (r *runForgetter) page(written, old string, m *manifest) error {
	if _, err := r.fsys.Stat(old); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	scores, err := data.Read(r.fsys, filepath.Join(written, scoresFile), nil)
	if err != nil {
		return err
	}
	m.Counts.Rows, m.Counts.Status, m.Counts.Tiers = scores.Rows, counts(scores, "status"), counts(scores, "tier")
	if r.loaded == nil {
		if r.loaded, err = r.load(r.ctx); err != nil {
			r.warn("the page of the run of %s is deleted, for it cannot be made again: %v", m.AsOf, err)
			r.loaded = nil
			r.done.Deleted = append(r.done.Deleted, old)
			return r.ctx.Err()
		}
	}
	t, err := time.Parse(time.DateOnly, m.AsOf)
	if err != nil {
		return fmt.Errorf("the manifest of a run: %w", err)
	}
	summary, err := r.summarise(r.loaded, data.Midnight(t, r.loaded.sources.Location), m.ModelID, scores)
	if err != nil {
		return err
	}
	m.Counts.Money = summary.Money
	return r.summaryPage(filepath.Join(written, summaryFile), r.loaded, summary)
}

// manifest writes the manifest of a run anew. The key stays, so that the run
// still counts as done; the digest of the scores it was compared with follows.
func (r *runForgetter) manifest(written string, m *manifest) error {
	digest := func() string {
		for _, o := range m.Outputs {
			if o.Path == scoresFile {
				return o.SHA256
			}
		}
		return ""
	}
	before := digest()
	if m.Before != nil && r.scores[m.Before.Scores] != "" {
		m.Before.Scores = r.scores[m.Before.Scores]
	}
	m.Outputs = nil
	if err := r.writeManifest(r.ctx, written, m); err != nil {
		return err
	}
	if r.scores == nil {
		r.scores = make(map[string]string)
	}
	r.scores[before] = digest()
	return nil
}
