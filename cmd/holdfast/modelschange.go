// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func modelsRollbackCommand(a *app) *cobra.Command {
	var by, because string
	c := &cobra.Command{
		Use:   "rollback [REF]",
		Short: "make the champion before this one the champion again",
		Long: `Points the alias champion to where it pointed before the last promotion, or to
the named version further back. A second rollback goes back one more. The
version that is left stays.

Reads    models/
Writes   models/aliases.json
Exits    0 ok; 10 there is none before; 11 locked; 12 the one before is damaged`,
		Example: `  holdfast models rollback
  holdfast models rollback --approve "Ada" --because "complaints about reasons"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.findProject()
			if err != nil {
				return err
			}
			var from, to string
			v := predict.Verdict{By: by, Because: because}
			err = a.changing(cmd.Context(), p, func(r *registry.Registry) error {
				from, to, err = r.Rollback(strings.Join(args, ""), v)
				return err
			})
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"from": from, "to": to})
			}
			a.printf("champion is %s again; it was %s\n", to, from)
			return nil
		},
	}
	c.Flags().StringVar(&by, "approve", "", "who rolls back")
	c.Flags().StringVar(&because, "because", "", "why")
	return c
}

func modelsVerifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "read every version and compare it with its digest",
		Long: `Reads every version and every alias: a version must be whole, of a known format
and have the digest that is its id; an alias must point to one.

Reads    models/
Exits    0 all is whole; 10 an alias points nowhere; 12 something is damaged`,
		Example: "  holdfast models verify --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.findProject()
			if err != nil {
				return err
			}
			versions, problems, err := p.registry.Verify()
			if err != nil {
				return err
			}
			return a.showVerified(versions, problems)
		},
	}
}

// showVerified prints what is wrong, and ends the command with the first of it.
func (a *app) showVerified(versions int, problems []registry.Problem) error {
	type problem struct {
		Subject string `json:"subject"`
		Problem string `json:"problem"`
	}
	out := []problem{}
	for _, p := range problems {
		out = append(out, problem{p.Subject, oneLine(p.Err)})
		a.printf("%-12s  %s\n", p.Subject, oneLine(p.Err))
	}
	a.printf("%d versions read, %d problems\n", versions, len(problems))
	if a.json {
		if err := a.printJSON(map[string]any{"versions": versions, "problems": out}); err != nil {
			return err
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", problems[0].Subject, problems[0].Err)
}

func modelsGCCommand(a *app) *cobra.Command {
	var o registry.GCOptions
	c := &cobra.Command{
		Use:   "gc",
		Short: "remove versions that nothing needs",
		Long: `Removes versions, but never latest, one that is or was champion, one of the
newest, or a parent of one of these; and what is left of publications that were
cut short.

Reads    models/
Writes   removes folders in models/
Exits    0 ok; 11 locked; 12 damaged aliases, which nothing is removed by`,
		Example: "  holdfast models gc --dry-run\n  holdfast models gc --keep 5",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Keep < 0 {
				return usageError("--keep %d: expected zero or more", o.Keep)
			}
			p, err := a.findProject()
			if err != nil {
				return err
			}
			var found registry.Collected
			err = a.changing(cmd.Context(), p, func(r *registry.Registry) error {
				found, err = r.GC(o)
				return err
			})
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(found)
			}
			verb := "removed"
			if o.DryRun {
				verb = "would remove"
			}
			for _, name := range append(found.Versions, found.Unfinished...) {
				a.printf("%s %s\n", verb, name)
			}
			a.printf("%s %d versions and %d remains; %d versions stay\n", verb, len(found.Versions), len(found.Unfinished), found.Kept)
			return nil
		},
	}
	c.Flags().IntVar(&o.Keep, "keep", 10, "how many of the newest versions stay in any case")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "remove nothing, only say what")
	return c
}
