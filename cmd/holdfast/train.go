// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

func trainCommand(a *app) *cobra.Command {
	var asOf, maxAge, output string
	var update, rebase bool
	var table tableFlags
	var engine engineFlags
	c := &cobra.Command{
		Use:   "train",
		Short: "fit a weight model on the outcomes that were mature at a date",
		Long: `Fits the weights on every renewal whose outcome was known at the as-of date
and publishes the model. Its health score keeps the base odds of the champion,
unless --rebase takes those of the new model. --update first tests the champion
on what matured since its as-of date and changes as little of it as it must:
nothing, a shift, a shift and a slope, or all (Vergouwe et al. 2017).

Where a fit has no room in --max-memory, its rows go to disk: a random sample of
whole accounts chooses columns, penalty and calibration, and the weights and
their errors are fitted to all rows. The model then says so. With --engine
spark a cluster makes the rows and, where they have no room here, sums over
them; the model is the same to the byte.

Reads    the project's tables; or one ready table (--table)
Writes   models/<id>/model.json and the alias latest; or the file named by -o;
         nothing where --update keeps the champion
Exits    0 ok; 2 configuration; 4 bad data, or nothing to learn from;
         10 a table that is not there, or no champion to update;
         11 the models folder is locked; 12 what a cluster made is not whole`,
		Example: `  holdfast train --as-of 2026-01-01
  holdfast train --table churn.parquet --label churned --id customer -o model.json
  holdfast train --engine spark --master spark://host:7077 --max-memory 16GB`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if table.path != "" {
				if asOf != "" || a.dir != "" || update || rebase || engine.engine != engineLocal {
					return usageError("--as-of, --update, --rebase, --engine and -C go with a project, not with --table")
				}
				return a.trainTable(cmd.Context(), table, output)
			}
			if err := table.refuseAlone(); err != nil {
				return err
			}
			if output != "" {
				return usageError("-o goes with --table; a project's models go to its models folder")
			}
			r, err := a.trainProject(cmd.Context(), &engine, trainRequest{asOf, maxAge, update, rebase})
			if err != nil || r == nil {
				return err
			}
			return a.showTrained(r)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "date whose midnight counts as now (default: midnight after the newest event)")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().BoolVar(&update, "update", false, "test the champion on what matured since, and change as little as needed")
	c.Flags().BoolVar(&rebase, "rebase", false, "take the base odds of the health score from this model, not from the champion")
	c.Flags().StringVarP(&output, "output", "o", "", "model file, with --table")
	table.register(c, true)
	engine.register(c)
	return c
}

// A trainRequest is what train is asked for.
type trainRequest struct {
	asOf, maxAge   string
	update, rebase bool
}

// trainProject trains on a project; an update shows what came of it, and returns
// nothing.
func (a *app) trainProject(ctx context.Context, e *engineFlags, r trainRequest) (*trained, error) {
	if r.update && r.rebase {
		return nil, usageError("--update keeps the base odds and --rebase moves them; choose one")
	}
	if err := e.check(a, ""); err != nil {
		return nil, err
	}
	switch {
	case e.engine == engineSpark && r.update:
		return nil, usageError("--update goes with --engine local: it reads no more than what matured since")
	case e.engine == engineSpark:
		return a.sparkTrain(ctx, e, r)
	case r.update:
		return nil, a.update(ctx, r.asOf, r.maxAge)
	}
	l, t, err := a.loadAt(ctx, r.asOf, r.maxAge)
	if err != nil {
		return nil, err
	}
	var g lineage
	if !r.rebase {
		if g, err = l.lineageOf(); err != nil {
			return nil, err
		}
	}
	return a.train(ctx, l, t, g)
}

// trainSeed fixes the folds of every fit. It is part of the model's
// provenance.
const trainSeed = 1

// A trained model and where it went.
type trained struct {
	ID    string         `json:"id"`
	Path  string         `json:"path"`
	Model *predict.Model `json:"model"`

	update *predict.Update // of a run with --update
}

// train fits and publishes a project's model on what was mature at asOf.
func (a *app) train(ctx context.Context, l *loaded, asOf time.Time, g lineage) (*trained, error) {
	b, err := a.buildHistory(ctx, l)
	if err != nil {
		return nil, err
	}
	mature, censored := matureAt(b.Frame, asOf)
	if len(mature) == 0 {
		return a.trainOnNone(ctx, l, asOf, censored, g)
	}
	f := b.Frame.Select(mature)
	if _, err := a.refuseLeaks(f); err != nil {
		return nil, err
	}
	return a.trainOn(ctx, l, asOf, censored, g, churnRate(f), func(o train.Options) (*predict.Model, *features.Frame, error) {
		if a.fits(len(f.Rows), len(f.Columns)) || !streams(&o) {
			m, err := train.Fit(ctx, f, l.spec, o)
			return m, f, err
		}
		return a.streamFrame(ctx, f, l.spec, o)
	})
}

// trainOnNone publishes the model of the scorecard where no row can train, and
// refuses where there is none.
func (a *app) trainOnNone(ctx context.Context, l *loaded, asOf time.Time, censored int, g lineage) (*trained, error) {
	if l.card != nil {
		return a.trainOnCard(ctx, l, asOf, censored, g)
	}
	return nil, dataError("0 of %d eligible snapshots can train: none has an outcome that was mature at %s "+
		"(due + grace, or known_at, lies later)", censored, asOf.Format(time.DateOnly))
}

