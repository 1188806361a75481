// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
)

// A curve stands with its band and the density of its rows, which sums to the
// share that each point has; the table has every point.
func TestCurveFigure(t *testing.T) {
	at := func(x, e, share float64) predict.CurvePoint {
		return predict.CurvePoint{At: x, Effect: predict.Interval{Estimate: e, Low: e - .1, High: e + 9}, Share: share}
	}
	missing := at(0, .2, .2)
	missing.Missing = true
	level := func(name string, share float64) predict.CurvePoint {
		p := at(0, .1, share)
		p.Level = name
		return p
	}
	r := &evaluate.Report{Curves: []evaluate.Curve{
		{Feature: "logins", Unit: "logins", Points: []predict.CurvePoint{at(0, .25, .2), at(1, 0, .5), at(3, -.5, .1), missing}},
		{Feature: "plan", Level: true, Points: []predict.CurvePoint{level("basic", .4), level("pro", .6)}}}}
	f := curveFigure(r)
	svg := string(f.Picture)
	for class, want := range map[string]int{"band": 1, "curve s0": 1, "density": 6, "whisker s0": 3} {
		if got := strings.Count(svg, `class="`+class+`"`); got != want {
			t.Errorf("%d of %s, want %d", got, class, want)
		}
	}
	if strings.Contains(svg, "0000") || !strings.Contains(svg, ">-0.6<") { // -3 times .2 is -.6000000000000001
		t.Error("the axis is not rounded")
	}
	// Edges at .5 and 2 of 0 to 3: densities .2/.5, .5/1.5 and .1/1 in proportion.
	// The first is the highest, 16 tall; the others are 13.3 and 4.
	for _, tall := range []string{`height="16"`, `height="13.3"`, `height="4"`} {
		if !strings.Contains(svg, tall) {
			t.Errorf("no bar of %s", tall)
		}
	}
	// Bands that leave the scale end at the panel's edge, 22 from the top.
	if strings.Contains(svg, `y2="-`) || !strings.Contains(svg, `y2="22"`) {
		t.Error("a band leaves the panel")
	}
	if f.rows() != 6 || f.Rows()[3][1] != "missing" || f.Rows()[5][0] != "plan" || f.Rows()[5][1] != "pro" {
		t.Errorf("%v", f.Rows())
	}
	if none := curveFigure(&evaluate.Report{}); none != nil {
		t.Errorf("%+v without curves", none)
	}
}
