// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/faultfs"
)

// allFaults is set by make faults: every write point of every command, and a
// thousand runs, where make test tries some.
var allFaults = flag.Bool("faults", false, "try every fault, not some")

// killAtEnv is the change of the disk at which a command kills itself.
const killAtEnv = "HOLDFAST_TEST_KILL_AT"

// killedMain is main on a disk that kills its process.
func killedMain() {
	at, err := strconv.Atoi(os.Getenv(killAtEnv))
	if err != nil {
		panic(err)
	}
	os.Exit(runOn(context.Background(), &faultfs.FS{FS: data.Disk{}, At: at, Kill: true}, os.Args[1:], os.Stdout, os.Stderr))
}

// tree returns the files below a folder but for its tables, each with its bytes
// and without what tells the time.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if name == filepath.Join(dir, "data") {
				return fs.SkipDir
			}
			return err
		}
		b, err := os.ReadFile(name)
		if base := filepath.Base(name); base != ".lock" && base != manifestFile {
			out[strings.TrimPrefix(name, dir+"/")] = string(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A writing command and what it leaves that is new or changed.
var writingCommands = []struct {
	name string
	args []string
}{
	{"predict", []string{"predict", "--model", "latest", "--as-of", "2026-07-01", "-o", "scores.csv"}},
	{"features", []string{"features", "--as-of", "2026-07-01", "-o", "scores.csv"}},
	{"train", []string{"train"}},
	{"forget", []string{"forget", "acct-00003"}},
}

// At every change that a command makes on the disk it is killed, once by
// SIGKILL and once for all later calls too, or gets an error: then every file is
// as before or as after, an error is told with exit code 1, and the next run of
// the command leaves what an undisturbed one leaves.
func TestCommandsEndWhole(t *testing.T) {
	base := smallProject(t, 120)
	holdfastOK(t, "-C", base, "train", "--as-of", "2026-05-01")
	holdfastOK(t, "-C", base, "predict", "--model", "latest", "--as-of", "2026-06-25", "-o", filepath.Join(base, "scores.csv"))
	for _, c := range writingCommands {
		t.Run(c.name, func(t *testing.T) { endWhole(t, base, c.args) })
	}
}

func endWhole(t *testing.T, base string, args []string) {
	fresh := func() (dir string, line []string) {
		t.Helper()
		dir = filepath.Join(t.TempDir(), "p")
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		line = append([]string{"-C", dir}, args...)
		for i := range line {
			if line[i] == "scores.csv" {
				line[i] = filepath.Join(dir, line[i])
			}
		}
		return dir, line
	}
	before := tree(t, base)
	dir, line := fresh()
	counted := &faultfs.FS{FS: data.Disk{}}
	var out, errs bytes.Buffer
	if code := runOn(context.Background(), counted, line, &out, &errs); code != exitOK {
		t.Fatalf("exit %d, %s", code, &errs)
	}
	after, points := tree(t, dir), counted.Calls()
	if points < 5 {
		t.Fatalf("only %d changes", points)
	}
	t.Logf("%d changes of the disk, each an error, a death and a SIGKILL", points)
	step := 1
	if !*allFaults {
		step = max(1, points/3)
	}
	for at := 1; at <= points; at += step {
		for _, how := range []string{"error", "dead", "SIGKILL"} {
			dir, line := fresh()
			what := fmt.Sprintf("change %d of %d, %s", at, points, how)
			if how == "SIGKILL" {
				c := exec.Command("killed-holdfast", line...)
				c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", killAtEnv, at))
				if text, err := c.CombinedOutput(); err == nil || c.ProcessState.String() != "signal: killed" {
					t.Fatalf("%s: %v, %s", what, c.ProcessState, text)
				}
			} else {
				fsys := &faultfs.FS{FS: data.Disk{}, At: at}
				if how == "error" {
					fsys.Err = syscall.EIO
				}
				errs.Reset()
				if code := runOn(context.Background(), fsys, line, &out, &errs); code != exitFailure || strings.Count(errs.String(), "holdfast: ") != 1 {
					t.Errorf("%s: exit %d, %s", what, code, &errs)
				}
			}
			for name, text := range tree(t, dir) {
				temporary := strings.Contains(filepath.Base(name), ".tmp-")
				if text != before[name] && text != after[name] && !temporary || temporary && how == "error" && at < points-1 {
					t.Errorf("%s: %s is neither as before nor as after", what, name)
				}
			}
			holdfastOK(t, line...)
			got := tree(t, dir)
			for name, text := range after {
				if got[name] != text {
					t.Errorf("%s: the next run leaves another %s", what, name)
				}
			}
		}
	}
}

// A disk of 1 MB that is full: the message has the path and the bytes, nothing
// is left, and what was there stays. The disk is a true one where the system
// lets a test mount one, else faultfs's.
func TestDiskFull(t *testing.T) {
	dir := smallProject(t, 120)
	full := filepath.Join(t.TempDir(), "full")
	if err := os.MkdirAll(full, 0o777); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`mount -t tmpfs -o size=1m tmpfs %[1]s && echo old > %[1]s/f.csv && { head -c 1030000 /dev/zero > %[1]s/ballast
holdfast -C %[2]s features --history -o %[1]s/f.csv; echo "exit $?"; ls -A %[1]s; cat %[1]s/f.csv; }`, full, dir)
	out, err := exec.Command("unshare", "-rm", "sh", "-c", script).CombinedOutput()
	text := string(out)
	if err != nil && !strings.Contains(text, "exit ") {
		t.Logf("no disk of 1 MB can be mounted here (%v, %s): only the double is tried", err, out)
		var stdout, errs bytes.Buffer
		code := runOn(context.Background(), &faultfs.FS{FS: data.Disk{}, Room: 100_000}, []string{"-C", dir, "features", "--history", "-o", filepath.Join(full, "f.csv")}, &stdout, &errs)
		left, _ := os.ReadDir(full)
		if code != exitFailure || !strings.Contains(errs.String(), "f.csv: the disk is full after ") || len(left) > 0 {
			t.Errorf("exit %d, %s, left %v", code, &errs, left)
		}
		return
	}
	if !strings.Contains(text, "f.csv: the disk is full after ") || !strings.Contains(text, "make room in "+full) || !strings.HasSuffix(text, "exit 1\nballast\nf.csv\nold\n") {
		t.Errorf("%s", text)
	}
}

// A folder in which nothing may be written is named, with what to do.
func TestReadOnlyFolder(t *testing.T) {
	dir := smallProject(t, 120)
	for name, errno := range map[string]syscall.Errno{"read-only": syscall.EROFS, "no permission": syscall.EACCES} {
		var out, errs bytes.Buffer
		code := runOn(context.Background(), &faultfs.FS{FS: data.Disk{}, At: 2, Err: errno}, []string{"-C", dir, "features", "--as-of", "2026-07-01", "-o", filepath.Join(dir, "f.csv")}, &out, &errs)
		if code != exitFailure || !strings.Contains(errs.String(), "no permission to write in the folder "+dir) {
			t.Errorf("%s: exit %d, %s", name, code, &errs)
		}
	}
}

// Where nobody is at risk the output has its columns and no rows, and a warning
// says so.
func TestNobodyAtRisk(t *testing.T) {
	dir := smallProject(t, 120)
	l, err := (&app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}).load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	publishConstant(t, l, -2, "")
	scores := filepath.Join(dir, "scores.csv")
	code, text := command("-C", dir, "predict", "--model", "latest", "--as-of", "1999-01-01", "-o", scores)
	b, err := os.ReadFile(scores)
	if code != exitOK || !strings.Contains(text, "no account is at risk at 1999-01-01") || err != nil ||
		!bytes.HasPrefix(b, []byte("account_id,")) || bytes.Count(b, []byte("\n")) != 1 {
		t.Errorf("exit %d, %s, %v: %s", code, text, err, b)
	}
}

