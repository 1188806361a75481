// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
)

func modelsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "models",
		Short: "list, show and promote models",
		Long: `The registry of a project: immutable versions, and the aliases champion (which
predict uses) and latest (which train moves). A REF is an id, the beginning of
one, champion, latest, or a file.`,
		Example: "  holdfast models list\n  holdfast models promote latest",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(modelsListCommand(a), modelsShowCommand(a), modelsPromoteCommand(a))
	return c
}

func modelsListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list all versions",
		Long: `Lists every version with its aliases. A damaged version is listed with what is
wrong and does not hide the others.

Reads    models/
Exits    0 ok; 2 configuration`,
		Example: "  holdfast models list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := findProject(a.fsys, a.dir)
			if err != nil {
				return err
			}
			versions, err := p.registry.List()
			if err != nil {
				return err
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
				return a.printJSON(map[string]any{"models": entries})
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
			return nil
		},
	}
}

func modelsShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show REF",
		Short: "print a model as people read it",
		Long: `Prints a model: its terms by the size of their effect, its calibration, the
tiers with their probabilities, and what was dropped and why.

Reads    models/, or a model file
Exits    0 ok; 10 no such model; 12 a damaged model`,
		Example: "  holdfast models show champion\n  holdfast models show model.json",
		Args:    oneArgument("a model: an id, the beginning of one, champion, latest or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, id, err := a.findModel(nil, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(struct {
					ID string `json:"id"`
					*predict.Model
				}{id, m})
			}
			a.showModel(m, id)
			return nil
		},
	}
}

// findModel resolves a reference: a file, or a version of the project's
// registry. The project is looked for where it is nil and needed.
func (a *app) findModel(p *project, ref string) (*predict.Model, string, error) {
	if strings.ContainsAny(ref, `/\`) || ext(ref) == ".json" {
		return predict.Load(a.fsys, ref)
	}
	if p == nil {
		var err error
		if p, err = findProject(a.fsys, a.dir); err != nil {
			return nil, "", err
		}
	}
	return p.registry.Load(ref)
}

func (a *app) showModel(m *predict.Model, id string) {
	p := m.Provenance
	a.printf("model %s\n  as of %s, %d renewals, %d churned, ridge penalty %.4g\n  %s\n\n", id, orDefault(p.AsOf, "-"),
		p.Renewals, p.Churned, p.Lambda, m.Calibration.Reason)
	a.printf("terms by effect on the log-odds of churn (90 %% interval); above 0 raises the risk\n")
	terms := make([]predict.Term, len(m.Terms))
	copy(terms, m.Terms)
	sort.SliceStable(terms, func(i, j int) bool {
		return math.Abs(terms[i].Effect.Estimate) > math.Abs(terms[j].Effect.Estimate)
	})
	for _, t := range terms {
		a.printf("  %+7.3f  (%+.3f to %+.3f)  %s, %s\n", t.Effect.Estimate, t.Effect.Low, t.Effect.High, t.Label, t.Contrast)
	}
	a.printf("\nhealth 60 is a churn probability of %.1f %%; tiers\n", 100*m.Score.BaseRate)
	s := &m.Score
	a.printf("  at_risk   below %g   (p above %.1f %%, or from %.1f %% on)\n", s.AtRisk, 100*s.ProbAt(s.AtRisk), 100*s.AtRiskP)
	a.printf("  watch     below %g   (p above %.1f %%)\n", s.Watch, 100*s.ProbAt(s.Watch))
	a.printf("  healthy   below %g   (p above %.1f %%)\n", s.Healthy, 100*s.ProbAt(s.Healthy))
	a.printf("  loyal     the rest\n")
	if len(m.Dropped) > 0 {
		a.printf("\ndropped\n")
		for _, d := range m.Dropped {
			a.printf("  %s: %s\n", d.Feature, d.Reason)
		}
	}
	for _, w := range m.Warnings {
		a.warn("%s", w)
	}
}

func modelsPromoteCommand(a *app) *cobra.Command {
	var by, because string
	c := &cobra.Command{
		Use:   "promote REF",
		Short: "make a model the champion",
		Long: `Points the alias champion to a version, if its backtest shows that it is better
than the base rate. --approve and --because override a refusal; both are kept.

Reads    models/ and the report that evaluate put beside the model
Writes   models/aliases.json
Exits    0 ok; 5 refused; 10 no such model; 12 a damaged model`,
		Example: `  holdfast models promote latest
  holdfast models promote 3f2a --approve "Ada" --because "first pilot"`,
		Args: oneArgument("a model: an id, the beginning of one, champion, latest or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if (by == "") != (because == "") {
				return usageError("--approve and --because go together")
			}
			p, err := findProject(a.fsys, a.dir)
			if err != nil {
				return err
			}
			return a.promote(p, args[0], by, because)
		},
	}
	c.Flags().StringVar(&by, "approve", "", "who approves against a refusal")
	c.Flags().StringVar(&because, "because", "", "why")
	return c
}

// promote makes a model the champion if its report allows it or somebody
// approves.
func (a *app) promote(p *project, ref, by, because string) error {
	id, err := p.registry.Resolve(ref)
	if err != nil {
		return err
	}
	v, err := a.verdict(p, id)
	if err != nil {
		return err
	}
	v.By, v.Because = by, because
	if err := p.registry.Promote(id, v); err != nil {
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
	var r evaluate.Report
	if err := json.NewDecoder(io.NewSectionReader(f, 0, 64<<20)).Decode(&r); err != nil {
		return predict.Verdict{}, fmt.Errorf("reading %s: %w: %v", name, predict.ErrIntegrity, err)
	}
	return r.Promotion(), nil
}
