// SPDX-License-Identifier: Apache-2.0

package evaluate

import "testing"

// A model must be better than the scorecard and the champion's recipe with
// probability .95, and not worse than the champion itself with .90.
func TestRivalGates(t *testing.T) {
	for _, c := range []struct {
		rival              string
		pBetter, pNotWorse Number // of the rival against the model; of the model
		want               bool
	}{
		{ScorecardName, 0.04, 0, true}, {ScorecardName, 0.06, 1, false},
		{ChampionRecipeName, 0.04, 0, true}, {ChampionRecipeName, 0.06, 1, false},
		{ChampionName, 0.9, 0.91, true}, {ChampionName, 0.1, 0.89, false},
	} {
		gates := new(Report).rivalGates(&Scores{Name: c.rival, VersusSubject: &Comparison{PBetter: c.pBetter, PNotWorse: c.pNotWorse}})
		if len(gates) != 1 || gates[0].Pass != c.want || gates[0].Advice {
			t.Errorf("%s, %v, %v: %+v, want %v", c.rival, c.pBetter, c.pNotWorse, gates, c.want)
		}
	}
}
