// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// Findings come by severity, and as they were added among equals.
func TestDataCheckOrdersFindings(t *testing.T) {
	var c DataCheck
	if c.Fatal() != nil {
		t.Error("fatal without findings")
	}
	finding := func(s data.Severity, subject string) data.Finding { return data.Finding{Severity: s, Subject: subject} }
	c.Add(finding(data.Note, "e"), finding(data.Warning, "b"), finding(data.Warning, "c"))
	c.Add(finding(data.Fatal, "a"), finding(data.Warning, "d"))
	var got string
	for _, f := range c.Findings {
		got += f.Subject
	}
	if got != "abcde" || c.Fatal() == nil || c.Fatal().Subject != "a" {
		t.Errorf("order %s, fatal %+v", got, c.Fatal())
	}
}

// The file holds no ids: examples are for the terminal.
func TestDataCheckHoldsNoIDs(t *testing.T) {
	const id = "acct-7"
	h := &data.History{Accounts: []data.Account{{ID: id, Created: data.NoTime}}, Newest: data.NoTime, Location: time.UTC}
	f := &features.Frame{Rows: []features.Row{{Account: id, Group: id, Contract: id + "-1"}}}
	c, err := NewDataCheck(h, data.Sources{}, &features.Spec{}, &features.Built{Frame: f, Left: []data.Count{}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	c.Add(data.Finding{Severity: data.Note, Message: "1 row", Examples: []string{id}})
	text, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), id) {
		t.Errorf("%s names %s", text, id)
	}
	if strings.Contains(string(text), "null") && !strings.Contains(string(text), `"per_month":null`) {
		t.Errorf("a list is null in %s", text)
	}
}

// Both kinds of outcomes are needed, and below 100 and 300 a model is
// provisional.
func TestEligibility(t *testing.T) {
	for _, c := range []struct {
		rows                       int
		churned, renewed, censored int
		want                       string
	}{
		{0, 0, 0, 0, "fatal no_snapshots"},
		{9, 0, 9, 0, "fatal one_class"},
		{9, 9, 0, 0, "fatal one_class"},
		{9, 99, 300, 0, "warning few_labels"},
		{9, 100, 299, 0, "warning few_labels"},
		{9, 100, 300, 0, ""},
		{9, 100, 300, 5, "note censored"},
	} {
		d := DataCheck{Rows: c.rows, Total: features.LabelMonth{Churned: c.churned, Renewed: c.renewed, Censored: c.censored}}
		d.eligible(&features.Built{Frame: &features.Frame{}})
		got := ""
		for _, f := range d.Findings {
			got = string(f.Severity) + " " + f.Check
		}
		if got != c.want || len(d.Findings) > 1 {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}
