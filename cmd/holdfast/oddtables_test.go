// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// An oddTable is a ready table of n rows: a plain number x and what make adds.
type oddTable struct {
	name    string
	n       int
	churned int // that many in all; 0 for a quarter, after x
	make    func(r *rand.Rand, n int, y []int64) []data.Column
	refused string // in the error, where no model can be learned
}

func oddText(name string, n int, at func(i int) string) data.Column {
	c := data.Column{Name: name, Kind: data.Text}
	codes := make(map[string]int32)
	for i := range n {
		s := at(i)
		code, ok := codes[s]
		if s == "" {
			code, ok = -1, true
		}
		if !ok {
			code = int32(len(c.Dict))
			codes[s], c.Dict = code, append(c.Dict, s)
		}
		c.Codes = append(c.Codes, code)
	}
	return c
}

func oddNumber(name string, n int, at func(i int) float64) data.Column {
	c := data.Column{Name: name, Kind: data.Float}
	for i := range n {
		c.Floats = append(c.Floats, at(i))
	}
	return c
}

func oddInts(name string, kind data.Kind, n int, at func(i int) int64) data.Column {
	c := data.Column{Name: name, Kind: kind, Null: make([]bool, n)}
	for i := range n {
		c.Ints = append(c.Ints, at(i))
	}
	return c
}

var oddTables = []oddTable{
	{name: "columns without a value", n: 300, make: func(_ *rand.Rand, n int, _ []int64) []data.Column {
		none := oddInts("day", data.Date, n, func(int) int64 { return 0 })
		for i := range none.Null {
			none.Null[i] = true
		}
		return []data.Column{none, oddNumber("number", n, func(int) float64 { return math.NaN() }),
			oddText("text", n, func(int) string { return "" })}
	}},
	{name: "constants", n: 300, make: func(_ *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddNumber("one", n, func(int) float64 { return 1 }), oddText("text", n, func(int) string { return "a" })}
	}},
	{name: "ids and free text", n: 400, make: func(_ *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddText("key", n, func(i int) string { return fmt.Sprintf("u%05d", i) }),
			oddInts("number", data.Int, n, func(i int) int64 { return 1e12 + int64(i) })}
	}},
	{name: "dates, instants and booleans with gaps", n: 400, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		columns := []data.Column{oddInts("day", data.Date, n, func(int) int64 { return 18000 + r.Int64N(900) }),
			oddInts("at", data.Time, n, func(int) int64 { return 1.6e18 + r.Int64N(1e17) }),
			oddInts("flag", data.Bool, n, func(int) int64 { return r.Int64N(2) })}
		for k := range columns {
			for i := range n {
				columns[k].Null[i] = i%7 == k
			}
		}
		return columns
	}},
	{name: "two rows a class", n: 4, churned: 2, make: func(*rand.Rand, int, []int64) []data.Column { return nil }},
	{name: "five churned", n: 500, churned: 5, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddText("plan", n, func(int) string { return string(rune('a' + r.IntN(8))) })}
	}},
	{name: "500 levels", n: 2000, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddText("flat", n, func(int) string { return fmt.Sprint(r.IntN(500)) }),
			oddText("steep", n, func(int) string { return fmt.Sprint(int(1 / (r.Float64() + .002))) })}
	}},
	{name: "heavy tails and sizes at the end of the range", n: 500, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddNumber("tail", n, func(int) float64 { return math.Tan(3.1*(r.Float64()-.5)) * 1e9 }),
			oddNumber("huge", n, func(int) float64 { return r.NormFloat64() * 1e300 }),
			oddNumber("small", n, func(int) float64 { return r.NormFloat64() * 1e-300 }),
			oddNumber("offset", n, func(int) float64 { return 1e15 + r.NormFloat64() }),
			oddNumber("subnormal", n, func(i int) float64 { // knots that divide by nothing
				return []float64{0, 2.8e-309, math.Round(r.NormFloat64() * 9)}[i%3]
			})}
	}},
	{name: "copies and sums of a column", n: 400, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		a, b := make([]float64, n), make([]float64, n)
		for i := range n {
			a[i], b[i] = r.NormFloat64(), r.NormFloat64()
		}
		return []data.Column{oddNumber("a", n, func(i int) float64 { return a[i] }), oddNumber("b", n, func(i int) float64 { return b[i] }),
			oddNumber("minus a", n, func(i int) float64 { return -a[i] }), oddNumber("a + b", n, func(i int) float64 { return a[i] + b[i] })}
	}},
	{name: "more columns than rows", n: 35, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		var columns []data.Column
		for k := range 40 {
			columns = append(columns, oddNumber(fmt.Sprintf("c%d", k), n, func(int) float64 { return r.NormFloat64() }))
		}
		return columns
	}},
	{name: "all but missing", n: 800, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddNumber("once", n, func(i int) float64 { return []float64{math.NaN(), 1}[(i+1)/n] }),
			oddNumber("never", n, func(int) float64 { return math.NaN() })}
	}},
	{name: "names of all kinds", n: 300, make: func(r *rand.Rand, n int, _ []int64) []data.Column {
		return []data.Column{oddText("naïve ☃, \"x\" = 1", n, func(i int) string {
			return []string{"ä", "日本", "other", "missing", " ", ""}[i%6]
		})}
	}},
	{name: "the outcome itself", n: 300, refused: "must hold the outcome itself", make: func(_ *rand.Rand, n int, y []int64) []data.Column {
		return []data.Column{oddNumber("leak", n, func(i int) float64 { return float64(10 * y[i]) })}
	}},
}

