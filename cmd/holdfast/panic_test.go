// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

type panickingFS struct{ data.Disk }

func (panickingFS) Open(string) (data.File, error) { panic("index out of range [7]") }

// A panic ends a command with one line, its place and exit code 1.
func TestPanicIsOneLine(t *testing.T) {
	var out, errs bytes.Buffer
	code := runOn(context.Background(), panickingFS{}, []string{"-C", t.TempDir(), "check", "--max-memory", "1GB"}, &out, &errs)
	text := errs.String()
	if code != exitFailure || strings.Count(text, "\n") != 1 || strings.Contains(text, "goroutine") ||
		!strings.Contains(text, "an internal error, which is no fault of yours: index out of range [7]") || !strings.Contains(text, "panic_test.go:") {
		t.Errorf("exit %d, %s", code, text)
	}
}

// A scratchFS panics, once it is told to, where what did not fit in memory is
// read back, which goroutines do.
type scratchFS struct {
	data.Disk
	panics *bool
}

func (s scratchFS) Scratch() (data.ScratchFile, error) {
	f, err := s.Disk.Scratch()
	return panickingScratch{f, s.panics}, err
}

type panickingScratch struct {
	data.ScratchFile
	panics *bool
}

func (f panickingScratch) ReadAt(b []byte, at int64) (int, error) {
	if *f.panics {
		panic("no such page")
	}
	return f.ScratchFile.ReadAt(b, at)
}

// So does one in a goroutine: it says whose features were being made.
func TestPanicOfAWorkerIsOneLine(t *testing.T) {
	dir := smallProject(t, 120)
	panics := false
	a := &app{fsys: scratchFS{panics: &panics}, stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, progress: new(progress), dir: dir, eventBytes: 1}
	l, err := a.load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer l.history.Close()
	panics = true
	err = data.Caught(func() error {
		_, err := a.buildHistory(context.Background(), l)
		return err
	})
	if err == nil || !strings.HasPrefix(err.Error(), "features of accounts 1 to ") || !strings.Contains(err.Error(), "no such page at panic_test.go:") ||
		exitCode(err) != exitFailure {
		t.Errorf("%v, exit %d", err, exitCode(err))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp*")); left != nil {
		t.Errorf("left: %v", left)
	}
}
