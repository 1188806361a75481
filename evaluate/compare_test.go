// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// Two models of one level each: B puts everything one level of x further up.
func TestCompareScores(t *testing.T) {
	f := history(100, 3, 1)
	a, b := model("2022-02-01", f), model("2022-02-01", f)
	for k := range b.Terms[0].Columns {
		b.Terms[0].Columns[k].Weight += 2
	}
	for _, m := range []*predict.Model{a, b} {
		m.Score = predict.Score{BaseRate: 0.2, AtRiskP: 0.9, AtRisk: 40, Watch: 65, Healthy: 80}
	}
	// Health falls by 12 points for each doubling of the odds: 2 in log-odds are 34.6 points,
	// where no score is clipped (the best has 60 + 12 · log2(4.75) = 87).
	c, err := CompareScores(Scored{Model: a, Frame: f}, Scored{Model: a, Frame: f}, Scored{Model: b, Frame: f})
	if err != nil {
		t.Fatal(err)
	}
	if c.Rows != 300 || c.Traced != 300 || c.Data != 0 || !same(c.Model, 34.6247, 1e-3) || !same(c.Total, c.Model, 1e-9) || !same(c.Spearman, 1, 1e-9) {
		t.Errorf("%+v", c)
	}
	moved := 0
	for _, m := range c.Tiers {
		if m.From != m.To {
			moved += m.Rows
		}
	}
	if moved != c.Moved || len(c.Moves) != c.Moved || moved == 0 {
		t.Errorf("%d moves, %d in the table, %d listed", c.Moved, moved, len(c.Moves))
	}
}

// The better of two predictions is called so, decisively; equal ones are not.
func TestComparePair(t *testing.T) {
	f := history(400, 6, 1)
	truth, flat := make([]float64, len(f.Rows)), make([]float64, len(f.Rows))
	for i := range truth {
		truth[i], flat[i] = trueRate[f.Columns[0].Codes[i]], 0.2
	}
	p := ComparePair(f, "old", "new", flat, truth, Options{Bootstrap: quick})
	if !strings.HasPrefix(p.Difference.Words, "Decisive: new is better than old") || p.B.AUC <= p.A.AUC {
		t.Errorf("%s", p.Difference.Words)
	}
	c := ModelComparison{A: "old", B: "new", Frozen: ComparePair(f, "old", "new", truth, truth, Options{Bootstrap: quick})}
	c.Say()
	if len(c.Words) != 2 || !strings.Contains(c.Words[1], "Not decisive between new and old") {
		t.Errorf("%q", c.Words)
	}
	if few := ComparePair(f.Select([]int{1, 2, 3}), "a", "b", flat[:3], flat[:3], Options{}); few != nil {
		t.Error("three rows were compared")
	}
}
