// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"holdfast": main, "reader": badReader, "killed-holdfast": killedMain})
}

// The scripts in testdata/script are command lines with what they print and
// how they exit. $SHARED is the folder of real data, empty where it is absent;
// $DEMO is a demo project of 1,000 accounts with all that demo makes, to copy,
// but what is fitted in it later has linear terms only and a backtest has three
// origins, in a fifth of the time;
// $MODELS is the folder of golden models.
func TestScripts(t *testing.T) {
	dir, err := filepath.Abs(shared)
	if err != nil {
		t.Fatal(err)
	}
	models, err := filepath.Abs("../../predict/testdata")
	if err != nil {
		t.Fatal(err)
	}
	demo := filepath.Join(t.TempDir(), "demo")
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"demo", "--accounts", "1000", demo}, &out, &errs); code != 0 {
		t.Fatalf("demo: exit %d\n%s%s", code, &out, &errs)
	}
	straighten(t, demo, "6mo")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SHARED", dir)
			e.Setenv("DEMO", demo)
			e.Setenv("MODELS", models)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// straighten keeps a project to linear terms and to an origin every so many months
// instead of three.
func straighten(t *testing.T, dir, every string) {
	t.Helper()
	file := filepath.Join(dir, projectFile)
	project, err := os.ReadFile(file)
	if err == nil {
		project = bytes.Replace(project, []byte("every: 3mo"), []byte("every: "+every), 1)
		err = os.WriteFile(file, append(project, "model: {stages: linear}\n"...), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// exits CODE COMMAND ... runs a command and checks its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
