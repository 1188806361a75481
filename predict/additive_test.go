// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

// additive draws a model of two numbers and two levels with every kind of
// column, side and table, and a frame of n rows for it.
func additive(t *rapid.T, n int) (*Model, *features.Frame) {
	m := &Model{Format: Format, Score: Score{BaseRate: .1}}
	m.Calibration = Calibration{Method: "platt", Intercept: .1, Slope: .8}
	m.Intercept = rapid.Float64Range(-3, 3).Draw(t, "intercept")
	weight := func() float64 { return rapid.Float64Range(-2, 2).Draw(t, "weight") }
	f := &features.Frame{Rows: make([]features.Row, n)}
	for _, name := range []string{"visits", "seats", "plan", "country"} {
		feature := features.Feature{Name: name, Kind: features.NumberKind}
		var term Term
		c := features.Column{}
		if name == "plan" || name == "country" {
			feature.Kind = features.LevelKind
			term = Term{Feature: name, Kind: string(features.LevelKind)}
			for _, level := range []string{"a", "b", OtherLevel} {
				term.Columns = append(term.Columns, Basis{Kind: Level, Level: level, Mean: .3, SD: .46, Weight: weight()})
			}
			c.Levels = []string{"a", "b", "rare", "new"}
			for range n {
				c.Codes = append(c.Codes, int32(rapid.IntRange(-1, 3).Draw(t, "code")))
			}
		} else {
			term = drawTerm(t, name)
			c.Num = drawValues(t, &term, n)
		}
		term.RefMean = weight()
		m.Terms = append(m.Terms, term)
		m.Spec.Features = append(m.Spec.Features, feature)
		c.Feature = feature
		f.Columns = append(f.Columns, c)
	}
	f.SpecDigest = m.Spec.Digest()
	for range rapid.IntRange(0, 3).Draw(t, "pairs") {
		p := Pair{Sides: [2]Side{drawSide(t, m, 0), drawSide(t, m, 2)}, RefMean: weight()}
		if rapid.Bool().Draw(t, "of numbers") {
			p.Sides[1] = drawSide(t, m, 1)
		}
		for i := range p.Sides[0].Columns() {
			for j := range p.Sides[1].Columns() {
				if rapid.IntRange(0, 3).Draw(t, "cell") > 0 {
					p.Cells = append(p.Cells, Cell{I: i, J: j, Mean: .1, SD: .3, Weight: weight()})
				}
			}
		}
		m.Pairs = append(m.Pairs, p)
	}
	for range rapid.IntRange(0, 2).Draw(t, "tables") {
		table := Table{RefMean: weight()}
		for _, conditions := range drawRules(t, m, nil, 3) {
			table.Rules = append(table.Rules, Rule{Conditions: conditions, Mean: .2, SD: .4, Weight: weight()})
		}
		m.Tables = append(m.Tables, table)
	}
	return m, f
}

// drawSide draws a side of the term's feature.
func drawSide(t *rapid.T, m *Model, j int) Side {
	term := &m.Terms[j]
	s := Side{Feature: term.Feature, Kind: Level, Levels: []string{"b", MissingLevel}}
	if term.Kind == string(features.LevelKind) {
		return s
	}
	s.Levels = nil
	s.Kind = rapid.SampledFrom([]BasisKind{Spline, Cumulated, Value, Linear}).Draw(t, "side")
	s.Missing = rapid.Bool().Draw(t, "flag")
	switch s.Kind {
	case Spline, Cumulated:
		s.Knots = term.Knots
	case Value:
		s.Values = term.Knots
	case Linear:
		s.Transform, s.Low, s.High, s.Mean, s.SD = SignedLog, term.Low, term.High, .5, 1.5
	}
	return s
}

// drawRules draws the leaves of a decision tree of the given depth below the
// conditions so far: rules of which each row meets exactly one.
func drawRules(t *rapid.T, m *Model, so []Condition, depth int) [][]Condition {
	if depth == 0 || (len(so) > 0 && rapid.IntRange(0, 3).Draw(t, "leaf") == 0) {
		return [][]Condition{so}
	}
	term := &m.Terms[rapid.IntRange(0, 3).Draw(t, "split on")]
	yes := Condition{Feature: term.Feature}
	no := yes
	if term.Kind == string(features.LevelKind) {
		yes.Levels = []string{"a", MissingLevel}
		no.Levels, no.Not = yes.Levels, true
	} else {
		at := rapid.SampledFrom(term.Knots).Draw(t, "split at")
		yes.AtMost, no.Above = &at, &at
		yes.Missing = rapid.Bool().Draw(t, "missing below")
		no.Missing = !yes.Missing
	}
	return append(drawRules(t, m, append(slices.Clone(so), yes), depth-1),
		drawRules(t, m, append(slices.Clone(so), no), depth-1)...)
}