// trainOn fits rows of so much churn, and publishes the model. fit returns the rows
// that are in memory too.
func (a *app) trainOn(ctx context.Context, l *loaded, asOf time.Time, censored int, g lineage, rate float64,
	fit func(train.Options) (*predict.Model, *features.Frame, error)) (*trained, error) {
	o := l.trainOptions(a)
	o.AsOf, o.Censored, o.DataDigest = asOf.Format(time.DateOnly), censored, l.history.Fingerprint()
	g.apply(&o, rate)
	a.progress.begin("fitting")
	m, f, err := fit(o)
	if err != nil {
		return nil, err
	}
	m.Provenance.Update = g.update
	a.progress.begin("fitting what renewals do to value")
	if m.Nested, err = train.FitNested(ctx, f, l.spec, o); err != nil {
		return nil, err
	}
	return a.publish(ctx, l, m)
}

// matureAt returns the rows that may train at asOf, and how many eligible rows
// before it may not because their outcome was not mature.
func matureAt(f *features.Frame, asOf time.Time) (rows []int, censored int) {
	at := asOf.UnixNano()
	for i := range f.Rows {
		switch r := &f.Rows[i]; {
		case r.Snapshot >= at:
		case r.Y != features.Unknown && r.Matured() <= at:
			rows = append(rows, i)
		default:
			censored++
		}
	}
	return rows, censored
}

// trainOptions are the settings that every fit of a project shares.
func (p *project) trainOptions(a *app) train.Options {
	o := p.fit
	o.Seed, o.Workers, o.Time, o.Version, o.Score = trainSeed, a.workers, p.timed, version, p.score
	if p.card != nil {
		o.Scorecard, o.ScorecardWorth = p.card.Scorecard, p.cardWorth
	}
	return o
}

// trainTable fits a model on a ready table and writes it to a file.
func (a *app) trainTable(ctx context.Context, tf tableFlags, output string) error {
	if tf.label == "" {
		return usageError("--label COLUMN is needed to train on a table")
	}
	m, err := a.fitTable(ctx, tf)
	if err != nil {
		return err
	}
	output = orDefault(output, "model.json")
	id, err := predict.Save(a.fsys, output, m)
	if err != nil {
		return err
	}
	return a.showTrained(&trained{ID: id, Path: output, Model: m})
}

// fitTable fits a ready table, in memory or, where it has no room there, from
// disk.
func (a *app) fitTable(ctx context.Context, tf tableFlags) (*predict.Model, error) {
	head, all, err := data.Columns(a.fsys, tf.path)
	if err != nil {
		return nil, err
	}
	if !a.fits(all, len(head.Columns)) {
		return a.streamTable(ctx, tf, head, all)
	}
	f, spec, t, err := a.tableFrame(tf, nil)
	if err != nil {
		return nil, err
	}
	p := tableProject(tf)
	o := p.trainOptions(a)
	o.DataDigest = data.Fingerprint(t)
	rows, without := labelled(f)
	o.Censored = without
	if _, err := a.refuseLeaks(f); err != nil {
		return nil, err
	}
	a.progress.begin("fitting")
	return train.Fit(ctx, f.Select(rows), *spec, o)
}

// showTrained prints what a training run made.
func (a *app) showTrained(r *trained) error {
	for _, w := range r.Model.Warnings {
		a.warn("%s", w)
	}
	if a.json {
		return a.printJSON(struct {
			ID         string             `json:"id"`
			Path       string             `json:"path"`
			Provenance predict.Provenance `json:"provenance"`
			OutOfFold  predict.OutOfFold  `json:"out_of_fold"`
			Warnings   []string           `json:"warnings"`
			Update     *predict.Update    `json:"update,omitempty"`
		}{r.ID, r.Path, r.Model.Provenance, r.Model.OutOfFold, r.Model.Warnings, r.update})
	}
	a.progress.end()
	m, p := r.Model, r.Model.Provenance
	a.printf("model %s   %s\n", r.ID, r.Path)
	a.printf("  trained on   %d rows, %d %s, %d churned (%.1f %%); %d rows without a mature outcome\n",
		p.Rows, p.Renewals, evaluate.NamesOf(m.Spec.Outcome.Mode).Unit, p.Churned, 100*float64(p.Churned)/float64(max(1, p.Renewals)), p.Censored)
	if w := p.Streamed; w != nil {
		a.printf("  streamed     %s\n", streamedText(w))
	}
	a.printf("  weights      %d terms, ridge penalty %.4g; %d features dropped\n", len(m.Terms), p.Lambda, len(m.Dropped))
	a.printf("  out of fold  log loss %.4f (base rate %.4f), AUC %.3f\n", m.OutOfFold.LogLoss, m.OutOfFold.BaseLoss, m.OutOfFold.AUC)
	a.printf("  calibration  %s\n", m.Calibration.Reason)
	if r.update != nil {
		a.showUpdate(r.update)
	}
	return nil
}
