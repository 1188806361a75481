// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

// sparkEnv is the virtual environment with pyspark; without it no cluster is
// started.
var sparkEnv = flag.String("spark", "", "virtual environment with pyspark: start a cluster of a master and two workers and test on it")

// TestSpark starts a standalone cluster, as real as one on this machine can be:
// a master, two workers and their executors, each a process of its own. A case
// gets a cluster that works and leaves it so.
func TestSpark(t *testing.T) {
	if *sparkEnv == "" {
		t.Skip("no -spark: make test-spark has it")
	}
	c := startCluster(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *cluster)
	}{
		{"SameBytes", sparkSameBytes},
		{"ExecutorKilled", sparkExecutorKilled},
		{"DriverKilled", sparkDriverKilled},
		{"Training", sparkTraining},
		{"TrainingKilled", sparkTrainingKilled},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			test.run(t, c)
			t.Logf("%.0f s", time.Since(start).Seconds())
		})
	}
}

// A cluster is a standalone cluster on the loopback device.
type cluster struct {
	master  string // its URL
	program string // the binary that workers run
	workers [2]*exec.Cmd
	work    [2]string // their folders
	dir     string
	huge    string // see hugeProject
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	venv, err := filepath.Abs(*sparkEnv)
	if err != nil {
		t.Fatal(err)
	}
	homes, _ := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", "pyspark"))
	program, err := filepath.Abs("../../bin/holdfast")
	if _, missing := os.Stat(program); err != nil || missing != nil || len(homes) != 1 {
		t.Fatalf("pyspark %q and %s are needed; make test-spark makes both (%v)", homes, program, missing)
	}
	for name, value := range map[string]string{"SPARK_HOME": homes[0], "PYSPARK_PYTHON": filepath.Join(venv, "bin", "python"),
		"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m", "SPARK_CONF_DIR": t.TempDir()} {
		t.Setenv(name, value)
	}
	c := &cluster{program: program, dir: t.TempDir()}
	port := freePort(t)
	c.master = fmt.Sprintf("spark://127.0.0.1:%d", port)
	c.start(t, "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--webui-port", "0")
	for i := range c.workers {
		c.work[i] = t.TempDir()
		c.workers[i] = c.start(t, "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1200m",
			"--webui-port", "0", "--work-dir", c.work[i], c.master)
	}
	return c
}

// start starts one process of the cluster, which ends with the test.
func (c *cluster) start(t *testing.T, class string, args ...string) *exec.Cmd {
	t.Helper()
	name := class[strings.LastIndex(class, ".")+1:]
	command := exec.Command(filepath.Join(os.Getenv("SPARK_HOME"), "bin", "spark-class"), append([]string{class}, args...)...)
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, tailOf(log.String()))
		}
	})
	return command
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func tailOf(text string) string { return text[max(0, len(text)-3000):] }

// flags are those of a command that runs on the cluster.
func (c *cluster) flags(partitions int, log string) []string {
	return []string{"--engine", "spark", "--master", c.master, "--partitions", strconv.Itoa(partitions), "--spark-log", log,
		"--spark-conf", "spark.ui.enabled=false", "--spark-conf", "spark.executor.memory=900m", "--spark-conf", "spark.driver.memory=700m",
		"--spark-conf", "spark.driver.host=127.0.0.1"}
}

// engine is the same for commands that are called in this process.
func (c *cluster) engine(t *testing.T) *engineFlags {
	t.Helper()
	return &engineFlags{engine: engineSpark, master: c.master, program: c.program, log: filepath.Join(t.TempDir(), "spark.log"),
		conf: []string{"spark.ui.enabled=false", "spark.executor.memory=900m", "spark.driver.memory=700m", "spark.driver.host=127.0.0.1"}}
}

