// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

// july is the end of the data.
var july = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func labelled(churned, renewed, recentChurned int) *features.Labels {
	return &features.Labels{Total: features.LabelMonth{Churned: churned, Renewed: renewed}, RecentChurned: recentChurned, RecentDays: 365}
}

// Of 60 churned and 540 renewed renewals a tenth churned, and 60 matured in the
// last year, 5.003 a month (a month has 365.25/12 days).
func TestPlan(t *testing.T) {
	p := NewPlan(features.Renewal, labelled(60, 540, 60), 40, july)
	if math.Abs(float64(p.Rate)-0.1) > 1e-12 || math.Abs(float64(p.PerMonth)-60/365.0*365.25/12) > 1e-12 {
		t.Fatalf("rate %v, %v a month", p.Rate, p.PerMonth)
	}
	// A risk of .1 has max R² = 1 - exp(2 (.1 ln .1 + .9 ln .9)) = .4780, of which .15 are .0717. By samplesize.py one weight
	// needs 121 outcomes at that R² and 24 weights 2,891, so 600 are enough for 4, and 40 weights need
	// 40 / (.1 * -ln(1 - .0717/.9)) = 4,817.7: 4,818, of which 482 churned.
	want := []Need{
		{NeedFirm, "a model that is not provisional", 100, 300, 40, "2027-03"},                 // 40 / 5.003 = 7.995: 8 months
		{NeedRisk, "the overall risk to ± 5 points", 14, 125, 0, ""},                           // 1.96² .09 / .05² = 138.3: 139
		{NeedWeights, "all 40 candidate weights without a penalty", 482, 4336, 422, "2033-08"}, // 422 / 5.003 = 84.3: 85 months
	}
	for i, n := range p.Needs {
		if n != want[i] {
			t.Errorf("%+v, want %+v", n, want[i])
		}
	}
	if p.EnoughFor != 4 {
		t.Errorf("enough for %d weights, want 4", p.EnoughFor)
	}
	words := strings.Join(p.Words, " ")
	for _, w := range []string{"60 churned and 540 renewed renewals have matured (10.0 % churn).",
		"provisional until 100 churned and 300 renewed have: about 40 more churned renewals, at today's rate by 2027-03.",
		"enough for about 4 of the 40 candidate weights"} {
		if !strings.Contains(words, w) {
			t.Errorf("no %q in %s", w, words)
		}
	}
}

// What limits may be the renewed ones, and there may be no rate at all.
func TestPlanAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name   string
		labels *features.Labels
		more   int
		by     string
		words  string
	}{
		// 300 - 80 = 220 renewed are missing; 120 churned come with 80 renewed, so 330 do with 220.
		{"few renewed", labelled(120, 80, 120), 330, "2029-04", "about 330 more churned renewals, at today's rate by 2029-04"},
		{"enough", labelled(100, 300, 50), 0, "", "enough for a model that is not provisional (100 and 300)"},
		{"one short", labelled(99, 300, 50), 1, "2026-08", "about 1 more churned"},
		{"none of late", labelled(50, 500, 0), 50, "", "about 50 more churned renewals; none has matured of late"},
		{"too slow", labelled(20, 5000, 5), 80, "", "in more than ten years"},
		{"nobody churned", labelled(0, 500, 0), 100, "", "about 100 more churned"},
		{"nobody renewed", labelled(200, 0, 10), 0, "", "more outcomes of both kinds"},
		{"nothing", &features.Labels{}, 100, "", "0 churned and 0 renewed renewals have matured (– churn)."},
	} {
		p := NewPlan(features.Renewal, c.labels, 10, july)
		if n := p.Needs[0]; n.More != c.more || n.By != c.by || !strings.Contains(strings.Join(p.Words, " "), c.words) {
			t.Errorf("%s: %d more by %q: %s", c.name, n.More, n.By, p.Words)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A history of under four weeks says nothing about a month.
	short := labelled(60, 540, 60)
	short.RecentDays = 27
	if p := NewPlan(features.Activity, short, 10, july); !strings.Contains(p.Words[0], " active snapshots have matured") {
		t.Errorf("in activity mode: %q", p.Words)
	}
	if p := NewPlan(features.Renewal, short, 10, july); p.PerMonth.Defined() || p.Needs[0].By != "" {
		t.Errorf("%+v", p)
	}
}
