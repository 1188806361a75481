// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// writeReady writes a ready table of numbers, levels, missing values and about
// two rows an id, which are not beside each other.
func writeReady(t *testing.T, rows int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(5, uint64(rows)))
	x := make([][]float64, 4)
	var ids, plans []string
	var y []float64
	for i := range rows {
		z := -1.0
		for k := range x {
			v := r.NormFloat64()
			z += v * []float64{.8, -.6, .3, 0}[k]
			if k == 2 {
				v = math.Round(100*math.Exp(v)) / 100
			}
			if k == 1 && i%9 == 0 {
				v = math.NaN()
			}
			x[k] = append(x[k], v)
		}
		plan := []string{"basic", "pro", "team", ""}[r.IntN(4)]
		if plan == "pro" {
			z += .7
		}
		out := 0.0
		if r.Float64() < predict.Sigmoid(z) {
			out = 1
		}
		ids, plans, y = append(ids, fmt.Sprint(i%(rows/2))), append(plans, plan), append(y, out)
	}
	table := &data.Table{Rows: rows, Columns: []data.Column{data.TextColumn("id", ids), data.TextColumn("plan", plans)}}
	for k := range x {
		table.Columns = append(table.Columns, data.FloatOf(fmt.Sprintf("x%d", k), rows, func(i int) float64 { return x[k][i] }))
	}
	table.Columns = append(table.Columns, data.FloatOf("left", rows, func(i int) float64 { return y[i] }))
	path := filepath.Join(t.TempDir(), "t.parquet")
	if err := data.Write(data.Disk{}, path, table); err != nil {
		t.Fatal(err)
	}
	return path
}

// A table whose fit is not given the memory comes to the model of the fit in
// memory, to 1e-9, where the sample is all of it: through the blocks, the shards
// and back.
func TestStreamedTableIsTheTableInMemory(t *testing.T) {
	tf := tableFlags{path: writeReady(t, 1800), label: "left", id: "id", stages: "splines"}
	fit := func(bytes int64) *predict.Model {
		a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2, fitBytes: bytes}
		m, err := a.fitTable(context.Background(), tf)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	want, got := fit(0), fit(1)
	if s := got.Provenance.Streamed; s == nil || s.Sample != 1800 || want.Provenance.Streamed != nil {
		t.Fatalf("streamed: %+v and %+v", got.Provenance.Streamed, want.Provenance.Streamed)
	}
	if got.Provenance.Rows != want.Provenance.Rows || got.Provenance.Churned != want.Provenance.Churned {
		t.Errorf("provenance %+v, want %+v", got.Provenance, want.Provenance)
	}
	near := func(what string, a, b, tolerance float64) {
		if !(math.Abs(a-b) <= tolerance) {
			t.Errorf("%s is %v, in memory %v", what, a, b)
		}
	}
	near("the intercept", got.Intercept, want.Intercept, 1e-9)
	near("the reference", got.Score.ZRef, want.Score.ZRef, 1e-9)
	for j := range want.Terms {
		for k := range want.Terms[j].Columns {
			a, b := got.Terms[j].Columns[k], want.Terms[j].Columns[k]
			near(want.Terms[j].Feature, a.Weight, b.Weight, 1e-9)
			near("the error of "+want.Terms[j].Feature, a.SE, b.SE, 1e-6)
		}
	}
}

// A frame whose fit is not given the memory comes to the weights of the fit in
// memory too, and hands on its sample.
func TestStreamedFrameIsTheFrameInMemory(t *testing.T) {
	a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2, fitBytes: 1}
	f, spec, _, err := a.tableFrame(tableFlags{path: writeReady(t, 1600), label: "left", id: "id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := train.Options{Seed: 3, Stages: train.StagesLinear, Workers: 2}
	want, err := train.Fit(context.Background(), f, *spec, o)
	if err != nil {
		t.Fatal(err)
	}
	got, sample, err := a.streamFrame(context.Background(), f, *spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(sample.Rows) != 1600 || got.Provenance.Streamed == nil || math.Abs(got.Intercept-want.Intercept) > 1e-9 {
		t.Errorf("a sample of %d rows, %+v, intercept %v, want %v", len(sample.Rows), got.Provenance.Streamed, got.Intercept, want.Intercept)
	}
	for j := range want.Terms {
		if a, b := got.Terms[j].Effect, want.Terms[j].Effect; math.Abs(a.Estimate-b.Estimate) > 1e-9 || math.Abs(a.High-b.High) > 1e-6 {
			t.Errorf("%s: effect %+v, in memory %+v", want.Terms[j].Feature, a, b)
		}
	}
}

// --max-memory decides whether a table is streamed; the model then says so, and is
// the same for any number of workers. Whatever is wrong with the table is said as
// in memory.
func TestTrainUnderMaxMemory(t *testing.T) {
	path := writeReady(t, 40_000)
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	dir := t.TempDir()
	var first []byte
	for _, workers := range []string{"1", "2"} {
		var out, errs bytes.Buffer
		model := filepath.Join(dir, workers+".json")
		if code := run(context.Background(), []string{"train", "--table", path, "--label", "left", "--id", "id", "--stages", "linear",
			"--max-memory", "64MB", "--workers", workers, "-o", model}, &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		if !strings.Contains(out.String(), "trained on   40000 rows") || !strings.Contains(out.String(), "streamed     weights from all rows in") {
			t.Errorf("printed %s", &out)
		}
		b, err := os.ReadFile(model)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(first, b) {
			t.Errorf("%s workers make another model", workers)
		}
	}
	var m predict.Model
	if err := json.Unmarshal(first, &m); err != nil {
		t.Fatal(err)
	}
	if s := m.Provenance.Streamed; s == nil || s.Sample >= 40_000 || s.Sample < 5_000 || s.Matrices < 1 {
		t.Errorf("streamed: %+v", s)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"models", "show", filepath.Join(dir, "1.json")}, &out, &errs); code != 0 ||
		!strings.Contains(out.String(), "streamed: weights from all rows") {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	errs.Reset()
	if code := run(context.Background(), []string{"train", "--table", path, "--label", "x0", "--max-memory", "64MB", "-o", filepath.Join(dir, "no.json")},
		&out, &errs); code != 4 || !strings.Contains(errs.String(), "a label has two values") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}

// A streamed run that is stopped leaves nothing, neither a model nor a file in the
// folder for temporary ones; nor could a kill, since there is none under a name
// while it runs.
func TestStoppedStreamLeavesNothing(t *testing.T) {
	path := writeReady(t, 40_000)
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond} {
		scratch, dir := t.TempDir(), t.TempDir()
		t.Setenv("TMPDIR", scratch)
		ctx, cancel := context.WithCancelCause(context.Background())
		seen := 0
		timer := time.AfterFunc(after, func() {
			seen = len(filesIn(t, scratch))
			cancel(&interruptError{syscall.SIGTERM})
		})
		var out, errs bytes.Buffer
		code := run(ctx, []string{"train", "--table", path, "--label", "left", "--id", "id", "--max-memory", "64MB", "-o", filepath.Join(dir, "m.json")}, &out, &errs)
		timer.Stop()
		if code != 143 {
			t.Errorf("after %v: exit code %d: %s", after, code, &errs)
		}
		if left := append(filesIn(t, scratch), filesIn(t, dir)...); seen > 0 || len(left) > 0 {
			t.Errorf("after %v: %d files under a name while it ran, left %q", after, seen, left)
		}
	}
}

func filesIn(t *testing.T, dir string) (names []string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return names
}
