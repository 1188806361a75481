// SPDX-License-Identifier: Apache-2.0

package report

import (
	"crypto/sha256"
	_ "embed" // for page.html, shared.html and page.css
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var style string

//go:embed shared.html
var sharedSource string

var pageTemplate = parsed("page", pageSource, nil)

// parsed returns the template of a page: its source beside what all pages share.
func parsed(name, source string, more template.FuncMap) *template.Template {
	t := template.New(name).Funcs(template.FuncMap{"count": evaluate.Count, "breakable": breakable}).Funcs(more)
	return template.Must(template.Must(t.Parse(sharedSource)).Parse(source))
}

// A page is what page.html is filled with.
type page struct {
	*evaluate.Report
	Policy     string // content security policy: this style sheet and nothing else
	Style      template.CSS
	Badge      string           // the finding about the subject in a word or two
	Tone       string           // class of the verdict: good, none or bad
	Judged     *evaluate.Scores // the subject; nil where it failed
	Table      []metricRow
	More       []metricRow // of the table, below
	Slices     []sliceLine
	Reliable   template.HTML
	Bars       []bar // of the histogram below it
	Plots      []plot
	Odd, Even  []*figure        // of the left column and of the right
	Shifted    []evaluate.Shift // those that are shown
	Hidden     int              // features that are in shifts.csv only
	ByOrigin   []originLine
	HaveOrigin bool   // origins are dated; otherwise they are folds
	Level      string // of the intervals
}

// WriteHTML writes the report as one page that needs nothing else: style and
// plots are inline, there is no script, and the content security policy
// forbids whatever else might slip in. Its size depends on the number of
// origins and candidates, never on that of rows.
func WriteHTML(w io.Writer, r *evaluate.Report) error {
	p := &page{
		Report:     r,
		Policy:     policy(),
		Style:      template.CSS(style),
		Level:      fmt.Sprintf("%.0f %%", 100*r.Design.Level),
		HaveOrigin: r.Design.Kind == evaluate.RollingOrigins,
		Table:      metricTable(r),
		More:       metricRows(r, otherLines),
		ByOrigin:   originLines(r),
	}
	p.Badge, p.Tone = "cannot be judged", "bad"
	for i := range r.Candidates {
		if c := &r.Candidates[i]; c.Name == r.Subject && c.Pooled != nil {
			p.Judged = c
			if p.Badge, p.Tone = badge(c); p.Tone == "good" && !r.Promotion().Pass {
				p.Badge, p.Tone = p.Badge+", but not ready for use", "none"
			}
			p.Reliable, p.Bars, p.Slices = reliability(c), bars(c.Histogram), sliceLines(r, c)
		}
	}
	p.Plots = plots(r, p.Judged)
	for k, f := range figures(r, p.Judged) {
		if k%2 == 0 {
			p.Odd = append(p.Odd, f)
		} else {
			p.Even = append(p.Even, f)
		}
	}
	p.Shifted = r.Shifts[:min(len(r.Shifts), mostShifts)]
	p.Hidden = len(r.Shifts) - len(p.Shifted)
	return pageTemplate.Execute(w, p)
}

// breakable lets a name break after its underscores.
func breakable(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), "_", "_<wbr>"))
}

// mostShifts is how many shifts are shown; the file shifts.csv has them all.
const mostShifts = 16

// policy is the content security policy of every page: its style sheet, and
// nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

func badge(c *evaluate.Scores) (words, tone string) {
	if c.VersusBase == nil {
		return "not compared", "none"
	}
	switch c.VersusBase.Finding {
	case evaluate.Better:
		if c.VersusOwnMean != nil && c.VersusOwnMean.Finding != evaluate.Better {
			return "no skill shown beyond the level of churn", "none"
		}
		return "better than the base rate", "good"
	case evaluate.Worse:
		return "worse than the base rate", "bad"
	}
	return string(evaluate.NoSkill), "none"
}
