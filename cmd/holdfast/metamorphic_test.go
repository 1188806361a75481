// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

// smallProject is the history of a demo with few features and linear models, so
// that the whole pipeline takes a second.
func smallProject(t *testing.T, accounts int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
	if err := a.writeDemo(context.Background(), dir, demo.Make(demo.Options{Seed: 1, Accounts: accounts})); err != nil {
		t.Fatal(err)
	}
	editProject(t, dir, "auto: true", "auto: false")
	editProject(t, dir, "version: 1", "version: 1\nmodel: {stages: linear}")
	return dir
}

// editProject replaces a text of a project file, which must be there.
func editProject(t *testing.T, dir, old, new string) {
	t.Helper()
	name := filepath.Join(dir, projectFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
}

// demoTables are the tables of a demo, by the names of their files.
var demoTables = []string{"accounts", "contracts", "usage", "tickets", "nps", "invoices", "touchpoints"}

// editTables replaces every table of a demo by what edit makes of it.
func editTables(t *testing.T, dir string, edit func(name string, table *data.Table) *data.Table) {
	t.Helper()
	for _, name := range demoTables {
		path := filepath.Join(dir, "data", name+".parquet")
		table, err := data.Read(data.Disk{}, path, nil)
		if err == nil {
			err = data.Write(data.Disk{}, path, edit(name, table))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pipeline runs features, train and predict and returns the bytes they leave.
func pipeline(t *testing.T, dir string, flags ...string) map[string]string {
	t.Helper()
	frame, scores := filepath.Join(dir, "frame.parquet"), filepath.Join(dir, "scores.parquet")
	for _, line := range [][]string{
		{"features", "--history", "-o", frame},
		{"train"},
		{"predict", "--model", "latest", "--as-of", "2026-07-01", "-o", scores},
	} {
		holdfastOK(t, append(append([]string{"-C", dir}, line...), flags...)...)
	}
	models, err := filepath.Glob(filepath.Join(dir, "models", "*", "model.json"))
	if err != nil || len(models) != 1 {
		t.Fatalf("models %v, %v", models, err)
	}
	out := make(map[string]string)
	for what, name := range map[string]string{"features": frame, "model": models[0], "scores": scores} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[what] = string(b)
	}
	if err := os.RemoveAll(filepath.Join(dir, "models")); err != nil {
		t.Fatal(err)
	}
	return out
}

// recompress writes a Parquet file again with another codec, by the library and
// not by our writer.
func recompress(t *testing.T, name string, codec parquet.WriterOption) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := parquet.NewReader(f)
	defer r.Close()
	temp, err := os.Create(name + ".new")
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewWriter(temp, r.Schema(), codec, parquet.MaxRowsPerRowGroup(1000))
	_, err = parquet.CopyRows(w, r)
	if err := errors.Join(err, w.Close(), temp.Close(), os.Rename(name+".new", name)); err != nil {
		t.Fatal(err)
	}
}

// Nothing that leaves the rows as they are changes a byte of the frame, the
// model or the scores: their order, how they are cut into files, row groups and
// pages, the codec, the number of workers, the memory. A change of one value does.
func TestSameBytesWhateverTheFiles(t *testing.T) {
	dir := smallProject(t, 250)
	want := pipeline(t, dir)
	check := func(what string, flags ...string) {
		t.Helper()
		for name, got := range pipeline(t, dir, flags...) {
			if got != want[name] {
				t.Errorf("%s: other bytes of the %s", what, name)
			}
		}
	}
	check("1 worker, 64 MB", "--workers", "1", "--max-memory", "64MB")
	check("7 workers", "--workers", "7")
	rng := rand.New(rand.NewPCG(1, 2))
	editTables(t, dir, func(_ string, table *data.Table) *data.Table { return table.Take(rng.Perm(table.Rows)) })
	check("shuffled rows")
	codecs := []parquet.WriterOption{parquet.Compression(&parquet.Snappy), parquet.Compression(&parquet.Gzip), parquet.Compression(&parquet.Uncompressed)}
	for i, name := range demoTables {
		recompress(t, filepath.Join(dir, "data", name+".parquet"), codecs[i%len(codecs)])
	}
	check("other codecs, row groups of 1,000 rows")
	for _, name := range demoTables {
		path := filepath.Join(dir, "data", name+".parquet")
		table, err := data.Read(data.Disk{}, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for part, rows := range slices.Collect(slices.Chunk(rng.Perm(table.Rows), table.Rows/3+1)) {
			if err := data.Write(data.Disk{}, filepath.Join(dir, "data", fmt.Sprintf("%s_%d.parquet", name, part)), table.Take(rows)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		editProject(t, dir, "data/"+name+".parquet", "data/"+name+"_*.parquet")
	}
	check("three files a table, 2 workers", "--workers", "2")

	touched := filepath.Join(dir, "data", "accounts_0.parquet")
	table, err := data.Read(data.Disk{}, touched, nil)
	if err != nil {
		t.Fatal(err)
	}
	table.Column("created_at").Ints[0]++
	if err := data.Write(data.Disk{}, touched, table); err != nil {
		t.Fatal(err)
	}
	if maps.Equal(pipeline(t, dir), want) {
		t.Error("another value of an account changes nothing, so that the comparison shows little")
	}
}