// Frames and scores have the bytes of the embedded engine with 2, 3 and 8
// partitions, and those of a shop with 3; one session does all of them.
func sparkSameBytes(t *testing.T, c *cluster) {
	ctx := context.Background()
	e := c.engine(t)
	live, err := startSpark(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	e.live = live
	for kind, history := range demoKinds {
		dir := filepath.Join(t.TempDir(), kind)
		a := &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: dir}
		if err := a.writeDemo(ctx, dir, history(demo.Options{Seed: 3, Accounts: 300})); err != nil {
			t.Fatal(err)
		}
		straighten(t, dir, "3mo")
		frame, scores := filepath.Join(dir, "frame.parquet"), filepath.Join(dir, "scores.parquet")
		holdfastOK(t, "-C", dir, "train")
		holdfastOK(t, "-C", dir, "features", "-o", frame)
		holdfastOK(t, "-C", dir, "predict", "--model", "latest", "-o", scores)
		for _, partitions := range map[string][]int{"vendor": {2, 3, 8}, "shop": {3}}[kind] {
			e.partitions = partitions
			out := filepath.Join(dir, "out.parquet")
			stale := filepath.Join(dir, ".out.parquet.spark", "features") // as a kill would leave it
			if err := os.MkdirAll(stale, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := a.sparkFeatures(ctx, e, frameRequest{output: out}); err != nil {
				t.Fatal(err)
			}
			sameFile(t, fmt.Sprintf("%s, frame, %d partitions", kind, partitions), out, frame)
			if err := a.sparkPredict(ctx, e, "", "7d", "latest", scoreOutput{path: out}); err != nil {
				t.Fatal(err)
			}
			sameFile(t, fmt.Sprintf("%s, scores, %d partitions", kind, partitions), out, scores)
			if left, _ := filepath.Glob(filepath.Join(dir, ".out*")); left != nil {
				t.Errorf("left behind: %q", left)
			}
		}
	}
}

func sameFile(t *testing.T, what, got, want string) {
	t.Helper()
	a, err := os.ReadFile(got)
	b, errB := os.ReadFile(want)
	if err = errors.Join(err, errB); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s: %d bytes that differ from the embedded engine's %d", what, len(a), len(b))
	}
}

// A frame of accounts that are hard to divide (one of 3 million events, one of
// none, 100,000 of one each) is the embedded engine's although an executor is
// killed while the frame is being made.
func sparkExecutorKilled(t *testing.T, c *cluster) {
	dir := c.hugeProject(t)
	want, out, log := filepath.Join(dir, "local.parquet"), filepath.Join(dir, "frame.parquet"), filepath.Join(t.TempDir(), "spark.log")
	holdfastOK(t, "-C", dir, "features", "-o", want)
	command, done := c.begin(t, append([]string{"-C", dir, "features", "-o", out}, c.flags(8, log)...)...)
	waitFor(t, done, func() bool { return len(committed(dir)) > 0 })
	c.killExecutor(t)
	if err := <-done; err != nil {
		t.Fatalf("%v: %v\n%s", command.Args, err, readLog(log))
	}
	if text := readLog(log); !strings.Contains(text, "Lost executor") {
		t.Errorf("no executor was lost, so that nothing was tried: %s", tailOf(text))
	}
	sameFile(t, "after an executor was killed", out, want)
}

// killExecutor kills one executor.
func (c *cluster) killExecutor(t *testing.T) {
	t.Helper()
	victim := 0
	for _, w := range c.workers {
		for _, pid := range childrenOf(w.Process.Pid) {
			victim = pid
		}
	}
	if victim == 0 || syscall.Kill(victim, syscall.SIGKILL) != nil {
		t.Fatalf("no executor to kill (found %d)", victim)
	}
}

// A driver that is killed leaves nothing that can be seen, and ends Spark.
func sparkDriverKilled(t *testing.T, c *cluster) {
	dir := c.hugeProject(t)
	log, out := filepath.Join(t.TempDir(), "spark.log"), filepath.Join(dir, "killed.parquet")
	command, done := c.begin(t, append([]string{"-C", dir, "features", "-o", out}, c.flags(8, log)...)...)
	waitFor(t, done, func() bool { return len(committed(dir)) > 0 })
	application := childrenOf(command.Process.Pid)
	_ = command.Process.Kill()
	if err := <-done; err == nil {
		t.Fatal("the command ended well before it was killed")
	}
	if len(application) == 0 {
		t.Fatal("no application was found below the command")
	}
	for _, pid := range application {
		waitFor(t, nil, func() bool { return !lives(pid) })
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "killed") {
			t.Errorf("%s can be seen", e.Name())
		}
	}
}

// begin starts the program, whose end comes on done.
func (c *cluster) begin(t *testing.T, args ...string) (command *exec.Cmd, done chan error) {
	t.Helper()
	command = exec.Command(c.program, args...)
	var errs bytes.Buffer
	command.Stderr = &errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done = make(chan error, 1)
	go func() {
		err := command.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, &errs)
		}
		done <- err
	}()
	t.Cleanup(func() { _ = command.Process.Kill() })
	return command, done
}

