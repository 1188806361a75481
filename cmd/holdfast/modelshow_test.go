// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// 600 columns read as 20 lines, whose shares still sum to all.
func TestManyPartsReadAsTwentyLines(t *testing.T) {
	m := &predict.Model{}
	for j := range 150 {
		m.Terms = append(m.Terms, predict.Term{Feature: fmt.Sprintf("f%03d", j), Kind: "number", High: 1, Share: .9 / 150,
			Columns: []predict.Basis{{Kind: predict.Linear, Transform: predict.Identity, SD: 1, Weight: 1},
				{Kind: predict.Missing, SD: 1}, {Kind: predict.Spike, SD: 1}, {Kind: predict.Spike, At: 1, SD: 1}}})
	}
	m.Terms[77].Share = .1 + .9/150
	var out bytes.Buffer
	a := &app{stdout: &out}
	a.showParts(m, false)
	_, table, _ := strings.Cut(out.String(), "curve   \n")
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	if len(lines) != partsShown {
		t.Fatalf("%d lines:\n%s", len(lines), table)
	}
	if !strings.HasPrefix(lines[0], "  10.6 %") || !strings.Contains(lines[0], "f077") {
		t.Errorf("first %q, want f077 with .1 + .006", lines[0])
	}
	// 19 shown: .106 and 18 of .006; the other 131 are .786.
	if want := "  78.6 %  the other 131 features; --all shows them"; lines[19] != want {
		t.Errorf("last %q, want %q", lines[19], want)
	}
	out.Reset()
	a.showParts(m, true)
	if n := strings.Count(out.String(), "\n  "); n < 150 {
		t.Errorf("--all shows %d lines", n)
	}
}

func TestSparkline(t *testing.T) {
	for want, effects := range map[string][]float64{"▁▅█": {0, .5, 1}, "█▁▁": {3, -1, -1}, "▁▁": {2, 2}, "": {1}} {
		var points []predict.Point
		for _, e := range effects {
			points = append(points, predict.Point{Effect: e})
		}
		if got := sparkline(points); got != want {
			t.Errorf("%v: %q, want %q", effects, got, want)
		}
	}
}

// What was dropped is told by reason, names and reasons within bounds.
func TestDroppedByReason(t *testing.T) {
	var dropped []predict.Dropped
	for j := range 12 {
		dropped = append(dropped, predict.Dropped{Feature: fmt.Sprintf("c%d", j), Reason: "constant"})
	}
	for j := range 30 {
		dropped = append(dropped, predict.Dropped{Feature: fmt.Sprintf("t%d", j), Reason: fmt.Sprintf("numeric twin of x%d", j)})
	}
	var out bytes.Buffer
	a := &app{stdout: &out}
	a.showDropped(dropped, false)
	for _, want := range []string{"  constant: c0, c1, c2, c3, c4, c5, c6, c7 and 4 more\n", "\n  and 11 features for other reasons; --all shows them\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	a.showDropped(dropped, true)
	if !strings.Contains(out.String(), "c11") || !strings.Contains(out.String(), "t29") {
		t.Errorf("--all leaves names out:\n%s", out.String())
	}
}

// Slopes of segments, shifts and the kinds of model that were tried are told in
// words.
func TestSegmentsAndKindsInWords(t *testing.T) {
	pair := predict.Pair{Sides: [2]predict.Side{{Feature: "segment", Kind: predict.Level, Levels: []string{"large", "small"}},
		{Feature: "logins", Kind: predict.Linear, SD: 1}},
		Cells: []predict.Cell{{I: 0, SD: 1, Weight: .3, SE: .1}, {I: 1, SD: 1, Weight: -.25, SE: .1}}}
	part := slopesPart(&predict.Model{}, &pair)
	if want := "slope of logins by segment, for a standard deviation more: large +0.30, small -0.25"; part.text != want {
		t.Errorf("%q, want %q", part.text, want)
	}
	if want := "large +0.300 (+0.136 to +0.464)"; len(part.detail) != 2 || part.detail[0] != want { // 1.645 of .1 either way
		t.Errorf("%q, want %q first", part.detail, want)
	}
	var out bytes.Buffer
	a := &app{stdout: &out}
	a.showShifts(&predict.Segments{Feature: "segment", Shifts: []predict.Shift{{Level: "large", Intercept: .2}}})
	a.showKinds([]predict.Contestant{{Stage: "linear", LogLoss: .41, Chosen: true},
		{Stage: "slopes", LogLoss: .4, Gain: .01, SE: .002, Later: &predict.Gain{Mean: .0001, SE: .001, Blocks: 6, Better: 3}},
		{Stage: "tables", LogLoss: .42, Gain: -.01, SE: .004, Pairs: 4, Rules: 30}})
	for _, want := range []string{"  shifts by segment: large +0.20\n", "  linear    log loss 0.41000  gain +0.00000 (0.00000)  chosen\n",
		"gain +0.01000 (0.00200); on later rows +0.00010 (0.00100), better in 3 of 6 blocks: not enough\n",
		"gain -0.01000 (0.00400), 4 pairs, 30 rules\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
