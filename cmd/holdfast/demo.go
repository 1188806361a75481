// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func demoCommand(a *app) *cobra.Command {
	var o demo.Options
	var kind string
	c := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "make an example project and run every step in it",
		Long: `Makes a history whose truth is known (truth.json), then runs check, train,
evaluate, promote and predict on it: of a software vendor whose customers renew
contracts or not (--kind vendor), or of a shop whose customers stop ordering
without a word (--kind shop), where the backtest is set beside the true
probabilities.

Writes   DIR (default ./demo-project): data/, holdfast.yaml, truth.json and
         truth.parquet (the true probability of each renewal or snapshot),
         models/, reports/ and scores.parquet
Exits    0 ok; 1 failure; 2 DIR holds something else, or an unknown kind`,
		Example: "  holdfast demo\n  holdfast demo --kind shop --accounts 500 /tmp/small",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "demo-project"
			if len(args) == 1 {
				dir = args[0]
			}
			if cmd.Flags().Changed("accounts") && o.Accounts < 1 {
				return usageError("--accounts %d: expected one or more", o.Accounts)
			}
			make, known := demoKinds[kind]
			if !known {
				return usageError("--kind %q: expected shop or vendor", kind)
			}
			return a.demo(cmd.Context(), dir, kind, make(o))
		},
	}
	c.Flags().StringVar(&kind, "kind", "vendor", "vendor, or shop")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "decides everything that is drawn")
	c.Flags().IntVar(&o.Accounts, "accounts", 0, "number of accounts (default: 3,000 of a vendor, 2,000 of a shop)")
	return c
}

// demoKinds are the histories that demo makes.
var demoKinds = map[string]func(demo.Options) *demo.Demo{"vendor": demo.Make, "shop": demo.Shop}

// truthFile marks a folder that demo made, and so may write again.
const truthFile = "truth.json"

func (a *app) demo(ctx context.Context, dir, kind string, d *demo.Demo) error {
	if err := a.refuseForeign(dir); err != nil {
		return err
	}
	if err := a.writeDemo(ctx, dir, d); err != nil {
		return err
	}
	a.dir = dir
	step := func(command string) { a.printf("\n$ holdfast -C %s %s\n", dir, command) }
	what := map[string]string{"vendor": "software vendor", "shop": "shop"}[kind]
	a.printf("%s: the made history of a %s; what is true of it is in %s\n", dir, what, filepath.Join(dir, truthFile))

	step("check")
	l, err := a.load(ctx)
	if err != nil {
		return err
	}
	checked, err := a.check(ctx, l, 0)
	if err != nil {
		return err
	}
	quiet := *a // one JSON object ends the whole run, so the steps print none
	quiet.json, quiet.stdout = false, a.stdout
	if a.json {
		quiet.stdout = io.Discard
	}
	if err := quiet.showCheck(checked, ""); err != nil {
		return err
	}

	step("train")
	asOf := data.MidnightAfter(l.history.Newest, l.sources.Location)
	model, err := quiet.train(ctx, l, asOf, lineage{})
	if err != nil {
		return err
	}
	if err := quiet.showTrained(model); err != nil {
		return err
	}
	step("evaluate")
	tested, err := quiet.evaluate(ctx, l, "")
	if err != nil {
		return err
	}
	if kind == "shop" {
		quiet.showOracle(tested.Predictions, &d.Truth.Snapshots)
	}
	step("models promote latest")
	if err := quiet.promote(ctx, l.project, registry.Latest, "", ""); err != nil {
		return err
	}
	scores := filepath.Join(dir, "scores.parquet")
	step(fmt.Sprintf("predict --as-of %s -o %s", asOf.Format(time.DateOnly), scores))
	champion, id, err := l.registry.Load(registry.Champion)
	if err != nil {
		return err
	}
	s, err := quiet.predict(ctx, l, asOf, champion, id, scores, "")
	if err != nil {
		return err
	}
	if err := quiet.showScores(s); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	a.printf("\nNext: open the report above in a browser, read %s, or run\n", filepath.Join(dir, projectFile))
	a.printf("  holdfast -C %s models show champion\n", dir)
	return nil
}

// refuseForeign refuses a folder that has files and was not made by demo.
func (a *app) refuseForeign(dir string) error {
	entries, err := a.fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the demo project: %w", err)
	}
	if _, err := a.fsys.Stat(filepath.Join(dir, truthFile)); err != nil {
		return usageError("%s is not empty and was not made by demo; name another folder", dir)
	}
	return nil
}

func (a *app) writeDemo(ctx context.Context, dir string, d *demo.Demo) error {
	for _, t := range d.Tables() {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := filepath.Join(dir, filepath.FromSlash(t.Name))
		if err := a.fsys.MkdirAll(filepath.Dir(name)); err != nil {
			return fmt.Errorf("making the demo project: %w", err)
		}
		if err := data.Write(a.fsys, name, &t); err != nil {
			return err
		}
	}
	if err := data.Write(a.fsys, filepath.Join(dir, "truth.parquet"), d.Truth.Table()); err != nil {
		return err
	}
	truth, err := json.MarshalIndent(d.Truth, "", "  ")
	if err != nil {
		return fmt.Errorf("making the demo project: %w", err)
	}
	for name, text := range map[string][]byte{projectFile: []byte(d.ProjectYAML), truthFile: truth} {
		if err := data.WriteBytes(a.fsys, filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}
