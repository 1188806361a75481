// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// compareDays is how long before today the data change of scores is looked at.
const compareDays = 30

// compare sets model b beside model a: their recipes, the models as they are,
// and what becomes of today's scores.
func (a *app) compare(ctx context.Context, refs []string, output string) error {
	p, err := a.findProject()
	if err != nil {
		return err
	}
	var models [2]*predict.Model
	var ids [2]string
	for k, ref := range refs {
		if models[k], ids[k], err = a.readModel(p, ref); err != nil {
			return err
		}
	}
	l, err := a.load(ctx, models[0], models[1])
	if err != nil {
		return err
	}
	for _, m := range models {
		if err := sameRules(&m.Spec, &l.spec); err != nil {
			return err
		}
	}
	c := &evaluate.ModelComparison{Format: evaluate.ComparisonFormat, A: ids[0], B: ids[1]}
	if err := a.compareHistory(ctx, l, c, models); err != nil {
		return err
	}
	if err := a.compareToday(ctx, l, c, models); err != nil {
		return err
	}
	c.Say()
	return a.finishComparison(l, c, output)
}

// compareHistory compares the recipes by a backtest, and the models on what
// matured after both were fitted.
func (a *app) compareHistory(ctx context.Context, l *loaded, c *evaluate.ModelComparison, models [2]*predict.Model) error {
	var frames [2]*features.Frame
	for k, m := range models {
		if k == 1 && m.Spec.Digest() == models[0].Spec.Digest() {
			frames[1] = frames[0]
			break
		}
		b, err := a.build(ctx, l, &m.Spec, time.Time{})
		if err != nil {
			return err
		}
		frames[k] = b.Frame
	}
	o := a.backtestOptions()
	o.Origins, o.Project, o.Data, o.Capacity, o.Score = l.origins, l.name, l.history.Fingerprint(), l.capacity, l.score
	if frames[0] != frames[1] {
		second := a.recipe(c.B, l.project, &models[1].Spec)
		second.Frame = frames[1]
		r, err := evaluate.Backtest(ctx, frames[0], []evaluate.Candidate{a.recipe(c.A, l.project, &models[0].Spec), second}, o)
		if err != nil {
			return err
		}
		c.Recipe = evaluate.PairOf(r.Report)
	}
	from := int64(0)
	for k, m := range models {
		asOf, err := time.Parse(time.DateOnly, m.Provenance.AsOf)
		if err != nil {
			return fmt.Errorf("%w: model %s has the as-of %q; expected a date", predict.ErrIntegrity, []string{c.A, c.B}[k], m.Provenance.AsOf)
		}
		from = max(from, data.Midnight(asOf, l.sources.Location).UnixNano())
	}
	rows := frames[0].Where(func(r *features.Row) bool {
		return r.Snapshot >= from && r.Y != features.Unknown && r.Status != features.Decided && r.Status != features.Early
	})
	var said [2][]float64
	for k, m := range models {
		var err error
		if said[k], err = m.Prob(nil, frames[k].Select(rows)); err != nil {
			return err
		}
	}
	c.Frozen = evaluate.ComparePair(frames[0].Select(rows), c.A, c.B, said[0], said[1], o)
	return nil
}

// compareToday compares the scores of the newest date, and those of the first
// model some time before.
func (a *app) compareToday(ctx context.Context, l *loaded, c *evaluate.ModelComparison, models [2]*predict.Model) error {
	today := data.MidnightAfter(l.history.Newest, l.sources.Location)
	before := today.AddDate(0, 0, -compareDays)
	scored := func(m *predict.Model, at time.Time) (evaluate.Scored, error) {
		b, err := a.build(ctx, l, &m.Spec, at)
		if err != nil {
			return evaluate.Scored{}, err
		}
		return evaluate.Scored{Model: m, Frame: b.Frame}, nil
	}
	was, err := scored(models[0], before)
	if err != nil {
		return err
	}
	ours, err := scored(models[0], today)
	if err != nil {
		return err
	}
	theirs, err := scored(models[1], today)
	if err != nil {
		return err
	}
	if c.Changes, err = evaluate.CompareScores(was, ours, theirs); err != nil {
		return err
	}
	c.Changes.Before, c.Changes.Today = before.Format(time.DateOnly), today.Format(time.DateOnly)
	return nil
}

// finishComparison writes the comparison, with the accounts that move tier in a
// file of their own, and prints it.
func (a *app) finishComparison(l *loaded, c *evaluate.ModelComparison, output string) error {
	dir := orDefault(output, filepath.Join(l.dir, "reports", c.A+"-"+c.B))
	if err := a.fsys.MkdirAll(dir); err != nil {
		return fmt.Errorf("writing the comparison: %w", err)
	}
	text, err := c.JSON()
	if err != nil {
		return err
	}
	if err := data.WriteBytes(a.fsys, filepath.Join(dir, "comparison.json"), text); err != nil {
		return err
	}
	if err := data.Write(a.fsys, filepath.Join(dir, "moves.csv"), movesTable(c.Changes.Moves)); err != nil {
		return err
	}
	a.progress.end()
	if a.json {
		return a.printJSON(struct {
			Path string `json:"path"`
			*evaluate.ModelComparison
		}{dir, c})
	}
	for _, words := range c.Words {
		a.printf("%s\n", words)
	}
	for _, part := range []struct {
		what string
		pair *evaluate.Pair
	}{{"recipes", c.Recipe}, {"as they are", c.Frozen}} {
		if part.pair == nil {
			continue
		}
		a.printf("\n  %-14s %9s %9s %9s %9s\n", part.what, "log loss", "Brier", "AUC", "ICI")
		for k, m := range []evaluate.Metrics{part.pair.A, part.pair.B} {
			a.printf("  %-14s %9.4f %9.4f %9.3f %9.4f\n", []string{c.A, c.B}[k], m.LogLoss, m.Brier, m.AUC, m.ICI)
		}
	}
	if len(c.Changes.Tiers) > 0 {
		a.printf("\n  %-10s %-10s %8s\n", "tier was", "tier is", "rows")
	}
	for _, t := range c.Changes.Tiers {
		a.printf("  %-10s %-10s %8d\n", t.From, t.To, t.Rows)
	}
	a.printf("\ncomparison: %s\n", dir)
	return nil
}

func movesTable(moves []evaluate.Move) *data.Table {
	n := len(moves)
	text := func(name string, value func(*evaluate.Move) string) data.Column {
		return data.TextOf(name, n, func(i int) string { return value(&moves[i]) })
	}
	number := func(name string, value func(*evaluate.Move) float64) data.Column {
		return data.FloatOf(name, n, func(i int) float64 { return value(&moves[i]) })
	}
	return &data.Table{Name: "moves", Rows: n, Columns: []data.Column{
		text("account_id", func(m *evaluate.Move) string { return m.Account }),
		text("contract_id", func(m *evaluate.Move) string { return m.Contract }),
		text("tier_a", func(m *evaluate.Move) string { return string(m.From) }),
		text("tier_b", func(m *evaluate.Move) string { return string(m.To) }),
		number("health_a", func(m *evaluate.Move) float64 { return m.A }),
		number("health_b", func(m *evaluate.Move) float64 { return m.B }),
		number("model_change", func(m *evaluate.Move) float64 { return m.B - m.A }),
		number("data_change", func(m *evaluate.Move) float64 { return m.Data }),
	}}
}
