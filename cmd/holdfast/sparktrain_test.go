// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

// The rows that workers make for training are those that one machine would train
// on, and the digests of their events make the fingerprint of the history, however
// accounts are divided.
func TestWorkerTraining(t *testing.T) {
	for kind, make := range demoKinds {
		b := newWorkerBench(t, make(demo.Options{Seed: 5, Accounts: 120}))
		l, err := b.a.load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		asOf := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
		built, err := features.Build(context.Background(), l.history, &l.spec, features.Options{})
		if err != nil {
			t.Fatal(err)
		}
		mature, censored := matureAt(built.Frame, asOf)
		want := built.Frame.Select(mature)
		if len(mature) < 100 || censored == 0 {
			t.Fatalf("%s: %d rows and %d censored", kind, len(mature), censored)
		}
		task := b.job.task(time.Time{})
		task.Mature = &asOf
		var sum trailer
		var rows features.Assembly
		for k := range 3 {
			out, err := b.answer("features", b.stream(t, task, b.third(k)))
			if err != nil {
				t.Fatal(err)
			}
			got, last := b.read(t, out)
			sum.add(&last)
			got = renamed(got, features.CarriedColumns(&l.spec))
			f, err := features.CarriedFrame(got, &l.spec, l.spec.Digest())
			if err != nil {
				t.Fatal(err)
			}
			if err := rows.Add(got, f); err != nil {
				t.Fatal(err)
			}
		}
		got, err := rows.Frame()
		if err != nil {
			t.Fatal(err)
		}
		if data.Fingerprint(got.Carry()) != data.Fingerprint(want.Carry()) {
			t.Errorf("%s: other rows: %d, want %d", kind, len(got.Rows), len(want.Rows))
		}
		if u := sum.Training; u.Censored != censored || u.Churned/u.Weight-churnRate(want) > 1e-12 || sum.Rows != len(mature) {
			t.Errorf("%s: the trailers say %+v", kind, u)
		}
		if err := b.job.history.SetDigests(sum.Training.Digests); err != nil {
			t.Fatal(err)
		}
		if got, want := b.job.history.Fingerprint(), l.history.Fingerprint(); got != want {
			t.Errorf("%s: fingerprint %s, want %s", kind, got, want)
		}
	}
}

// third returns the rows of a third of the accounts, which are not beside each other.
func (b *workerBench) third(k int) *data.Table {
	var rows []int
	account := &b.rows.Columns[0]
	for i := range b.rows.Rows {
		if (features.Cut{Shards: 3}).Shard(account.Text(i)) == k {
			rows = append(rows, i)
		}
	}
	return b.rows.Take(rows)
}

// Trailers are taken from a folder that is committed and whole, and from no other.
func TestTrailersOf(t *testing.T) {
	text := func(values ...string) *data.Table {
		return &data.Table{Rows: len(values), Columns: []data.Column{data.TextColumn(trailerColumn, values)}}
	}
	for want, parts := range map[string][]*data.Table{
		"":                        {text("", "", `{"records": 5, "rows": 2}`), text("", `{"records": 2, "rows": 1, "training": {"censored": 4}}`)},
		"7 records went in":       {text("", "", "", `{"records": 5, "rows": 3}`)},
		"3 rows; 7 records":       {text("", "", `{"records": 7, "rows": 3}`)},
		"its trailer":             {text("", "{")},
		"0 records and 0 rows; 7": {text("", "")},
	} {
		folder := t.TempDir()
		for i, part := range parts {
			if err := data.Write(data.Disk{}, filepath.Join(folder, "part-"+string(rune('a'+i))+".parquet"), part); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := trailersOf(data.Disk{}, folder, 7); err == nil || !strings.Contains(err.Error(), "_SUCCESS") {
			t.Errorf("a folder that is not committed: %v", err)
		}
		if err := os.WriteFile(filepath.Join(folder, "_SUCCESS"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		sum, err := trailersOf(data.Disk{}, folder, 7)
		switch {
		case want != "" && (err == nil || exitCode(err) != exitIntegrity || !strings.Contains(err.Error(), want)):
			t.Errorf("%v, want %q", err, want)
		case want == "" && (err != nil || sum.Rows != 3 || sum.Training.Censored != 4):
			t.Errorf("%+v, %v", sum, err)
		}
	}
}

// Flags that do not go together, and tasks of stats that are not one thing, are
// refused before anything is read.
func TestTrainingRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"--engine and -C go with a project":  {"train", "--table", "t.parquet", "--label", "y", "--engine", "spark", "--master", "m"},
		"--update goes with --engine local":  {"train", "--update", "--engine", "spark", "--master", "m"},
		"--master URL is needed":             {"train", "--engine", "spark"},
		"go with --engine spark":             {"train", "--master", "m"},
		"--update keeps the base odds and -": {"train", "--update", "--rebase", "--engine", "spark", "--master", "m"},
	} {
		var errs strings.Builder
		if code := run(context.Background(), args, io.Discard, &errs); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: exit code %d: %s", args, code, &errs)
		}
	}
	b := new(workerBench)
	for _, task := range []*statsRequest{{}, {Task: new(train.Task), Sample: new(sampleOf)}} {
		row := &data.Table{Rows: 1, Columns: []data.Column{data.TextColumn("c0", []string{"a"})}}
		if _, err := b.answer("stats", b.stream(t, task, row)); exitCode(err) != exitUsage {
			t.Errorf("%+v: %v", task, err)
		}
	}
}

