// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
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

// A training is what a trailer says of rows that may train.
type training struct {
	Censored int                `json:"censored"` // eligible rows without a mature outcome
	Weight   float64            `json:"weight"`
	Churned  float64            `json:"churned"` // weight of the rows that did
	Digests  []data.EventDigest `json:"digests"` // of the event sources
}

func (t *training) add(u *training) {
	t.Censored, t.Weight, t.Churned = t.Censored+u.Censored, t.Weight+u.Weight, t.Churned+u.Churned
	for i, d := range u.Digests {
		if i == len(t.Digests) {
			t.Digests = append(t.Digests, data.EventDigest{})
		}
		t.Digests[i].Add(d)
	}
}

// addTraining writes the rows of a frame that may train at an instant.
func (o *workerOutput) addTraining(f *features.Frame, asOf time.Time) error {
	if o.trailer.Training == nil {
		o.trailer.Training = new(training)
	}
	t := o.trailer.Training
	rows, censored := matureAt(f, asOf)
	t.Censored += censored
	for _, i := range rows {
		t.Weight += f.Rows[i].Weight
		t.Churned += f.Rows[i].Weight * float64(f.Rows[i].Y)
	}
	return o.add(f.Select(rows).Carry())
}

// workStats does a pass over rows of a carried frame.
func (a *app) workStats(ctx context.Context, in *ipc.StreamReader, out *workerOutput) error {
	r := new(statsRequest)
	if err := json.Unmarshal([]byte(in.Metadata(taskKey)), r); err != nil {
		return usageError("the task in the schema of the input, under %q: %v", taskKey, err)
	}
	if (r.Task == nil) == (r.Sample == nil) {
		return usageError("a task of stats asks for the sums of a task or for a sample, found both or neither")
	}
	if r.Task != nil { // whatever comes, the columns are known
		if err := out.add(answerTable(nil)); err != nil {
			return err
		}
	}
	names := features.CarriedColumns(&r.Spec)
	add, end := r.pass(out.add)
	for {
		t, err := in.Next()
		if err != nil {
			return err
		}
		if t == nil {
			return end()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		out.trailer.Records += t.Rows
		if err := add(renamed(t, names)); err != nil {
			return err
		}
	}
}

// renamed gives the columns of a table that came from an engine, as positional made
// it, their names back.
func renamed(t *data.Table, names []string) *data.Table {
	n := &data.Table{Name: t.Name, Rows: t.Rows, Columns: slices.Clone(t.Columns)}
	for i := range n.Columns {
		c := &n.Columns[i]
		if k, err := strconv.Atoi(strings.TrimPrefix(c.Name, "c")); err == nil && k < len(names) && strings.HasPrefix(c.Name, "c") {
			c.Name = names[k]
		}
	}
	return n
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
		b, err := sums.MarshalBinary()
		if err != nil {
			return err
		}
		return emit(answerTable([]train.Answer{{Shard: shard.Number(), Sums: b}}))
	})
	return func(t *data.Table) error {
		f, err := features.CarriedFrame(t, &r.Spec, digest)
		if err != nil {
			return err
		}
		return g.Add(t, f)
	}, g.Close
}

// answerTable returns answers as a table: the shard, and its sums in base64.
func answerTable(answers []train.Answer) *data.Table {
	n := len(answers)
	return &data.Table{Name: "sums", Rows: n, Columns: []data.Column{
		data.IntOf("shard", data.Int, n, func(i int) (int64, bool) { return int64(answers[i].Shard), true }),
		data.TextOf("sums", n, func(i int) string { return base64.StdEncoding.EncodeToString(answers[i].Sums) })}}
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
