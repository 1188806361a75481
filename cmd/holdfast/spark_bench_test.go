// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

var (
	sparkBench  = flag.Bool("spark-bench", false, "measure what Spark costs; with -spark")
	sparkEvents = flag.Int("spark-events", 2_000_000, "events of the smaller measurement; the larger has ten times as many")
	sparkRounds = flag.Int("spark-rounds", 3, "rounds of a measurement")
)

// eventsPerAccount of what is measured.
const eventsPerAccount = 100

// TestBenchSpark measures, in one warm session on the cluster of TestSpark, the
// CPU time of Spark with workers against that of Spark reading, bringing
// together, sorting and writing the same rows alone, and of ten times the
// data, where sorting must go to disk. CPU time is that of both executors and
// of all that they have started.
func TestBenchSpark(t *testing.T) {
	if *sparkEnv == "" || !*sparkBench {
		t.Skip("no -spark-bench: make bench-spark has it")
	}
	c := startCluster(t)
	e := c.engine(t)
	e.conf = append(e.conf, "spark.memory.fraction=0.05") // 30 MB to sort in, so that the larger data do not fit
	live, err := startSpark(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	e.live, e.partitions = live, 4
	small, large := newSparkBench(t, c, e, *sparkEvents), newSparkBench(t, c, e, 10**sparkEvents)
	for range 2 { // warms
		small.measure(t, "")
		small.measure(t, "features")
	}
	var ratios, growth, cost []float64
	for range *sparkRounds {
		plain, with := small.measure(t, ""), small.measure(t, "features")
		ratios, cost = append(ratios, with/plain), append(cost, with)
		t.Logf("%d events: Spark alone %.1f s, with Go %.1f s of CPU: ratio %.3f", *sparkEvents, plain, with, with/plain)
	}
	spilled := c.spills(t)
	with := large.measure(t, "features")
	slices.Sort(ratios)
	slices.Sort(cost)
	growth = append(growth, with/cost[len(cost)/2])
	accounts := float64(10**sparkEvents) / eventsPerAccount
	t.Logf("median ratio %.3f (required: 1.15 at most)", ratios[len(ratios)/2])
	t.Logf("%d events: %.1f s of CPU, %.2f times those of a tenth (required: 11 at most); sorts spilled to disk %d times, before %d",
		10**sparkEvents, with, growth[0], c.spills(t)-spilled, spilled)
	t.Logf("a million accounts of %d events: %.0f s of CPU", eventsPerAccount, with/accounts*1e6)
	if ratios[len(ratios)/2] > 1.15 || growth[0] > 11 || c.spills(t) == spilled {
		t.Error("a requirement is not met")
	}
}

// A sparkMeasurement is a project in Spark, ready for its frame to be made.
type sparkMeasurement struct {
	cluster *cluster
	app     *app
	engine  engineFlags
	dir     string
}

func newSparkBench(t *testing.T, c *cluster, e *engineFlags, events int) *sparkMeasurement {
	t.Helper()
	m := &sparkMeasurement{cluster: c, engine: *e, dir: filepath.Join(c.dir, strconv.Itoa(events))}
	m.app = &app{fsys: data.Disk{}, stdout: io.Discard, stderr: io.Discard, progress: new(progress), dir: m.dir}
	n := events / eventsPerAccount
	id := func(i int) string { return fmt.Sprintf("acct-%07d", i) }
	writeAccounts(t, m.dir, n, id)
	const files = 8
	for k := range files {
		rows := events / files
		write(t, m.dir, fmt.Sprintf("usage/%d.parquet", k), eventTable(rows, func(i int) string { return id((i*7919 + k) % n) }))
	}
	return m
}

// measure makes the frame, or with no worker writes the rows as they are, and
// returns the CPU seconds that the executors took for it.
func (m *sparkMeasurement) measure(t *testing.T, worker string) float64 {
	t.Helper()
	ctx := context.Background()
	j, err := m.app.openSpark(ctx, &m.engine, filepath.Join(m.dir, "frame.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	empty, err := j.without(nil)
	if err != nil {
		t.Fatal(err)
	}
	none, err := features.Build(ctx, empty, &j.spec, features.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before, start := m.cluster.cpu(t), time.Now()
	if _, err := j.write(ctx, worker, j.task(time.Time{}), none.Frame.Table(j.sources.Location)); err != nil {
		t.Fatal(err)
	}
	cpu := m.cluster.cpu(t) - before
	t.Logf("  %-8s %.1f s of CPU, %.1f s", orDefault(worker, "alone"), cpu, time.Since(start).Seconds())
	return cpu
}

// cpu returns the CPU seconds that the executors, and all that they have
// started, have taken.
func (c *cluster) cpu(t *testing.T) float64 {
	t.Helper()
	const ticks = 100 // a second, on Linux
	total := 0
	var add func(pid int)
	add = func(pid int) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return // has ended, and is counted with its parent
		}
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		for _, field := range f[11:15] { // of its own and of children that have ended, user and system
			n, _ := strconv.Atoi(field)
			total += n
		}
		for _, child := range childrenOf(pid) {
			add(child)
		}
	}
	for _, w := range c.workers {
		for _, executor := range childrenOf(w.Process.Pid) {
			add(executor)
		}
	}
	return float64(total) / ticks
}

// spills counts how often an executor has said that a sort went to disk.
func (c *cluster) spills(t *testing.T) int {
	t.Helper()
	n := 0
	for _, dir := range c.work {
		logs, _ := filepath.Glob(filepath.Join(dir, "app-*", "*", "stderr"))
		for _, log := range logs {
			n += strings.Count(readLog(log), "spilling sort data")
		}
	}
	return n
}
