// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

// Knots are quantiles, so a curve is spread like them; a logarithmic line
// evenly after the logarithm; values and levels have a point each.
func TestShapeIsSpread(t *testing.T) {
	term := func(low, high float64, knots []float64, columns ...Basis) Term {
		return Term{Kind: "number", Low: low, High: high, Knots: knots, Columns: columns}
	}
	for want, term := range map[string]Term{
		"0 0.5 1 5.5 10 ":  term(0, 10, []float64{0, 1, 10}),
		"0 2.5 5 7.5 10 ":  term(0, 10, nil, Basis{Kind: Linear, Transform: Identity, SD: 1}),
		"-3 -1 0 1 3 ":     term(-3, 3, nil, Basis{Kind: Linear, Transform: SignedLog, SD: 1}),
		"2 3 ":             term(0, 10, nil, Basis{Kind: Value, At: 3, SD: 1}, Basis{Kind: Value, At: 2, SD: 1}),
		"7 ":               term(7, 7, nil),
		"basic pro other ": plan(),
	} {
		got := ""
		for _, p := range term.Shape(5) {
			got += p.Label + " "
		}
		if got != want {
			t.Errorf("points %q, want %q", got, want)
		}
	}
}

// Curves and grids show what scoring adds, against the mean.
func TestShapesAreTheScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, f := additive(t, 1)
		for j := range m.Terms {
			term := &m.Terms[j]
			c := f.Column(term.Feature)
			in := NewInput(term, c)
			var f [1]float64
			newTermPart(term, &in).add(f[:], 0)
			want := f[0] - term.RefMean
			var got float64
			switch {
			case c.IsLevel() && c.Codes[0] < 0:
				got = term.atLevel(MissingLevel) - term.RefMean
			case c.IsLevel():
				got = term.atLevel(c.Levels[c.Codes[0]]) - term.RefMean
			case c.Num[0] != c.Num[0]:
				effect, met := term.MissingEffect()
				if !met {
					continue
				}
				got = effect
			default:
				got = term.at(c.Num[0]) - term.RefMean
			}
			if math.Abs(got-want) > sumTolerance {
				t.Fatalf("%s: %v, scored %v", term.Feature, got, want)
			}
		}
		for k := range m.Pairs {
			p := &m.Pairs[k]
			a, b, effect := p.Grid()
			c0, _ := p.Sides[0].points()
			c1, _ := p.Sides[1].points()
			i := rapid.IntRange(0, len(a)-1).Draw(t, "row")
			j := rapid.IntRange(0, len(b)-1).Draw(t, "column")
			pick := func(c features.Column, i int) *features.Column {
				if c.IsLevel() {
					c.Codes = c.Codes[i : i+1]
				} else {
					c.Num = c.Num[i : i+1]
				}
				return &c
			}
			var f [1]float64
			newPairPart(p, pick(c0, i), pick(c1, j)).add(f[:], 0)
			if want := f[0] - p.RefMean; math.Abs(effect[i][j]-want) > sumTolerance {
				t.Fatalf("%s and %s: %v in the grid, scored %v", a[i], b[j], effect[i][j], want)
			}
		}
	})
}

func TestWords(t *testing.T) {
	for want, c := range map[string]Condition{
		"x above 1":              {Above: pointer(1)},
		"x at most 1.5":          {AtMost: pointer(1.5)},
		"x above 1 to 4":         {Above: pointer(1), AtMost: pointer(4)},
		"x at most 1 or missing": {AtMost: pointer(1), Missing: true},
		"x is missing":           {Above: pointer(4), AtMost: pointer(4), Missing: true},
		"x is known":             {},
		"x is a or missing":      {Levels: []string{"a", MissingLevel}},
		"x is not a or b":        {Levels: []string{"a", "b"}, Not: true},
	} {
		c.Feature = "f"
		rule := Rule{Conditions: []Condition{c, c}}
		label := func(feature string) string { return map[string]string{"f": "x"}[feature] }
		if got := rule.Words(label); got != fmt.Sprintf("%s, and %s", want, want) {
			t.Errorf("%q, want %q twice", got, want)
		}
	}
}
