// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// Memory of a fit, in bytes, as measured on a table of 100 numbers with curves,
// pairs and tables in the contest: at its peak, and what of it the collector
// cannot free.
const (
	fitValueBytes    = 400 // of a value of a feature
	fitRowBytes      = 500 // of a row beside its values
	sampleValueBytes = 250 // of a value of a sample, whose fit may collect more often
	sampleShare      = 0.5 // of the memory, for the sample's fit
	leastSample      = 2000
	mostSample       = 200_000 // rows from which on a larger sample would choose the same
)

// fits reports whether a fit of so many rows of so many features has room in
// memory, as far as is known.
func (a *app) fits(rows, columns int) bool {
	return a.fitBytes == 0 || int64(rows)*int64(columns*fitValueBytes+fitRowBytes) <= a.fitBytes
}

// streams reports whether a fit under these options can be streamed.
func streams(o *train.Options) bool {
	return o.Weights != train.WeightsValue && !math.IsInf(o.ScorecardWorth, 1)
}

// sampleRows returns the number of rows on which a streamed fit chooses.
func (a *app) sampleRows(columns int) int {
	rows := int(sampleShare * float64(a.fitBytes) / float64(columns*sampleValueBytes+fitRowBytes))
	return min(max(rows, leastSample), mostSample)
}

// A streamedRows collects the rows of a fit that does not fit in memory: a sample of
// them in memory, and all of them in shards on disk.
type streamedRows struct {
	app     *app
	sampler *features.Sampler
	sharder *features.Sharder
}

func (a *app) newStream(columns []features.Feature, rows int) *streamedRows {
	return &streamedRows{a, features.NewSampler(trainSeed, a.sampleRows(len(columns)), rows), features.NewSharder(a.fsys, columns, rows)}
}

// add takes the rows of one more frame.
func (s *streamedRows) add(f *features.Frame) error {
	s.sampler.Add(f)
	return s.sharder.Add(f)
}

// fit fits the rows that were added and frees the disk, whatever happens.
func (s *streamedRows) fit(ctx context.Context, spec features.Spec, o train.Options) (m *predict.Model, err error) {
	defer func() { err = errors.Join(err, s.sharder.Close()) }()
	sample := s.sampler.Frame()
	shards, err := s.sharder.Shards(sample)
	if err != nil {
		return nil, err
	}
	return s.app.fitSample(ctx, sample, train.Local{Rows: shards, Workers: o.Workers}, spec, o)
}

// fitSample fits rows that lie elsewhere, of which there is a sample.
func (a *app) fitSample(
	ctx context.Context, sample *features.Frame, rows train.Summer, spec features.Spec, o train.Options,
) (*predict.Model, error) {
	if _, err := a.refuseLeaks(sample); err != nil {
		return nil, err
	}
	a.progress.begin("fitting")
	return train.FitRows(ctx, sample, &counted{rows, a, 0}, spec, o)
}

// streamFrame fits a frame whose design does not fit in memory beside it, and
// returns the sample too.
func (a *app) streamFrame(
	ctx context.Context, f *features.Frame, spec features.Spec, o train.Options,
) (*predict.Model, *features.Frame, error) {
	s := a.newStream(spec.Features, len(f.Rows))
	if err := s.add(f); err != nil {
		return nil, nil, errors.Join(err, s.sharder.Close())
	}
	m, err := s.fit(ctx, spec, o)
	return m, s.sampler.Frame(), err
}

// streamedText says how a streamed fit went.
func streamedText(s *predict.Streamed) string {
	text := fmt.Sprintf("weights from all rows in %d passes; columns, penalty and calibration from a random sample of %d rows", s.Passes, s.Sample)
	if s.Matrices > 1 {
		text += fmt.Sprintf("; second derivatives were taken of all rows %d times", s.Matrices)
	}
	return text
}

// counted shows the passes over all rows as progress.
type counted struct {
	train.Summer
	app    *app
	passes int
}

func (c *counted) Sum(ctx context.Context, t *train.Task) (*train.Sums, error) {
	if c.passes++; c.passes == 1 {
		c.app.progress.begin("fitting all rows")
	}
	return c.Summer.Sum(ctx, t)
}

// blockValues is about how many values of a ready table are read at a time.
const blockValues = 1 << 22

// streamTable fits a ready table that does not fit in memory.
func (a *app) streamTable(ctx context.Context, tf tableFlags, head *data.Table, rows int) (*predict.Model, error) {
	o := tf.options()
	spec, err := features.TableSpec(head, o)
	if err != nil {
		return nil, err
	}
	s := a.newStream(spec.Features, rows)
	var digest data.BlockDigest
	without, done := 0, 0
	err = features.ScanTable(a.fsys, tf.path, spec, o, max(blockValues/len(head.Columns), 256), a.workers, func(t *data.Table, f *features.Frame) error {
		digest.Add(t)
		known, missing := labelled(f)
		without += missing
		done += t.Rows
		a.progress.step("rows of the table", done, rows)
		if missing > 0 {
			f = f.Select(known)
		}
		return errors.Join(ctx.Err(), s.add(f))
	})
	if err != nil {
		return nil, errors.Join(err, s.sharder.Close())
	}
	p := tableProject(tf)
	options := p.trainOptions(a)
	options.DataDigest, options.Censored = digest.Sum(), without
	return s.fit(ctx, *spec, options)
}
