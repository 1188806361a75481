// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/guess"
)

// An initFlags is the command line of init.
type initFlags struct {
	dir, data string
	force     bool
}

func initCommand(a *app) *cobra.Command {
	var o initFlags
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "propose a holdfast.yaml for Parquet files never seen before",
		Long: `Looks at the Parquet files below a folder and proposes a project file: which
table holds the accounts, which the contracts and which events; keys, dates,
types and values; the outcome; and a first feature set. All of it is guessed,
from names and from some 200,000 rows of each table, and the reason stands
beside each line. Columns that seem to know the outcome are left out and named.

Many files of one stream (usage/month=2026-01/part-0.parquet) become one glob.

Reads    the Parquet files below DIR (default: this folder) or --data
Writes   DIR/holdfast.yaml, and never over one that is there without --force
Exits    0 ok; 2 DIR has a holdfast.yaml; 4 a damaged file, or no table that
         could hold accounts; 10 no such folder`,
		Example: "  holdfast init\n  holdfast init shop --data /srv/shop/parquet",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && a.dir != "" {
				return usageError("found -C %s and the folder %s; name the folder once", a.dir, args[0])
			}
			o.dir = cmp.Or(a.dir, ".")
			if len(args) == 1 {
				o.dir = args[0]
			}
			return a.init(cmd.Context(), o)
		},
	}
	c.Flags().StringVar(&o.data, "data", "", "folder that holds the Parquet files (default: DIR)")
	c.Flags().BoolVar(&o.force, "force", false, "replace a holdfast.yaml that is there")
	return c
}

// An initResult is what init found and wrote.
type initResult struct {
	File      string      `json:"file"`
	Mode      string      `json:"mode"`
	Tables    []initTable `json:"tables"`
	Hindsight []string    `json:"hindsight"` // columns left out because they may know the outcome
	Features  int         `json:"features"`  // of the first set, beside the automatic ones
}

// An initTable is one table that init met.
type initTable struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Role   string `json:"role"` // accounts, contracts, events or left out
	Rows   int    `json:"rows"`
	Looked int    `json:"rows_looked_at"`
	Why    string `json:"why,omitempty"` // why it is left out
}

func (a *app) init(ctx context.Context, o initFlags) error {
	file := filepath.Join(o.dir, projectFile)
	switch _, err := a.fsys.Stat(file); {
	case err == nil && !o.force:
		return usageError("%s is there already and is not replaced; read it, or replace it with --force", file)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("looking for %s: %w", file, err)
	}
	l, err := guess.Look(ctx, a.fsys, cmp.Or(o.data, o.dir), guess.Options{
		Progress: func(table string) { a.progress.begin("looking at " + table) }})
	if err != nil {
		return err
	}
	pl, err := newProposal(o, l)
	if err != nil {
		return err
	}
	text := pl.text()
	if _, err := parseProject([]byte(text), o.dir); err != nil {
		return fmt.Errorf("the proposed project file cannot be read back: %w", err)
	}
	if err := a.fsys.MkdirAll(o.dir); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if err := data.WriteBytes(a.fsys, file, []byte(text)); err != nil {
		return err
	}
	return a.showInit(file, pl)
}

// showInit prints what was guessed and what to do next.
func (a *app) showInit(file string, pl *proposal) error {
	a.progress.end()
	l := pl.layout
	r := initResult{File: file, Mode: pl.mode(), Hindsight: []string{}, Features: len(pl.features)}
	for _, t := range l.Tables {
		r.Tables = append(r.Tables, initTable{t.Name, pl.path(t.Pattern), cmp.Or(t.Role, "left out"), t.Rows,
			t.Sampled, t.Why})
	}
	for _, c := range l.LeftOut {
		if c.Hindsight {
			r.Hindsight = append(r.Hindsight, c.Table+"."+c.Column)
		}
	}
	if a.json {
		return a.printJSON(r)
	}
	a.printf("%s: proposed from %d tables; all of it is guessed\n", file, len(l.Tables))
	order := []string{"accounts", "contracts", "events", "left out"}
	slices.SortStableFunc(r.Tables, func(x, y initTable) int {
		return cmp.Compare(slices.Index(order, x.Role), slices.Index(order, y.Role))
	})
	for _, t := range r.Tables {
		rows := fmt.Sprintf("%d rows", t.Rows)
		if t.Looked < t.Rows {
			rows += fmt.Sprintf(", %d looked at", t.Looked)
		}
		a.printf("  %-9s  %s (%s)%s\n", t.Role, t.Path, rows, pl.summary(&t))
	}
	if len(r.Hindsight) > 0 {
		a.printf("  hindsight  left out, because they may know the outcome: %s\n", strings.Join(r.Hindsight,
			", "))
	}
	a.printf("  outcome    %s\n", pl.outcomeWords())
	a.printf("  features   the automatic ones, and %d with a direction guessed from a name\n", r.Features)
	a.printf("\nNext: read the reasons in %s, mend what is wrong, then run\n  holdfast -C %s check\n", file,
		filepath.Dir(file))
	return nil
}

// summary names the roles found in one table.
func (pl *proposal) summary(t *initTable) string {
	s := &pl.layout.Sources
	switch t.Role {
	case "accounts":
		return roles("key", s.Accounts.Key, "created", s.Accounts.Created)
	case "contracts":
		return roles("key", s.Contracts.Key, "start", s.Contracts.Start, "due", s.Contracts.Due, "outcome",
			s.Contracts.Outcome)
	case "events":
		for _, e := range s.Events {
			if pl.path(e.Path) == t.Path {
				return roles("time", e.Time, "type", e.Type, "value", e.Value, "id", e.ID)
			}
		}
	}
	return ": " + t.Why
}

// roles writes pairs of a role and its column, without those not filled.
func roles(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+" "+pairs[i+1])
		}
	}
	return ": " + strings.Join(out, ", ")
}
