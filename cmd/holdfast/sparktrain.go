// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// sparkTrain trains as train does, but for who works on the rows.
func (a *app) sparkTrain(ctx context.Context, e *engineFlags, r trainRequest) (out *trained, err error) {
	p, err := a.findProject()
	if err != nil {
		return nil, err
	}
	j, err := a.openSpark(ctx, e, filepath.Clean(p.registry.Dir))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	if j.card, err = j.readScorecard(&j.spec); err != nil {
		return nil, err
	}
	asOf, err := j.asOf(r.asOf, r.maxAge)
	if err != nil {
		return nil, err
	}
	var g lineage
	if !r.rebase {
		if g, err = j.lineageOf(); err != nil {
			return nil, err
		}
	}
	far, err := j.farFrame(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return a.trainFar(ctx, j, asOf, g, &far.sum, far)
}

// trainFar trains on rows that lie in an engine, of which the trailers tell.
func (a *app) trainFar(ctx context.Context, j *sparkJob, asOf time.Time, g lineage, sum *trailer, far farFrame) (*trained, error) {
	t := sum.Training
	switch {
	case sum.Rows+t.Censored == 0:
		return nil, dataError("%s", j.built(sum).Explain())
	case sum.Rows == 0:
		return a.trainOnNone(ctx, j.loaded, asOf, t.Censored, g)
	}
	return a.trainOn(ctx, j.loaded, asOf, t.Censored, g, t.Churned/t.Weight, func(o train.Options) (*predict.Model, *features.Frame, error) {
		return a.fitFar(ctx, sum.Rows, far, j.spec, o)
	})
}

// A sparkFrame is the rows of a fit as Spark holds them.
type sparkFrame struct {
	job    *sparkJob
	folder string // of the carried frame
	shape  *data.Table
	sum    trailer
	shards features.Cut
}

// farFrame has Spark make the rows that may train at asOf.
func (j *sparkJob) farFrame(ctx context.Context, asOf time.Time) (*sparkFrame, error) {
	empty, err := j.without(nil)
	if err != nil {
		return nil, err
	}
	none, err := features.Build(ctx, empty, &j.spec, features.Options{})
	if err != nil {
		return nil, j.placed(err)
	}
	f := &sparkFrame{job: j, shape: none.Frame.Carry()}
	task := j.task(time.Time{})
	task.Mature = &asOf
	if f.folder, err = j.write(ctx, "features", task, f.shape); err != nil {
		return nil, err
	}
	if f.sum, err = trailersOf(j.app.fsys, f.folder, j.records); err != nil {
		return nil, err
	}
	if f.sum.Training == nil {
		return nil, integrityError("%s: no trailer says what may train", f.folder)
	}
	return f, j.history.SetDigests(f.sum.Training.Digests)
}

// trailersOf returns the sum of the trailers in a folder that Spark has committed,
// and checks the folder as mergeParts does, but for the order of its rows.
func trailersOf(fsys data.FS, folder string, records int) (sum trailer, err error) {
	parts, err := filesOf(fsys, folder)
	if err != nil {
		return sum, err
	}
	rows := 0
	for _, name := range parts {
		err := data.Scan(fsys, name, []string{trailerColumn}, func(t *data.Table) error {
			c := &t.Columns[0]
			for i := range t.Rows {
				if c.Missing(i) {
					rows++
					continue
				}
				var one trailer
				if err := json.Unmarshal([]byte(c.Text(i)), &one); err != nil {
					return integrityError("%s: its trailer: %v", name, err)
				}
				sum.add(&one)
			}
			return nil
		})
		if err != nil {
			return sum, err
		}
	}
	return sum, sum.check(folder, records, rows)
}

// sample implements farFrame. All rows are read from the folder; a sample of them is
// drawn by workers.
func (f *sparkFrame) sample(ctx context.Context, of *sampleOf, each func(*data.Table) error) error {
	j := f.job
	if of.Most >= f.sum.Rows {
		_, err := mergeParts(j.app.fsys, f.folder, f.shape, j.records, pieceRows, each)
		return err
	}
	folder, err := j.writeFrom(ctx, f.folder, "stats", &statsRequest{Spec: j.spec, Sample: of}, f.shape)
	if err != nil {
		return err
	}
	if _, err := trailersOf(j.app.fsys, folder, f.sum.Rows); err != nil {
		return err
	}
	return data.Scan(j.app.fsys, filepath.Join(folder, "part-*.parquet"), nil, func(t *data.Table) error {
		var rows []int
		for i := range t.Rows {
			if t.Columns[len(t.Columns)-1].Missing(i) { // no trailer
				rows = append(rows, i)
			}
		}
		return each(renamed(t.Take(rows), f.shape.Names()))
	})
}

// columns implements farFrame.
func (f *sparkFrame) columns() []features.Column { return features.Columns(f.job.history, &f.job.spec) }

// A sparkCut has Spark hold rows by shard.
type sparkCut struct {
	Do      string   `json:"do"`
	Frame   string   `json:"frame"` // folder
	Group   string   `json:"group"` // column
	Order   []string `json:"order"` // columns, within a shard
	Columns []string `json:"columns"`
	Shards  int      `json:"shards"`
}

// cut implements farFrame.
func (f *sparkFrame) cut(ctx context.Context, c features.Cut) ([]int, error) {
	f.shards = c
	names := f.shape.Names()
	column := func(name string) string { return fmt.Sprintf("c%d", slices.Index(names, name)) }
	r := sparkCut{Do: "cut", Frame: fileURL(f.folder), Group: column("group"), Order: []string{column("account_id"), column("row")}, Shards: c.Shards}
	for _, name := range features.SummedColumns(&f.job.spec) {
		r.Columns = append(r.Columns, column(name))
	}
	var counts [][2]int
	if err := f.job.session.ask(ctx, r, &counts); err != nil {
		return nil, err
	}
	rows := make([]int, c.Shards)
	for _, n := range counts {
		if n[0] < 0 || n[0] >= len(rows) {
			return nil, integrityError("Spark counts rows of shard %d of %d", n[0], len(rows))
		}
		rows[n[0]] += n[1]
	}
	return rows, nil
}

// A sparkSums asks for what workers answer to the rows of the first shards.
type sparkSums struct {
	Do     string `json:"do"`
	Task   string `json:"task"`
	Schema string `json:"schema"`
	Shards int    `json:"shards"`
}

// ask implements farFrame.
func (f *sparkFrame) ask(ctx context.Context, t *train.Task, shards int) ([]train.Answer, error) {
	text, err := json.Marshal(&statsRequest{Spec: f.job.spec, Cut: f.shards, Task: t})
	if err != nil {
		return nil, fmt.Errorf("writing the task of workers: %w", err)
	}
	var answers []train.Answer
	err = f.job.session.ask(ctx, sparkSums{Do: "sums", Task: string(text), Schema: sparkSchema(answerTable(nil)), Shards: shards}, &answers)
	return answers, err
}
