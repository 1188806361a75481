// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/predict"
)

func modelsDiffCommand(a *app) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "print what changed from one model to another",
		Long: `Compares two models: what they were trained on, their metrics and calibration,
the features whose curves moved most, and what only one of them has. --all and
--json have every weight, setting and definition of a feature that differs.

Reads    models/, or model files
Exits    0 ok; 10 no such model; 12 a damaged model`,
		Example: "  holdfast models diff champion latest",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("found %d arguments; expected two models, each an id, the beginning of one, champion, latest or a file", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var m [2]*predict.Model
			var id [2]string
			for k, ref := range args {
				var err error
				if m[k], id[k], err = a.readModel(nil, ref); err != nil {
					return err
				}
			}
			d := predict.Diff(m[0], m[1])
			if a.json {
				return a.printJSON(struct {
					From string `json:"from"`
					To   string `json:"to"`
					predict.Difference
				}{id[0], id[1], d})
			}
			a.showSettings(m, id)
			a.showChanges(&d, all)
			if all {
				a.showAllChanges(&d)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "show every feature, every weight and every setting that differs")
	return c
}

// showSettings prints what two models were made from and how well they do,
// side by side.
func (a *app) showSettings(m [2]*predict.Model, id [2]string) {
	line := func(what string, value func(m *predict.Model) string) {
		a.printf("  %-24s  %14s  %14s\n", what, value(m[0]), value(m[1]))
	}
	a.printf("  %-24s  %14s  %14s\n", "", id[0], id[1])
	line("as of", func(m *predict.Model) string { return orDefault(m.Provenance.AsOf, "-") })
	line("renewals", func(m *predict.Model) string { return fmt.Sprint(m.Provenance.Renewals) })
	line("churned", func(m *predict.Model) string { return fmt.Sprint(m.Provenance.Churned) })
	line("out-of-fold log loss", func(m *predict.Model) string { return fmt.Sprintf("%.4f", m.OutOfFold.LogLoss) })
	line("  of the churn rate", func(m *predict.Model) string { return fmt.Sprintf("%.4f", m.OutOfFold.BaseLoss) })
	line("out-of-fold AUC", func(m *predict.Model) string { return fmt.Sprintf("%.3f", m.OutOfFold.AUC) })
	line("ridge penalty", func(m *predict.Model) string { return fmt.Sprintf("%.4g", m.Provenance.Lambda) })
	line("intercept", func(m *predict.Model) string { return fmt.Sprintf("%+.3f", m.Intercept) })
	line("calibration", func(m *predict.Model) string {
		return fmt.Sprintf("%+.3f %+.3f z", m.Calibration.Intercept, m.Calibration.Slope)
	})
	line("mean log-odds", func(m *predict.Model) string { return fmt.Sprintf("%+.3f", m.Score.ZRef) })
	line("health 60 at p", func(m *predict.Model) string { return fmt.Sprintf("%.1f %%", 100*m.Score.BaseRate) })
	line("features, pairs, tables", func(m *predict.Model) string {
		return fmt.Sprintf("%d, %d, %d", len(m.Terms), len(m.Pairs), len(m.Tables))
	})
}

// showChanges prints the features whose curves moved most, and what only one
// model has.
func (a *app) showChanges(d *predict.Difference, all bool) {
	shown := d.Terms
	if !all && len(shown) > partsShown {
		shown = shown[:partsShown-1]
	}
	a.printf("\nfeatures of both, by the largest move of their curve in log-odds\n")
	a.printf("  %7s  %-24s  %-16s  %-18s  %s\n", "moved", "at", "share", "effect", "")
	for i := range shown {
		c := &shown[i]
		a.printf("  %+7.3f  %-24s  %7s, %7s  %+8.3f, %+8.3f  %s\n", c.Moved, orDefault(c.At, "-"), shareText(c.Share[0]), shareText(c.Share[1]),
			c.Effect[0].Estimate, c.Effect[1].Estimate, orDefault(c.Label, c.Feature))
	}
	if rest := d.Terms[len(shown):]; len(rest) > 0 {
		a.printf("  the other %s moved by at most %.3f; --all shows them\n", plural(len(rest), "feature"), max(rest[0].Moved, -rest[0].Moved))
	}
	if len(d.Pairs) > 0 {
		a.printf("\npairs of both\n")
	}
	for _, p := range d.Pairs {
		a.printf("  share %s, %s  %s with %s\n", shareText(p.Share[0]), shareText(p.Share[1]), p.Features[0], p.Features[1])
	}
	for _, part := range []struct {
		title string
		names []string
	}{{"only in the first", d.Gone}, {"only in the second", d.New}, {"computed in another way", d.Redefined()}} {
		if len(part.names) > 0 {
			a.printf("\n%s\n  %s\n", part.title, strings.Join(part.names, "\n  "))
		}
	}
}

// showAllChanges prints all weights, settings and definitions that differ.
func (a *app) showAllChanges(d *predict.Difference) {
	if len(d.Weights) > 0 {
		a.printf("\nweights of standardised columns\n")
	}
	for _, w := range d.Weights {
		a.printf("  %+9.4f, %+9.4f  %s, %s\n", w.Was, w.Is, w.Feature, w.Column)
	}
	for _, part := range []struct {
		title   string
		changes []predict.Change
	}{{"settings", d.Settings}, {"definitions of features", d.Features}} {
		if len(part.changes) > 0 {
			a.printf("\n%s\n", part.title)
		}
		for _, c := range part.changes {
			a.printf("  %s\n    was  %s\n    is   %s\n", c.Name, orDefault(c.Was, "-"), orDefault(c.Is, "-"))
		}
	}
}
