// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// Rows of a fit that lie in an engine: it hands over a sample of them, cuts them
// into shards, and sums over those.
type farFrame interface {
	// sample hands the rows over that may be in a sample, in any order, as carried
	// frames.
	sample(ctx context.Context, s *sampleOf, each func(*data.Table) error) error
	// cut brings the rows into shards and returns how many each has.
	cut(ctx context.Context, c features.Cut) (rows []int, err error)
	// columns returns the columns of the frame of all rows, without values.
	columns() []features.Column
	// ask has a task done on the first shards.
	ask(ctx context.Context, t *train.Task, shards int) ([]train.Answer, error)
}

// fitFar fits so many rows that lie in an engine, and returns what was in memory:
// all of them where their fit has room there, and the model is then that of
// train.Fit; else a sample, and the model is that of a fit streamed from disk. It is
// the same to the byte either way.
func (a *app) fitFar(
	ctx context.Context, rows int, far farFrame, spec features.Spec, o train.Options,
) (*predict.Model, *features.Frame, error) {
	whole := a.fits(rows, len(spec.Features)) || !streams(&o)
	of := sampleOf{Seed: trainSeed, Most: rows, Rows: rows}
	if !whole {
		of.Most = a.sampleRows(len(spec.Features))
	}
	a.progress.begin("collecting rows")
	f, err := collect(ctx, far, &of, &spec)
	if err != nil {
		return nil, nil, err
	}
	if whole {
		if len(f.Rows) != rows {
			return nil, nil, integrityError("%d rows of a frame of %d came from the engine", len(f.Rows), rows)
		}
		f.Recode(far.columns())
		if _, err := a.refuseLeaks(f); err != nil {
			return nil, nil, err
		}
		a.progress.begin("fitting")
		m, err := train.Fit(ctx, f, spec, o)
		return m, f, err
	}
	cut := features.CutOf(rows, len(spec.Features))
	shards, err := far.cut(ctx, cut)
	if err != nil {
		return nil, nil, err
	}
	counted := 0
	for _, n := range shards {
		counted += n
	}
	if len(shards) != cut.Shards || counted != rows {
		return nil, nil, integrityError("%d rows in %d shards came of %d in %d", counted, len(shards), rows, cut.Shards)
	}
	m, err := a.fitSample(ctx, f, &train.Far{Rows: shards, Ask: far.ask}, spec, o)
	return m, f, err
}

// collect returns a sample of far rows, the one that rows which come by in the order
// of the frame would give.
func collect(ctx context.Context, far farFrame, of *sampleOf, spec *features.Spec) (*features.Frame, error) {
	var rows features.Assembly
	digest := spec.Digest()
	err := far.sample(ctx, of, func(t *data.Table) error {
		f, err := features.CarriedFrame(t, spec, digest)
		if err != nil {
			return err
		}
		return rows.Add(t, f)
	})
	if err != nil {
		return nil, err
	}
	f, err := rows.Frame()
	if err != nil {
		return nil, err
	}
	s := features.NewSampler(of.Seed, of.Most, of.Rows)
	s.Add(f)
	return s.Frame(), nil
}
