// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// A dater writes instants as a project's calendar has them.
type dater struct{ loc *time.Location }

func (d dater) date(t int64) string { return time.Unix(0, t).In(d.loc).Format(time.DateOnly) }

// stamp writes the time of day beside the date unless it is midnight.
func (d dater) stamp(t int64) string {
	at := time.Unix(0, t).In(d.loc)
	if text := at.Format(time.TimeOnly); text != "00:00:00" {
		return at.Format(time.DateOnly) + " " + text
	}
	return at.Format(time.DateOnly)
}

// number is nil for a missing value, since JSON has no NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func (d dater) term(h *data.History, v *features.TermView, t int64) explainedTerm {
	c := &h.Contracts[v.Contract]
	e := explainedTerm{Contract: c.ID, Start: d.date(c.Start), Due: d.date(c.Due), Value: number(c.Value), Currency: c.Currency,
		Number: v.Number, Episode: int(c.Episode), State: string(v.State), Eligible: v.Refused == "", Refused: v.Refused,
		LeadDays: int(v.LeadDays), Kept: number(v.Kept), Label: v.Label}
	if v.Y != features.Unknown {
		mature := max(v.Mature, c.Due)
		e.Y, e.Mature, e.MatureThen = &v.Y, d.date(mature), mature <= t
	}
	for _, s := range v.Snapshots {
		e.Snapshots = append(e.Snapshots, explainedSnapshot{Date: d.date(s.At), LeadDays: int(s.LeadDays), Weight: s.Weight, Refused: s.Refused})
	}
	return e
}

func (d dater) source(h *data.History, src *data.Source, events []data.Event, t int64) explainedSource {
	v := features.Events(src, events, t)
	e := explainedSource{Name: src.Name, Seen: v.Seen, After: v.After, Types: map[string]int{}}
	name := func(kind int32) string {
		if kind < 0 {
			return ""
		}
		return src.Types[kind]
	}
	if v.Seen > 0 {
		e.First, e.Last = d.stamp(v.First), d.stamp(v.Last)
	}
	for i, n := range v.ByType {
		if n > 0 {
			e.Types[orDefault(name(int32(i)-1), "no type")] = n
		}
	}
	for _, late := range v.NotYet {
		e.NotYet = append(e.NotYet, explainedEvent{Time: d.stamp(late.Time), Type: name(late.Type), Value: number(late.Value), Known: d.stamp(late.Known)})
	}
	for _, c := range h.Dropped {
		if c.Table == src.Name {
			e.Dropped = append(e.Dropped, explainedDrop{c.Reason, c.Rows})
		}
	}
	return e
}

// attributeTexts returns the account's attributes that are given in a version.
func attributeTexts(h *data.History, version int) map[string]string {
	out := make(map[string]string)
	for i := range h.AccountAttributes {
		if c := &h.AccountAttributes[i]; !c.Missing(version) {
			text := c.AsText()
			out[c.Name] = text.Text(version)
		}
	}
	return out
}

// featureValues returns every feature of a row.
func featureValues(f *features.Frame, row int) []explainedFeature {
	out := make([]explainedFeature, 0, len(f.Columns))
	for k := range f.Columns {
		c := &f.Columns[k]
		e := explainedFeature{Name: c.Feature.Name, Window: windowText(&c.Feature)}
		switch {
		case !c.IsLevel() && !math.IsNaN(c.Num[row]):
			e.Value = c.Num[row]
		case c.IsLevel() && c.Codes[row] >= 0:
			e.Value = c.Levels[c.Codes[row]]
		}
		out = append(out, e)
	}
	return out
}

// windowText says which days an aggregate over events looks at.
func windowText(f *features.Feature) string {
	switch f.From {
	case features.FromAccount, features.FromContract, features.FromSnapshot, features.FromTable:
		return ""
	}
	switch {
	case f.LongDays > 0:
		return fmt.Sprintf("%d of %d days", f.WindowDays, f.LongDays)
	case f.WindowDays > 0:
		return fmt.Sprintf("%d days", f.WindowDays)
	}
	return "all history"
}

