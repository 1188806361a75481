// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
	"github.com/holdfast-churn/holdfast/train"
)

// A lineage is what a new model takes over from the champion: the base odds of
// the health score, so that a score of 60 keeps its meaning from one version to
// the next. The zero value begins a lineage.
type lineage struct {
	baseRate float64
	parent   string // id of the model that the base odds come from
	update   *predict.Update
}

// lineageOf returns the lineage of the project's champion; none where there is
// no champion, or where it predicts another kind of churn.
func (l *loaded) lineageOf() (lineage, error) {
	m, id, err := l.registry.Load(registry.Champion)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return lineage{}, nil
	case err != nil:
		return lineage{}, fmt.Errorf("taking over the champion's base odds (train --rebase begins anew): %w", err)
	case m.Spec.Outcome.Mode != l.spec.Outcome.Mode:
		return lineage{}, nil
	}
	return lineage{baseRate: m.Score.BaseRate, parent: orDefault(m.Provenance.Parent, id)}, nil
}

// apply sets a fit's base odds. Where they are those of the rows themselves,
// the fit is the same with and without a lineage, and so must its id be: it
// names no parent then.
func (g lineage) apply(o *train.Options, rate float64) {
	if g.baseRate == 0 || math.Abs(g.baseRate-rate) <= 1e-12 {
		return
	}
	o.Score.BaseRate, o.Parent = g.baseRate, g.parent
}

// churnRate returns the weighted share of the rows that churned.
func churnRate(f *features.Frame) float64 {
	churned, total := 0.0, 0.0
	for i := range f.Rows {
		churned += f.Rows[i].Weight * float64(f.Rows[i].Y)
		total += f.Rows[i].Weight
	}
	return churned / total
}

// update tests the champion on what matured since its as-of, and publishes a
// minor version of it, a new fit, or nothing.
func (a *app) update(ctx context.Context, asOf, maxAge string) error {
	p, err := a.findProject()
	if err != nil {
		return err
	}
	champion, id, err := p.registry.Load(registry.Champion)
	if err != nil {
		return err
	}
	l, t, err := a.loadAt(ctx, asOf, maxAge, champion)
	if err != nil {
		return err
	}
	r, err := a.updated(ctx, l, t, champion, id)
	if err != nil {
		return err
	}
	return a.showTrained(r)
}

// updated tests the champion, for which the project was loaded, on what matured
// since by t. It returns the champion where it stays, else what was published.
func (a *app) updated(ctx context.Context, l *loaded, t time.Time, champion *predict.Model, id string) (*trained, error) {
	if err := sameRules(&champion.Spec, &l.spec); err != nil {
		return nil, err
	}
	b, err := a.build(ctx, l, &champion.Spec, time.Time{})
	if err != nil {
		return nil, err
	}
	rows, err := maturedSince(b.Frame, champion, t)
	if err != nil {
		return nil, err
	}
	u, err := train.ClosedTest(champion, b.Frame.Select(rows))
	if err != nil {
		return nil, err
	}
	u.Of = id
	r := &trained{ID: id, Path: l.registry.ModelPath(id), Model: champion}
	switch {
	case u.Model != nil:
		r, err = a.publishMinor(ctx, l, u, champion, t)
	case u.Kind == predict.UpdateRefit:
		var g lineage
		if g, err = l.lineageOf(); err == nil {
			g.update = &u.Update
			r, err = a.train(ctx, l, t, g)
		}
	}
	if err != nil {
		return nil, err
	}
	r.update = &u.Update
	return r, nil
}

// maturedSince returns the rows whose outcome matured after the model's as-of
// and by asOf. The model has learned from none of them.
func maturedSince(f *features.Frame, m *predict.Model, asOf time.Time) ([]int, error) {
	then, err := time.ParseInLocation(time.DateOnly, m.Provenance.AsOf, asOf.Location())
	if err != nil {
		return nil, fmt.Errorf("%w: the champion's as-of is %q; expected a date; train again without --update",
			predict.ErrIntegrity, m.Provenance.AsOf)
	}
	if !asOf.After(then) {
		return nil, usageError("--as-of %s: the champion was trained as of %s; --update tests it on what matured since, so name a later date",
			asOf.Format(time.DateOnly), m.Provenance.AsOf)
	}
	rows, _ := matureAt(f, asOf)
	since := rows[:0]
	for _, i := range rows {
		if f.Rows[i].Matured() > then.UnixNano() {
			since = append(since, i)
		}
	}
	return since, nil
}

// publishMinor publishes the champion's weights under their new map.
func (a *app) publishMinor(ctx context.Context, l *loaded, u *train.Updated, champion *predict.Model, asOf time.Time) (*trained, error) {
	m := u.Model
	m.Provenance.Parent = orDefault(champion.Provenance.Parent, u.Of)
	m.Provenance.Update = &u.Update
	m.Provenance.AsOf, m.Provenance.Data, m.Provenance.Version = asOf.Format(time.DateOnly), l.history.Fingerprint(), version
	return a.publish(ctx, l, m)
}

// publish writes a model as a version of the project's registry.
func (a *app) publish(ctx context.Context, l *loaded, m *predict.Model) (*trained, error) {
	var id string
	err := a.changing(ctx, l.project, func(r *registry.Registry) (err error) {
		id, err = r.Publish(m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &trained{ID: id, Path: l.registry.ModelPath(id), Model: m}, nil
}

// showUpdate prints what the closed test found.
func (a *app) showUpdate(u *predict.Update) {
	a.printf("  update       %s of %s: %s\n", u.Kind, u.Of, u.Reason)
	for _, t := range u.Tests {
		a.printf("               a revision against %-10s chi-squared %.2f, %d degrees of freedom, p = %.3g\n", t.Against+":", t.Statistic, t.Freedom, t.P)
	}
	if u.Kind == predict.UpdateIntercept || u.Kind == predict.UpdateSlope {
		a.printf("               new log-odds = %+.3f %+.3f z\n", u.Intercept, u.Slope)
	}
}
