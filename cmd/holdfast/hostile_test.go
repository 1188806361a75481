// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
)

// hostileIDs are ids that real tables hold and careless programs break on.
var hostileIDs = []string{
	"a\nb", `a,b "c"`, "\x00zero\x00", "\u202eright to left \u05d0\u05d1", "\U0001f600", `=HYPERLINK("http://x","y")`, "+1", "-2+3", "@x",
	"\tab", "\rcr", "c\r\nd", " padded ", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "../../etc/passwd", "CON", "%s%n", "NULL", "007",
	strings.Repeat("x", 10_000),
}

// Ids of any text pass through every command, with the scores of the accounts
// that bore plain ones: exactly in Parquet, Arrow and JSON lines, in CSV with '
// before what a spreadsheet would run, and in pages as text.
func TestHostileIDs(t *testing.T) {
	dir := smallProject(t, 120)
	holdfastOK(t, "-C", dir, "train")
	holdfastOK(t, "-C", dir, "predict", "--model", "latest", "--as-of", "2026-07-01", "-o", filepath.Join(dir, "s.parquet"))
	plain, err := data.Read(data.Disk{}, filepath.Join(dir, "s.parquet"), nil)
	if err != nil {
		t.Fatal(err)
	}
	to := make(map[string]string) // those that are scored, so that pages name some
	for i := range plain.Rows {
		id := plain.Column("account_id").Text(i)
		if to[id] == "" && plain.Column("status").Text(i) == "scored" && len(to) < len(hostileIDs) {
			to[id] = hostileIDs[len(to)]
		}
	}
	if len(to) < len(hostileIDs)/2 {
		t.Fatalf("only %d accounts are scored", len(to))
	}
	renamed := func(id string) string { return orDefault(to[id], id) }
	editTables(t, dir, func(_ string, table *data.Table) *data.Table {
		for i := range table.Columns {
			if c := &table.Columns[i]; c.Name == "account_id" || c.Name == "parent_id" || c.Name == "name" {
				for k, id := range c.Dict {
					c.Dict[k] = renamed(id)
				}
			}
		}
		return table
	})
	want := make(map[[2]string]float64)
	for i := range plain.Rows {
		want[[2]string{renamed(plain.Column("account_id").Text(i)), plain.Column("contract_id").Text(i)}] = plain.Column("p_churn").Floats[i]
	}
	check := func(what, account, contract string, p float64) {
		t.Helper()
		w, ok := want[[2]string{account, contract}]
		if !ok || p != w && !(p != p && w != w) {
			t.Errorf("%s: account %.40q, contract %s: p = %v, want %v", what, account, contract, p, w)
		}
	}
	for _, name := range []string{"h.parquet", "h.arrow", "h.jsonl", "h.csv"} {
		path := filepath.Join(dir, name)
		holdfastOK(t, "-C", dir, "predict", "--model", "latest", "--as-of", "2026-07-01", "-o", path)
		rows := 0
		switch ext(name) {
		case ".jsonl":
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(text) {
				var row struct {
					Account  string   `json:"account_id"`
					Contract string   `json:"contract_id"`
					P        *float64 `json:"p_churn"`
				}
				if err := json.Unmarshal(line, &row); err != nil {
					t.Fatal(err)
				}
				if row.P != nil {
					check(name, row.Account, row.Contract, *row.P)
				}
				rows++
			}
		case ".csv":
			rows = checkHostileCSV(t, path)
		default:
			table, err := data.Read(data.Disk{}, path, nil)
			if ext(name) == ".arrow" {
				table, err = ipc.Read(data.Disk{}, path)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range table.Rows {
				check(name, table.Column("account_id").Text(i), table.Column("contract_id").Text(i), table.Column("p_churn").Floats[i])
			}
			rows = table.Rows
		}
		if rows != plain.Rows {
			t.Errorf("%s: %d rows, want %d", name, rows, plain.Rows)
		}
	}
	holdfastOK(t, "-C", dir, "run", "--model", "latest", "--as-of", "2026-07-01")
	checkHostilePages(t, dir)
	checkHostileExplain(t, dir)
	for _, id := range []string{"<script>alert(1)</script>", "\x00zero\x00", "=HYPERLINK(\"http://x\",\"y\")", "c\r\nd"} {
		holdfastOK(t, "-C", dir, "forget", id)
		scores, err := data.Read(data.Disk{}, filepath.Join(dir, runsFolder, "2026-07-01", scoresFile), nil)
		if err != nil || slices.Contains(scores.Column("account_id").Dict, id) {
			t.Errorf("%q is not forgotten, %v", id, err)
		}
	}
}

// checkHostileCSV reads scores as a spreadsheet does: no field may begin as a
// formula unless it is a number.
func checkHostileCSV(t *testing.T, path string) (rows int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(records[0], "account_id")
	escaped := 0
	for _, r := range records[1:] {
		if id := r[at]; id != "" && strings.IndexByte("=+-@\t\r", id[0]) >= 0 {
			t.Errorf("account %.40q would be run", id)
		} else if strings.HasPrefix(id, "'") && slices.Contains(hostileIDs, id[1:]) {
			escaped++
		}
	}
	if escaped < 4 {
		t.Errorf("%d ids have a ' before them", escaped)
	}
	return len(records) - 1
}

// checkHostilePages looks for markup that came out of data.
func checkHostilePages(t *testing.T, dir string) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(dir, runsFolder, "2026-07-01", "*.html"))
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	named := false
	for _, name := range pages {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script>alert", "<img src=x"} {
			if bytes.Contains(text, []byte(bad)) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
		if !bytes.Contains(text, []byte("Content-Security-Policy")) {
			t.Errorf("%s allows scripts", name)
		}
		named = named || bytes.Contains(text, []byte("&lt;script&gt;alert(1)")) || bytes.Contains(text, []byte("&lt;img src=x"))
	}
	if !named {
		t.Error("no page names a hostile account, so that the test shows little")
	}
}

