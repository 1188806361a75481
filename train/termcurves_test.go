// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Curves say what terms contribute, by what scoring does; their shares are those
// of the rows; and the difference of two of their points has the interval of the
// effect where it compares the same two values.
func TestTermCurves(t *testing.T) {
	f := history(1500, -1, 12)
	for _, o := range []Options{{}, {Stages: StagesSplines, Lambda: 0}, {Directions: true}} {
		g := f.Select(f.Where(func(*features.Row) bool { return true }))
		g.Columns[1].Feature.Direction = features.Risky
		m := mustFit(t, g, o)
		for j := range m.Terms {
			u := &m.Terms[j]
			if len(u.Curve) < 2 {
				t.Fatalf("%s: %d points", u.Feature, len(u.Curve))
			}
			share, mean := 0.0, 0.0
			for i := range u.Curve {
				p := &u.Curve[i]
				share += p.Share
				mean += p.Share * p.Effect.Estimate
				if !(p.Effect.Low <= p.Effect.Estimate && p.Effect.Estimate <= p.Effect.High) || p.Share < 0 {
					t.Errorf("%s at %s: %+v", u.Feature, p.Label(), p)
				}
				if got := contributionAt(t, m, g, j, p); !near(got, p.Effect.Estimate, 1e-9) {
					t.Errorf("%s at %s: %v, scoring gives %v", u.Feature, p.Label(), p.Effect.Estimate, got)
				}
			}
			if !near(share, 1, 1e-12) {
				t.Errorf("%s: shares sum to %v", u.Feature, share)
			}
			if u.Kind == string(features.LevelKind) && !near(mean, 0, 1e-9) { // exactly the rows' mean
				t.Errorf("%s: the curve's mean is %v", u.Feature, mean)
			}
		}
	}
}

// contributionAt is what scoring adds for a term at a value.
func contributionAt(t *testing.T, m *predict.Model, f *features.Frame, j int, p *predict.CurvePoint) float64 {
	t.Helper()
	one := f.Select([]int{0})
	c := one.Column(m.Terms[j].Feature)
	switch {
	case p.Missing:
		c.Num[0] = math.NaN()
	case c.IsLevel():
		c.Codes[0] = -1
		for code, level := range c.Levels {
			if level == p.Level {
				c.Codes[0] = int32(code)
			}
		}
	default:
		c.Num[0] = p.At
	}
	parts, err := m.Contributions(nil, one)
	if err != nil {
		t.Fatal(err)
	}
	return parts[j] / m.Calibration.ReasonSlope()
}

// The band of a straight line is that of its weight: twice as far from the mean is
// twice as wide.
func TestBandOfALine(t *testing.T) {
	f := process(800, 5, linearTruth)
	m := mustFit(t, f, Options{})
	u := &m.Terms[0]
	b := u.Columns[0]
	const z95 = 1.6448536269514722
	for i := range u.Curve {
		p := &u.Curve[i]
		v := b.Standardise(p.At)
		if want := z95 * math.Abs(v) * b.SE; !near((p.Effect.High-p.Effect.Low)/2, want, 1e-3+1e-9) { // columns are clipped, so their means are not quite 0
			t.Errorf("at %s: half a width of %v, want %v", p.Label(), (p.Effect.High-p.Effect.Low)/2, want)
		}
	}
}
