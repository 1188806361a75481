// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// What fits one screen; the rest is in check -o DIR.
const (
	shownFindings = 12
	shownTypes    = 8
	shownMonths   = 12
	shownFeatures = 4
	restIn        = "check -o DIR writes all"
)

func (a *app) showFindings(findings []data.Finding) {
	for i, f := range findings {
		if i >= shownFindings && f.Severity != data.Fatal {
			a.printf("  ... and %d more; %s\n", len(findings)-i, restIn)
			return
		}
		a.printf("  %-8s %s: %s\n", f.Severity, f.Subject, f.Message)
		if len(f.Examples) > 0 && f.Severity != data.Note {
			a.printf("           for example %q\n", f.Examples)
		}
	}
}

// showEvents draws the months of the most frequent types.
func (a *app) showEvents(s *data.Survey) {
	if len(s.Types) == 0 {
		return
	}
	first := max(0, len(s.Months)-2*shownMonths)
	a.printf("\nevents by month, %s to %s\n", s.Months[first], s.Months[len(s.Months)-1])
	types := slices.Clone(s.Types)
	slices.SortStableFunc(types, func(x, y data.TypeMonths) int { return cmp.Compare(y.Events, x.Events) })
	for i, t := range types {
		if i == shownTypes {
			a.printf("  ... and %d more types; %s\n", len(types)-i, restIn)
			break
		}
		a.printf("  %-32s %12s  %s\n", t.Name(), evaluate.Count(t.Events), sparks(t.ByMonth[first:]))
	}
}

// sparks draws counts as bars of eight heights; a point is a month without any.
func sparks(counts []int) string {
	most := max(1, slices.Max(counts))
	var b strings.Builder
	for _, n := range counts {
		if n == 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[(n*8-1)/most])
	}
	return b.String()
}

// showCoverage names the features that are missing most.
func (a *app) showCoverage(c *features.Coverage) {
	total := c.Total()
	if total == 0 || len(c.Features) == 0 {
		return
	}
	sparse := slices.DeleteFunc(slices.Clone(c.Features), func(f features.FeatureCoverage) bool { return f.Valued == total })
	slices.SortStableFunc(sparse, func(x, y features.FeatureCoverage) int { return cmp.Compare(x.Valued, y.Valued) })
	a.printf("\n%d of %d features have a value in every snapshot", len(c.Features)-len(sparse), len(c.Features))
	var least []string
	for _, f := range sparse[:min(len(sparse), shownFeatures)] {
		least = append(least, fmt.Sprintf("%s %.0f %%", f.Feature, 100*float64(f.Valued)/float64(total)))
	}
	if len(least) > 0 {
		a.printf("; least: %s", strings.Join(least, ", "))
	}
	a.printf("\n")
}

func (a *app) showLabels(r *evaluate.DataCheck) {
	if len(r.Labels) == 0 {
		return
	}
	a.printf("\noutcomes by month due\n")
	a.printf("  %-8s %9s %9s %11s %9s %11s\n", "month", "churned", evaluate.NamesOf(r.Mode).Kept, "not mature", "censored", "churn rate")
	months := r.Labels
	if n := len(months) - shownMonths; n > 0 {
		a.printf("  ... %d earlier months; %s\n", n, restIn)
		months = months[n:]
	}
	for _, m := range append(slices.Clone(months), r.Total) {
		rate := "-"
		if n := m.Matured(); n > 0 {
			rate = fmt.Sprintf("%.1f %%", 100*float64(m.Churned)/float64(n))
		}
		if m.Month == "" {
			m.Month = "all"
		}
		a.printf("  %-8s %9d %9d %11d %9d %11s\n", m.Month, m.Churned, m.Renewed, m.NotMature, m.Censored, rate)
	}
}
