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

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func forgetCommand(a *app) *cobra.Command {
	var column string
	c := &cobra.Command{
		Use:   "forget ACCOUNT [FILE ...]",
		Short: "remove an account from outputs, and never read it again",
		Long: `Removes an account from what Holdfast has written, and leaves a tombstone: a
digest of its key, by which every later command leaves its rows out, whatever
the tables still hold. Remove it from the tables too: they are yours, and are
not changed. Models hold sums over many accounts and no ids; train again to have
one that has not learnt from the account. A second call goes on where one that
was stopped has ended.

Reads    the project's tables
Writes   forgotten.json, the tombstones; without the account's rows: scores,
         changes and pages of all runs, predictions of reports, score and
         feature files beside holdfast.yaml, and every FILE. Pages of a score
         file and unfinished backtests are deleted where they may hold it
Exits    0 ok; 1 a file could not be rewritten; 2 configuration; 4 bad data;
         10 no such account, in the tables or in outputs; 11 a run is under way`,
		Example: "  holdfast forget acct-00042\n  holdfast forget acct-00042 /exports/scores.csv --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return errors.New("found no argument; expected the key of an account")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.findProject()
			if err != nil {
				return err
			}
			f, err := a.forget(cmd.Context(), p, args[0], column, args[1:])
			if err != nil {
				return err
			}
			return a.showForgotten(f)
		},
	}
	c.Flags().StringVar(&column, "id", "account_id", "the column of each FILE that holds the key")
	return c
}

// forgottenFile is where a project keeps its tombstones.
func (p *project) forgottenFile() string { return filepath.Join(p.dir, "forgotten.json") }

// forgotten is what was done to forget an account. It holds no id.
type forgotten struct {
	SHA256    string          `json:"account_sha256"`
	Since     string          `json:"since"`
	Tombstone string          `json:"tombstone"` // the file it is in
	Rewritten []forgottenFile `json:"rewritten"`
	Deleted   []string        `json:"deleted"`
}

type forgottenFile struct {
	Path string `json:"path"`
	Rows int    `json:"rows"` // that were removed
}

func (f *forgotten) rewritten(path string, rows int) {
	if rows > 0 {
		f.Rewritten = append(f.Rewritten, forgottenFile{path, rows})
	}
}

// forget writes the tombstone first, so that nothing reads the account again,
// then rewrites outputs, each in one step.
func (a *app) forget(ctx context.Context, p *project, account, column string, files []string) (*forgotten, error) {
	runs := filepath.Join(p.dir, runsFolder)
	if err := data.MakeFolder(a.fsys, runs); err != nil {
		return nil, fmt.Errorf("making the folder of runs: %w", err)
	}
	lock, err := data.Hold(a.fsys, filepath.Join(runs, ".lock"), holder(a.command), a.breakLock)
	if err != nil {
		return nil, err
	}
	f, err := a.forgetLocked(ctx, p, account, column, files)
	return f, errors.Join(err, lock.Release())
}

func (a *app) forgetLocked(ctx context.Context, p *project, account, column string, files []string) (*forgotten, error) {
	known, err := a.isAccount(p, account)
	if err != nil {
		return nil, err
	}
	_, again := p.sources.Forgotten.Of(account)
	inputs, err := a.inputFiles(p)
	if err != nil {
		return nil, err
	}
	outputs, err := a.outputTables(p, inputs)
	if err != nil {
		return nil, err
	}
	set := p.sources.Forgotten.With(account, time.Now().UTC())
	t, _ := set.Of(account)
	f := &forgotten{SHA256: t.SHA256, Since: t.Since, Tombstone: p.forgottenFile(), Rewritten: []forgottenFile{}, Deleted: []string{}}
	if known || again {
		if err := set.Write(a.fsys, p.forgottenFile()); err != nil {
			return nil, err
		}
		p.sources.Forgotten = set
	}
	for _, name := range files {
		if err := a.forgetIn(f, name, column, account); err != nil {
			return nil, err
		}
	}
	for _, name := range outputs {
		if err := a.forgetIn(f, name, "account_id", account); err != nil {
			return nil, err
		}
	}
	if err := a.forgetInRuns(ctx, f, p, account); err != nil {
		return nil, err
	}
	if !known && !again {
		if len(f.Rewritten) == 0 {
			return nil, &codedError{registry.ErrNotFound, fmt.Sprintf("account %s: neither in %s nor in any output; nothing was changed",
				data.Marked(account), p.sources.Accounts.Path)}
		}
		if err := set.Write(a.fsys, p.forgottenFile()); err != nil { // it was in outputs only
			return nil, err
		}
	}
	work := filepath.Join(p.dir, "reports", ".work")
	if _, err := a.fsys.Stat(work); err == nil {
		f.Deleted = append(f.Deleted, work)
	}
	return f, (&unfinished{a.fsys, work}).remove()
}

