// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

func pointer(x float64) *float64 { return &x }

// Bounds: above is open, at most is closed; missing passes where it is said;
// an unseen level is none of those named.
func TestRuleHolds(t *testing.T) {
	inf := math.Inf(1)
	f := &features.Frame{Columns: []features.Column{
		{Feature: features.Feature{Name: "visits", Kind: features.NumberKind}, Num: []float64{1, 2, 3, nan, inf, -inf, 1, 1}},
		{Feature: features.Feature{Name: "plan", Kind: features.LevelKind}, Levels: []string{"basic", "pro", "new"},
			Codes: []int32{0, 1, 2, -1, 0, 0, 1, 2}},
	}}
	for _, test := range []struct {
		name       string
		conditions []Condition
		want       string // by row
	}{
		{"above", []Condition{{Feature: "visits", Above: pointer(1)}}, ".xx.x..."},
		{"at most", []Condition{{Feature: "visits", AtMost: pointer(2)}}, "xx...xxx"},
		{"between", []Condition{{Feature: "visits", Above: pointer(1), AtMost: pointer(2)}}, ".x......"},
		{"at most or missing", []Condition{{Feature: "visits", AtMost: pointer(1), Missing: true}}, "x..x.xxx"},
		{"missing", []Condition{{Feature: "visits", AtMost: pointer(-inf), Missing: true}}, "...x.x.."},
		{"levels", []Condition{{Feature: "plan", Levels: []string{"basic", "pro"}}}, "xx..xxx."},
		{"not", []Condition{{Feature: "plan", Levels: []string{"basic", "pro"}, Not: true}}, "..xx...x"},
		{"missing level", []Condition{{Feature: "plan", Levels: []string{"(missing)"}}}, "...x...."},
		{"both", []Condition{{Feature: "visits", AtMost: pointer(1)}, {Feature: "plan", Levels: []string{"basic"}}}, "x....x.."},
	} {
		r, err := NewRuleInput(test.conditions, f)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i := range 8 {
			if r.Holds(i) {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestRuleRefuses(t *testing.T) {
	f := &features.Frame{Columns: []features.Column{{Feature: features.Feature{Name: "plan", Kind: features.LevelKind}}}}
	for want, c := range map[string]Condition{
		`no feature "visits"`:       {Feature: "visits", AtMost: pointer(2)},
		`feature "plan" is a level`: {Feature: "plan", AtMost: pointer(2)},
	} {
		if _, err := NewRuleInput([]Condition{c}, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
