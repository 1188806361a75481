// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

// A statsRequest asks a worker for one pass over its part of the rows of a fit:
// for the sums of a task by shard, or, without a task, for a sample.
type statsRequest struct {
	Spec   features.Spec `json:"spec"`
	Cut    features.Cut  `json:"cut"`
	Task   *train.Task   `json:"task,omitempty"`
	Sample *sampleOf     `json:"sample,omitempty"`
}

// A sampleOf describes a features.Sampler.
type sampleOf struct {
	Seed uint64 `json:"seed"`
	Most int    `json:"most"`
	Rows int    `json:"rows"`
}

// pass returns what takes the tables of a stream one after another, and what ends
// it. Answers go to emit.
func (r *statsRequest) pass(emit func(*data.Table) error) (add func(*data.Table) error, end func() error) {
	digest := r.Spec.Digest()
	if r.Task == nil {
		s := features.NewSampler(r.Sample.Seed, r.Sample.Most, r.Sample.Rows)
		return func(t *data.Table) error {
			f, err := features.CarriedFrame(t, &r.Spec, digest)
			if err != nil {
				return err
			}
			return emit(t.Take(s.Sift(f)))
		}, func() error { return nil }
	}
	g := features.NewGatherer(r.Cut, func(shard *features.Gathered) error {
		sums, err := r.Task.Sum(shard, 0)
		if err != nil {
			return fmt.Errorf("shard %d: %w", shard.Number(), err)
		}
		t, err := answerTable(shard.Number(), sums)
		if err != nil {
			return err
		}
		return emit(t)
	})
	return func(t *data.Table) error {
		f, err := features.CarriedFrame(t, &r.Spec, digest)
		if err != nil {
			return err
		}
		return g.Add(t, f)
	}, g.Close
}

// answerTable returns the answer of a shard: its number, and its sums in base64.
func answerTable(shard int, sums *train.Sums) (*data.Table, error) {
	b, err := sums.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return &data.Table{Name: "sums", Rows: 1, Columns: []data.Column{
		{Name: "shard", Kind: data.Int, Ints: []int64{int64(shard)}},
		data.TextColumn("sums", []string{base64.StdEncoding.EncodeToString(b)})}}, nil
}

// answersOf reads the answers of a table.
func answersOf(t *data.Table) ([]train.Answer, error) {
	shard, sums := t.Column("shard"), t.Column("sums")
	if shard == nil || sums == nil || shard.Kind != data.Int || sums.Kind != data.Text {
		return nil, fmt.Errorf("%w: columns shard and sums are expected, found %q", train.ErrAnswer, t.Names())
	}
	answers := make([]train.Answer, t.Rows)
	for i := range answers {
		b, err := base64.StdEncoding.DecodeString(sums.Text(i))
		if err != nil {
			return nil, fmt.Errorf("%w: one of shard %d that is cut off", train.ErrAnswer, shard.Ints[i])
		}
		answers[i] = train.Answer{Shard: int(shard.Ints[i]), Sums: b}
	}
	return answers, nil
}
