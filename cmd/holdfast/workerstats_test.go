// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// A heap is what a cluster does with the rows of a fit, in this process: it holds
// them in partitions. Once cut, each partition has some shards, in the order of
// shard, account and row.
type heap struct {
	frame      *features.Frame
	spec       features.Spec
	n          int // partitions
	shards     features.Cut
	partitions []*data.Table

	harm        func(*heap) // once cut
	lost, twice bool        // the answers of the first partition
	cutOff      int         // bytes of every answer
}

func (h *heap) cut(_ context.Context, c features.Cut) ([]int, error) {
	h.shards, h.partitions = c, nil
	t := h.frame.Carry()
	t.Columns = append(t.Columns, data.IntOf("shard", data.Int, t.Rows, func(i int) (int64, bool) {
		return int64(c.Shard(h.frame.Rows[i].Group)), true
	}))
	counts, in := make([]int, c.Shards), make([][]int, h.n)
	shard, row := t.Column("shard").Ints, t.Column("row").Ints
	for i := range t.Rows {
		counts[shard[i]]++
		p := int(shard[i]*7) % h.n // any shard in any partition
		in[p] = append(in[p], i)
	}
	for _, rows := range in {
		slices.SortFunc(rows, func(a, b int) int {
			return cmp.Or(cmp.Compare(shard[a], shard[b]), strings.Compare(h.frame.Rows[a].Account, h.frame.Rows[b].Account), cmp.Compare(row[a], row[b]))
		})
		h.partitions = append(h.partitions, t.Take(rows))
	}
	if h.harm != nil {
		h.harm(h)
	}
	return counts, nil
}

func (h *heap) columns() []features.Column { return h.frame.Columns }

func (h *heap) sample(_ context.Context, of *sampleOf, each func(*data.Table) error) error {
	rows := h.frame.Where(func(*features.Row) bool { return true })
	t := h.frame.Carry()
	for part := range slices.Chunk(rows, (len(rows)+h.n-1)/h.n) {
		if err := h.each(&statsRequest{Spec: h.spec, Sample: of}, t.Take(part), each); err != nil {
			return err
		}
	}
	return nil
}

