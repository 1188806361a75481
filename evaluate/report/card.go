// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// WriteCard writes the model card: what a model is for, how it was tested, what
// it reached and where it must not be trusted, as Markdown. Every figure is that
// of the report.
//
// Source: Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
func WriteCard(w io.Writer, r *evaluate.Report) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	name := r.Provenance.Project
	if name == "" {
		name = r.Subject
	}
	say("# Model card: %s\n", plain(name))
	for _, s := range r.Summary {
		say("%s", plain(s))
	}
	say("\n## Use\n")
	say("For ranking renewals by their risk of churn and for the size of that risk. Not for decisions about people that nobody looks at:")
	say("the model shows association, and acting on its scores changes the outcomes it will learn from.\n")
	say("## How it was tested\n")
	d := &r.Design
	say("%s, %d of %d tested: %s rows of %s accounts, %s churned. Everything was refitted each time on what was known by then.",
		plain(d.Kind), d.Tested, d.Tested+d.Skipped, evaluate.Count(d.TestRows), evaluate.Count(d.TestGroups), evaluate.Count(d.TestChurned))
	say("Intervals are at %.0f %% by account, from %s resamples.\n", 100*d.Level, evaluate.Count(d.Bootstrap))
	say("| | log loss | Brier | AUC | recall at %s | observed : expected | ICI |\n|---|---|---|---|---|---|---|", d.Capacity.Percent())
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Pooled == nil {
			say("| %s | %s | | | | | |", cellText(c.Name), cellText(firstOf(c.Failure, c.Note)))
			continue
		}
		m := c.Pooled
		say("| %s | %s | %s | %s | %s | %s | %s |", cellText(c.Name), m.LogLoss.Fixed(4), m.Brier.Fixed(4), m.AUC.Fixed(3), m.Recall.Percent(), m.OE.Fixed(2), m.ICI.Fixed(4))
	}
	say("\n## Gates\n\n| gate | | found | asked for |\n|---|---|---|---|")
	for _, g := range r.Gates {
		pass := "fail"
		if g.Pass {
			pass = "pass"
		}
		say("| %s | %s | %s | %s |", cellText(g.Name), pass, cellText(g.Figure), cellText(g.Need))
	}
	if len(r.Warnings)+len(r.OffOrigins) > 0 {
		say("\n## Before you rely on it\n")
		for _, s := range append(append([]string{}, r.Warnings...), r.OffOrigins...) {
			say("- %s", plain(s))
		}
	}
	say("\n## Provenance\n\n- data `%s`, features `%s`, seed %d, Holdfast %s", cellText(r.Provenance.Data), cellText(r.Provenance.SpecDigest), r.Provenance.Seed,
		plain(firstOf(r.Provenance.Version, "unknown")))
	_, err := io.WriteString(w, b.String())
	return err
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// plain makes a text safe to stand in a line of Markdown: names may hold anything.
func plain(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "\n", " ", "\r", " ", "`", "'", "[", "(", "]", ")").Replace(s)
}

// cellText is plain for a cell of a table.
func cellText(s string) string { return strings.ReplaceAll(plain(s), "|", "/") }
