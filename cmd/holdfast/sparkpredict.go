// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// sparkPredict scores as predictProject does, but for who works on it.
func (a *app) sparkPredict(ctx context.Context, e *engineFlags, asOf, maxAge, ref string, o scoreOutput) (err error) {
	p, err := a.findProject()
	if err != nil {
		return err
	}
	scorers, err := a.scorers(p, orDefault(ref, registry.Champion))
	if err != nil {
		return err
	}
	j, err := a.openSpark(ctx, e, o.path, modelsOf(scorers)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	t, err := j.asOf(asOf, maxAge)
	if err != nil {
		return err
	}
	task := j.task(t)
	for i := range scorers {
		m := scorers[i].m
		if err := m.Spec.Validate(j.history); err != nil {
			return j.placed(err)
		}
		text, err := predict.Marshal(m)
		if err != nil {
			return err
		}
		task.Scorers = append(task.Scorers, workerScorer{ID: scorers[i].id, Model: string(text)})
	}
	none := *j.loaded
	if none.history, err = j.without(nil); err != nil {
		return err
	}
	s, err := a.scoreAll(ctx, &none, t, scorers)
	if err != nil {
		return err
	}
	folder, err := j.write(ctx, "score", task, s.withGrow())
	if err != nil {
		return err
	}
	if err := s.take(a.fsys, folder, j.records); err != nil {
		return err
	}
	return a.finishScores(j.loaded, t, scorers[0].id, s, o)
}

// take takes the scores that workers have written in the place of none.
func (s *scored) take(fsys data.FS, folder string, records int) error {
	var table *data.Table
	sum, err := mergeParts(fsys, folder, s.withGrow(), records, allRows, func(whole *data.Table) error {
		table = whole
		return nil
	})
	if err != nil {
		return err
	}
	s.splitGrow(table)
	s.Rows, s.Unseen, s.Left = table.Rows, sum.Unseen, features.Counts(sum.Left, sum.Rows)
	s.Status, s.Tiers, s.worst = counts(table, "status"), counts(table, "tier"), worstRows(table, 5)
	if len(sum.Of) != len(s.Profiles) {
		return fmt.Errorf("%w: the trailers count rows of %d profiles; there are %d", predict.ErrIntegrity, len(sum.Of), len(s.Profiles))
	}
	for i, n := range sum.Of {
		s.Profiles[i].Rows = n
	}
	return nil
}
