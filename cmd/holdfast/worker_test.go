// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/data/ipc"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// A workerBench is a project and its rows as an engine would bring them.
type workerBench struct {
	dir  string
	a    *app
	job  *sparkJob // without a session
	rows *data.Table
}

// newWorkerBench makes a project and does what the driver and Spark do: a
// census, and all rows sorted by account and table.
func newWorkerBench(t *testing.T, d *demo.Demo) *workerBench {
	t.Helper()
	b := &workerBench{dir: filepath.Join(t.TempDir(), "demo")}
	b.a = &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: b.dir}
	if err := b.a.writeDemo(context.Background(), b.dir, d); err != nil {
		t.Fatal(err)
	}
	b.load(t)
	return b
}

func (b *workerBench) load(t *testing.T, models ...*predict.Model) {
	t.Helper()
	b.job = &sparkJob{app: b.a, parts: 1}
	_, facts, err := b.job.load(models)
	if err != nil {
		t.Fatal(err)
	}
	l, err := b.a.load(context.Background(), models...)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.job.history.SetEnd(l.history.End()); err != nil {
		t.Fatal(err)
	}
	b.job.spec = l.spec
	b.rows = b.union(t, facts)
}

// union puts the rows of all tables into one, in order.
func (b *workerBench) union(t *testing.T, facts *data.Facts) *data.Table {
	t.Helper()
	u := b.job.union
	all := facts.Table(u, b.job.sources)
	n := all.Rows
	for k := range u.Events {
		n += u.Events[k].Rows
	}
	for _, s := range u.Slots {
		all.Columns = append(all.Columns, void(s.Name, s.Kind, all.Rows))
	}
	for k := range u.Events {
		e := &u.Events[k]
		names := []string{e.Account}
		for _, c := range e.Columns {
			names = append(names, c.Name)
		}
		from, err := data.Read(b.a.fsys, b.job.sources.Events[k].Path, names)
		if err != nil {
			t.Fatal(err)
		}
		account := from.Columns[0].AsText()
		account.Name = data.UnionAccount
		piece := &data.Table{Rows: from.Rows, Columns: []data.Column{account,
			data.IntOf(data.UnionTable, data.Int, from.Rows, func(int) (int64, bool) { return int64(k) + 2, true }),
			void(data.UnionFacts, data.Text, from.Rows)}}
		for _, s := range u.Slots {
			c := void(s.Name, s.Kind, from.Rows)
			for i := range e.Columns {
				if e.Columns[i].Slot == s.Name {
					c = from.Columns[1+i]
					c.Name = s.Name
				}
			}
			piece.Columns = append(piece.Columns, c)
		}
		all.AppendTable(piece)
	}
	if all.Rows != n {
		t.Fatalf("%d rows in the union, want %d", all.Rows, n)
	}
	order := make([]int, all.Rows)
	for i := range order {
		order[i] = i
	}
	id, table := &all.Columns[0], &all.Columns[1]
	slices.SortStableFunc(order, func(i, k int) int {
		if c := strings.Compare(id.Text(i), id.Text(k)); c != 0 {
			return c
		}
		return int(table.Ints[i] - table.Ints[k])
	})
	return all.Take(order)
}

