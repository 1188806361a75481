// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// summaryPageOf is the page of a small summary.
func summaryPageOf(t *testing.T) string {
	t.Helper()
	value := 1234.5
	share := func(mean float64) predict.Forecast {
		return predict.Forecast{Mean: mean, P50: predict.Range{Low: mean - .01, High: mean + .01},
			P80: predict.Range{Low: mean - .02, High: mean + .02}, P90: predict.Range{Low: mean - .03, High: mean + .03}}
	}
	kept := predict.Retention{Renewals: 1200, Value: 98765, GRR: share(.9), NRR: share(.95)}
	s := &predict.Summary{AsOf: "2026-01-31", ModelID: "m", Rows: 5000, Scored: 4000,
		Tiers:    []predict.Tally{{Name: "at_risk", Rows: 77}, {Name: "watch"}, {Name: "healthy"}, {Name: "loyal", Rows: 3923}},
		Segments: []predict.SegmentLine{{Segment: "<b>smb</b>", Scored: 9, MeanP: .123, AtRisk: 2}, {Segment: "x"}},
		Money:    []predict.MoneyLine{{Currency: "EUR", AtRisk: 4321, Lifetime: 400000, Retention: kept, Unscored: 7, UnscoredValue: 70}, {Currency: "USD"}},
		Months:   []predict.MonthLine{{Month: "2026-02", Currency: "EUR", AtRisk: 4321, Retention: kept}},
		Show:     []string{"owner"}, ShockSD: .25, ShockFrom: "a default",
		Lists: map[predict.List][]predict.Listed{predict.Support: {{Account: "<script>alert(1)</script>", Show: []string{"Ada & Co"}, Due: "2026-02-03",
			LeadDays: 3, P: .5, Health: 38.2, Value: &value, Currency: "EUR", Reason: "logins: 0", Helps: "no"}}}}
	var b bytes.Buffer
	if err := WriteSummaryHTML(&b, "acme", s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page holds what the summary does, escaped, and refers to nothing outside.
func TestWriteSummaryHTML(t *testing.T) {
	page := summaryPageOf(t)
	for _, want := range []string{"Portfolio of acme", "4,000 of 5,000 rows have a probability; 77 are at risk", "&lt;script&gt;alert(1)", "Ada &amp; Co",
		"&lt;b&gt;smb", "12.3 %", "98,765", "4,321", "87.0 % to 93.0 %", "worth 70", "Value due by month EUR", "87.0 to 93.0 %", "a default", "logins: 0", "1,235 EUR"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "src=", "href=", "NaN", "USD"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if !strings.Contains(page, policy()) && !strings.Contains(page, "default-src &#39;none&#39;") {
		t.Error("the page has no content security policy")
	}
}
