// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// explainedScore is the score of a snapshot and how it came about.
type explainedScore struct {
	P         float64            `json:"p_churn"`
	Low       *float64           `json:"p_low"`
	High      *float64           `json:"p_high"`
	Health    float64            `json:"health"`
	Tier      string             `json:"tier"`
	Main      string             `json:"main_pillar"`
	Stability *float64           `json:"stability"`
	Reasons   []string           `json:"reasons"`
	Helps     []string           `json:"helps"`
	Waterfall *predict.Waterfall `json:"waterfall"`
	Trend     []explainedPoint   `json:"trend"` // the oldest first
	Changes   []explainedChange  `json:"changes"`
	Model     *explainedModel    `json:"model_change,omitempty"`
	WhatIfs   []predict.WhatIf   `json:"what_if"` // association, not effect
}

// An explainedPoint is the score some days before, by the same model and from
// what was known then.
type explainedPoint struct {
	Date   string   `json:"date"`
	Days   int      `json:"days_before"`
	P      *float64 `json:"p_churn"`
	Health *float64 `json:"health"`
}

// An explainedChange is what a feature adds to the log-odds now and 30 days
// before: a change of the data alone.
type explainedChange struct {
	Feature string  `json:"feature"`
	Label   string  `json:"label"`
	From    string  `json:"from"`
	To      string  `json:"to"`
	Effect  float64 `json:"effect"` // change of the contribution; above 0 the risk rose
}

// An explainedModel compares the score with that of the champion before on the
// same data.
type explainedModel struct {
	ModelID string  `json:"model_id"`
	P       float64 `json:"p_churn"`
	Health  float64 `json:"health"`
	Change  float64 `json:"health_change"` // of this model against it
}

// explainers are the models that an account can be explained by, or why there
// are none; and the champion before, where the score is the champion's.
type explainers struct {
	scorers  []scorer
	err      error
	named    bool // --model names one
	before   *predict.Model
	beforeID string
}

// explainers finds them. Without --model it is no error that there are none.
func (a *app) explainers(p *project, ref string) (*explainers, error) {
	by := &explainers{named: ref != ""}
	by.scorers, by.err = a.scorers(p, orDefault(ref, registry.Champion))
	if by.named && by.err != nil {
		return nil, by.err
	}
	if by.named || by.err != nil {
		return by, nil
	}
	aliases, err := p.registry.Aliases()
	if err != nil {
		return nil, err
	}
	if trail := aliases[registry.Champion].Trail(); len(trail) > 1 {
		// A version that cannot be read any more is no reason not to explain.
		if m, id, err := p.registry.Load(trail[len(trail)-2]); err == nil {
			by.before, by.beforeID = m, id
		}
	}
	return by, nil
}

// trendDays are the days before the date on which the trend of an account is
// taken.
var trendDays = []int{90, 60, 30, 14, 7, 1, 0}

// changeDays is how far back changes are looked for, and changesListed how many
// are.
const (
	changeDays    = 30
	changesListed = 5
	whatIfsListed = 6
)

// An accountScorer explains the scores of one account.
type accountScorer struct {
	*scorer
	h        *data.History
	asOf     time.Time
	frame    *features.Frame // of the account as of asOf
	before   *predict.Model  // the champion before; nil where there is none
	beforeID string
}