// waitFor waits until something holds, and no longer than a command runs.
func waitFor(t *testing.T, done chan error, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-done:
			t.Fatalf("the command ended first: %v", err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("nothing happened within ten minutes")
		}
	}
}

// committed lists the tasks of a frame that Spark has committed.
func committed(dir string) []string {
	tasks, _ := filepath.Glob(filepath.Join(dir, ".*.spark", "features", "_temporary", "0", "task_*"))
	return tasks
}

// childrenOf lists the processes that a process has started.
func childrenOf(parent int) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, _ := os.ReadFile(name)
		after := text[bytes.LastIndexByte(text, ')')+1:] // a name may hold anything
		if f := strings.Fields(string(after)); len(f) > 1 && f[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			out = append(out, pid)
		}
	}
	return out
}

// lives reports whether a process has not ended.
func lives(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(text, []byte(") Z "))
}

func readLog(name string) string {
	text, _ := os.ReadFile(name)
	return string(text)
}

const hugeYAML = `version: 1
project: huge
data:
  accounts: {path: accounts.parquet, key: id, created: created, segment: segment}
  contracts: {path: contracts.parquet, key: id, account: account, start: start, due: due}
  events: [{name: usage, path: "usage/*.parquet", account: account, time: time, type: kind, value: value}]
outcome: {mode: renewal, leads: [30d]}
features: {windows: [30d, 90d]}
`

// hugeProject makes a project of one account with 3 million events, one with
// none and 100,000 with one each.
func (c *cluster) hugeProject(t *testing.T) string {
	t.Helper()
	if c.huge != "" {
		return c.huge
	}
	const small, giant = 100_000, 3_000_000
	c.huge = filepath.Join(c.dir, "huge")
	id := func(i int) string {
		if i < small {
			return fmt.Sprintf("acct-%06d", i)
		}
		return []string{"empty", "giant"}[i-small]
	}
	writeAccounts(t, c.huge, small+2, id)
	write(t, c.huge, "usage/small.parquet", eventTable(small, id))
	for k := range 3 {
		write(t, c.huge, fmt.Sprintf("usage/giant-%d.parquet", k), eventTable(giant/3, func(int) string { return "giant" }))
	}
	return c.huge
}

// madeStart is the first day of made events.
var madeStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// writeAccounts writes a project file, n accounts and one term of each.
func writeAccounts(t *testing.T, dir string, n int, id func(i int) string) {
	t.Helper()
	dates := func(name string, at func(i int) int64) data.Column {
		return data.IntOf(name, data.Date, n, func(i int) (int64, bool) { return madeStart.Unix()/(24*60*60) + at(i), true })
	}
	write(t, dir, "accounts.parquet", &data.Table{Rows: n, Columns: []data.Column{data.TextOf("id", n, id),
		dates("created", func(i int) int64 { return -int64(i % 400) }),
		data.TextOf("segment", n, func(i int) string { return []string{"smb", "mid", "big"}[i%3] })}})
	write(t, dir, "contracts.parquet", &data.Table{Rows: n, Columns: []data.Column{
		data.TextOf("id", n, func(i int) string { return "term-" + id(i) }), data.TextOf("account", n, id),
		dates("start", func(i int) int64 { return int64(i % 100) }), dates("due", func(i int) int64 { return 365 + int64(i%100) })}})
	if err := os.WriteFile(filepath.Join(dir, projectFile), []byte(hugeYAML), 0o666); err != nil {
		t.Fatal(err)
	}
}

// eventTable makes events of 500 days.
func eventTable(rows int, owner func(i int) string) *data.Table {
	return &data.Table{Rows: rows, Columns: []data.Column{data.TextOf("account", rows, owner),
		data.IntOf("time", data.Time, rows, func(i int) (int64, bool) { return madeStart.UnixNano() + int64(i)*7919%(500*24*60*60)*1e9, true }),
		data.TextOf("kind", rows, func(i int) string { return []string{"login", "export", "ticket"}[i%3] }),
		data.FloatOf("value", rows, func(i int) float64 { return float64(i % 1000) })}}
}

func write(t *testing.T, dir, name string, table *data.Table) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := data.Write(data.Disk{}, name, table); err != nil {
		t.Fatal(err)
	}
}
