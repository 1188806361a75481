// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// asTable makes a model one of ready tables, and returns its frame as one.
func asTable(m *Model, f *features.Frame) *data.Table {
	t := &data.Table{Name: "t", Rows: len(f.Rows)}
	for i := range f.Columns {
		c := &f.Columns[i]
		feature := &m.Spec.Features[i]
		feature.Column, feature.Input = feature.Name, data.Float.String()
		column := data.Column{Name: feature.Name, Kind: data.Float, Floats: c.Num}
		if c.IsLevel() {
			feature.Input = data.Text.String()
			column = data.Column{Name: feature.Name, Kind: data.Text, Codes: c.Codes, Dict: c.Levels}
		}
		c.Feature = *feature
		t.Columns = append(t.Columns, column)
	}
	f.SpecDigest = m.Spec.Digest()
	return t
}

// scorePieces scores a table some rows at a time and puts the scores together.
func scorePieces(t testing.TB, s *TableScorer, table *data.Table, rows int) *data.Table {
	whole := &data.Table{}
	for from := 0; from < table.Rows || from == 0; from += rows {
		var numbers []int
		for i := from; i < min(from+rows, table.Rows); i++ {
			numbers = append(numbers, i)
		}
		piece := &data.Table{Name: table.Name, Rows: len(numbers)}
		for k := range table.Columns {
			piece.Columns = append(piece.Columns, table.Columns[k].Take(numbers))
		}
		scores, err := s.Score(piece)
		if err != nil {
			t.Fatal(err)
		}
		for k := range scores.Columns {
			if from == 0 {
				c := scores.Columns[k]
				whole.Columns = append(whole.Columns, data.Column{Name: c.Name, Kind: c.Kind, Dict: c.Dict})
			}
			whole.Columns[k].Append(&scores.Columns[k])
		}
		whole.Rows += scores.Rows
	}
	return whole
}