// Up to so many late rows are printed; JSON has them all.
const lateRowsShown = 10

// showExplained prints an explained account.
func (a *app) showExplained(e *explained) {
	a.printf("%s as of %s: rows count if they happened before that midnight and were known before it\n\naccount\n", e.Account, e.AsOf)
	for _, f := range [][2]string{{"created", e.Created}, {"segment", e.Segment}, {"phase", e.Phase}, {"group", e.Group}} {
		if f[1] != "" {
			a.printf("  %-12s %s\n", f[0], f[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
		a.printf("  %-12s %s\n", name, e.Attributes[name])
	}
	if len(e.Terms) > 0 {
		a.printf("\nterms\n")
	}
	for i := range e.Terms {
		a.showTerm(&e.Terms[i], e.AsOf)
	}
	if e.Activity != "" {
		a.printf("\nlabel\n  %s\n", e.Activity)
	}
	a.printf("\nevents\n")
	for i := range e.Sources {
		a.showSource(&e.Sources[i])
	}
	for i := range e.Rows {
		a.showRow(&e.Rows[i], e, i)
	}
	for _, note := range e.Notes {
		a.printf("\n%s\n", note)
	}
}

func (a *app) showTerm(t *explainedTerm, asOf string) {
	value := ""
	if t.Value != nil {
		value = fmt.Sprintf(", value %.2f %s", *t.Value, t.Currency)
	}
	a.printf("  %s  %s to %s, term %d of episode %d%s: %s", t.Contract, t.Start, t.Due, t.Number, t.Episode, value, t.State)
	if t.State == string(features.Running) {
		a.printf(", due in %d days", t.LeadDays)
		if t.Refused != "" {
			a.printf(", not at risk: %s", t.Refused)
		}
	}
	a.printf("\n    label      %s\n", t.Label)
	if t.Y != nil && !t.MatureThen {
		a.printf("               not mature on %s: it trains no model as of that date\n", asOf)
	}
	for _, s := range t.Snapshots {
		what := fmt.Sprintf("weight %.3g", s.Weight)
		if s.Refused != "" {
			what = "left out: " + s.Refused
		}
		a.printf("    snapshot   %s, lead %d d, %s\n", s.Date, s.LeadDays, what)
	}
}

func (a *app) showSource(s *explainedSource) {
	a.printf("  %-12s %s seen", s.Name, rowCount(s.Seen))
	if s.Seen > 0 {
		a.printf(", %s to %s: %s", s.First, s.Last, tallyText(s.Types))
	}
	a.printf("; %d not yet known; %d after\n", len(s.NotYet), s.After)
	for _, e := range s.NotYet[:min(len(s.NotYet), lateRowsShown)] {
		a.printf("    not yet known  %s, happened %s, known %s\n", orDefault(e.Type, s.Name), e.Time, e.Known)
	}
	if more := len(s.NotYet) - lateRowsShown; more > 0 {
		a.printf("    not yet known  %d more; --json lists them all\n", more)
	}
	for _, d := range s.Dropped {
		a.printf("    left out       %s: %s\n", rowCount(d.Rows), d.Reason)
	}
}

// showRow prints a snapshot; of a second one only the features that differ from
// those of the first.
func (a *app) showRow(r *explainedRow, e *explained, i int) {
	a.printf("\nsnapshot of %s %s, due %s in %d days: %s\n", e.AsOf, r.Contract, r.Due, r.LeadDays, r.Status)
	if s := r.Score; s != nil {
		a.showScore(s, e)
	}
	for k, f := range r.Features {
		if i > 0 && f == e.Rows[0].Features[k] {
			continue
		}
		value := "missing"
		if f.Value != nil {
			value = fmt.Sprintf("%v", f.Value)
			if v, ok := f.Value.(float64); ok {
				value = fmt.Sprintf("%.6g", v)
			}
		}
		a.printf("  %-44s %14s  %s\n", f.Name, value, f.Window)
	}
}

func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}
