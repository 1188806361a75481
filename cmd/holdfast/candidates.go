// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/evaluate/baseline"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
	"github.com/holdfast-churn/holdfast/train"
)

// candidates are the ways of fitting that a backtest compares: ours first.
func (a *app) candidates(p *project, spec *features.Spec) []evaluate.Candidate {
	all := []evaluate.Candidate{a.recipe("holdfast", p, spec), evaluate.BaseRate(), evaluate.SegmentBaseRate(), evaluate.OneFeature()}
	if p.card != nil {
		all = append(all, a.scorecard(p, spec))
	}
	return append(all, baseline.CART(), baseline.Bayes())
}

// scorecard is the score made by hand, on its own: only the level and the
// spread of its probabilities are fitted.
func (a *app) scorecard(p *project, spec *features.Spec) evaluate.Candidate {
	return evaluate.Candidate{Name: evaluate.ScorecardName, Key: spec.Digest() + " " + p.card.key(p.cardWorth),
		Note: "the score made by hand: accounts rank as it ranks them, its probabilities are calibrated on the training rows",
		Fit: func(_ context.Context, f *features.Frame) (evaluate.Predictor, error) {
			return train.FitScorecard(f, *spec, p.card.Scorecard, p.trainOptions(a))
		}}
}

// recipe is the way in which train fits, under a spec.
func (a *app) recipe(name string, p *project, spec *features.Spec) evaluate.Candidate {
	o := &p.fit
	key := fmt.Sprintln(spec.Digest(), o.Calibration, o.Stages, o.Segments, o.Penalty, o.FoldsBy, o.Weights, o.Directions, p.card.key(p.cardWorth))
	return evaluate.Candidate{Name: name, Key: key,
		Fit: func(ctx context.Context, f *features.Frame) (evaluate.Predictor, error) {
			o := p.trainOptions(a)
			o.Workers = 1 // origins run side by side already
			o.Unexplained = true
			return train.Fit(ctx, f, *spec, o)
		}}
}

// champions returns the project's champion as a candidate that is not refitted
// and not asked before its own as-of, and, where its features are not those of
// the project file, its recipe refitted at every origin. There are none where
// no model is promoted, or where the champion was made under other rules.
func (a *app) champions(ctx context.Context, l *loaded, f *features.Frame) ([]evaluate.Candidate, error) {
	m, id, err := l.registry.Load(registry.Champion)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := sameRules(&m.Spec, &l.spec); err != nil {
		a.warn("the champion %s is left out of the backtest: %v", id, err)
		return nil, nil
	}
	frame, err := a.frameFor(ctx, l, f, m)
	if err != nil {
		return nil, err
	}
	frozen, err := frozenModel(evaluate.ChampionName, id, m, frame, l.sources.Location)
	if err != nil {
		return nil, err
	}
	out := []evaluate.Candidate{frozen}
	if frame != nil {
		recipe := a.recipe(evaluate.ChampionRecipeName, l.project, &m.Spec)
		recipe.Note, recipe.Frame = fmt.Sprintf("the features of the champion %s, refitted at every origin", id), frame
		out = append(out, recipe)
	}
	return out, nil
}

// frameFor returns the rows of f under a model's spec, or nil where that is the
// spec of f.
func (a *app) frameFor(ctx context.Context, l *loaded, f *features.Frame, m *predict.Model) (*features.Frame, error) {
	if m.Spec.Digest() == f.SpecDigest {
		return nil, nil
	}
	b, err := a.build(ctx, l, &m.Spec, time.Time{})
	if err != nil {
		return nil, err
	}
	if len(b.Frame.Rows) != len(f.Rows) {
		return nil, fmt.Errorf("%w: the model's features give %d rows, the project's %d",
			predict.ErrIntegrity, len(b.Frame.Rows), len(f.Rows))
	}
	return b.Frame, nil
}

// frozenModel is a published model as a candidate.
func frozenModel(name, id string, m *predict.Model, frame *features.Frame, loc *time.Location) (evaluate.Candidate, error) {
	asOf, err := time.Parse(time.DateOnly, m.Provenance.AsOf)
	if err != nil {
		return evaluate.Candidate{}, fmt.Errorf("%w: model %s has the as-of %q; expected a date", predict.ErrIntegrity, id, m.Provenance.AsOf)
	}
	return evaluate.Candidate{Name: name, Key: id, Frame: frame, From: data.Midnight(asOf, loc),
		Note: fmt.Sprintf("model %s as it was published, on snapshots from its as-of %s on", id, m.Provenance.AsOf),
		Fit:  func(context.Context, *features.Frame) (evaluate.Predictor, error) { return m, nil }}, nil
}
