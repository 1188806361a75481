// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

var update = flag.Bool("update", false, "write testdata/model-2.json again")

// wholeModel is a model with every kind of column, a pair with each kind of
// side, and a table. Its numbers have no meaning; scales are small enough that
// clipping where there should be none shows.
func wholeModel() *Model {
	m := fileModel()
	weight := func(k int) float64 { return math.Round(1000*math.Sin(float64(k+1))) / 1000 }
	number := func(name, pillar, label string) {
		m.Spec.Features = append(m.Spec.Features, features.Feature{Name: name, From: "usage", Agg: features.Sum, WindowDays: 30,
			Kind: features.NumberKind, Pillar: pillar, Label: label})
	}
	number("seats", "product_utilization", "seats in use")
	number("months", "relationship", "months as a customer")
	knots := []float64{-10, 0, 4, 20, 100}
	logins := &m.Terms[0]
	logins.Low, logins.Knots, logins.Share = -10, knots, .4
	logins.Effect, logins.Contrast = Interval{-.9, -1.2, -.6}, "20 against 4 (75th against 25th percentile)"
	for i := range SplineCount(len(knots), TermDegree) {
		logins.Columns = append(logins.Columns, Basis{Kind: Spline, Index: i, Mean: .05, SD: .15, Weight: weight(i) / 3, SE: .1})
	}
	logins.Columns = append(logins.Columns, Basis{Kind: Spike, At: 0, Mean: .02, SD: .14, Weight: .15, SE: .1})
	seats := Term{Feature: "seats", Kind: "number", Pillar: "product_utilization", Label: "seats in use", Low: 1, High: 64, Median: 8,
		Knots: []float64{1, 8, 64}, Share: .2, RefMean: -.05, Effect: Interval{-.4, -.7, -.1}, Contrast: "12 against 3 (75th against 25th percentile)"}
	for i := 1; i < 5; i++ {
		seats.Columns = append(seats.Columns, Basis{Kind: Cumulated, Index: i, Mean: .1, SD: .15, Weight: -.1 * float64(i), SE: .05})
	}
	seats.Columns = append(seats.Columns, Basis{Kind: Missing, Mean: .05, SD: .22, Weight: .1, SE: .05})
	months := Term{Feature: "months", Kind: "number", Pillar: "relationship", Label: "months as a customer", Low: 1, High: 24, Median: 12,
		Share: .1, Effect: Interval{-.2, -.5, .1}, Contrast: "24 against 12 (75th against 25th percentile)", Columns: []Basis{
			{Kind: Value, At: 1, Mean: .3, SD: .46, Weight: .4, SE: .1},
			{Kind: Value, At: 12, Mean: .3, SD: .46, Weight: .1, SE: .1},
			{Kind: Value, At: 24, Mean: .02, SD: .14, Weight: -.1, SE: .1},
			{Kind: Missing, Mean: .002, SD: .04, Weight: .3, SE: .2}}} // clipped at 1
	m.Terms[1].Share, m.Terms[1].Effect, m.Terms[1].Contrast = .1, Interval{.2, .1, .3}, "pro against basic"
	m.Terms = append(m.Terms, seats, months)
	m.Pairs = []Pair{
		{RefMean: .02, Share: .1, Sides: [2]Side{{Feature: "logins", Kind: Spline, Knots: []float64{0, 4, 20}, Missing: true},
			{Feature: "months", Kind: Value, Values: []float64{1, 12}, Missing: true}}},
		{RefMean: -.01, Share: .03, Sides: [2]Side{{Feature: "plan", Kind: Level, Levels: []string{"basic", "(missing)"}},
			{Feature: "seats", Kind: Cumulated, Knots: []float64{1, 8, 64}}}},
		{Share: .02, Sides: [2]Side{{Feature: "months", Kind: Linear, Transform: SignedLog, Low: 1, High: 24, Mean: 2, SD: .7, Missing: true},
			{Feature: "plan", Kind: Level, Levels: []string{"basic"}}}},
	}
	for k := range m.Pairs {
		p := &m.Pairs[k]
		for i := range p.Sides[0].Columns() {
			for j := range p.Sides[1].Columns() {
				if (i+j)%5 < 4 { // not every product has a cell
					p.Cells = append(p.Cells, Cell{I: i, J: j, Mean: .03, SD: .15, Weight: weight(i+3*j) / 20, SE: .05})
				}
			}
		}
	}
	m.Tables = []Table{{RefMean: .01, Share: .05, Rules: []Rule{
		{Mean: .3, SD: .46, Weight: .25, SE: .1, Conditions: []Condition{
			{Feature: "logins", AtMost: pointer(4), Missing: true}, {Feature: "plan", Levels: []string{"basic", "(missing)"}}}},
		{Mean: .2, SD: .4, Weight: -.1, SE: .1, Conditions: []Condition{
			{Feature: "logins", AtMost: pointer(4), Missing: true}, {Feature: "plan", Levels: []string{"basic", "(missing)"}, Not: true}}},
		{Mean: .4, SD: .49, Weight: -.2, SE: .1, Conditions: []Condition{
			{Feature: "logins", Above: pointer(4), AtMost: pointer(60)}, {Feature: "seats", Above: pointer(8)}}},
		{Mean: .07, SD: .25, Weight: .05, SE: .1, Conditions: []Condition{
			{Feature: "logins", Above: pointer(4), AtMost: pointer(60)}, {Feature: "seats", AtMost: pointer(8), Missing: true}}},
		{Mean: .03, SD: .17, Weight: .05, SE: .1, Conditions: []Condition{{Feature: "logins", Above: pointer(60)}}},
	}}}
	m.Dropped = []Dropped{{Feature: "logins_again", Reason: "constant"}}
	m.Warnings = []string{}
	return m
}