// each has a worker do a request on a partition, from one Arrow stream to another,
// and hands over its answer.
func (h *heap) each(r *statsRequest, partition *data.Table, emit func(*data.Table) error) error {
	if partition.Rows == 0 { // for which an engine starts no worker
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var in, out bytes.Buffer
	w := ipc.NewStreamWriter(&in, taskKey, string(text))
	sent := positional(partition)
	if last := len(sent.Columns) - 1; partition.Columns[last].Name == "shard" {
		sent.Columns[last].Name = "shard"
	}
	all := make([]int, sent.Rows)
	for i := range all {
		all[i] = i
	}
	for batch := range slices.Chunk(all, 37) {
		if err := w.Append(sent.Take(batch)); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	a := &app{fsys: data.Disk{}, stdout: &out, stderr: io.Discard, progress: new(progress), workers: 1}
	if err := a.work(context.Background(), workerKinds["stats"], &in); err != nil {
		return err
	}
	names := answerTable(nil).Names()
	if r.Task == nil {
		names = features.CarriedColumns(&r.Spec)
	}
	return readAnswer(out.Bytes()[:out.Len()-h.cutOff], sent.Rows, names, emit)
}

// readAnswer hands over the rows that a worker has written, and checks its trailer.
func readAnswer(stream []byte, sent int, names []string, emit func(*data.Table) error) error {
	answer, err := ipc.NewStreamReader(bytes.NewReader(stream), "the answer")
	if err != nil {
		return err
	}
	defer answer.Close()
	rows := 0
	for {
		t, err := answer.Next()
		if err != nil || t == nil {
			return err
		}
		if end := t.Columns[len(t.Columns)-1]; t.Rows == 1 && !end.Missing(0) {
			var last trailer
			if err := json.Unmarshal([]byte(end.Text(0)), &last); err != nil {
				return err
			}
			if last.Records != sent || last.Rows != rows {
				return fmt.Errorf("%d rows in and %d out, the trailer says %+v", sent, rows, last)
			}
			continue
		}
		rows += t.Rows
		if err := emit(renamed(t, names)); err != nil {
			return err
		}
	}
}

// ask has a task done on the first shards of all partitions, the last one first.
func (h *heap) ask(_ context.Context, task *train.Task, shards int) (answers []train.Answer, err error) {
	partitions := h.partitions
	if h.lost {
		partitions = partitions[1:]
	}
	if h.twice {
		partitions = append(partitions[:1:1], partitions...)
	}
	for _, p := range slices.Backward(partitions) {
		var rows []int
		for i, shard := range p.Column("shard").Ints {
			if int(shard) < shards {
				rows = append(rows, i)
			}
		}
		err := h.each(&statsRequest{Spec: h.spec, Cut: h.shards, Task: task}, p.Take(rows), func(t *data.Table) error {
			more, err := answersOf(t)
			answers = append(answers, more...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// byAccount returns a ready table's frame with the rows of an account beside each
// other, as those of a project are.
func byAccount(t *testing.T, rows int) (*features.Frame, features.Spec) {
	t.Helper()
	a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2}
	f, spec, _, err := a.tableFrame(tableFlags{path: writeReady(t, rows), label: "left", id: "id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	order := f.Where(func(*features.Row) bool { return true })
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(f.Rows[a].Account, f.Rows[b].Account) })
	return f.Select(order), *spec
}

func modelBytes(t *testing.T, m *predict.Model) []byte {
	t.Helper()
	b, err := predict.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever the partitions, sums of workers make the model that shards on disk make,
// to the byte.
func TestWorkersMakeTheStreamedModel(t *testing.T) {
	f, spec := byAccount(t, 9000)
	a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2, fitBytes: 9 << 20}
	o := train.Options{Seed: 3, Stages: train.StagesSplines, Workers: 2}
	m, sample, err := a.streamFrame(context.Background(), f, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(sample.Rows); n < 1500 || n > 6000 {
		t.Fatalf("a sample of %d rows", n)
	}
	want := modelBytes(t, m)
	for _, n := range []int{2, 3, 8} {
		m, got, err := a.fitFar(context.Background(), len(f.Rows), &heap{frame: f, spec: spec, n: n}, spec, o)
		if err != nil {
			t.Fatal(err)
		}
		if data.Fingerprint(got.Carry()) != data.Fingerprint(sample.Carry()) {
			t.Errorf("%d partitions: another sample, of %d rows instead of %d", n, len(got.Rows), len(sample.Rows))
		}
		if !bytes.Equal(modelBytes(t, m), want) {
			t.Errorf("%d partitions: another model", n)
		}
	}
}

// With room for all rows the model is the one of the frame in memory, to the byte.
func TestFarRowsInMemory(t *testing.T) {
	f, spec := byAccount(t, 1500)
	plan := &f.Columns[0]
	plan.Levels = append([]string{"a plan of rows that may not train"}, plan.Levels...)
	for i, code := range plan.Codes {
		if code >= 0 {
			plan.Codes[i]++
		}
	}
	a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2}
	o := train.Options{Seed: 3, Stages: train.StagesLinear, Workers: 2}
	want, err := train.Fit(context.Background(), f, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	got, rows, err := a.fitFar(context.Background(), len(f.Rows), &heap{frame: f, spec: spec, n: 3}, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows.Columns[0].Levels, plan.Levels) || data.Fingerprint(rows.Carry()) != data.Fingerprint(f.Carry()) || !bytes.Equal(modelBytes(t, got), modelBytes(t, want)) {
		t.Error("another model, or other rows")
	}
}

// Rows that are lost or come twice on their way are refused, before a fit and
// within one.
func TestFarRowsAreCounted(t *testing.T) {
	f, spec := byAccount(t, 1500)
	o := train.Options{Stages: train.StagesLinear, Workers: 2}
	for name, c := range map[string]struct {
		fitBytes int64
		harm     func(*heap)
		want     string
	}{
		"a row too few, in memory":   {0, func(h *heap) { h.frame = f.Select(h.frame.Where(notFirst())) }, "1499 rows of a frame of 1500"},
		"a row too few, streamed":    {1, func(h *heap) { h.frame = f.Select(h.frame.Where(notFirst())) }, "1499 rows in 64 shards came of 1500"},
		"a partition that is lost":   {1, func(h *heap) { h.lost = true }, "none of shard"},
		"a partition that is two":    {1, func(h *heap) { h.twice = true }, "two of shard"},
		"rows of the wrong shard":    {1, func(h *heap) { h.partitions[0].Column("shard").Ints[0]++ }, "a row of shard"},
		"an answer that is cut off":  {1, func(h *heap) { h.cutOff = 8 }, "is cut off after"},
		"rows out of order":          {1, func(h *heap) { h.partitions[0] = h.partitions[0].Take([]int{1, 0}) }, "not in order"},
		"a row lost within a shard":  {1, func(h *heap) { p := h.partitions[0]; h.partitions[0] = p.Take([]int{0, 2, 3, 4}) }, "rows of shard"},
		"a row twice within a shard": {1, func(h *heap) { p := h.partitions[0]; h.partitions[0] = p.Take([]int{0, 0, 1}) }, "comes twice"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{fsys: data.Disk{}, progress: new(progress), workers: 2, fitBytes: c.fitBytes}
			h := &heap{frame: f, spec: spec, n: 3, harm: c.harm}
			if strings.Contains(c.want, "1499") {
				h.harm = nil
				c.harm(h)
			}
			if _, _, err := a.fitFar(context.Background(), len(f.Rows), h, spec, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// notFirst leaves out the first row that it is asked about.
func notFirst() func(*features.Row) bool {
	first := true
	return func(*features.Row) bool {
		defer func() { first = false }()
		return !first
	}
}
