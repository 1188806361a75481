// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/data/faultfs"
	"github.com/holdfast-churn/holdfast/predict"
)

var runKills = flag.Int("run-kills", 6, "times to kill a scheduled run at a random moment")

// runProject is the history of a demo with a champion, runs of 2026-06-25 and
// 2026-07-01, and a newer model, so that a further run of 2026-07-01 has to
// replace what is there. The models were never fitted: all that matters is that
// they give different scores.
func runProject(t *testing.T) (dir, final string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "demo")
	ctx := context.Background()
	a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
	if err := a.writeDemo(ctx, dir, demo.Make(demo.Options{Seed: 1, Accounts: 120})); err != nil {
		t.Fatal(err)
	}
	l, err := a.load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(intercept float64) string { return publishConstant(t, l, intercept, "") }
	if err := l.registry.Promote(publish(-2), predict.Verdict{Pass: true}); err != nil {
		t.Fatal(err)
	}
	holdfastOK(t, "-C", dir, "run", "--as-of", "2026-06-25")
	holdfastOK(t, "-C", dir, "run", "--as-of", "2026-07-01")
	publish(0.5)
	return dir, filepath.Join(dir, runsFolder, "2026-07-01")
}

// publishConstant publishes a model that gives everybody the same score.
func publishConstant(t *testing.T, l *loaded, intercept float64, asOf string) string {
	t.Helper()
	id, err := l.registry.Publish(&predict.Model{Format: predict.Format, Spec: l.spec, Provenance: predict.Provenance{AsOf: asOf},
		Logit: predict.Logit{Intercept: intercept, Calibration: predict.Calibration{Method: "none", Slope: 1}},
		Score: predict.Score{BaseRate: 0.1, AtRisk: 40, Watch: 65, Healthy: 80, AtRiskP: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A run is whole or the one before is, whatever ends it.
func TestRunEndsWhole(t *testing.T) {
	dir, final := runProject(t)
	t.Run("every write", func(t *testing.T) { killAtEveryWrite(t, dir, final) })
	t.Run("random", func(t *testing.T) { killAtRandom(t, dir, final) })
	t.Run("signal", func(t *testing.T) { signalARun(t, dir, final) })
	t.Run("drift", func(t *testing.T) { failOnDrift(t, dir, final) })
}

// A run whose model expects next to no churn is complete, warns, and fails only
// where asked to, the second time as well.
func failOnDrift(t *testing.T, dir, final string) {
	a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
	l, err := a.load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	id := publishConstant(t, l, -6, "2025-01-01")
	args := []string{"-C", dir, "run", "--as-of", "2026-07-01", "--model", id, "--json", "--metrics", filepath.Join(dir, "drift.prom")}
	for i, c := range []struct {
		flag string
		code int
		want string
	}{{"--quiet", exitOK, `"repeated":false`}, {"--fail-on-drift", exitRefused, `"repeated":true`}, {"--fail-on-drift", exitRefused, `"repeated":true`}} {
		var out, errs bytes.Buffer
		code := run(context.Background(), append(args, c.flag), &out, &errs)
		if code != c.code || !strings.Contains(out.String(), c.want) || !strings.Contains(out.String(), "more accounts churn than the model predicts") ||
			(code == exitOK) == strings.Contains(errs.String(), "drift: more accounts churn") {
			t.Errorf("call %d: exit %d, %s%s", i, code, &out, &errs)
		}
	}
	if files, model := outputs(t, final); model != id || files["monitor.json"] == "" || files["monitor.html"] == "" {
		t.Errorf("the run of %s left %d files", model, len(files))
	}
	text, err := os.ReadFile(filepath.Join(dir, "drift.prom"))
	if err != nil || !strings.Contains(string(text), "holdfast_run_exit_code 5\n") || !strings.Contains(string(text), "holdfast_run_alarms 2\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

func holdfastOK(t *testing.T, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), args, &out, &errs); code != 0 {
		t.Fatalf("%v: exit %d\n%s", args, code, &errs)
	}
}

// outputs returns the bytes of the files of a run, of its manifest without the
// timings, and its model. The run must be whole.
func outputs(t *testing.T, final string) (files map[string]string, model string) {
	t.Helper()
	a := &app{fsys: data.Disk{}}
	m := a.readManifest(final)
	if m == nil || !a.intact(context.Background(), final, m) {
		t.Fatalf("%s is not whole", final)
	}
	m.Timings = runTimings{}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{manifestFile: string(text)}
	for _, o := range m.Outputs {
		b, err := os.ReadFile(filepath.Join(final, o.Path))
		if err != nil {
			t.Fatal(err)
		}
		files[o.Path] = string(b)
	}
	return files, m.ModelID
}

// checkRuns fails where anything but whole runs is in the folder of runs.
func checkRuns(t *testing.T, final string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(final))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Name() != ".lock" {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// At every point at which a run changes the disk a kill leaves the old run
// whole or the new one, and the next run gives the bytes of an undisturbed one.
func killAtEveryWrite(t *testing.T, dir, final string) {
	old, champion := outputs(t, final)
	kept := t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(final)); err != nil {
		t.Fatal(err)
	}
	o := func() *runOptions {
		return &runOptions{asOf: "2026-07-01", maxAge: "7d", ref: "latest", began: time.Now()}
	}
	at := func(fsys data.FS) *app {
		return &app{fsys: fsys, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir, command: "holdfast run"}
	}
	if _, err := at(data.Disk{}).run(context.Background(), o()); err != nil {
		t.Fatal(err)
	}
	want, latest := outputs(t, final)
	if latest == champion || maps.Equal(old, want) {
		t.Fatal("both models gave the same run")
	}
	back := func() { // to the run of the champion
		t.Helper()
		if err := os.RemoveAll(final); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(final, os.DirFS(kept)); err != nil {
			t.Fatal(err)
		}
	}
	points := 0
	for n := 1; ; n++ {
		back()
		fsys := &faultfs.FS{FS: data.Disk{}, At: n}
		_, err := at(fsys).run(context.Background(), o())
		got, _ := outputs(t, final)
		if fsys.Calls() < n {
			points = n - 1
			break
		}
		if err == nil || !maps.Equal(got, old) && !maps.Equal(got, want) {
			t.Errorf("killed at %d: %v; neither the old run nor the new one is there", n, err)
		}
		if _, err := at(data.Disk{}).run(context.Background(), o()); err != nil {
			t.Fatal(err)
		}
		if got, _ := outputs(t, final); !maps.Equal(got, want) {
			t.Errorf("killed at %d: the next run gave other bytes", n)
		}
		checkRuns(t, final)
	}
	t.Logf("killed at %d changes of the disk", points)
	if points < 15 { // three files of four calls each, the folder, its exchange and removal
		t.Errorf("only %d points were tried", points)
	}
}

// The same for SIGKILL at random moments, each time by another process.
func killAtRandom(t *testing.T, dir, final string) {
	rng := rand.New(rand.NewPCG(3, 4))
	first := map[string]map[string]string{}
	for i := range *runKills {
		ref := []string{"latest", "champion"}[i%2]
		c := exec.Command("holdfast", "-C", dir, "run", "--as-of", "2026-07-01", "--model", ref)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
		if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = c.Wait() // its error is the signal
		outputs(t, final)
		holdfastOK(t, "-C", dir, "run", "--as-of", "2026-07-01", "--model", ref)
		got, _ := outputs(t, final)
		if first[ref] == nil {
			first[ref] = got
		} else if !maps.Equal(got, first[ref]) {
			t.Errorf("kill %d: other bytes than before", i)
		}
		checkRuns(t, final)
	}
}

// A signal undoes a run: exit code, no temporary folder, the run before whole.
func signalARun(t *testing.T, dir, final string) {
	holdfastOK(t, "-C", dir, "run", "--as-of", "2026-07-01")
	old, _ := outputs(t, final)
	for _, after := range []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond} {
		metrics := filepath.Join(dir, fmt.Sprintf("%v.prom", after))
		ctx, cancel := context.WithCancelCause(context.Background())
		timer := time.AfterFunc(after, func() { cancel(&interruptError{syscall.SIGTERM}) })
		var out, errs bytes.Buffer
		start := time.Now()
		code := run(ctx, []string{"-C", dir, "run", "--as-of", "2026-07-01", "--model", "latest", "--metrics", metrics}, &out, &errs)
		took := time.Since(start)
		timer.Stop()
		if code == exitOK {
			t.Skipf("the run ended within %v", after)
		}
		got, _ := outputs(t, final)
		text, err := os.ReadFile(metrics)
		if code != exitTerminated || !maps.Equal(got, old) || took > 5*time.Second || err != nil || !strings.Contains(string(text), "holdfast_run_exit_code 143\n") {
			t.Errorf("after %v: exit %d in %v, %v: %s%s", after, code, took, err, &errs, text)
		}
		checkRuns(t, final)
	}
}