// A reader that closes its end early, as head does, ends a command quietly.
func TestClosedPipe(t *testing.T) {
	dir := smallProject(t, 120)
	script := fmt.Sprintf("{ holdfast -C %s features --history -o - --format csv; echo \"exit $?\" >&2; } | head -n 1 > /dev/null", dir)
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if text := string(out); err != nil || strings.Contains(text, "goroutine") || !slices.ContainsFunc([]string{"exit 0\n", "exit 141\n"}, func(s string) bool { return strings.HasSuffix(text, s) }) {
		t.Errorf("%v: %s", err, out)
	}
}

// A process that may take little memory says so, and ends or does its work; what
// was there before stays.
func TestLittleAddressSpace(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("ulimit -v is Linux's")
	}
	dir := smallProject(t, 120)
	scores := filepath.Join(dir, "f.csv")
	if err := os.WriteFile(scores, []byte("old\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{32 << 10, 64 << 10, 128 << 10, 1 << 20} { // kB of data
		out, err := exec.Command("sh", "-c", fmt.Sprintf("ulimit -d %d; exec holdfast -C %s features --history -o %s", limit, dir, scores)).CombinedOutput()
		b, _ := os.ReadFile(scores)
		if said := strings.Contains(string(out), "warning: this process may use "+strconv.Itoa(limit>>10)+" MB of memory"); limit >= 128<<10 && said != (limit < 256<<10) { // with less the runtime does not begin
			t.Errorf("%d kB: a warning: %v; %v, %.300s", limit, said, err, out)
		}
		whole := bytes.HasPrefix(b, []byte("account_id,")) && bytes.HasSuffix(b, []byte("\n"))
		if err != nil && string(b) != "old\n" && !whole || err == nil && !whole {
			t.Errorf("%d kB: %v, %.300s; the output is not whole", limit, err, out)
		}
		t.Logf("%d kB: %v", limit, err)
	}
}

// A thousand runs in one process (some in make test) leave as many goroutines,
// open files and as much memory as a few.
func TestManyRuns(t *testing.T) {
	dir, _ := runProject(t)
	runs := 12
	if *allFaults {
		runs = 1000
	}
	var first, last [3]int
	for i := range runs {
		ref := []string{"latest", "champion"}[i%2] // each replaces the other's folder
		var out, errs bytes.Buffer
		if code := run(context.Background(), []string{"-C", dir, "run", "--as-of", "2026-07-01", "--model", ref}, &out, &errs); code != exitOK {
			t.Fatalf("run %d: exit %d, %s", i, code, &errs)
		}
		if i == runs/2 || i == runs-1 {
			first, last = last, held(t)
		}
	}
	t.Logf("goroutines, files and MB of heap after %d runs: %v, after %d: %v", runs/2+1, first, runs, last)
	if last[0] > first[0] || last[1] > first[1] || last[2] > first[2]+16 {
		t.Errorf("goroutines, files and MB of heap grow from %v to %v", first, last)
	}
}

// held returns goroutines, open files and MB of heap in use.
func held(t *testing.T) [3]int {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return [3]int{runtime.NumGoroutine(), len(files), int(m.HeapAlloc >> 20)}
}
