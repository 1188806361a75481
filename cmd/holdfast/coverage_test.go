// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// made returns a made history as a loaded project, without touching a disk.
func made(t *testing.T, d *demo.Demo) *loaded {
	t.Helper()
	p, err := parseProject([]byte(d.ProjectYAML), "")
	if err != nil {
		t.Fatal(err)
	}
	tables := &data.Tables{Accounts: &d.Accounts, Contracts: &d.Contracts}
	for _, s := range p.sources.Events {
		i := slices.IndexFunc(d.Events, func(e data.Table) bool { return e.Name == s.Path })
		if i < 0 {
			t.Fatalf("the project reads %s, which was not made", s.Path)
		}
		tables.Events = append(tables.Events, &d.Events[i])
	}
	h, err := data.NewHistory(context.Background(), tables, p.sources)
	if err != nil {
		t.Fatal(err)
	}
	return &loaded{project: p, history: h, spec: p.spec(h)}
}

// Over 100 made histories whose truth is linear in the features, the 90 %
// intervals of the whole pipeline, with the penalty chosen by cross-validation,
// cover 85 to 95 % of the true effects.
func TestIntervalsCoverTheTruth(t *testing.T) {
	const histories, renewals = 100, 2500
	covered := make(map[string]int)
	total, inside := 0, 0
	for seed := range uint64(histories) {
		d := demo.Linear(seed+1, renewals)
		l := made(t, d)
		f := built(t, l, 2).Frame
		f = f.Select(f.Where(func(r *features.Row) bool { return r.Y != features.Unknown }))
		m, err := train.Fit(context.Background(), f, l.spec, train.Options{Seed: trainSeed, Calibration: train.CalibrationNone, Stages: train.StagesLinear, Time: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Terms) != len(d.Truth.Effects) {
			t.Fatalf("%d terms for %d true effects; dropped %v", len(m.Terms), len(d.Truth.Effects), m.Dropped)
		}
		for _, e := range d.Truth.Effects {
			i := slices.IndexFunc(m.Terms, func(t predict.Term) bool { return t.Feature == e.Feature })
			got := m.Terms[i].Columns[0].PerUnit()
			total++
			if got.Low <= e.Coef && e.Coef <= got.High {
				inside++
				covered[e.Feature]++
			}
		}
	}
	rate := float64(inside) / float64(total)
	t.Logf("covered %d of %d true effects, %.1f %%; by feature, of %d: %v", inside, total, 100*rate, histories, covered)
	if rate < 0.85 || rate > 0.95 {
		t.Errorf("90 %% intervals cover %.1f %%, want 85 to 95 %%", 100*rate)
	}
}
