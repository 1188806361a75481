// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/features"
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
