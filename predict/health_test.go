// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"testing"
)

var standard = Score{BaseRate: 0.1, AtRiskP: 0.5, AtRisk: 40, Watch: 65, Healthy: 80}

func TestHealth(t *testing.T) {
	// 12 log2(9) by hand: odds(.5)/odds(.1) = 9.
	for _, c := range []struct{ p, want float64 }{
		{0.1, 60},                                  // the base rate
		{2.0 / 11, 48},                             // odds 2/9: twice the base odds, 12 points less
		{1.0 / 19, 72},                             // odds 1/18: half the base odds
		{0.5, 60 - 12*math.Log2(9)},                // 21.96
		{0, 100}, {1, 0}, {1e-9, 100}, {0.9999, 0}, // clipped
	} {
		if got := standard.Health(c.p); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("Health(%v) = %v, want %v", c.p, got, c.want)
		}
	}
	// At 40 the odds are 2^(20/12) = 3.17 times those of the base rate.
	if p := standard.ProbAt(40); math.Abs(odds(p)/odds(0.1)-math.Exp2(20.0/12)) > 1e-12 {
		t.Errorf("ProbAt(40) = %v", p)
	}
	for h := 1.0; h < 100; h++ {
		if got := standard.Health(standard.ProbAt(h)); math.Abs(got-h) > 1e-9 {
			t.Errorf("Health(ProbAt(%v)) = %v", h, got)
		}
	}
}

func TestPillarHealth(t *testing.T) {
	// A pillar that doubles the odds takes 12 points, as the whole score would.
	for _, c := range []struct{ effect, want float64 }{{0, 60}, {math.Ln2, 48}, {-math.Ln2, 72}, {10, 0}, {-10, 100}} {
		if got := PillarHealth(c.effect); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("PillarHealth(%v) = %v, want %v", c.effect, got, c.want)
		}
	}
}

func TestTier(t *testing.T) {
	for _, c := range []struct {
		p, health float64
		want      Tier
	}{
		{0.3, 39.9, AtRisk}, {0.3, 40, Watch}, {0.1, 64.9, Watch}, {0.1, 65, Healthy}, {0.01, 79.9, Healthy}, {0.01, 80, Loyal},
		{0.5, 90, AtRisk}, // p alone is enough
	} {
		if got := standard.Tier(c.p, c.health); got != c.want {
			t.Errorf("Tier(%v, %v) = %v, want %v", c.p, c.health, got, c.want)
		}
	}
}
