// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// residuals returns gradients and second derivatives at log-odds 0 for the
// outcomes of a sample.
func residuals(s *sample) (g, h, w []float64) {
	for i := range s.frame.Rows {
		r := &s.frame.Rows[i]
		g = append(g, r.Weight*(float64(r.Y)-.5))
		h = append(h, r.Weight/4)
		w = append(w, r.Weight)
	}
	return g, h, w
}

func allRows(s *sample) []int32 {
	rows := make([]int32, len(s.frame.Rows))
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// drawTable draws a sample of a skewed number with missing values, one of few
// values, one that is known or missing, and a level with rare ones; and which
// outcomes some rule on all four decides, with noise.
func drawTable(t *rapid.T) *sample {
	n := rapid.IntRange(150, 500).Draw(t, "rows")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	x := make([][]float64, 3)
	level := make([]string, n)
	y := make([]int8, n)
	for i := range n {
		x[0] = append(x[0], math.Exp(r.NormFloat64()))
		x[1] = append(x[1], float64(r.IntN(4)))
		x[2] = append(x[2], 5)
		for k := range x {
			if r.IntN(6) == 0 {
				x[k][i] = nan
			}
		}
		level[i] = []string{"a", "a", "a", "b", "b", "c", "c", "", "other", "rare"}[r.IntN(10)]
		high := x[0][i] > 1 != (x[1][i] <= 1) != (level[i] == "b") != (x[2][i] == 5)
		if high == (r.IntN(8) > 0) {
			y[i] = 1
		}
	}
	y[0], y[1] = 0, 1
	s := sampleOf(numberColumn("skewed", x[0]...), numberColumn("few", x[1]...), numberColumn("known", x[2]...),
		levelColumn("level", level...))
	for i := range y {
		s.frame.Rows[i].Y = y[i]
	}
	return newOrdered(s.frame, s.starts)
}

// The leaves of a tree part the rows: every row of a frame, its missing values
// and levels that training never saw included, is in one box, the conditions
// of that box hold for it and no other's do, and a model of them is valid.
func TestTreePartsTheRows(t *testing.T) {
	missingAlone := false
	rapid.Check(t, func(t *rapid.T) {
		s := drawTable(t)
		terms, _ := newTerms(s, 1)
		shape := treeShapes[rapid.IntRange(0, 1).Draw(t, "shape")]
		shape.leaves = rapid.IntRange(2, 12).Draw(t, "leaves")
		b := newBinning(s, terms, shape.width)
		g, h, w := residuals(s)
		grower := newGrower(b, shape, allRows(s), w)
		grower.least = 5
		for _, root := range grower.roots(g, h, 2, 1) {
			leaves := grower.grow(root, g, h)
			if leaves == nil {
				continue
			}
			var table predict.Table
			for _, l := range leaves {
				q := 1 / float64(len(leaves))
				table.Rules = append(table.Rules, predict.Rule{Conditions: b.conditions(l.box), Mean: q, SD: 1})
				for _, c := range table.Rules[len(table.Rules)-1].Conditions {
					missingAlone = missingAlone || c.Missing && c.Above != nil && c.AtMost != nil && *c.Above >= *c.AtMost
				}
			}
			checkRules(t, b, leaves, &table, s.frame)
			checkUnseen(t, &table, s.frame)
			m := &predict.Model{Format: predict.Format, Spec: specOf(s.frame), Score: scoreConstants()}
			m.Terms, m.Tables = terms, []predict.Table{table}
			m.Calibration = predict.Calibration{Method: CalibrationNone, Slope: 1}
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if !missingAlone {
		t.Error("no rule took the missing values alone; the test should see some")
	}
}

func scoreConstants() predict.Score {
	return predict.Score{BaseRate: .5, AtRiskP: .5, AtRisk: 40, Watch: 65, Healthy: 80}
}

// checkRules compares boxes, leaves and conditions row by row.
func checkRules(t *rapid.T, b *binning, leaves []leaf, table *predict.Table, f *features.Frame) {
	d := len(b.terms)
	of := make([]int, len(f.Rows))
	for k := range leaves {
		for _, i := range leaves[k].rows {
			of[i] += 1 << k
		}
	}
	for k := range leaves {
		in, err := predict.NewRuleInput(table.Rules[k].Conditions, f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.Rows {
			inBox, inRule, inLeaf := leaves[k].box.holds(b.codes[i*d:i*d+d]), in.Holds(i), of[i] == 1<<k
			if inBox != inLeaf || inRule != inLeaf {
				t.Fatalf("row %d, leaf %d: in the leaf %v, in its box %v, under its conditions %v", i, k, inLeaf, inBox, inRule)
			}
		}
	}
}

// checkUnseen puts values into the frame that training never saw.
func checkUnseen(t *rapid.T, table *predict.Table, f *features.Frame) {
	strange := f.Select([]int{0, 0, 0, 0})
	strange.Columns = slices.Clone(strange.Columns)
	for k := range strange.Columns {
		c := &strange.Columns[k]
		if c.IsLevel() {
			c.Levels = []string{"a", "never seen", "other"}
			c.Codes = []int32{1, 2, -1, 0}
		} else {
			c.Num = []float64{nan, -1e9, 1e9, 4.999}
		}
	}
	held := make([]int, 4)
	for k := range table.Rules {
		in, err := predict.NewRuleInput(table.Rules[k].Conditions, strange)
		if err != nil {
			t.Fatal(err)
		}
		for i := range held {
			if in.Holds(i) {
				held[i]++
			}
		}
	}
	if !slices.Equal(held, []int{1, 1, 1, 1}) {
		t.Fatalf("rows of values never seen are in %v rules", held)
	}
}

// Rules that say nothing alone are found by looking one step ahead: of an XOR of
// two numbers neither splits, and of a three-way rule the root is one of the three.
func TestLookAheadFindsRules(t *testing.T) {
	const n, noise = 3000, 6
	r := rand.New(rand.NewPCG(8, 8))
	x := make([][]float64, 3+noise)
	plan := make([]string, n)
	xor, three := make([]int8, n), make([]int8, n)
	for i := range n {
		for k := range x {
			x[k] = append(x[k], r.NormFloat64())
		}
		plan[i] = []string{"basic", "pro", "plus"}[r.IntN(3)]
		if (x[0][i] > 0) != (x[1][i] > 0) != (r.IntN(5) == 0) {
			xor[i] = 1
		}
		if (x[0][i] > 0 && x[1][i] < .5 && plan[i] == "pro") != (r.IntN(10) == 0) {
			three[i] = 1
		}
	}
	var columns []features.Column
	for k := range x {
		columns = append(columns, numberColumn(string(rune('a'+k)), x[k]...))
	}
	columns = append(columns, levelColumn("plan", plan...))
	planted := map[string][]string{"xor": {"a", "b"}, "three": {"a", "b", "plan"}}
	for name, y := range map[string][]int8{"xor": xor, "three": three} {
		s := sampleOf(columns...)
		for i := range y {
			s.frame.Rows[i].Y = y[i]
		}
		s = newOrdered(s.frame, s.starts)
		terms, _ := newTerms(s, 1)
		b := newBinning(s, terms, treeShapes[0].width)
		g, h, w := residuals(s)
		mean := s.churn/s.total - .5
		for i := range g {
			g[i] -= mean
		}
		grower := newGrower(b, treeShapes[0], allRows(s), w)
		roots := grower.roots(g, h, 2, 2)
		if len(roots) != 2 {
			t.Fatalf("%s: %d roots, want 2", name, len(roots))
		}
		for k, root := range roots {
			if f := terms[root.feature].Feature; !slices.Contains(planted[name], f) {
				t.Errorf("%s: root %d tests %s, want one of %v", name, k, f, planted[name])
			}
		}
		leaves := grower.grow(roots[0], g, h)
		tested, gain := make(map[string]bool), 0.0
		for _, l := range leaves {
			sum, curve := 0.0, 0.0
			for _, i := range l.rows {
				sum += g[i]
				curve += h[i]
			}
			gain += sum * sum / curve / 2
			for _, side := range l.box {
				tested[terms[side.feature].Feature] = true
			}
		}
		for _, f := range planted[name] {
			if !tested[f] {
				t.Errorf("%s: the tree tests %v, want %v", name, tested, planted[name])
			}
		}
		// XOR: |mean outcome − ½| is .3 in every cell, hence .3² n / (2 · ¼) = 540
		// where the cuts are exact; three: 333 rows at .9, the rest at .1.
		if least := map[string]float64{"xor": 350, "three": 220}[name]; gain < least {
			t.Errorf("%s: the leaves explain %.0f, want at least %.0f", name, gain, least)
		}
	}
}

// A tree keeps its bounds, and the histograms that it carries down, partly as
// differences, are those of its leaves' rows.
func TestTreeKeepsItsBounds(t *testing.T) {
	s := mustSample(t, history(3000, -1, 6))
	terms, _ := newTerms(s, 1)
	narrow := treeShape{name: "narrow", leaves: 10, depth: 2, gain: 2, width: 20}
	for _, shape := range append(slices.Clone(treeShapes), narrow) {
		b := newBinning(s, terms, shape.width)
		for j := range terms {
			if n := b.cells(j); n > shape.width {
				t.Errorf("%s: %d cells of %s", shape.name, n, terms[j].Feature)
			}
		}
		g, h, w := residuals(s)
		grower := newGrower(b, shape, allRows(s), w)
		if shape.name == "narrow" {
			grower.least = 1000
		}
		for _, root := range grower.roots(g, h, 2, 1) {
			leaves := grower.grow(root, g, h)
			if len(leaves) > shape.leaves {
				t.Errorf("%s: %d leaves", shape.name, len(leaves))
			}
			for _, l := range leaves {
				if l.depth > shape.depth || float64(len(l.rows)) < grower.least {
					t.Errorf("%s: a leaf of %d rows at depth %d; at least %v", shape.name, len(l.rows), l.depth, grower.least)
				}
				want := make([]tally, len(l.hist))
				grower.histogram(want, l.rows, g, h)
				for k := range want {
					if d := want[k].minus(l.hist[k]); max(math.Abs(d.g), math.Abs(d.h), math.Abs(d.n)) > 1e-9 {
						t.Fatalf("%s: the histogram has %v, its rows %v", shape.name, l.hist[k], want[k])
					}
				}
			}
		}
	}
}
