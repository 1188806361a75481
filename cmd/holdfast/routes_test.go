// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// The same accounts have the same probabilities and health, bit for bit, whether
// the project is scored, the table of its features is, or the library is asked.
func TestRoutesAgree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
	ctx := context.Background()
	if err := a.writeDemo(ctx, dir, demo.Make(demo.Options{Seed: 3, Accounts: 300})); err != nil {
		t.Fatal(err)
	}
	holdfastOK(t, "-C", dir, "train")
	pr, err := findProject(a.fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	m, id, err := a.findModel(pr, registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	model, frame := filepath.Join(dir, "models", id, "model.json"), filepath.Join(dir, "frame.parquet")
	holdfastOK(t, "-C", dir, "features", "--as-of", "2026-07-01", "-o", frame)
	holdfastOK(t, "-C", dir, "predict", "--as-of", "2026-07-01", "--model", model, "-o", filepath.Join(dir, "project.parquet"))
	holdfastOK(t, "predict", "--table", frame, "--id", "contract_id", "--model", model, "-o", filepath.Join(dir, "table.parquet"))

	l, err := a.load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.build(ctx, l, &m.Spec, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Prob(nil, b.Frame)
	if err != nil {
		t.Fatal(err)
	}
	of := make(map[string]int)
	for i := range b.Frame.Rows {
		of[b.Frame.Rows[i].Contract] = i
	}
	for _, name := range []string{"project", "table"} {
		s, err := data.Read(a.fsys, filepath.Join(dir, name+".parquet"), nil)
		if err != nil {
			t.Fatal(err)
		}
		compared, ids := 0, s.Column("contract_id").AsText()
		for i, got := range s.Column("p_churn").Floats {
			if math.IsNaN(got) { // early or decided
				continue
			}
			compared++
			want := p[of[ids.Text(i)]]
			if got != want {
				t.Fatalf("%s: %s has p %v; the library says %v", name, ids.Text(i), got, want)
			}
			if health := s.Column("health").Floats[i]; health != m.Score.Health(want) {
				t.Fatalf("%s: %s has health %v; the library says %v", name, ids.Text(i), health, m.Score.Health(want))
			}
		}
		if compared < 50 {
			t.Errorf("%s: %d scores compared", name, compared)
		}
	}
}
