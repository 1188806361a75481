// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// scoredFrame has a good, a bad, an early and a decided account, and one whose
// plan training never met and whose logins are missing.
func scoredFrame(m *Model) *features.Frame {
	f := &features.Frame{SpecDigest: m.Spec.Digest(), Columns: []features.Column{
		{Feature: m.Spec.Features[0], Num: []float64{60, 0, 5, 5, math.NaN()}},
		{Feature: m.Spec.Features[1], Codes: []int32{1, 0, 0, 0, 2}, Levels: []string{"basic", "other", "vip"}},
	}}
	for i, s := range []features.Status{features.Scored, features.Scored, features.Early, features.Decided, features.NoHistory} {
		f.Rows = append(f.Rows, features.Row{Account: string(rune('a' + i)), Contract: "k", Status: s, Value: 100, Due: 86400e9 * 40, LeadDays: 40})
	}
	return f
}

func TestScores(t *testing.T) {
	m := fileModel()
	f := scoredFrame(m)
	s, err := m.Scores(f, ScoreOptions{ModelID: "0123456789ab", Location: time.UTC, Show: []data.Column{data.TextColumn("owner", []string{"x", "y", "z", "", "w"})}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range f.Rows {
		hasP := row.Status == features.Scored || row.Status == features.NoHistory
		for _, name := range []string{"p_churn", "p_renew", "health", "tier", "value_at_risk"} {
			if s.Column(name).Missing(i) == hasP {
				t.Errorf("row %d (%v): %s missing is %v", i, row.Status, name, !hasP)
			}
		}
		if !hasP {
			continue
		}
		// The file route, the table route and the library agree bit for bit.
		if got := s.Column("p_churn").Floats[i]; got != p[i] {
			t.Errorf("row %d: p_churn %v, Prob %v", i, got, p[i])
		}
		if got := s.Column("value_at_risk").Floats[i]; got != 100*p[i] {
			t.Errorf("row %d: value at risk %v", i, got)
		}
	}
	// Few logins and the basic plan both raise the risk of the second account.
	if got := s.Column("reason_1").Text(1); !strings.HasPrefix(got, "product_utilization: logins in 30 days: 0") {
		t.Errorf("first reason %q", got)
	}
	if got := s.Column("reason_2").Text(1); got != "account: plan: basic" {
		t.Errorf("second reason %q", got)
	}
	if got := s.Column("helps_1").Text(0); got != "product_utilization: logins in 30 days: 60" {
		t.Errorf("first help %q", got)
	}
	if got := s.Column("owner").Text(1); got != "y" {
		t.Errorf("owner %q", got)
	}
	if _, err := m.Scores(f, ScoreOptions{Location: time.UTC, Show: []data.Column{data.TextColumn("health", make([]string, 5))}}); err == nil {
		t.Error("a pass-through column named health hid the score")
	}
}

// Effects sum to z - z_ref, and pillars to the same.
func TestExplainSums(t *testing.T) {
	m := fileModel()
	m.Score.ZRef = m.Calibration.LogOdds(m.Intercept)
	for _, term := range m.Terms {
		m.Score.ZRef += m.Calibration.Slope * term.RefMean
	}
	f := scoredFrame(m)
	scorer, err := m.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	z, c := m.Calibration.Apply(nil, scorer.LogOdds(nil)), scorer.Contributions(nil)
	for i := range z {
		e := m.Explain(c[i*2 : i*2+2])
		effects, pillars := 0.0, 0.0
		for _, x := range e.Effects {
			effects += x
		}
		for _, p := range e.Pillars {
			pillars += p.Effect
		}
		want := z[i] - m.Score.ZRef
		if math.Abs(effects-want) > 1e-12 || math.Abs(pillars-want) > 1e-12 { // a few roundings of numbers near 1
			t.Errorf("row %d: effects %v, pillars %v, want %v", i, effects, pillars, want)
		}
	}
}

// A pillar that helps on the whole gives no reason before one that hurts, even
// if one of its features hurts more.
func TestReasonsPutPillarsFirst(t *testing.T) {
	m := &Model{Logit: Logit{Terms: []Term{{Feature: "a", Label: "a", Pillar: "one"}, {Feature: "b", Label: "b", Pillar: "one"}, {Feature: "c", Label: "c", Pillar: "two"}}}}
	f := &features.Frame{Columns: []features.Column{
		{Feature: features.Feature{Name: "a", Kind: features.NumberKind}, Num: []float64{1}},
		{Feature: features.Feature{Name: "b", Kind: features.NumberKind}, Num: []float64{2.5}},
		{Feature: features.Feature{Name: "c", Kind: features.NumberKind}, Num: []float64{math.NaN()}}}}
	e := Explanation{Effects: []float64{0.9, -1.0, 0.2}, Pillars: []Pillar{{"one", -0.1}, {"two", 0.2}}}
	got := m.Reasons(e, f, 0, 3, 1)
	if len(got) != 2 || got[0].Text != "c: none" || got[1].Text != "a: 1" {
		t.Errorf("reasons %v", got)
	}
	if got := m.Reasons(e, f, 0, 3, -1); len(got) != 1 || got[0].Text != "b: 2.5" {
		t.Errorf("helps %v", got)
	}
}

// Changes of health are those between two frames of the same model, by account
// and contract; rows without a probability at either time have none.
func TestScoresBefore(t *testing.T) {
	m := fileModel()
	now, then := scoredFrame(m), scoredFrame(m)
	then.Columns[0].Num[0] = 5            // the first account had few logins
	then.Rows[1].Status = features.Early  // the second one had no probability
	then.Rows[4].Contract = "another one" // the last one's contract was not there
	now.Rows[0].LastEvent, now.Rows[1].LastEvent = 86400e9*3+5, data.NoTime
	e := m.Earlier(7)
	if err := e.Add(then); err != nil {
		t.Fatal(err)
	}
	s, err := m.Scores(now, ScoreOptions{Location: time.UTC, AsOf: 86400e9 * 5, Before: []*Earlier{e}})
	if err != nil {
		t.Fatal(err)
	}
	was, err := m.Prob(nil, then)
	if err != nil {
		t.Fatal(err)
	}
	change := s.Column("health_change_7d")
	if want := s.Column("health").Floats[0] - m.Score.Health(was[0]); change.Floats[0] != want || want <= 0 {
		t.Errorf("change %v, want %v, above 0", change.Floats[0], want)
	}
	for i := 1; i < 5; i++ {
		if !change.Missing(i) {
			t.Errorf("row %d: change %v, want none", i, change.Floats[i])
		}
	}
	if n := s.Column("missing_inputs").Ints; n[0] != 0 || n[4] != 1 {
		t.Errorf("missing inputs %v", n)
	}
	if c := s.Column("days_since_event"); c.Ints[0] != 2 || !c.Missing(1) {
		t.Errorf("days since the last event %v, missing %v", c.Ints, c.Null)
	}
	if err := e.Add(&features.Frame{SpecDigest: "other"}); err == nil {
		t.Error("a frame of another spec was scored")
	}
}
