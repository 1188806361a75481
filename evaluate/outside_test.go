// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Only values that lie beyond the range by more than its width ask for a reason.
func TestOutside(t *testing.T) {
	m := &predict.Model{Logit: predict.Logit{Terms: []predict.Term{{Feature: "days", Kind: string(features.NumberKind), Low: 30, High: 90}}}}
	for _, c := range []struct {
		name   string
		value  func(i int) float64
		alarms int
	}{
		{"days to due between and beyond the leads", func(i int) float64 { return float64(i * 2) }, 0},      // 0 to 118
		{"a quarter of them far beyond", func(i int) float64 { return []float64{60, 60, 60, 151}[i%4] }, 0}, // not more than a quarter
		{"in hours", func(i int) float64 { return float64(24 * (30 + i)) }, 1},
		{"in other signs", func(i int) float64 { return -float64(31 + i) }, 1},
	} {
		f := &features.Frame{Columns: []features.Column{{Feature: features.Feature{Name: "days"}}}}
		for i := range 60 {
			f.Columns[0].Num = append(f.Columns[0].Num, c.value(i))
		}
		if got := outside(m, f); len(got) != c.alarms {
			t.Errorf("%s: %q, want %d alarms", c.name, got, c.alarms)
		}
	}
}