// isAccount reports whether the accounts table has a key, forgotten or not.
func (a *app) isAccount(p *project, account string) (bool, error) {
	s := p.sources.Accounts
	t, err := data.Read(a.fsys, s.Path, []string{s.Key})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("accounts: %w", err)
	}
	return t.Without(s.Key, account).Rows < t.Rows, nil
}

// inputFiles lists the files of the project's tables, which are never changed.
func (a *app) inputFiles(p *project) (map[string]bool, error) {
	patterns := []string{p.sources.Accounts.Path}
	if c := p.sources.Contracts; c != nil {
		patterns = append(patterns, c.Path)
	}
	for i := range p.sources.Events {
		patterns = append(patterns, p.sources.Events[i].Path)
	}
	inputs := make(map[string]bool)
	for _, pattern := range patterns {
		files, err := data.Files(a.fsys, pattern)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, name := range files {
			inputs[filepath.Clean(name)] = true
		}
	}
	return inputs, nil
}

// outputTables lists the tables that Holdfast has written beside the project
// file and in the folders of reports. What it did not write it leaves alone: a
// table counts as its own by its columns.
func (a *app) outputTables(p *project, inputs map[string]bool) ([]string, error) {
	var out []string
	folders := []string{p.dir}
	reports := filepath.Join(p.dir, "reports")
	entries, err := a.fsys.ReadDir(reports)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the folder of reports: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != ".work" {
			folders = append(folders, filepath.Join(reports, e.Name()))
		}
	}
	for _, folder := range folders {
		entries, err := a.fsys.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("looking for outputs: %w", err)
		}
		for _, e := range entries {
			name := filepath.Join(folder, e.Name())
			if !e.IsDir() && slices.Contains(tableExtensions, ext(name)) && !inputs[filepath.Clean(name)] {
				out = append(out, name)
			}
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return !a.isOutput(name) }), nil
}

// isOutput reports whether a table has the columns of scores, predictions or a
// feature frame. One that cannot be read is none of them.
func (a *app) isOutput(name string) bool {
	columns, err := a.columnsOf(name)
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(columns, n) })
	}
	return err == nil && (has("account_id", "p_churn") || has("account_id", "snapshot", "lead_days"))
}

func (a *app) columnsOf(name string) ([]string, error) {
	if ext(name) == ".arrow" {
		t, err := ipc.Read(a.fsys, name)
		if err != nil {
			return nil, err
		}
		return t.Names(), nil
	}
	return data.ColumnsOf(a.fsys, name)
}

// forgetIn removes an account from one table, and the page of a score file that
// it may be named in.
func (a *app) forgetIn(f *forgotten, name, column, account string) error {
	rows := 0
	if ext(name) == ".arrow" {
		t, err := ipc.Read(a.fsys, name)
		if err != nil {
			return err
		}
		kept := t.Without(column, account)
		if rows = t.Rows - kept.Rows; rows > 0 {
			err = ipc.Write(a.fsys, name, kept)
		}
		if err != nil {
			return err
		}
	} else {
		var err error
		if rows, err = data.RemoveAccount(a.fsys, name, column, account); err != nil {
			return err
		}
	}
	f.rewritten(name, rows)
	page := summaryName(name)
	if _, err := a.fsys.Stat(page); rows == 0 || err != nil {
		return nil
	}
	f.Deleted = append(f.Deleted, page)
	return a.fsys.Remove(page)
}

func (a *app) showForgotten(f *forgotten) error {
	a.progress.end()
	if a.json {
		return a.printJSON(f)
	}
	a.printf("forgotten since %s: %s holds the digest %s...\n", f.Since, f.Tombstone, f.SHA256[:12])
	for _, r := range f.Rewritten {
		a.printf("  %s: %d rows removed\n", r.Path, r.Rows)
	}
	for _, name := range f.Deleted {
		a.printf("  %s: deleted\n", name)
	}
	a.printf("Remove the account from your own tables and from copies of outputs elsewhere; models hold no ids.\n")
	return nil
}
