// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"
)

// TestBench is the Holdfast side of `make bench-train` and skipped otherwise.
// It reads the case from HOLDFAST_BENCH, fits once, and prints what it took
// as one line of JSON after "bench:". See BENCH-SOLVER.md.
func TestBench(t *testing.T) {
	text := os.Getenv("HOLDFAST_BENCH")
	if text == "" {
		t.Skip("HOLDFAST_BENCH is not set: make bench-train sets it")
	}
	var c struct {
		Data       string // without extension: .x holds rows×cols float32, .y a byte a row
		Rows, Cols int
		Lambdas    []float64 // descending; one alone asks for one fit
		AVX2       bool      // leaves AVX-512 out
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if c.AVX2 {
		withoutAVX512()
	}
	d := readBench(t, c.Data, c.Rows, c.Cols)
	out := struct {
		CPU, ExactFoldsCPU float64   // seconds of all threads
		Losses             []float64 // out of fold, by penalty
		Theta              []float64 // intercept first
		Renewed, Slow      int
	}{}
	began := cpuSeconds()
	lambda := c.Lambdas[0]
	var p *path
	if len(c.Lambdas) > 1 {
		var err error
		if p, err = newPath(d); err != nil {
			t.Fatal(err)
		}
		if out.Losses, err = p.losses(context.Background(), c.Lambdas); err != nil {
			t.Fatal(err)
		}
		best := 0
		for i, loss := range out.Losses {
			if round7(loss) < round7(out.Losses[best]) {
				best = i
			}
		}
		lambda = c.Lambdas[best]
		out.Renewed, out.Slow = p.search.renewed, p.search.slow
	}
	fit, err := newton(context.Background(), d, lambda)
	if err != nil {
		t.Fatal(err)
	}
	out.CPU, out.Theta = cpuSeconds()-began, fit.theta
	if p != nil {
		began = cpuSeconds()
		if _, err := p.exactly(context.Background(), lambda); err != nil {
			t.Fatal(err)
		}
		out.ExactFoldsCPU = cpuSeconds() - began
	}
	line, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("bench: %s\n", line)
}

// readBench returns the design of a benchmark's data in five folds, each a
// fifth of the rows in order.
func readBench(t *testing.T, base string, rows, cols int) *design {
	x, err := os.ReadFile(base + ".x")
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(base + ".y")
	if err != nil {
		t.Fatal(err)
	}
	d := &design{rows: rows, cols: cols + 1, stride: (cols + strideUnit) / strideUnit * strideUnit, workers: 2}
	d.x, d.y, d.w = make([]float64, rows*d.stride), make([]float64, rows), make([]float64, rows)
	d.total = float64(rows)
	for i := range rows {
		row := d.x[i*d.stride : (i+1)*d.stride]
		row[0] = 1
		for j := range cols {
			row[1+j] = float64(math.Float32frombits(binary.LittleEndian.Uint32(x[4*(i*cols+j):])))
		}
		d.y[i], d.w[i] = float64(y[i]), 1
	}
	var starts []int
	for k := range 6 {
		starts = append(starts, rows*k/5)
	}
	d.chunks = chunksOf(starts)
	return d
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}
