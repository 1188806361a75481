// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// errPartial is wrapped where all was done but for input files that cannot be
// read.
var errPartial = errors.New("partial")

// screen reads every input file once before anything is made of them, where
// --keep-going or --isolate asks for it. Bad files are left out from then on,
// or end the command without --keep-going.
func (a *app) screen(ctx context.Context, s data.Sources) error {
	if a.screened || !a.keepGoing && !a.isolate {
		return nil
	}
	a.screened = true
	workers := orDefault(a.workers, runtime.GOMAXPROCS(0))
	check := func(ctx context.Context, _ int, f data.ScreenedFile) error {
		return data.ReadWhole(ctx, a.fsys, f.Path, f.Columns)
	}
	if a.isolate {
		children := make([]child, workers)
		defer func() {
			for i := range children {
				children[i].stop()
			}
		}()
		check = func(ctx context.Context, worker int, f data.ScreenedFile) error {
			return children[worker].read(ctx, a.fsys, f)
		}
	}
	bad, files, err := data.Screen(ctx, a.fsys, s, workers, check)
	if err != nil || len(bad) == 0 {
		return err
	}
	if !a.keepGoing {
		return fmt.Errorf("%s: %w", bad[0].Table, bad[0].ErrorOf())
	}
	for _, r := range bad {
		a.warn("%s: left out: %s", r.Table, r.Problem)
	}
	a.rejects, a.files, a.fsys = bad, files, data.Without(a.fsys, bad)
	return nil
}

// screenFor screens what a project reads for its own features and for those of
// the models that ref and its profiles mean, where there are any yet.
func (a *app) screenFor(ctx context.Context, p *project, ref string) error {
	if !a.keepGoing && !a.isolate {
		return nil
	}
	sets := [][]features.Feature{p.set}
	if scorers, err := a.scorers(p, ref); err == nil {
		for _, m := range modelsOf(scorers) {
			sets = append(sets, m.Spec.Features)
		}
	}
	sources := p.sources
	var err error
	if sources.Events, err = features.Sources(p.sources.Events, sets...); err != nil {
		return p.placed(err, sets...)
	}
	return a.screen(ctx, sources)
}

// screenTable does so for a ready table, of which there is one: it is read or
// it is not.
func (a *app) screenTable(c *cobra.Command) error {
	f := c.Flags().Lookup("table")
	if !a.isolate || f == nil || f.Value.String() == "" {
		return nil
	}
	var reader child
	defer reader.stop()
	return reader.read(c.Context(), a.fsys, data.ScreenedFile{Table: "table", Path: f.Value.String()})
}

// orPartial returns the error of a command, or that it was done in part.
func (a *app) orPartial(err error) error {
	if err != nil || len(a.rejects) == 0 {
		return err
	}
	return &codedError{errPartial, fmt.Sprintf("done without %d of %d input files, which cannot be read; the first: %s", len(a.rejects), a.files, a.rejects[0].Problem)}
}

// partly says that a command which ended well did so without some files, and
// lists them beside its output.
func (a *app) partly(c *cobra.Command) error {
	err := a.orPartial(nil)
	if err == nil {
		return nil
	}
	name := ""
	if f := c.Flags().Lookup("output"); f != nil && f.Value.String() != "" && f.Value.String() != "-" {
		name = f.Value.String() + ".rejects.json"
		if !slices.Contains(tableExtensions, ext(f.Value.String())) { // a folder
			name = filepath.Join(f.Value.String(), "rejects.json")
		}
	}
	if name == "" {
		return err
	}
	text, e := json.MarshalIndent(a.rejects, "", " ")
	if e == nil {
		e = data.WriteBytes(a.fsys, name, append(text, '\n'))
	}
	if e != nil {
		return e
	}
	return err
}
