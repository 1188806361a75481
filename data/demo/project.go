// SPDX-License-Identifier: Apache-2.0

package demo

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

//go:embed holdfast.yaml
var holdfastYAML string

//go:embed linear.yaml
var linearYAML string

//go:embed shop.yaml
var shopYAML string

// projectYAML returns a project file with a first backtest origin that suits
// the history: the month that begins at its middle or next after it, so that
// a year's outcomes are left to learn from and a year's to be tested on.
func projectYAML(yaml string, w *world) string {
	middle := (w.start + (w.end-w.start+1)/2).date()
	first := time.Date(middle.Year(), middle.Month(), 1, 0, 0, 0, 0, time.UTC)
	if first.Before(middle) {
		first = first.AddDate(0, 1, 0)
	}
	text := fmt.Sprintf("first: %s", first.Format(time.DateOnly))
	return strings.Replace(yaml, "first: 2025-04-01", text, 1)
}