// checkHostileExplain explains accounts whose ids cannot be typed easily, and
// one that looks like a path: nothing is made of an id but a key.
func checkHostileExplain(t *testing.T, dir string) {
	t.Helper()
	for _, id := range []string{"a\nb", "../../etc/passwd", "\U0001f600", "-2+3"} {
		var out, errs bytes.Buffer
		code := run(context.Background(), []string{"-C", dir, "explain", "--as-of", "2026-07-01", "--model", "latest", "--json", "--", id}, &out, &errs)
		var e struct {
			Account string `json:"account_id"`
		}
		if err := json.Unmarshal(out.Bytes(), &e); code != 0 || err != nil || e.Account != id {
			t.Errorf("explain %q: exit %d, %v, %s%.200s", id, code, err, &errs, &out)
		}
	}
}

// A model reference is an id or an alias. No name leads out of the models
// folder, and a device's name is no folder.
func TestHostileReferences(t *testing.T) {
	dir := smallProject(t, 120)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.MkdirAll(filepath.Join(outside, "0123456789ab"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"../outside", "../../etc/x", "CON", "a/b", "..", ".", "", " ", "\x00", "*", "0123456789ab/../x"} {
		for _, line := range [][]string{{"models", "show", "--", ref}, {"predict", "-o", filepath.Join(dir, "s.csv"), "--model=" + ref}} {
			code, text := command(append([]string{"-C", dir}, line...)...)
			want := exitUsage
			if strings.Contains(ref, "/") || ref == "" && line[0] == "predict" { // a file that is not there; no --model
				want = exitNotFound
			}
			if code != want || strings.Contains(text, "panic") || strings.Contains(text, "internal error") {
				t.Errorf("%v: exit %d, %s", line, code, text)
			}
		}
	}
	for _, ref := range []string{"../outside", "/etc/passwd", "CON", "a/b", ".."} { // promoted is what is published, never a file
		if code, text := command("-C", dir, "models", "rollback", "--", ref); code == exitOK || code == exitFailure {
			t.Errorf("rollback %q: exit %d, %s", ref, code, text)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "0123456789ab"), filepath.Join(dir, "models", "0123456789ab")); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := os.WriteFile(filepath.Join(outside, "0123456789ab", "model.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := command("-C", dir, "models", "show", "0123456789ab"); code != exitNotFound && code != exitIntegrity {
		t.Errorf("a link out of the models folder: exit %d, %s", code, text)
	}
	if code, text := command("-C", dir, "models", "gc", "--keep", "0"); code != exitOK {
		t.Errorf("gc: exit %d, %s", code, text)
	}
	if _, err := os.Stat(filepath.Join(outside, "0123456789ab", "model.json")); err != nil {
		t.Errorf("gc removed what lies outside of the models folder: %v", err)
	}
}

// A folder whose name is no UTF-8, and one with spaces and signs, work as any
// other; so does an as-of that is not a date in any locale.
func TestHostileFolders(t *testing.T) {
	plain := smallProject(t, 120)
	for _, name := range []string{"\xff\xfe", "a b'c\"d", "\u202e\u05d0", "-C", "$HOME"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.CopyFS(dir, os.DirFS(plain)); err != nil {
			t.Skipf("this file system has no such names: %v", err)
		}
		holdfastOK(t, "-C", dir, "features", "--as-of", "2026-07-01", "-o", filepath.Join(dir, name+".csv"))
		if info, err := os.Stat(filepath.Join(dir, name+".csv")); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}
