// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// DataCheckFormat is the format of check.json that this version writes.
const DataCheckFormat = "holdfast-check/1"

// A DataCheck is everything that is known of a project's data before anything
// is learnt from them: check.json is this struct and nothing else. It holds no
// ids; examples of findings are for the terminal only.
type DataCheck struct {
	Format   string         `json:"format"`
	Project  string         `json:"project"`
	Mode     string         `json:"mode"` // of the outcome: renewal or activity
	Accounts int            `json:"accounts"`
	Terms    int            `json:"terms"`
	Events   map[string]int `json:"events"` // by source
	Newest   string         `json:"newest_event"`
	Findings []data.Finding `json:"findings"` // the worst first
	Survey   *data.Survey   `json:"events_by_month"`

	Rows     int                   `json:"eligible_snapshots"`
	Left     []data.Count          `json:"left_out"` // snapshots without a row, by reason
	Outcomes []data.Count          `json:"outcomes"` // how terms ended, each once, and what else is known of some
	Coverage *features.Coverage    `json:"coverage"`
	Labels   []features.LabelMonth `json:"labels"` // by month of the due date, each renewal once
	Total    features.LabelMonth   `json:"labels_total"`
	Plan     *Plan                 `json:"plan"`
}

// NewDataCheck checks a history and the frame that was built of all of it.
// Workers (zero: one for each CPU) share the pass over the events; the result
// does not depend on them.
func NewDataCheck(h *data.History, s data.Sources, spec *features.Spec, b *features.Built, workers int) (*DataCheck, error) {
	survey, err := data.NewSurvey(h, workers)
	if err != nil {
		return nil, err
	}
	c := &DataCheck{Format: DataCheckFormat, Mode: spec.Outcome.Mode, Accounts: len(h.Accounts), Terms: len(h.Contracts), Events: map[string]int{},
		Survey: survey, Rows: len(b.Frame.Rows), Left: b.Left, Outcomes: b.Outcomes, Coverage: features.CoverageOf(b.Frame, h.Location)}
	for i := range h.Sources {
		if !h.Sources[i].Derived {
			c.Events[h.Sources[i].Name] = h.Sources[i].Rows
		}
	}
	now := time.Unix(0, 0)
	if h.Newest != data.NoTime {
		c.Newest = time.Unix(0, h.Newest).In(h.Location).Format(time.DateOnly)
		now = data.MidnightAfter(h.Newest, h.Location)
	}
	l := features.LabelsOf(b.Frame, &spec.Outcome, now.UnixNano(), h.Location)
	c.Labels, c.Total = append([]features.LabelMonth{}, l.Months...), l.Total
	c.Plan = NewPlan(c.Mode, l, Weights(b.Frame), now)
	c.Add(survey.Check(h, s)...)
	c.Add(c.Coverage.Findings()...)
	c.eligible(b)
	return c, nil
}

// eligible finds what keeps a model from being fitted, or makes it provisional.
func (c *DataCheck) eligible(b *features.Built) {
	churned, renewed := c.Total.Churned, c.Total.Renewed
	outcome := func(s data.Severity, check, message string) {
		c.Add(data.Finding{Severity: s, Check: check, Subject: "outcome", Message: message})
	}
	switch {
	case c.Rows == 0:
		outcome(data.Fatal, "no_snapshots", b.Explain())
	case churned == 0 || renewed == 0:
		outcome(data.Fatal, "one_class", fmt.Sprintf(
			"cannot fit: %d churned of %d %s with a known outcome; both kinds are needed", churned, churned+renewed, NamesOf(c.Mode).Unit))
	case churned < firmChurned || renewed < firmRenewed:
		outcome(data.Warning, "few_labels", fmt.Sprintf("%d churned and %d %s outcomes; below %d and %d a model is provisional",
			churned, renewed, NamesOf(c.Mode).Kept, firmChurned, firmRenewed))
	}
	if n := c.Total.Censored; n > 0 {
		all := c.Total.Matured() + c.Total.NotMature + n
		c.Add(data.Finding{Severity: data.Note, Check: "censored", Subject: "outcome", Rows: n, Of: all, Message: fmt.Sprintf(
			"%d of %d %s were due by the end of the data, and their outcome is not known", n, all, NamesOf(c.Mode).Unit)})
	}
}

// Add adds findings. They are kept in the order of their severity, and among
// equals in the order in which they came.
func (c *DataCheck) Add(findings ...data.Finding) {
	if c.Findings == nil {
		c.Findings = []data.Finding{}
	}
	rank := map[data.Severity]int{data.Fatal: 0, data.Warning: 1, data.Note: 2}
	c.Findings = append(c.Findings, findings...)
	slices.SortStableFunc(c.Findings, func(a, b data.Finding) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
}

// Fatal returns the first fatal finding, or nil.
func (c *DataCheck) Fatal() *data.Finding {
	if len(c.Findings) > 0 && c.Findings[0].Severity == data.Fatal {
		return &c.Findings[0]
	}
	return nil
}

// JSON returns the bytes of check.json, on one line: most of it are counts.
func (c *DataCheck) JSON() ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}