// explain adds scores to the rows that have a probability.
func (x *accountScorer) explain(ctx context.Context, e *explained) error {
	scores, err := x.m.Scores(x.frame, predict.ScoreOptions{ModelID: x.id, AsOf: x.asOf.UnixNano(), Location: x.h.Location})
	if err != nil {
		return err
	}
	falls, err := x.m.Waterfalls(x.frame)
	if err != nil {
		return err
	}
	earlier := make(map[int]*features.Frame)
	for _, days := range append([]int{changeDays}, trendDays...) {
		if earlier[days], err = x.at(ctx, &x.m.Spec, days); err != nil {
			return err
		}
	}
	for i := range e.Rows {
		p := scores.Column("p_churn").Floats[i]
		if p != p {
			continue
		}
		s := &explainedScore{P: p, Low: number(scores.Column("p_low").Floats[i]), High: number(scores.Column("p_high").Floats[i]),
			Health: scores.Column("health").Floats[i], Tier: scores.Column("tier").Text(i), Main: scores.Column("main_pillar").Text(i),
			Stability: number(scores.Column("stability").Floats[i]), Waterfall: &falls[i],
			Reasons: textsOf(scores, i, "reason_1", "reason_2", "reason_3"), Helps: textsOf(scores, i, "helps_1", "helps_2")}
		e.Rows[i].Score = s
		if s.Trend, err = x.trend(earlier, i); err != nil {
			return err
		}
		if s.Changes, err = x.changes(earlier[changeDays], i); err != nil {
			return err
		}
		if s.WhatIfs, err = x.m.WhatIfs(x.frame, i); err != nil {
			return err
		}
		if s.Model, err = x.modelChange(ctx, i, s.Health); err != nil {
			return err
		}
	}
	return nil
}

// at returns the account's rows that have a probability some days before.
func (x *accountScorer) at(ctx context.Context, spec *features.Spec, days int) (*features.Frame, error) {
	then := data.Midnight(x.asOf.AddDate(0, 0, -days), x.h.Location)
	b, err := features.Build(ctx, x.h, spec, features.Options{AsOf: then, OnlyScored: true, Workers: 1})
	if err != nil {
		return nil, err
	}
	return b.Frame, nil
}

// same returns the row of a frame that is of the same contract as row i now, or
// −1.
func (x *accountScorer) same(f *features.Frame, i int) int {
	return slices.IndexFunc(f.Rows, func(r features.Row) bool { return r.Contract == x.frame.Rows[i].Contract })
}

func (x *accountScorer) trend(earlier map[int]*features.Frame, i int) ([]explainedPoint, error) {
	var out []explainedPoint
	for _, days := range trendDays {
		point := explainedPoint{Date: x.asOf.AddDate(0, 0, -days).Format(time.DateOnly), Days: days}
		if row := x.same(earlier[days], i); row >= 0 {
			p, err := x.m.Prob(nil, earlier[days])
			if err != nil {
				return nil, err
			}
			health := x.m.Score.Health(p[row])
			point.P, point.Health = &p[row], &health
		}
		out = append(out, point)
	}
	return out, nil
}

// changes returns the features whose contribution changed most since a frame of
// some days before.
func (x *accountScorer) changes(then *features.Frame, i int) ([]explainedChange, error) {
	out := []explainedChange{}
	row := x.same(then, i)
	if row < 0 {
		return out, nil
	}
	falls, err := x.m.Waterfalls(then)
	if err != nil {
		return nil, err
	}
	now, err := x.m.Waterfalls(x.frame)
	if err != nil {
		return nil, err
	}
	was := make(map[string]predict.WaterfallStep)
	for _, p := range falls[row].Pillars {
		for _, f := range p.Features {
			was[f.Feature] = f
		}
	}
	for _, p := range now[i].Pillars {
		for _, f := range p.Features {
			if by := f.Effect - was[f.Feature].Effect; by != 0 {
				out = append(out, explainedChange{f.Feature, f.Label, was[f.Feature].Value, f.Value, by})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b explainedChange) int {
		switch d := math.Abs(b.Effect) - math.Abs(a.Effect); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	return out[:min(changesListed, len(out))], nil
}

// modelChange scores row i by the champion before, nil where there is none or it
// cannot read the account's data.
func (x *accountScorer) modelChange(ctx context.Context, i int, health float64) (*explainedModel, error) {
	if x.before == nil {
		return nil, nil
	}
	f, err := x.at(ctx, &x.before.Spec, 0)
	if err != nil {
		return nil, nil // its features need columns that were not read
	}
	row := x.same(f, i)
	if row < 0 {
		return nil, nil
	}
	p, err := x.before.Prob(nil, f)
	if err != nil {
		return nil, err
	}
	was := x.before.Score.Health(p[row])
	return &explainedModel{ModelID: x.beforeID, P: p[row], Health: was, Change: health - was}, nil
}
