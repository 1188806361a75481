// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// checked makes a check of so many types, features and months.
func checked(types, columns, months int) *evaluate.DataCheck {
	c := &evaluate.DataCheck{Format: evaluate.DataCheckFormat, Project: "acme", Mode: features.Renewal, Accounts: 12345, Newest: "2026-06-30",
		Survey: &data.Survey{}, Coverage: &features.Coverage{}}
	l := &features.Labels{RecentChurned: 60, RecentDays: 365}
	for m := range months {
		name := time.Date(2020, time.Month(1+m), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
		c.Survey.Months = append(c.Survey.Months, name)
		c.Coverage.Months, c.Coverage.Snapshots = append(c.Coverage.Months, name), append(c.Coverage.Snapshots, 40*(m%5))
		l.Months = append(l.Months, features.LabelMonth{Month: name, Churned: m % 4, Renewed: 30, NotMature: m % 2, Censored: m % 3})
		l.Total.Churned, l.Total.Renewed = l.Total.Churned+m%4, l.Total.Renewed+30
		c.Rows += 40 * (m % 5)
	}
	for k := range types {
		counts, sum := make([]int, months), 0
		for m := range counts {
			counts[m] = (m * (k + 1) * 997) % 5000
			sum += counts[m]
		}
		c.Survey.Types = append(c.Survey.Types, data.TypeMonths{Source: "usage", Type: fmt.Sprintf("type%03d", k), Events: sum, ByMonth: counts})
	}
	for k := range columns {
		f := features.FeatureCoverage{Feature: fmt.Sprintf("a_feature_with_a_long_name_%03d", k), ByMonth: make([]int, months)}
		for m := range f.ByMonth {
			f.ByMonth[m] = c.Coverage.Snapshots[m] * ((m*7 + k) % 11) / 10
			f.Valued += f.ByMonth[m]
		}
		c.Coverage.Features = append(c.Coverage.Features, f)
	}
	c.Labels, c.Total = l.Months, l.Total
	c.Plan = evaluate.NewPlan(c.Mode, l, columns, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	c.Add(data.Finding{Severity: data.Warning, Check: "stray", Subject: "usage", Message: "a warning of 3 rows", Examples: []string{"acct-7"}},
		data.Finding{Severity: data.Note, Check: "gap", Subject: "usage", Message: "a note of a gap"})
	c.Left = []data.Count{{Table: "snapshots", Reason: "the term had not started", Rows: 1234, Of: 5678}}
	return c
}

func renderCheck(t *testing.T, c *evaluate.DataCheck) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteCheckHTML(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkPages returns one page of every kind there is, for the tests of all
// pages.
func checkPages(t *testing.T) map[string]string {
	t.Helper()
	fatal := checked(2, 2, 3)
	fatal.Add(data.Finding{Severity: data.Fatal, Check: "one_class", Subject: "outcome", Message: "cannot fit"})
	full := checked(1, 1, 2)
	full.Coverage.Features[0].Valued = full.Rows
	return map[string]string{
		"check":            renderCheck(t, checked(5, 20, 30)),
		"check of nothing": renderCheck(t, checked(0, 0, 0)),
		"check of a month": renderCheck(t, checked(1, 1, 1)),
		"fatal check":      renderCheck(t, fatal),
		"full coverage":    renderCheck(t, full),
	}
}

// The page says what was found, with a table and alternative text for every
// plot, and no ids.
func TestCheckPageShowsTheCheck(t *testing.T) {
	page := renderCheck(t, checked(5, 20, 30))
	for _, want := range []string{"a model will be provisional", "12,345 accounts", "newest event 2026-06-30", "a warning of 3 rows", "a note of a gap",
		"1,234 of 5,678: the term had not started", "usage.type004", "a_feature_with_a_long_name_019", "2020-01", "2022-06", "more churned renewals",
		"0 of 20 features have a value in every snapshot"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, "acct-7") {
		t.Error("an id is on the page")
	}
	if n, tables := strings.Count(page, `role="img" aria-label="`), strings.Count(page, "<details"); n != 4 || tables != 4 {
		t.Errorf("%d plots with alternative text and %d tables, want 4", n, tables)
	}
	if strings.Contains(page, `aria-label=""`) {
		t.Error("a plot without alternative text")
	}
}

// However much there is, the page stays small and says where the rest is.
func TestCheckPageSize(t *testing.T) {
	page := renderCheck(t, checked(300, 2000, 120))
	if len(page) > 1<<20 {
		t.Errorf("%d bytes, want at most a megabyte", len(page))
	}
	for _, want := range []string{"288 rarer types are in events.csv. Months before 2027-01 are in events.csv.", "84 earlier months are in labels.csv.",
		"1960 features that lack fewer values are in coverage.csv. Months before 2027-01 are in coverage.csv."} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

func TestCheckPageEscapes(t *testing.T) {
	const evil = `<script>alert("1")</script>&'`
	c := checked(1, 1, 3)
	c.Project, c.Survey.Types[0].Type, c.Coverage.Features[0].Feature = evil, evil, evil
	c.Findings[0].Subject, c.Findings[1].Message, c.Left[0].Reason = evil, evil, evil
	page := renderCheck(t, c)
	if n := strings.Count(page, "&lt;script&gt;"); strings.Contains(page, "<script") || n < 8 {
		t.Errorf("markup of a name came through, or %d escaped names are too few", n)
	}
}

// The files hold what the page shortens.
func TestWriteCheckCSV(t *testing.T) {
	dir := t.TempDir()
	if err := WriteCheckCSV(data.Disk{}, dir, checked(20, 50, 40)); err != nil {
		t.Fatal(err)
	}
	events := readCSV(t, dir, "events.csv")
	if len(events) != 20*40 || events[41]["type"] != "type001" || events[41]["month"] != "2020-02" || events[41]["events"] != "1994" {
		t.Errorf("%d rows of events, the second month of the second type is %v", len(events), events[41])
	}
	coverage := readCSV(t, dir, "coverage.csv")
	if len(coverage) != 50*40 || coverage[1]["snapshots"] != "40" || coverage[1]["valued"] != "28" {
		t.Errorf("%d rows of coverage, the second is %v", len(coverage), coverage[1])
	}
	if labels := readCSV(t, dir, "labels.csv"); len(labels) != 40 || labels[5]["churned"] != "1" || labels[5]["not_mature"] != "1" || labels[5]["censored"] != "2" {
		t.Errorf("%d rows of labels, the sixth is %v", len(labels), labels[5])
	}
	if findings := readCSV(t, dir, "findings.csv"); len(findings) != 2 || findings[0]["check"] != "stray" || findings[0]["severity"] != "warning" {
		t.Errorf("findings %v", findings)
	}
	// A check of nothing still writes files with their first column.
	if err := WriteCheckCSV(data.Disk{}, dir, checked(0, 0, 0)); err != nil {
		t.Error(err)
	}
}