// table returns the odd table, and the same rows without their outcome.
func (o *oddTable) table(r *rand.Rand) (full, unseen *data.Table, rate float64) {
	x, y := make([]float64, o.n), make([]int64, o.n)
	for i := range x {
		x[i] = r.NormFloat64()
		if r.Float64() < predict.Sigmoid(1.2*x[i]-1.3) || o.n < 100 && i%4 == 0 {
			y[i] = 1
		}
		if o.churned > 0 {
			y[i] = int64(btoi(i < o.churned))
		}
		rate += float64(y[i]) / float64(o.n)
	}
	columns := append([]data.Column{oddNumber("x", o.n, func(i int) float64 { return x[i] })}, o.make(r, o.n, y)...)
	label := oddInts("churned", data.Int, o.n, func(i int) int64 { return y[i] })
	return &data.Table{Rows: o.n, Columns: append(columns[:len(columns):len(columns)], label)},
		&data.Table{Rows: o.n, Columns: columns}, rate
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Odd ready tables train and score through the command line: every row gets a
// probability, and their mean is the share that churned. What cannot be learned
// from is refused in one sentence.
func TestOddTables(t *testing.T) {
	for k := range oddTables {
		o := &oddTables[k]
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			full, unseen, rate := o.table(rand.New(rand.NewPCG(7, uint64(k))))
			dir := t.TempDir()
			in := func(name string) string { return filepath.Join(dir, name) }
			rows, without, model, scores := in("rows.parquet"), in("unseen.parquet"), in("model.json"), in("scores.parquet")
			for path, table := range map[string]*data.Table{rows: full, without: unseen} {
				if err := data.Write(data.Disk{}, path, table); err != nil {
					t.Fatal(err)
				}
			}
			train := []string{"train", "--quiet", "--table", rows, "--label", "churned", "-o", model}
			if o.refused != "" {
				var stderr bytes.Buffer
				code := run(context.Background(), train, &bytes.Buffer{}, &stderr)
				if code != exitBadData || !strings.Contains(stderr.String(), o.refused) {
					t.Errorf("exit %d, %s", code, stderr.String())
				}
				return
			}
			holdfastOK(t, train...)
			holdfastOK(t, "models", "show", model)
			holdfastOK(t, "predict", "--quiet", "--table", without, "--model", model, "-o", scores)
			checkMean(t, scores, o.n, rate)
		})
	}
}

// checkMean checks that a file of scores has n probabilities whose mean is near
// rate.
func checkMean(t *testing.T, file string, n int, rate float64) {
	t.Helper()
	table, err := data.Read(data.Disk{}, file, []string{"p_churn"})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, p := range table.Column("p_churn").Floats {
		if !(p >= 0 && p <= 1) {
			t.Fatalf("probability %v", p)
		}
		sum += p
	}
	if table.Rows != n || math.Abs(sum/float64(n)-rate) > .05 {
		t.Errorf("%d probabilities of mean %.3f, want %d of %.3f", table.Rows, sum/float64(n), n, rate)
	}
}
