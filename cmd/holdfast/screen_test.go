// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// splitUsage writes the usage of a project as n files in place of one.
func splitUsage(t *testing.T, dir string, n int) {
	t.Helper()
	name := filepath.Join(dir, "data", "usage.parquet")
	table, err := data.Read(data.Disk{}, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := filepath.Join(dir, "data", "usage")
	if err := os.MkdirAll(parts, 0o777); err != nil {
		t.Fatal(err)
	}
	for k := range n {
		var rows []int
		for i := k; i < table.Rows; i += n {
			rows = append(rows, i)
		}
		if err := data.Write(data.Disk{}, filepath.Join(parts, fmt.Sprintf("%03d.parquet", k)), table.Take(rows)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, projectFile))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "data/usage.parquet", "data/usage/*.parquet", 1)
	if changed == string(text) {
		t.Fatal("the project does not read data/usage.parquet")
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, projectFile), []byte(changed), 0o666), os.Remove(name)); err != nil {
		t.Fatal(err)
	}
}

// command runs a command line and returns its exit code and standard error.
func command(args ...string) (code int, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, errs.String()
}

// One file of 200 that cannot be read ends a command; with --keep-going the
// others are read, the file is listed, and the exit code says so, for every way
// of being damaged and with or without a process of its own.
func TestKeepGoing(t *testing.T) {
	dir, final := runProject(t)
	splitUsage(t, dir, 200)
	bad := filepath.Join(dir, "data", "usage", "007.parquet")
	sound, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	scores := filepath.Join(dir, "s.csv")
	listed := func(name string) []data.Reject {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var rejects []data.Reject
		if strings.HasSuffix(name, manifestFile) {
			var m manifest
			err, rejects = json.Unmarshal(text, &m), m.Rejects
			rejects = m.Rejects
		} else {
			err = json.Unmarshal(text, &rejects)
		}
		if err != nil {
			t.Fatal(err)
		}
		return rejects
	}
	predict := []string{"-C", dir, "predict", "--as-of", "2026-07-01", "-o", scores}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "007.parquet: 0 bytes, not Parquet"},
		{"truncated", sound[:len(sound)-7], "007.parquet: the footer is missing"},
		{"CSV", []byte("a,b\n1,2\n"), "starts with 'a,b', not PAR1: not a Parquet file"},
		{"2 GiB of footer", []byte("PAR1\xff\xff\xff\x7fPAR1"), "the footer claims 2,147,483,647 bytes"},
	} {
		if err := os.WriteFile(bad, c.file, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, isolate := range []string{"--isolate=false", "--isolate"} {
			os.Remove(scores)
			if code, text := command(append(predict, isolate)...); code != exitBadData || !strings.Contains(text, c.want) {
				t.Errorf("%s %s: exit %d, %s", c.name, isolate, code, text)
			}
			if _, err := os.Stat(scores); err == nil {
				t.Errorf("%s %s: scores were written", c.name, isolate)
			}
			code, text := command(append(predict, isolate, "--keep-going")...)
			if code != exitPartial || !strings.Contains(text, "done without 1 of 206 input files") || !strings.Contains(text, c.want) {
				t.Errorf("%s %s --keep-going: exit %d, %s", c.name, isolate, code, text)
			}
			if r := listed(scores + ".rejects.json"); len(r) != 1 || r[0].Table != "usage" || !strings.Contains(r[0].Problem, c.want) {
				t.Errorf("%s %s: rejects %+v", c.name, isolate, r)
			}
		}
	}

	// A scheduled run lists the file in its manifest, and is partial again when
	// there is nothing left to do; once the file is mended all is done anew.
	night := []string{"-C", dir, "run", "--as-of", "2026-07-01", "--keep-going", "--metrics", filepath.Join(dir, "m.prom")}
	for range 2 {
		if code, text := command(night...); code != exitPartial {
			t.Errorf("run: exit %d, %s", code, text)
		}
		if r := listed(filepath.Join(final, manifestFile)); len(r) != 1 || r[0].Path != "data/usage/007.parquet" {
			t.Errorf("run: rejects %+v", r)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "m.prom")); err != nil || !strings.Contains(string(text), "holdfast_run_exit_code 3\n") {
		t.Errorf("metrics %s, %v", text, err)
	}
	if err := os.WriteFile(bad, sound, 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := command(night...); code != exitOK {
		t.Errorf("mended: exit %d, %s", code, text)
	}
	if r := listed(filepath.Join(final, manifestFile)); len(r) != 0 {
		t.Errorf("mended: rejects %+v", r)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "accounts.parquet"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := command(night...); code != exitBadData || !strings.Contains(text, "accounts: ") {
		t.Errorf("without accounts: exit %d, %s", code, text)
	}
}

// badReader is a child that dies over files, in the way that a file's name says.
func badReader() {
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		switch text := requests.Text(); {
		case strings.Contains(text, "panics"):
			panic("index out of range")
		case strings.Contains(text, "hangs"):
			time.Sleep(time.Hour)
		case strings.Contains(text, "grows"):
			if err := limitMemory(512 << 20); err != nil {
				panic(err)
			}
			var all [][]byte
			for len(all) < 64 { // 2 GB, which nothing but the limit forbids
				all = append(all, bytes.Repeat([]byte{1}, 32<<20))
				runtime.KeepAlive(all)
			}
			fmt.Println("{}")
		case strings.Contains(text, "babbles"):
			fmt.Println("hello")
		default:
			fmt.Println("{}")
		}
	}
}

// A file over which the reading process dies, hangs or takes all memory is one
// error that names it, and the next file is read.
func TestChildDies(t *testing.T) {
	dir := t.TempDir()
	c := child{name: "reader"}
	defer c.stop()
	for _, k := range []struct{ name, want string }{
		{"sound", ""},
		{"panics", "panics.parquet: the process that read it died (exit status 2): panic: index out of range"},
		{"sound", ""},
		{"hangs", "hangs.parquet: reading it took longer than 1s"},
		{"grows", "grows.parquet: reading it takes more than 512 MB of memory"},
		{"babbles", `it answered "hello"`},
		{"sound", ""},
	} {
		name := filepath.Join(dir, k.name+".parquet")
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		c.time = 0
		if k.name == "hangs" {
			c.time = time.Second
		}
		start := time.Now()
		err := c.read(context.Background(), data.Disk{}, data.ScreenedFile{Path: name})
		if took := time.Since(start); took > 30*time.Second { // a busy machine may take long
			t.Errorf("%s: %v", k.name, took)
		}
		switch {
		case k.want == "" && err != nil, k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)):
			t.Errorf("%s: %v, want %q", k.name, err, k.want)
		case k.want != "" && k.name != "babbles" && exitCode(err) != exitBadData:
			t.Errorf("%s: exit %d", k.name, exitCode(err))
		}
	}
}

// Files that broke other readers, and files made to: each is read or refused in
// a child with 512 MB and 2 s, of which none dies, and this process lives on.
func TestIsolatedBadFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("bounds of memory are the system's")
	}
	files, err := filepath.Glob(filepath.Join(shared, "parquet-bad", "*"))
	if err != nil || len(files) == 0 {
		t.Skip("no files in " + shared)
	}
	var c child
	defer c.stop()
	read, slowest := 0, time.Duration(0)
	for _, name := range files {
		start := time.Now()
		err := c.read(context.Background(), data.Disk{}, data.ScreenedFile{Path: name})
		slowest = max(slowest, time.Since(start))
		switch {
		case err == nil:
			read++
		case exitCode(err) != exitBadData, strings.Contains(err.Error(), "the process that read it died"),
			strings.Contains(err.Error(), "reading it t"):
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
	t.Logf("%d of %d files were read, the rest refused; the slowest took %v", read, len(files), slowest)
}