// checkTableScores compares the scores of a ready table with those of its frame
// bit for bit: probability, health, tier, and what the reasons are about.
func checkTableScores(t testing.TB, m *Model, f *features.Frame, got *data.Table) {
	t.Helper()
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	effects, err := m.Contributions(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != len(p) {
		t.Fatalf("%d scores of %d rows", got.Rows, len(p))
	}
	n := len(m.Terms)
	for i := range p {
		health := m.Score.Health(p[i])
		if got.Column("p_churn").Floats[i] != p[i] || got.Column("health").Floats[i] != health || got.Column("tier").Text(i) != string(m.Score.Tier(p[i], health)) {
			t.Fatalf("row %d: p %v, health %v, tier %s; want %v, %v", i, got.Column("p_churn").Floats[i], got.Column("health").Floats[i], got.Column("tier").Text(i), p[i], health)
		}
		chosen := m.chosen(m.Explain(effects[i*n:i*n+n]), 1)
		for k := range reasonCount {
			want := ""
			if k < len(chosen) {
				want = m.Terms[chosen[k]].Pillar + ": " + m.Terms[chosen[k]].Label + ": "
			}
			if reason := got.Column(fmt.Sprintf("reason_%d", k+1)).Text(i); !strings.HasPrefix(reason, want) || (want == "") != (reason == "") {
				t.Fatalf("row %d: reason %d is %q, want %q", i, k+1, reason, want)
			}
		}
	}
}

// Additive models of every kind of part, one pillar and several, in pieces.
func TestTableScoresOfAdditiveModels(t *testing.T) {
	for simd := range everySet() {
		rapid.Check(t, func(rt *rapid.T) {
			m, f := additive(rt, rapid.IntRange(0, 40).Draw(rt, "rows"))
			m.Score.AtRisk, m.Score.Watch, m.Score.Healthy, m.Score.AtRiskP = 40, 65, 80, .5
			for j := range m.Terms {
				m.Terms[j].Pillar, m.Terms[j].Label = "one", m.Terms[j].Feature
			}
			if rapid.Bool().Draw(rt, "two pillars") {
				m.Terms[1].Pillar = "another"
			}
			table := asTable(m, f)
			s, err := m.NewTableScorer("", rapid.IntRange(1, 3).Draw(rt, "workers"))
			if err != nil {
				rt.Fatal(err)
			}
			checkTableScores(t, m, f, scorePieces(t, s, table, rapid.SampledFrom([]int{1, 7, 100}).Draw(rt, "piece")))
			if want, _ := m.Bind(f); s.Unseen() != want.Unseen() || s.Rows() != len(f.Rows) {
				rt.Fatalf("%v: %d unseen in %d rows, want %d", simd, s.Unseen(), s.Rows(), want.Unseen())
			}
		})
	}
}

// linearModel has lines, of which some have no missing flag, a curve between
// them, and twins, whose effects are equal.
func linearModel(rows int) (*Model, *features.Frame) {
	r := rand.New(rand.NewPCG(7, 8))
	m := &Model{Format: Format, Score: Score{BaseRate: .1, AtRisk: 40, Watch: 65, Healthy: 80, AtRiskP: .5}}
	m.Intercept, m.Calibration = -1, Calibration{Method: "platt", Intercept: .1, Slope: .8}
	f := &features.Frame{Rows: make([]features.Row, rows)}
	for j := range 9 {
		name := fmt.Sprint("f", j)
		term := Term{Feature: name, Kind: string(features.NumberKind), Pillar: "table", Label: name, Low: -2, High: 2, Median: .1, RefMean: .01 * float64(j)}
		term.Columns = []Basis{{Kind: Linear, Transform: Identity, Mean: .2, SD: .3 + .1*float64(j/2), Weight: r.NormFloat64()}}
		if j%3 == 0 {
			term.Columns = append(term.Columns, Basis{Kind: Missing, Mean: .1, SD: .3, Weight: .5})
		}
		if j == 4 {
			term.Columns[0].Transform = SignedLog
		}
		c := features.Column{Feature: features.Feature{Name: name, Kind: features.NumberKind}}
		for range rows {
			x := 2 * r.NormFloat64()
			switch r.IntN(12) {
			case 0:
				x = math.NaN()
			case 1:
				x = 0
			case 2:
				x = math.Copysign(0, -1)
			}
			c.Num = append(c.Num, x)
		}
		if j == 6 { // the twin of the feature before
			term.Columns, term.RefMean, c.Num = m.Terms[5].Columns, m.Terms[5].RefMean, f.Columns[5].Num
		}
		m.Terms, m.Spec.Features, f.Columns = append(m.Terms, term), append(m.Spec.Features, c.Feature), append(f.Columns, c)
	}
	return m, f
}

// Lines, for which there is a kernel: whole blocks, parts of one, single rows.
func TestTableScoresOfLines(t *testing.T) {
	for simd := range everySet() {
		for _, rows := range []int{0, 1, 3, 4, 255, 256, 257, 1500} {
			m, f := linearModel(rows)
			table := asTable(m, f)
			s, err := m.NewTableScorer("", 2)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v, %d rows", simd, rows)
			checkTableScores(t, m, f, scorePieces(t, s, table, 1000))
		}
	}
}

// Reasons of ready tables say on which side of the median a number lies, and
// name levels that the model knows.
func TestReasonWords(t *testing.T) {
	terms := []Term{
		{Kind: string(features.NumberKind), Pillar: "a", Label: "logins", Median: 4.5},
		{Kind: string(features.LevelKind), Pillar: "b", Label: "plan", Pooled: []string{"rare"},
			Columns: []Basis{{Kind: Level, Level: "basic"}, {Kind: Level, Level: OtherLevel}, {Kind: Level, Level: MissingLevel}}},
	}
	w := newReasonWords(terms)
	number := features.Column{Num: []float64{4.5, 5, math.NaN()}, Feature: features.Feature{Kind: features.NumberKind}}
	plan := features.Column{Codes: []int32{-1, 0, 1, 2}, Levels: []string{"rare", "new", "basic"}, Feature: features.Feature{Kind: features.LevelKind}}
	w.bind([]Input{{column: &number}, {column: &plan}})
	for i, want := range []string{"a: logins: at most 4.5", "a: logins: above 4.5", "a: logins: missing"} {
		if got := w.texts[w.word(0, i)]; got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
	for i, want := range []string{"b: plan: missing", "b: plan: rare", "b: plan: another level", "b: plan: basic"} {
		if got := w.texts[w.word(1, i)]; got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
}

// A ready table that does not fit the model is refused, in any piece.
func TestTableScorerRefuses(t *testing.T) {
	m, f := linearModel(3)
	table := asTable(m, f)
	if _, err := m.NewTableScorer("health", 1); err == nil {
		t.Error("an id column named health was accepted")
	}
	s, err := m.NewTableScorer("", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Score(table); err != nil {
		t.Fatal(err)
	}
	table.Columns[3] = data.TextColumn("f3", []string{"a", "b", "c"})
	if _, err := s.Score(table); err == nil || !strings.Contains(err.Error(), `column "f3": is of type text; the model was trained on type number`) {
		t.Errorf("error %v", err)
	}
	table.Columns = table.Columns[:3]
	if _, err := s.Score(table); err == nil || !strings.Contains(err.Error(), "the model expects f3 (number)") {
		t.Errorf("error %v", err)
	}
}