// naive returns the raw log-odds of a row by the definitions of model.go,
// column by column and with nothing prepared.
func naive(m *Model, f *features.Frame, row int) float64 {
	z := m.Intercept
	level := func(name string) string {
		c := f.Column(name)
		if c.Codes[row] < 0 {
			return MissingLevel
		}
		return c.Levels[c.Codes[row]]
	}
	for j := range m.Terms {
		t := &m.Terms[j]
		for k := range t.Columns {
			u := 0.0
			if t.Kind != string(features.LevelKind) {
				u = t.Raw(k, f.Column(t.Feature).Num[row])
			} else if own, _ := t.level(level(t.Feature)); own == k {
				u = 1
			}
			z += t.Columns[k].Weight * t.Columns[k].Standardise(u)
		}
	}
	for _, p := range m.Pairs {
		for _, c := range p.Cells {
			u := naiveSide(&p.Sides[0], c.I, f, row, level) * naiveSide(&p.Sides[1], c.J, f, row, level)
			z += c.Weight * (u - c.Mean) / c.SD
		}
	}
	for _, table := range m.Tables {
		for _, r := range table.Rules {
			u := 1.0
			for _, c := range r.Conditions {
				if !naivePasses(&c, f, row, level) {
					u = 0
				}
			}
			z += r.Weight * (u - r.Mean) / r.SD
		}
	}
	return z
}

// naiveSide returns column k of a side in a row.
func naiveSide(s *Side, k int, f *features.Frame, row int, level func(string) string) float64 {
	if s.Kind == Level {
		own := slices.Index(s.Levels, level(s.Feature))
		if own < 0 {
			own = len(s.Levels)
		}
		return indicator(own == k)
	}
	x := f.Column(s.Feature).Num[row]
	if isFlag := s.Missing && k == s.Columns()-1; isFlag || x != x {
		return indicator(isFlag && x != x)
	}
	spline := func(i int) float64 {
		b := make([]float64, 3)
		if r := i - BSplines(b, s.Knots, 2, x); r >= 0 && r < 3 {
			return b[r]
		}
		return 0
	}
	switch s.Kind {
	case Spline:
		return spline(k)
	case Cumulated:
		sum := 0.0
		for i := k + 1; i < len(s.Knots)+1; i++ {
			sum += spline(i)
		}
		return sum
	case Value:
		above := k == 0 || x > (s.Values[k-1]+s.Values[k])/2 // distances would tie by rounding
		below := k == len(s.Values)-1 || x <= (s.Values[k]+s.Values[k+1])/2
		return indicator(above && below)
	}
	x = min(max(x, s.Low), s.High)
	if s.Transform == SignedLog {
		x = math.Copysign(math.Log1p(math.Abs(x)), x)
	}
	return min(max((x-s.Mean)/s.SD, -5), 5)
}

func naivePasses(c *Condition, f *features.Frame, row int, level func(string) string) bool {
	if len(c.Levels) > 0 {
		return slices.Contains(c.Levels, level(c.Feature)) != c.Not
	}
	x := f.Column(c.Feature).Num[row]
	if x != x {
		return c.Missing
	}
	return (c.Above == nil || *c.Above < x) && (c.AtMost == nil || x <= *c.AtMost)
}

// Weighted sums of some hundred columns of up to 20 standard deviations, in
// another order.
const sumTolerance = 1e-12

// Scoring gives what the definitions give, and contributions sum to z − z_ref.
func TestAdditiveScoring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 8
		m, f := additive(t, n)
		s, err := m.Bind(f)
		if err != nil {
			t.Fatal(err)
		}
		z, c := s.LogOdds(nil), s.Contributions(nil)
		for i := range z {
			if want := naive(m, f, i); math.Abs(z[i]-want) > sumTolerance {
				t.Fatalf("row %d: z = %v, by the definitions %v", i, z[i], want)
			}
			sum := 0.0
			for _, x := range c[i*4 : i*4+4] {
				sum += x
			}
			if want := m.Calibration.LogOdds(z[i]) - m.Reference(); math.Abs(sum-want) > sumTolerance {
				t.Fatalf("row %d: contributions sum to %v, z - z_ref = %v", i, sum, want)
			}
		}
	})
}

// A pair goes in halves to its features, a table in equal parts to those of
// the rule the row is in. By hand: calibrated with slope 2, the pair adds
// 1 (1 − .5)/.5 = 1 against a mean of .4, the table's first rule (of one
// feature) .3 (1 − .6)/.5 − .2 (.4/.5) = .08 against .1, its second, of two
// features, .3 (−.6/.5) + .2 (1 − .4)/.5 = −.12.
func TestContributionsOfPairsAndTables(t *testing.T) {
	m, f := scoring(2) // plan, then visits
	for j := range m.Terms {
		m.Terms[j].Columns = nil
	}
	f.Columns[0].Num = []float64{1, 7}
	m.Calibration = Calibration{Slope: 2}
	m.Pairs = []Pair{{RefMean: .4, Cells: []Cell{{I: 0, J: 0, Mean: .5, SD: .5, Weight: 1}}, Sides: [2]Side{
		{Feature: "visits", Kind: Value, Values: []float64{1, 7}}, {Feature: "plan", Kind: Level, Levels: []string{"basic"}}}}}
	m.Tables = []Table{{RefMean: .1, Rules: []Rule{
		{Conditions: []Condition{{Feature: "visits", AtMost: pointer(2)}}, Mean: .6, SD: .5, Weight: .3},
		{Conditions: []Condition{{Feature: "visits", Above: pointer(2), Missing: true}, {Feature: "plan", Levels: []string{"pro"}}},
			Mean: .4, SD: .5, Weight: .2}}}}
	got, err := m.Contributions(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	const pair0, pair1 = 2 * (1 - .4) / 2, 2 * (-1 - .4) / 2
	want := []float64{pair0, pair0 + 2*(.08-.1), pair1 + (-.12 - .1), pair1 + (-.12 - .1)}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Errorf("contributions %v, want %v", got, want)
			break
		}
	}
}

