// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// Each row is as its own profile's table has it; a pillar that one model lacks
// is missing there and stands among the others.
func TestMergeProfiles(t *testing.T) {
	m := fileModel()
	f := scoredFrame(m)
	strict := fileModel()
	strict.Score.AtRiskP = .01
	other := fileModel()
	other.Terms[1].Pillar = "roi"
	var profiles []ProfiledScores
	for k, model := range []*Model{m, strict, other} {
		table, err := model.Scores(f, ScoreOptions{Location: time.UTC, ModelID: []string{"aaa", "aaa", "bbb"}[k]})
		if err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, ProfiledScores{[]string{"default", "strict", "other"}[k], "rule " + string(rune('0'+k)), table})
	}
	of := []int{0, 1, 2, 1, 2}
	merged := MergeProfiles(profiles, of)
	if got := strings.Join(merged.Names(), " "); !strings.Contains(got, "health_account health_product_utilization health_roi reason_1") ||
		!strings.HasSuffix(got, "profile profile_rule model_id") {
		t.Errorf("columns %s", got)
	}
	for i, k := range of {
		if got := merged.Column("profile").Text(i) + ", " + merged.Column("profile_rule").Text(i); got != profiles[k].Name+", "+profiles[k].Rule {
			t.Errorf("row %d: %s", i, got)
		}
		for _, c := range profiles[k].Table.Columns {
			if d := merged.Column(c.Name); d.Missing(i) != c.Missing(i) || !c.Missing(i) && textAt(d, i) != textAt(&c, i) {
				t.Errorf("row %d: %s differs from the profile's own", i, c.Name)
			}
		}
	}
	if got := merged.Column("health_roi").Floats; !math.IsNaN(got[0]) || math.IsNaN(got[4]) {
		t.Errorf("roi: %v", got)
	}
	if got := merged.Column("tier").Text(1); got != string(AtRisk) {
		t.Errorf("the strict profile's tier is %s", got)
	}
	if slices.Contains(profiles[0].Table.Names(), "profile") {
		t.Error("a table of one model names a profile")
	}
}

func textAt(c *data.Column, i int) string {
	text := c.AsText()
	return text.Text(i)
}
