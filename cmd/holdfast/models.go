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
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func modelsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "models",
		Short: "list, show, compare, promote, roll back, sign and verify models",
		Long: `The registry of a project: immutable versions, and the aliases champion (which
predict uses) and latest (which train moves). A REF is an id, the beginning of
one, champion, latest, or a file.`,
		Example: "  holdfast models list\n  holdfast models promote latest\n  holdfast models rollback",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(modelsListCommand(a), modelsShowCommand(a), modelsDiffCommand(a), modelsPromoteCommand(a),
		modelsRollbackCommand(a), modelsSignCommand(a), modelsVerifyCommand(a), modelsGCCommand(a))
	return c
}

func modelsListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list all versions",
		Long: `Lists every version with its aliases, in the order of their publication. A
damaged version is listed with what is wrong and does not hide the others.

Reads    models/
Exits    0 ok; 2 configuration; 12 damaged aliases`,
		Example: "  holdfast models list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.findProject()
			if err != nil {
				return err
			}
			versions, listErr := p.registry.List()
			if listErr != nil && versions == nil {
				return listErr
			}
			type entry struct {
				ID         string              `json:"id"`
				Aliases    []string            `json:"aliases,omitempty"`
				Provenance *predict.Provenance `json:"provenance,omitempty"`
				Error      string              `json:"error,omitempty"`
			}
			entries := []entry{}
			for _, v := range versions {
				e := entry{ID: v.ID, Aliases: v.Aliases}
				if v.Err != nil {
					e.Error = oneLine(v.Err)
					a.warn("%s", e.Error)
				} else {
					e.Provenance = &v.Model.Provenance
				}
				entries = append(entries, e)
			}
			if a.json {
				return errors.Join(a.printJSON(map[string]any{"models": entries}), listErr)
			}
			a.printf("%-12s  %-10s  %8s  %8s  %8s  %s\n", "id", "as of", "renewals", "churned", "AUC", "aliases")
			for _, v := range versions {
				if m := v.Model; m != nil {
					a.printf("%-12s  %-10s  %8d  %8d  %8.3f  %s\n", v.ID, m.Provenance.AsOf, m.Provenance.Renewals,
						m.Provenance.Churned, m.OutOfFold.AUC, strings.Join(v.Aliases, ", "))
				} else {
					a.printf("%-12s  damaged\n", v.ID)
				}
			}
			return listErr
		},
	}
}

func modelsShowCommand(a *app) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "show REF",
		Short: "print a model as people read it",
		Long: `Prints a model: its features, pairs and tables of rules by their share of the
variance between accounts, with effects, curves and words; its calibration, the
tiers with their probabilities, and what was dropped and why. The largest 20
parts are shown.

Reads    models/, or a model file
Exits    0 ok; 10 no such model; 12 a damaged model`,
		Example: "  holdfast models show champion\n  holdfast models show model.json",
		Args:    oneArgument("a model: an id, the beginning of one, champion, latest or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, id, err := a.readModel(nil, args[0])
			if err != nil {
				return err
			}
			line := a.lineOf(m, id)
			if a.json {
				return a.printJSON(struct {
					ID      string   `json:"id"`
					Lineage []string `json:"lineage"`
					*predict.Model
				}{id, line, m})
			}
			a.showModel(m, id, all)
			if len(line) > 1 {
				a.printf("\nlineage: %s; health keeps the base odds of the last\n", strings.Join(line, ", of "))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "show every part, all values of pairs and all rules")
	return c
}

// lineOf returns a model's id and those of the models whose base odds it keeps,
// as far as the project has them.
func (a *app) lineOf(m *predict.Model, id string) []string {
	line := []string{id}
	if m.Provenance.Parent == "" {
		return line
	}
	line = append(line, m.Provenance.Parent)
	if p, err := a.findProject(); err == nil {
		if more := p.registry.Lineage(m.Provenance.Parent); len(more) > 1 {
			line = append(line, more[1:]...)
		}
	}
	return line
}

// findModel resolves a reference to a model that is to be used: a file, or a
// version of the project's registry. Where signatures are required it must have
// one.
func (a *app) findModel(p *project, ref string) (*predict.Model, string, error) {
	if namesFile(ref) {
		return p.registry.Signers.Load(a.fsys, ref)
	}
	return p.registry.Load(ref)
}

// readModel is findModel for a model that is only looked at, signed or not. The
// project is looked for where it is nil and needed.
func (a *app) readModel(p *project, ref string) (*predict.Model, string, error) {
	if namesFile(ref) {
		return predict.Load(a.fsys, ref)
	}
	if p == nil {
		var err error
		if p, err = a.findProject(); err != nil {
			return nil, "", err
		}
	}
	return p.registry.Read(ref)
}

// namesFile reports whether a reference to a model is the name of a file.
func namesFile(ref string) bool { return strings.ContainsAny(ref, `/\`) || ext(ref) == ".json" }

func modelsPromoteCommand(a *app) *cobra.Command {
	var by, because string
	c := &cobra.Command{
		Use:   "promote REF",
		Short: "make a model the champion",
		Long: `Points the alias champion to a version, if its backtest shows that it is better
than the base rate. --approve and --because override a refusal; both are kept.

Reads    models/ and the report that evaluate put beside the model
Writes   models/aliases.json
Exits    0 ok; 5 refused; 10 no such model; 11 locked; 12 a damaged model`,
		Example: `  holdfast models promote latest
  holdfast models promote 3f2a --approve "Ada" --because "first pilot"`,
		Args: oneArgument("a model: an id, the beginning of one, champion, latest or a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (by == "") != (because == "") {
				return usageError("--approve and --because go together")
			}
			p, err := a.findProject()
			if err != nil {
				return err
			}
			return a.promote(cmd.Context(), p, args[0], by, because)
		},
	}
	c.Flags().StringVar(&by, "approve", "", "who approves against a refusal")
	c.Flags().StringVar(&because, "because", "", "why")
	return c
}

// promote makes a model the champion if its report allows it or somebody
// approves.
func (a *app) promote(ctx context.Context, p *project, ref, by, because string) error {
	id, err := p.registry.Resolve(ref)
	if err != nil {
		return err
	}
	v, err := a.verdict(p, id)
	if err != nil {
		return err
	}
	v.By, v.Because = by, because
	if err := a.changing(ctx, p, func(r *registry.Registry) error { return r.Promote(id, v) }); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			ID      string          `json:"id"`
			Verdict predict.Verdict `json:"verdict"`
		}{id, v})
	}
	if v.Pass {
		a.printf("champion is now %s: %s\n", id, v.Reason)
	} else {
		a.printf("champion is now %s: approved by %s, because %s (against: %s)\n", id, by, because, v.Reason)
	}
	return nil
}

// verdict reads the report beside a model and asks it whether the model may be
// published.
func (a *app) verdict(p *project, id string) (predict.Verdict, error) {
	name := filepath.Join(p.registry.Dir, id, "report.json")
	f, err := a.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return predict.Verdict{Reason: "the model has no backtest; run holdfast evaluate after training"}, nil
	}
	if err != nil {
		return predict.Verdict{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<20))
	if err != nil {
		return predict.Verdict{}, fmt.Errorf("reading %s: %w", name, err)
	}
	var r evaluate.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return predict.Verdict{}, fmt.Errorf("reading %s: %w: %v", name, predict.ErrIntegrity, err)
	}
	return r.Promotion(), nil
}
