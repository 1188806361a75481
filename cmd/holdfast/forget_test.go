// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
)

// holding lists the files below a folder, but for its own data, that hold an
// id: in their bytes, or in the cells of a table.
func holding(t *testing.T, dir, id string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name == filepath.Join(dir, "data"):
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found := bytes.Contains(text, []byte(id))
		var table *data.Table
		switch ext(name) {
		case ".parquet":
			table, err = data.Read(data.Disk{}, name, nil)
		case ".arrow":
			table, err = ipc.Read(data.Disk{}, name)
		}
		if table != nil {
			for i := range table.Columns {
				found = found || slices.Contains(table.Columns[i].Dict, id)
			}
		}
		if found {
			out = append(out, strings.TrimPrefix(name, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A forgotten account is gone from all outputs and is never read again; other
// accounts keep their rows, runs stay whole, and models never held an id.
func TestForget(t *testing.T) {
	dir, final := runProject(t)
	scores, err := data.Read(data.Disk{}, filepath.Join(final, scoresFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	id := scores.Column("account_id").Text(0)
	if err := os.Remove(filepath.Join(dir, "truth.parquet")); err != nil { // the demo's, not an output
		t.Fatal(err)
	}
	for _, name := range []string{"s.parquet", "s.csv", "s.jsonl", "s.arrow"} {
		holdfastOK(t, "-C", dir, "predict", "--as-of", "2026-07-01", "-o", filepath.Join(dir, name))
	}
	holdfastOK(t, "-C", dir, "predict", "--as-of", "2026-07-01", "-o", filepath.Join(dir, "s.csv"), "--summary")
	holdfastOK(t, "-C", dir, "features", "--history", "-o", filepath.Join(dir, "frame.parquet"))
	elsewhere := filepath.Join(t.TempDir(), "sent.csv")
	copyFile(t, filepath.Join(dir, "s.csv"), elsewhere)
	report := filepath.Join(dir, "reports", "abc")
	work := filepath.Join(dir, "reports", ".work")
	for _, d := range []string{report, work} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, filepath.Join(dir, "s.parquet"), filepath.Join(report, "predictions.parquet"))
	copyFile(t, filepath.Join(dir, "s.csv"), filepath.Join(work, "2026-01-01"))
	before := holding(t, dir, id)
	if len(before) < 9 {
		t.Fatalf("only %v hold the account, so that the test shows little", before)
	}
	for _, name := range before {
		if strings.HasPrefix(name, "models") {
			t.Errorf("%s holds an id", name)
		}
	}

	var out, errs bytes.Buffer
	args := []string{"-C", dir, "forget", id, elsewhere, "--json"}
	if code := run(context.Background(), args, &out, &errs); code != exitOK {
		t.Fatalf("exit %d\n%s", code, &errs)
	}
	if strings.Contains(out.String()+errs.String(), id) || !strings.Contains(out.String(), data.HashID(id)) {
		t.Errorf("printed %s%s", &out, &errs)
	}
	if got := holding(t, dir, id); len(got) > 0 {
		t.Errorf("still in %v", got)
	}
	if got := holding(t, filepath.Dir(elsewhere), id); len(got) > 0 {
		t.Errorf("still in %v", got)
	}
	wanted := scores.Without("account_id", id)
	got, err := data.Read(data.Disk{}, filepath.Join(final, scoresFile), nil)
	if err != nil || data.Fingerprint(got) != data.Fingerprint(wanted) {
		t.Errorf("the run has other rows than before without the account: %d, want %d, %v", got.Rows, wanted.Rows, err)
	}
	files, _ := outputs(t, final) // fails unless the manifest fits
	if _, ok := files[summaryFile]; !ok || !strings.Contains(files[manifestFile], `"status"`) {
		t.Errorf("the run has %v", slices.Sorted(maps.Keys(files)))
	}
	checkRuns(t, final)

	// Whatever is read from now on is without it, although the tables have it.
	holdfastOK(t, "-C", dir, "run", "--as-of", "2026-07-01", "--model", "latest")
	holdfastOK(t, "-C", dir, "predict", "--as-of", "2026-07-01", "-o", filepath.Join(dir, "s.csv"))
	holdfastOK(t, "-C", dir, "features", "--history", "-o", filepath.Join(dir, "frame.parquet"))
	if got := holding(t, dir, id); len(got) > 0 {
		t.Errorf("written again: %v", got)
	}
	out.Reset()
	if code := run(context.Background(), []string{"-C", dir, "check"}, &out, &errs); code != exitOK || !strings.Contains(out.String(), "rows are left out: the account was forgotten") {
		t.Errorf("check: exit %d\n%s", code, &out)
	}
	if strings.Contains(out.String(), id) {
		t.Error("check tells a forgotten id")
	}
	errs.Reset()
	if code := run(context.Background(), []string{"-C", dir, "explain", id}, &out, &errs); code != exitNotFound || !strings.Contains(errs.String(), "it was forgotten on 20") {
		t.Errorf("explain: exit %d, %s", code, &errs)
	}

	// Twice changes nothing; nobody is not found; neither is told on stderr.
	tombstones := filepath.Join(dir, "forgotten.json")
	was, _ := os.ReadFile(tombstones)
	holdfastOK(t, "-C", dir, "forget", id)
	errs.Reset()
	if code := run(context.Background(), []string{"-C", dir, "forget", "acct-nobody"}, &out, &errs); code != exitNotFound || strings.Contains(errs.String(), "nobody") {
		t.Errorf("nobody: exit %d, %s", code, &errs)
	}
	if is, _ := os.ReadFile(tombstones); !bytes.Equal(was, is) {
		t.Errorf("the tombstones changed: %s, then %s", was, is)
	}
	if err := os.WriteFile(tombstones, was[:len(was)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if code := run(context.Background(), []string{"-C", dir, "check"}, &out, &errs); code != exitBadData {
		t.Errorf("damaged tombstones: exit %d", code)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := data.CopyFile(data.Disk{}, from, to); err != nil {
		t.Fatal(err)
	}
}
