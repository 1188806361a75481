// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// cardAccounts are two accounts: the first with 30 logins, 9 tickets and NPS
// 100, the second with 12, 0 and 40; both on plan pro.
func cardAccounts() (*features.Frame, *features.Spec) {
	f, s := &features.Frame{Rows: make([]features.Row, 2)}, &features.Spec{Version: 1}
	for name, x := range map[string][]float64{"logins": {30, 12}, "tickets": {9, 0}, "nps": {100, 40}} {
		f.Columns = append(f.Columns, features.Column{Feature: features.Feature{Name: name, Kind: features.NumberKind}, Num: x})
	}
	f.Columns = append(f.Columns, features.Column{Feature: features.Feature{Name: "plan", Kind: features.LevelKind}, Codes: []int32{0, 0}, Levels: []string{"pro"}})
	for k := range f.Columns {
		s.Features = append(s.Features, f.Columns[k].Feature)
	}
	return f, s
}

// The cards of SCORECARD.md score as it says.
func TestScorecardDocument(t *testing.T) {
	text, err := os.ReadFile("SCORECARD.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	f, spec := cardAccounts()
	for i, test := range []struct {
		row  int
		want float64
	}{
		{0, 100 * 40. / 55}, // 72.7
		{1, 77.75},
	} {
		block, _, _ := strings.Cut(blocks[i], "```")
		c, err := parseScorecard([]byte(block), spec)
		if err != nil {
			t.Fatal(err)
		}
		in, err := predict.NewCardInput(c.Scorecard, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Score(nil, test.row); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("card %d: %v, want %v", i, got, test.want)
		}
	}
}

// Mistakes are named with the line they stand on.
func TestScorecardMistakes(t *testing.T) {
	_, spec := cardAccounts()
	const head = "version: 1\nmethod: points\n"
	for text, want := range map[string]string{
		head + "criteria:\n  - {feature: logins, at_least: 3, points: 5}\n  - {feature: tickts, above: 3, points: -5}\n": `line 5: criteria[1].feature: no feature is named "tickts"; did you mean "tickets"?`,
		head + "criteria:\n  - {feature: logins, atleast: 3, points: 5}\n":                                               `line 4: unknown key "atleast"; did you mean "at_least"?`,
		head + "criteria:\n  - feature: logins\n    at_least: 3\n    points: many\n":                                     `line 6: found "many", expected a number`,
		head + "criteria:\n  - {feature: logins, at_least: 3, points: 5, group: use}\n":                                  `line 4: criteria[0].group: no group is named "use"`,
		head + "criteria:\n  - {feature: plan, is: [a], is_not: [b], points: 5}\n":                                       `line 4: is and is_not exclude each other`,
		head + "base_rate: 2\ncriteria: []\n":                                                                            `line 3: base_rate: found 2`,
		head:                                                                                                             `line 1: criteria: found none`,
		"version: 2\n":                                                                                                   `version: found 2`,
		"version: 1\nmethod: pillars\npillars:\n  - name: a\n    weight: 1\n    measures:\n      - {feature: nps, worst: 5, best: 5}\n": `line 7: pillars[0].measures[0]: worst and best of nps are both 5`,
	} {
		_, err := parseScorecard([]byte(text), spec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n  %v\n  want %s", text, err, want)
		}
	}
}