// stream returns some rows as the input of a worker.
func (b *workerBench) stream(t *testing.T, task any, rows *data.Table) []byte {
	t.Helper()
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := ipc.NewStreamWriter(&out, taskKey, string(text))
	if err := w.Append(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// answer has a worker do its work.
func (b *workerBench) answer(kind string, in []byte) ([]byte, error) {
	var out bytes.Buffer
	a := &app{fsys: data.Disk{}, stdout: &out, stderr: io.Discard, progress: new(progress), workers: 1}
	err := a.work(context.Background(), workerKinds[kind], bytes.NewReader(in))
	return out.Bytes(), err
}

// read reads what a worker has written, and its trailer.
func (b *workerBench) read(t *testing.T, out []byte) (rows *data.Table, last trailer) {
	t.Helper()
	r, err := ipc.NewStreamReader(bytes.NewReader(out), "the output")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		piece, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if piece == nil {
			return rows, last
		}
		if end := piece.Column(trailerColumn); end.Len() == 1 && !end.Missing(0) {
			if err := json.Unmarshal([]byte(end.Text(0)), &last); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if rows == nil {
			rows = piece
		} else {
			rows.AppendTable(piece)
		}
	}
}

// The frame of two workers is the embedded engine's, value by value, and their
// trailers count what came in and went out.
func TestWorkerFeatures(t *testing.T) {
	for kind, history := range demoKinds {
		b := newWorkerBench(t, history(demo.Options{Seed: 5, Accounts: 120}))
		for _, asOf := range []time.Time{{}, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)} {
			l, err := b.a.load(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			want, err := features.Build(context.Background(), l.history, &l.spec, features.Options{AsOf: asOf})
			if err != nil {
				t.Fatal(err)
			}
			got, last := b.inParts(t, "features", b.job.task(asOf))
			table := positional(want.Frame.Table(l.sources.Location))
			got.Columns = got.Columns[:len(got.Columns)-1]
			if !bytes.Equal(fileOf(t, got), fileOf(t, table)) {
				t.Errorf("%s: the workers' frame as of %v differs", kind, asOf)
			}
			looked := len(want.Frame.Rows)
			for _, c := range want.Left {
				looked += c.Rows
			}
			if last.Records != b.rows.Rows || last.Rows != table.Rows || last.Snapshots != looked || table.Rows == 0 {
				t.Errorf("%s: trailer %+v; %d records, %d snapshots and %d rows are there", kind, last, b.rows.Rows, looked, table.Rows)
			}
		}
	}
}

// Sets of accounts never part the rows of one, however few rows one has room
// for, and together hold all of them.
func TestWorkerSets(t *testing.T) {
	b := newWorkerBench(t, demo.Make(demo.Options{Seed: 5, Accounts: 30}))
	for _, atLeast := range []int{1, 500, b.rows.Rows} {
		seen, events, sets := map[string]bool{}, 0, 0
		pieces := []*data.Table{b.rows, nil}
		next := func() (*data.Table, error) {
			piece := pieces[0]
			pieces = pieces[1:]
			return piece, nil
		}
		rows, err := b.job.union.Tables(context.Background(), b.job.sources, atLeast, next, func(t *data.Tables) error {
			sets++
			ids := map[string]bool{}
			for i, table := range t.Events {
				events += table.Rows
				account := table.Column(b.job.sources.Events[i].Account).AsText()
				for r := range table.Rows {
					ids[account.Text(r)] = true
				}
			}
			for id := range ids {
				if seen[id] {
					return fmt.Errorf("account %s comes in two sets", id)
				}
				seen[id] = true
			}
			return nil
		})
		want := 0
		for i := range b.job.union.Events {
			want += b.job.union.Events[i].Rows
		}
		if err != nil || rows != b.rows.Rows || events != want || atLeast == 1 && sets < 30 || atLeast == b.rows.Rows && sets != 1 {
			t.Errorf("at least %d rows: %v; %d of %d rows, %d of %d events in %d sets", atLeast, err, rows, b.rows.Rows, events, want, sets)
		}
	}
}

// The scores of two workers are the embedded engine's, value by value, once the
// driver has marked upsell.
func TestWorkerScore(t *testing.T) {
	for kind, history := range demoKinds {
		b := newWorkerBench(t, history(demo.Options{Seed: 3, Accounts: 250}))
		straighten(t, b.dir, "3mo")
		holdfastOK(t, "-C", b.dir, "train")
		p, err := b.a.findProject()
		if err != nil {
			t.Fatal(err)
		}
		scorers, err := b.a.scorers(p, registry.Latest)
		if err != nil {
			t.Fatal(err)
		}
		b.load(t, modelsOf(scorers)...)
		l, asOf, err := b.a.loadAt(context.Background(), "", "", modelsOf(scorers)...)
		if err != nil {
			t.Fatal(err)
		}
		want, err := b.a.scoreAll(context.Background(), l, asOf, scorers)
		if err != nil {
			t.Fatal(err)
		}
		task := b.job.task(asOf)
		text, err := predict.Marshal(scorers[0].m)
		if err != nil {
			t.Fatal(err)
		}
		task.Scorers = []workerScorer{{ID: scorers[0].id, Model: string(text)}}
		got, sum := b.inParts(t, "score", task)
		got.Columns = got.Columns[:len(got.Columns)-1]
		(&scored{grow: make([][]float64, 1)}).splitGrow(named(got, want.withGrow()))
		table := want.table
		for i := range table.Columns {
			one := func(t *data.Table) *data.Table { return &data.Table{Rows: t.Rows, Columns: t.Columns[i : i+1]} }
			if got.Rows != table.Rows || !bytes.Equal(fileOf(t, one(got)), fileOf(t, one(table))) {
				t.Errorf("%s: the workers' column %s differs", kind, want.table.Columns[i].Name)
			}
		}
		if sum.Unseen != want.Unseen || sum.Rows != table.Rows || table.Rows == 0 {
			t.Errorf("%s: trailers %+v; %d rows and %d unseen levels are there", kind, sum, table.Rows, want.Unseen)
		}
	}
}

// inParts has a worker do its work for a few accounts, whose events end before
// those of all, and another for the others.
func (b *workerBench) inParts(t *testing.T, kind string, task any) (got *data.Table, sum trailer) {
	t.Helper()
	cut := 0
	for accounts := 0; accounts < 3; cut++ {
		if b.rows.Columns[0].Text(cut) != b.rows.Columns[0].Text(cut+1) {
			accounts++
		}
	}
	for _, part := range []*data.Table{b.rows.Take(rowsFrom(0, cut)), b.rows.Take(rowsFrom(cut, b.rows.Rows))} {
		out, err := b.answer(kind, b.stream(t, task, part))
		if err != nil {
			t.Fatal(err)
		}
		rows, last := b.read(t, out)
		sum.add(&last)
		if got == nil {
			got = rows
		} else {
			got.AppendTable(rows)
		}
	}
	return got, sum
}

// rowsFrom lists the rows from one to before another.
func rowsFrom(from, to int) []int {
	out := make([]int, to-from)
	for i := range out {
		out[i] = from + i
	}
	return out
}

// named gives a table that came from an engine the names of its columns.
func named(t, names *data.Table) *data.Table {
	for i := range t.Columns {
		t.Columns[i].Name = names.Columns[i].Name
	}
	return t
}

// fileOf returns the bytes of a table's file.
func fileOf(t *testing.T, table *data.Table) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := data.WriteTo(&b, "parquet", table); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A history of some accounts ends where the task says, not with the last of
// their own events.
func TestWorkerEnd(t *testing.T) {
	b := newWorkerBench(t, demo.Shop(demo.Options{Seed: 5, Accounts: 30}))
	task := b.job.task(time.Time{})
	_, whole := b.inParts(t, "features", task)
	for i := range task.End.Sources {
		task.End.Sources[i] -= int64(100 * 24 * time.Hour)
	}
	if _, sooner := b.inParts(t, "features", task); sooner.Snapshots >= whole.Snapshots || sooner.Rows == 0 {
		t.Errorf("%d snapshots up to the end, %d up to 100 days before", whole.Snapshots, sooner.Snapshots)
	}
}

// What a worker cannot trust it refuses, with an error that says so.
func TestWorkerRefuses(t *testing.T) {
	b := newWorkerBench(t, demo.Make(demo.Options{Seed: 5, Accounts: 30}))
	good := b.stream(t, b.job.task(time.Time{}), b.rows)
	order := make([]int, b.rows.Rows)
	for i := range order {
		order[i] = i
	}
	reversed := slices.Clone(order)
	slices.Reverse(reversed)
	byTable := slices.Clone(order) // the rows of the first account back to front
	first := 0
	for first < len(order) && b.rows.Columns[0].Text(first) == b.rows.Columns[0].Text(0) {
		first++
	}
	slices.Reverse(byTable[:first])
	other := b.job.task(time.Time{})
	other.End.Sources = nil
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"accounts out of order", b.stream(t, b.job.task(time.Time{}), b.rows.Take(reversed)), "not sorted"},
		{"tables out of order", b.stream(t, b.job.task(time.Time{}), b.rows.Take(byTable)), "not sorted"},
		{"cut off in a batch", good[:len(good)/2], "the input stream"},
		{"cut off at a batch", good[:len(good)-8], "cut off"},
		{"no stream", []byte("account,table\n1,2\n3,4\n"), "not an Arrow stream"},
		{"nothing", nil, "not an Arrow stream"},
		{"no task", b.stream(t, "", b.rows), "the task"},
		{"another end", b.stream(t, other, b.rows), "the ends of 0 sources"},
		{"a column less", b.stream(t, b.job.task(time.Time{}), &data.Table{Rows: b.rows.Rows, Columns: b.rows.Columns[:3]}), "is needed"},
	} {
		out, err := b.answer("features", c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
		if bytes.Contains(out, []byte(`"records"`)) {
			t.Errorf("%s: a trailer was written", c.name)
		}
	}
}