// trainingProject makes a project whose rows do not fit in trainingBytes, so that
// a sample of them chooses.
func trainingProject(t *testing.T) *app {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
	if err := a.writeDemo(context.Background(), dir, demoKinds["vendor"](demo.Options{Seed: 3, Accounts: 700})); err != nil {
		t.Fatal(err)
	}
	straighten(t, dir, "3mo")
	return a
}

const trainingBytes = 64 << 20

// Models have the bytes of the embedded engine's: in memory, and streamed with 2, 3
// and 8 partitions, the last time although an executor is killed between two
// passes over the rows.
func sparkTraining(t *testing.T, c *cluster) {
	ctx := context.Background()
	a := trainingProject(t)
	trained := func(e *engineFlags) string {
		r, err := a.trainProject(ctx, e, trainRequest{maxAge: "7d"})
		if err != nil {
			t.Fatal(err)
		}
		if s := r.Model.Provenance.Streamed; (s != nil) != (a.fitBytes > 0) || s != nil && s.Sample == r.Model.Provenance.Rows {
			t.Fatalf("streamed: %+v of %d rows", s, r.Model.Provenance.Rows)
		}
		return r.ID
	}
	e := c.engine(t)
	live, err := startSpark(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	e.live = live
	for _, bytes := range []int64{0, trainingBytes} {
		a.fitBytes = bytes
		want := trained(&engineFlags{engine: engineLocal})
		partitions := []int{2, 3, 8}
		if bytes == 0 {
			partitions = partitions[:1]
		}
		for _, e.partitions = range partitions {
			if got := trained(e); got != want {
				t.Errorf("%d bytes, %d partitions: model %s, the embedded engine's is %s", bytes, e.partitions, got, want)
			}
		}
		if bytes > 0 {
			c.trainAndKill(t, a, e, want)
		}
	}
}

// A killer kills an executor before the third pass over its rows.
type killer struct {
	farFrame
	passes int
	kill   func()
}

func (k *killer) ask(ctx context.Context, t *train.Task, shards int) ([]train.Answer, error) {
	if k.passes++; k.passes == 3 {
		k.kill()
	}
	return k.farFrame.ask(ctx, t, shards)
}

// trainAndKill trains with an executor lost midway.
func (c *cluster) trainAndKill(t *testing.T, a *app, e *engineFlags, want string) {
	ctx := context.Background()
	j, err := a.openSpark(ctx, e, filepath.Join(a.dir, "models"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	asOf, err := j.asOf("", "7d")
	if err != nil {
		t.Fatal(err)
	}
	far, err := j.farFrame(ctx, asOf)
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{farFrame: far, kill: func() { c.killExecutor(t) }}
	r, err := a.trainFar(ctx, j, asOf, lineage{}, &far.sum, k)
	if err != nil {
		t.Fatal(err)
	}
	if text := readLog(e.log); k.passes < 4 || !strings.Contains(text, "Lost executor") {
		t.Errorf("no executor was lost within %d passes, so that nothing was tried: %s", k.passes, tailOf(text))
	}
	if r.ID != want {
		t.Errorf("after an executor was killed: model %s, want %s", r.ID, want)
	}
}

// A driver that is killed while passes over the rows are made publishes nothing.
func sparkTrainingKilled(t *testing.T, c *cluster) {
	a := trainingProject(t)
	log := filepath.Join(t.TempDir(), "spark.log")
	command, done := c.begin(t, append([]string{"-C", a.dir, "train", "--max-memory", "64MB"}, c.flags(3, log)...)...)
	waitFor(t, done, func() bool {
		sample, _ := filepath.Glob(filepath.Join(a.dir, ".models.spark", "stats", "_SUCCESS"))
		return len(sample) > 0
	})
	_ = command.Process.Kill()
	if err := <-done; err == nil {
		t.Fatal("the command ended well before it was killed")
	}
	if entries, err := os.ReadDir(filepath.Join(a.dir, "models")); len(entries) > 0 {
		t.Errorf("published: %v %v", entries, err)
	}
}