// testdata/model-2.json is wholeModel, written by go test -update.
func TestWholeModelIsTheFixture(t *testing.T) {
	b, err := Marshal(wholeModel())
	if err != nil {
		t.Fatal(err)
	}
	const name = "testdata/model-2.json"
	if *update {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if stored, err := os.ReadFile(name); err != nil || string(stored) != string(b) {
		t.Errorf("%s (%v) is not what Marshal writes", name, err)
	}
}

// Every damage to splines, pairs and tables is refused with a sentence that
// says where and what.
func TestValidateRefuses(t *testing.T) {
	spline := func(m *Model) *Basis { return &m.Terms[0].Columns[2] }
	condition := func(m *Model) *Condition { return &m.Tables[0].Rules[0].Conditions[0] }
	for want, damage := range map[string]func(*Model){
		`term "logins": knots: 4 after 4; they must rise`:                         func(m *Model) { m.Terms[0].Knots[1] = 4 },
		`term "logins": knots: 1 given; at least 2`:                               func(m *Model) { m.Terms[0].Knots = []float64{-10} },
		`term "logins": knots: 1e+200 is not a usable number`:                     func(m *Model) { m.Terms[0].Knots[4] = 1e200 },
		`term "logins": knots from -10 to 90 do not span the range -10 to 100`:    func(m *Model) { m.Terms[0].Knots[4] = 90 },
		`term "logins": spline number 7; its knots make 7`:                        func(m *Model) { spline(m).Index = 7 },
		`term "logins": spline number -1; its`:                                    func(m *Model) { spline(m).Index = -1 },
		`term "logins": a spline column occurs twice`:                             func(m *Model) { spline(m).Index = 1 },
		`term "seats": weights of cumulated splines from -0.4 to 0.1`:             func(m *Model) { m.Terms[2].Columns[0].Weight = .1 },
		`term "seats": a missing column occurs twice`:                             func(m *Model) { m.Terms[2].Columns[0] = m.Terms[2].Columns[4] },
		`term "months": value 12 after 13; they must rise`:                        func(m *Model) { m.Terms[3].Columns[0].At = 13 },
		`term "months": a standard deviation of 0`:                                func(m *Model) { m.Terms[3].Columns[0].SD = 0 },
		`pair 1: the model has no term of feature "logons"`:                       func(m *Model) { m.Pairs[0].Sides[0].Feature = "logons" },
		`pair 1: feature "months" with itself`:                                    func(m *Model) { m.Pairs[0].Sides[0].Feature = "months" },
		`pair 1, plan: a spline side of a level`:                                  func(m *Model) { m.Pairs[0].Sides[0].Feature = "plan" },
		`pair 1, logins: a side of kind "spike"`:                                  func(m *Model) { m.Pairs[0].Sides[0].Kind = Spike },
		`pair 1, logins: knots: 0 given`:                                          func(m *Model) { m.Pairs[0].Sides[0].Knots = nil },
		`pair 1, months: values: 1 after 2; they must rise`:                       func(m *Model) { m.Pairs[0].Sides[1].Values = []float64{2, 1} },
		`pair 2, plan: level "basic" occurs twice`:                                func(m *Model) { m.Pairs[1].Sides[0].Levels[1] = "basic" },
		`pair 2, plan: a column of missing values beside levels`:                  func(m *Model) { m.Pairs[1].Sides[0].Missing = true },
		`pair 3, months: transform "sqrt"`:                                        func(m *Model) { m.Pairs[2].Sides[0].Transform = "sqrt" },
		`pair 3, months: a standard deviation of -1`:                              func(m *Model) { m.Pairs[2].Sides[0].SD = -1 },
		`pair 1: cell 5, 0; its sides have 5 and 3 columns`:                       func(m *Model) { m.Pairs[0].Cells[0].I = 5 },
		`pair 1: cell 0, -1; its sides have 5 and 3 columns`:                      func(m *Model) { m.Pairs[0].Cells[0].J = -1 },
		`pair 1: cell 0, 1 occurs twice`:                                          func(m *Model) { m.Pairs[0].Cells[0].J = 1 },
		`pair 1: a standard deviation of 0`:                                       func(m *Model) { m.Pairs[0].Cells[0].SD = 0 },
		`pair 1: 1e+13 is not a usable number`:                                    func(m *Model) { m.Pairs[0].Cells[0].Weight = 1e13 },
		`pair 1: no cells`:                                                        func(m *Model) { m.Pairs[0].Cells = nil },
		`table 1: 1 rules; expected 2 to 256`:                                     func(m *Model) { m.Tables[0].Rules = m.Tables[0].Rules[:1] },
		`table 1, rule 1: 0 conditions; expected 1 to 16`:                         func(m *Model) { m.Tables[0].Rules[0].Conditions = nil },
		`table 1, rule 1: a standard deviation of 0`:                              func(m *Model) { m.Tables[0].Rules[0].SD = 0 },
		`table 1, rule 1: the model has no term of feature "logons"`:              func(m *Model) { condition(m).Feature = "logons" },
		`table 1, rule 1, plan: a condition on a level names levels and nothing`:  func(m *Model) { condition(m).Feature = "plan" },
		`table 1, rule 1, logins: levels in a condition on a number`:              func(m *Model) { condition(m).Levels = []string{"a"} },
		`table 1, rule 1, logins: a condition that every value passes`:            func(m *Model) { condition(m).AtMost = nil },
		`table 1, rule 3, logins: above 4 and at most 4: no value passes`:         func(m *Model) { m.Tables[0].Rules[2].Conditions[0].AtMost = pointer(4) },
		`table 1: an account can be in rules 1 and 5 at once`:                     func(m *Model) { m.Tables[0].Rules[4].Conditions[0].Missing = true },
		`table 1: some accounts where logins is missing are in none of its rules`: func(m *Model) { condition(m).Missing = false },
		`table 1: some accounts where logins is at most 60 are in none`:           func(m *Model) { m.Tables[0].Rules[2].Conditions[0].AtMost = pointer(50) },
		`table 1: some accounts where logins is above all bounds are in none`:     func(m *Model) { m.Tables[0].Rules = m.Tables[0].Rules[:4] },
		`table 1: an account can be in rules 1 and 2 at once`:                     func(m *Model) { m.Tables[0].Rules[1].Conditions[1].Levels = []string{"basic"} },
		`table 1: some accounts where logins is missing are in none`:              func(m *Model) { m.Tables[0].Rules[1].Conditions[1].Levels = []string{"basic", "(missing)", "pro"} },
	} {
		m := wholeModel()
		damage(m)
		file, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file); !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for name, damage := range map[string]func(*Model){
		"knot":   func(m *Model) { m.Terms[0].Knots[2] = nan },
		"cell":   func(m *Model) { m.Pairs[0].Cells[0].Mean = nan },
		"weight": func(m *Model) { m.Tables[0].Rules[0].Weight = nan },
		"bound":  func(m *Model) { condition(m).AtMost = pointer(nan) },
		"spread": func(m *Model) { m.Pairs[0].Cells[0].SD = nan },
	} {
		m := wholeModel()
		damage(m)
		if _, err := Marshal(m); !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s NaN: error %v", name, err)
		}
	}
}