// A part of a feature without a term is no part of a model: its contributions
// would have no place.
func TestBindNeedsTerms(t *testing.T) {
	for want, change := range map[string]func(*Model){
		`pair 1: the model has no term of feature "visits"`: func(m *Model) {
			m.Pairs = []Pair{{Sides: [2]Side{{Feature: "plan", Kind: Level}, {Feature: "visits", Kind: Linear}}}}
		},
		`table 1: the model has no term of feature "visits"`: func(m *Model) {
			m.Tables = []Table{{Rules: []Rule{{Conditions: []Condition{{Feature: "visits"}}}}}}
		},
	} {
		m, f := scoring(1)
		m.Terms = m.Terms[:1] // plan
		change(m)
		if _, err := m.Bind(f); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Weights of one sign on cumulated splines make a curve that never turns.
func TestCumulatedSplinesAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		knots := drawKnots(t)
		term := Term{Kind: string(features.NumberKind), Knots: knots, Low: knots[0], High: knots[len(knots)-1]}
		for i := 1; i < SplineCount(len(knots), TermDegree); i++ {
			term.Columns = append(term.Columns, Basis{Kind: Cumulated, Index: i, Mean: .4, SD: .3, Weight: rapid.Float64Range(0, 3).Draw(t, "weight")})
		}
		x := rapid.SliceOfN(rapid.Float64Range(term.Low-1, term.High+1), 2, 20).Draw(t, "x")
		slices.Sort(x)
		c := features.Column{Feature: features.Feature{Kind: features.NumberKind}, Num: x}
		in := NewInput(&term, &c)
		f := make([]float64, len(x))
		newTermPart(&term, &in).add(f, 0)
		for i := 1; i < len(f); i++ {
			if f[i] < f[i-1]-1e-12 { // rounding of sums of up to 12 weights of 10
				t.Fatalf("f(%v) = %v after f(%v) = %v", x[i], f[i], x[i-1], f[i-1])
			}
		}
	})
}

// additiveBenchmark returns a model of 60 numbers and a frame of 20,000 rows;
// splines, pairs and tables where asked for.
func additiveBenchmark(full bool) (*Model, *features.Frame) {
	const n, terms = 20000, 60
	m := &Model{Format: Format, Score: Score{BaseRate: .1}}
	m.Calibration = Calibration{Method: "none", Slope: 1}
	f := &features.Frame{Rows: make([]features.Row, n)}
	knots := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}
	for j := range terms {
		term := Term{Feature: string(rune('A' + j)), Kind: "number", High: 8, Median: 3, Columns: []Basis{
			{Kind: Linear, Transform: Identity, Mean: 4, SD: 2, Weight: .1}, {Kind: Missing, Mean: .1, SD: .3, Weight: .1}}}
		if full {
			term.Knots = knots
			for i := range SplineCount(len(knots), TermDegree) {
				term.Columns = append(term.Columns, Basis{Kind: Spline, Index: i, Mean: .1, SD: .3, Weight: .1})
			}
		}
		m.Terms = append(m.Terms, term)
		feature := features.Feature{Name: term.Feature, Kind: features.NumberKind}
		m.Spec.Features = append(m.Spec.Features, feature)
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Mod(float64(i)*math.Phi*float64(j+1), 8)
			if i%17 == j%17 {
				x[i] = nan
			}
		}
		f.Columns = append(f.Columns, features.Column{Feature: feature, Num: x})
	}
	for k := 0; full && k < 22; k++ {
		p := Pair{Sides: [2]Side{{Feature: m.Terms[k].Feature, Kind: Spline, Knots: []float64{0, 2, 4, 6, 8}},
			{Feature: m.Terms[k+22].Feature, Kind: Spline, Knots: []float64{0, 2, 4, 6, 8}}}}
		for i := range 36 {
			p.Cells = append(p.Cells, Cell{I: i / 6, J: i % 6, Mean: .03, SD: .1, Weight: .01})
		}
		m.Pairs = append(m.Pairs, p)
	}
	f.SpecDigest = m.Spec.Digest()
	return m, f
}

func BenchmarkLinear(b *testing.B)   { benchmarkLogOdds(b, false) }
func BenchmarkAdditive(b *testing.B) { benchmarkLogOdds(b, true) }

func benchmarkLogOdds(b *testing.B, full bool) {
	m, f := additiveBenchmark(full)
	s, err := m.Bind(f)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float64, len(f.Rows))
	for b.Loop() {
		s.LogOdds(dst)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(f.Rows)), "ns/row")
}
