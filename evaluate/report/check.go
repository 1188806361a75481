// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed" // for check.html
	"fmt"
	"html/template"
	"io"
	"path/filepath"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

//go:embed check.html
var checkSource string

var checkTemplate = parsed("check", checkSource, nil)

// A checkPage is what check.html is filled with.
type checkPage struct {
	*evaluate.DataCheck
	Policy   string
	Style    template.CSS
	Badge    string
	Ended    string          // heading of how outcomes came about
	Tone     string          // class of the verdict: good, none or bad
	Columns  [][]checkFigure // side by side where there is room
	Warnings []data.Finding
	Notes    []data.Finding
}

// A checkFigure is one plot with the table of its values.
type checkFigure struct {
	Title, Note string
	Legend      []checkKey
	Picture     template.HTML
	Head        []string
	Rows        [][]string
	Rest        string // what the plot and the table leave to a file
}

// Large reports whether the table is too wide for paper; it is in a file.
func (f checkFigure) Large() bool { return len(f.Head) > 8 }

// A checkKey is one entry of a legend.
type checkKey struct {
	Class string // of the rectangle
	Name  string
}

// What the page shows of long lists; the files beside it have the rest.
const (
	pageMonths   = 36
	pageTypes    = 12
	pageFeatures = 40
)

// WriteCheckHTML writes the data check as one page that needs nothing else; see
// WriteHTML. Its size depends on the number of months, types and features
// shown, which are bounded.
func WriteCheckHTML(w io.Writer, c *evaluate.DataCheck) error {
	p := &checkPage{DataCheck: c, Policy: policy(), Style: template.CSS(style),
		Badge: "enough to learn from", Tone: "good", Ended: "How the terms ended"}
	if c.Mode == features.Activity {
		p.Ended = "How the snapshots turned out"
	}
	for _, f := range c.Findings {
		if f.Severity == data.Note {
			p.Notes = append(p.Notes, f)
		} else {
			p.Warnings = append(p.Warnings, f)
		}
	}
	switch {
	case c.Fatal() != nil:
		p.Badge, p.Tone = "nothing can be learnt from these data yet", "bad"
	case c.Plan.Needs[0].More > 0 || c.Total.Renewed < c.Plan.Needs[0].Renewed:
		p.Badge, p.Tone = "a model will be provisional", "none"
	}
	type draw func(*evaluate.DataCheck) (checkFigure, bool)
	for _, column := range [][]draw{{eventFigure, coverageFigure}, {labelFigure, planFigure}} {
		var figures []checkFigure
		for _, figure := range column {
			if f, ok := figure(c); ok {
				figures = append(figures, f)
			}
		}
		p.Columns = append(p.Columns, figures)
	}
	return checkTemplate.Execute(w, p)
}

// WriteCheckCSV writes the tables of the check into the folder dir, which must
// exist: findings.csv, events.csv, coverage.csv and labels.csv.
func WriteCheckCSV(fsys data.FS, dir string, c *evaluate.DataCheck) error {
	tables := []*data.Table{findingsTable(c.Findings), eventsTable(c.Survey), coverageTable(c.Coverage), labelsTable(c.Labels)}
	for _, t := range tables {
		if err := data.Write(fsys, filepath.Join(dir, t.Name+".csv"), t); err != nil {
			return err
		}
	}
	return nil
}

func findingsTable(findings []data.Finding) *data.Table {
	var b tableBuilder
	for _, f := range findings {
		b.text("severity", string(f.Severity))
		b.text("check", f.Check)
		b.text("subject", f.Subject)
		b.whole("rows", f.Rows)
		b.whole("of", f.Of)
		b.text("message", f.Message)
	}
	return b.named("findings", "severity")
}

func eventsTable(s *data.Survey) *data.Table {
	var b tableBuilder
	for _, t := range s.Types {
		for m, n := range t.ByMonth {
			b.text("source", t.Source)
			b.text("type", t.Type)
			b.text("month", s.Months[m])
			b.whole("events", n)
		}
	}
	return b.named("events", "source")
}

func coverageTable(c *features.Coverage) *data.Table {
	var b tableBuilder
	for _, f := range c.Features {
		for m, n := range f.ByMonth {
			b.text("feature", f.Feature)
			b.text("month", c.Months[m])
			b.whole("snapshots", c.Snapshots[m])
			b.whole("valued", n)
		}
	}
	return b.named("coverage", "feature")
}

func labelsTable(months []features.LabelMonth) *data.Table {
	var b tableBuilder
	for _, m := range months {
		b.text("month", m.Month)
		b.whole("churned", m.Churned)
		b.whole("renewed", m.Renewed)
		b.whole("not_mature", m.NotMature)
		b.whole("censored", m.Censored)
	}
	return b.named("labels", "month")
}

// percentOf writes a share of counts.
func percentOf(n, of int) string {
	if of == 0 {
		return dash
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
}