// The leaves of any decision tree are found to be a partition, and no longer
// if one that some account is in is left out or stands twice.
func TestTreesArePartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &Model{Logit: Logit{Terms: []Term{{Feature: "visits", Knots: []float64{0, 1, 2}}, {Feature: "seats", Knots: []float64{0, 5}},
			{Feature: "plan", Kind: "level"}, {Feature: "country", Kind: "level"}}}}
		var table Table
		for _, conditions := range drawRules(t, m, nil, 4) {
			table.Rules = append(table.Rules, Rule{Conditions: conditions})
		}
		problems := func() []string {
			var v validator
			v.partition("table", &table)
			return v.problems
		}
		if p := problems(); p != nil {
			t.Fatalf("%v: %v", table, p)
		}
		k := rapid.IntRange(0, len(table.Rules)-1).Draw(t, "rule")
		for _, name := range table.Rules[k].Features() {
			if p := piecesOf(name, &table); p.share(k) == 0 {
				t.Skip("the rule contradicts itself")
			}
		}
		rule := table.Rules[k]
		table.Rules = append(table.Rules, rule)
		if problems() == nil {
			t.Fatalf("rule %d twice was taken", k)
		}
		table.Rules = slices.Delete(table.Rules, k, k+1)
		table.Rules = table.Rules[:len(table.Rules)-1]
		if len(table.Rules) > 0 && problems() == nil {
			t.Fatalf("%v without %v was taken", table, rule)
		}
	})
}
