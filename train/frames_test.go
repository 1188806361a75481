// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// specOf returns a spec with the frame's features, and stamps the frame with it.
func specOf(f *features.Frame) features.Spec {
	spec := features.Spec{Version: 1, Timezone: "UTC", Outcome: features.Outcome{Mode: "table"}}
	for k := range f.Columns {
		spec.Features = append(spec.Features, f.Columns[k].Feature)
	}
	f.SpecDigest = spec.Digest()
	return spec
}

func numberColumn(name string, x ...float64) features.Column {
	return features.Column{Feature: features.Feature{Name: name, From: "table", Column: name, Kind: features.NumberKind,
		Pillar: "roi", Direction: features.Free, Label: name}, Num: x}
}

// levelColumn takes "" as missing.
func levelColumn(name string, values ...string) features.Column {
	c := features.Column{Feature: features.Feature{Name: name, From: "table", Column: name, Kind: features.LevelKind,
		Pillar: "roi", Direction: features.Free, Label: name}}
	for _, v := range values {
		code := slices.Index(c.Levels, v)
		if v != "" && code < 0 {
			code = len(c.Levels)
			c.Levels = append(c.Levels, v)
		}
		c.Codes = append(c.Codes, int32(code))
	}
	return c
}

// readTable reads a CSV of testdata with the columns y, weight, group, and
// then features named "name:number" or "name:level"; empty is missing.
func readTable(t *testing.T, name string) *features.Frame {
	t.Helper()
	lines := readLines(t, name)
	head, lines := lines[0], lines[1:]
	f := &features.Frame{}
	for _, l := range lines {
		y, w := number(t, l[0]), number(t, l[1])
		f.Rows = append(f.Rows, features.Row{Account: l[2], Group: l[2], Y: int8(y), Weight: w})
	}
	for k := 3; k < len(head); k++ {
		name, kind, _ := strings.Cut(head[k], ":")
		texts := make([]string, len(lines))
		for i, l := range lines {
			texts[i] = l[k]
		}
		if kind == "level" {
			f.Columns = append(f.Columns, levelColumn(name, texts...))
			continue
		}
		x := make([]float64, len(texts))
		for i, s := range texts {
			x[i] = math.NaN()
			if s != "" {
				x[i] = number(t, s)
			}
		}
		f.Columns = append(f.Columns, numberColumn(name, x...))
	}
	return f
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// history returns n rows of n/3 accounts over two years with one snapshot a
// renewal, outcomes known 60 days later: two numbers that matter, one that does
// not, one skewed, one partly missing, and a level. Log-odds are base − x₀ + .5 x₁.
func history(n int, base float64, seed uint64) *features.Frame {
	r := rand.New(rand.NewPCG(seed, 1))
	const day = int64(24 * 3600 * 1e9)
	f := &features.Frame{}
	x := make([][]float64, 5)
	var plan []string
	for i := range n {
		for k := range x {
			x[k] = append(x[k], r.NormFloat64())
		}
		x[3][i] = math.Floor(math.Exp(2 + x[3][i]))
		if r.Float64() < 0.2 {
			x[4][i] = math.NaN()
		}
		plan = append(plan, []string{"basic", "pro", "plus"}[r.IntN(3)])
		y := int8(0)
		if r.Float64() < predict.Sigmoid(base-x[0][i]+0.5*x[1][i]) {
			y = 1
		}
		snapshot := int64(r.IntN(730)) * day
		account := fmt.Sprintf("account-%d", r.IntN(1+n/3))
		f.Rows = append(f.Rows, features.Row{Account: account, Contract: fmt.Sprint(i), Group: account,
			Snapshot: snapshot, Mature: snapshot + 60*day, Y: y, Weight: 1})
	}
	for k, name := range []string{"login", "ticket", "noise", "spend", "survey"} {
		f.Columns = append(f.Columns, numberColumn(name, x[k]...))
	}
	f.Columns = append(f.Columns, levelColumn("plan", plan...))
	return f
}

// randomDesign returns a design of standard normal columns with random
// outcomes and weights, cut into the given number of folds.
func randomDesign(r *rand.Rand, rows, cols, folds int) *design {
	d := &design{rows: rows, cols: cols, stride: (cols + strideUnit - 1) / strideUnit * strideUnit, workers: 2}
	d.x = make([]float64, rows*d.stride)
	for i := range rows {
		d.x[i*d.stride] = 1
		for j := 1; j < cols; j++ {
			d.x[i*d.stride+j] = r.NormFloat64()
		}
		d.y = append(d.y, float64(r.IntN(2)))
		d.w = append(d.w, 0.5+r.Float64())
		d.total += d.w[i]
	}
	d.y[0], d.y[rows-1] = 0, 1 // both outcomes
	var starts []int
	for k := range folds + 1 {
		starts = append(starts, rows*k/folds)
	}
	d.chunks = chunksOf(starts)
	return d
}

// near reports whether two numbers agree to an absolute or relative tolerance.
func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}
