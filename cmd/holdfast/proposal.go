// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/guess"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A proposal is a project file being written from guessed roles.
type proposal struct {
	layout   *guess.Layout
	name     string // of the project: of its folder
	dir      string // absolute, of the project file
	absolute bool   // paths outside dir are written absolute
	windows  []int
	features []features.Proposal
}

func newProposal(o initFlags, l *guess.Layout) (*proposal, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, fmt.Errorf("finding the folder %s: %w", o.dir, err)
	}
	pl := &proposal{layout: l, name: filepath.Base(dir), dir: dir, absolute: filepath.IsAbs(o.data),
		windows: []int{30, 90}}
	for _, s := range l.Streams {
		if s.PerMonth*7/30 >= 1 {
			pl.windows = []int{7, 30, 90}
		}
	}
	l.Sources.Accounts.Show = slices.DeleteFunc(l.Sources.Accounts.Show, predict.IsScoreColumn)
	var streams []features.Stream
	for _, s := range l.Streams {
		stream := features.Stream{Name: s.Name, PerMonth: s.PerMonth, Valued: s.Valued}
		for _, t := range s.Types {
			stream.Types = append(stream.Types, features.StreamType{Name: t.Name, PerMonth: t.PerMonth,
				Valued: t.Valued})
		}
		streams = append(streams, stream)
	}
	pl.features = features.Propose(streams, pl.windows)
	return pl, nil
}

func (pl *proposal) mode() string {
	if pl.layout.Sources.Contracts != nil {
		return features.Renewal
	}
	return features.Activity
}

// path returns a pattern as the project file names it: relative to its folder
// where it lies below, or where the user named the data by a relative path.
func (pl *proposal) path(pattern string) string {
	full, err := filepath.Abs(pattern)
	if err != nil {
		return pattern
	}
	rel, err := filepath.Rel(pl.dir, full)
	if err != nil || pl.absolute && strings.HasPrefix(rel, "..") {
		return full
	}
	return filepath.ToSlash(rel)
}

// leads returns the leads that suit the terms: those of a year or a half have
// three, shorter ones one, and the shortest half of their length.
func (pl *proposal) leads() []string {
	switch d := pl.layout.TermDays; {
	case d >= 180:
		return []string{"90d", "60d", "30d"}
	case d >= 28:
		return []string{"30d"}
	default:
		return []string{inDays(max(1, d/2))}
	}
}

// grace returns the grace: none where the table says what happened and when
// that was known.
func (pl *proposal) grace() string {
	c := pl.layout.Sources.Contracts
	if c.Outcome != "" && c.KnownAt != "" {
		return "0d"
	}
	return inDays(max(1, min(30, pl.layout.TermDays)))
}

// horizon returns the horizon of activity mode: 90 days, or 30 where the
// history is shorter than a year.
func (pl *proposal) horizon() int {
	if pl.layout.Newest-pl.layout.First >= 360 {
		return 90
	}
	return 30
}

func inDays(n int) string { return fmt.Sprintf("%dd", n) }

// origins returns the first origin of the backtest and the step. Snapshots can
// be tested from the day the first outcome was known to the last day whose
// outcome is known now; the first origin is the month nearest their middle.
func (pl *proposal) origins() (first time.Time, every string) {
	l := pl.layout
	var c converter // reads back what it wrote; no error can come of it
	from, to := l.First+pl.horizon(), l.Newest-pl.horizon()
	if l.Sources.Contracts != nil {
		mature := max(l.MatureDays, c.days("", pl.grace(), 0))
		from, to = l.First+mature, l.Newest-mature-c.days("", pl.leads()[0], 0)
	}
	if to < from {
		from, to = l.First, l.Newest
	}
	middle := time.Unix(data.DayStart(from+(to-from)/2+15, time.UTC)/int64(time.Second), 0).UTC()
	first = time.Date(middle.Year(), middle.Month(), 1, 0, 0, 0, 0, time.UTC)
	if left := l.Newest - data.DayOf(first.UnixNano(), time.UTC); left >= 365 {
		return first, "3mo"
	}
	return first, "1mo"
}

// outcomeWords says in one line what counts as churn.
func (pl *proposal) outcomeWords() string {
	c := pl.layout.Sources.Contracts
	switch {
	case c == nil:
		return fmt.Sprintf("activity: churned if no event of %s in %d days", pl.layout.Of, pl.horizon())
	case c.Outcome == "":
		return fmt.Sprintf("renewal, derived: churned if no contract starts within %s of due", pl.grace())
	case c.KnownAt == "":
		return fmt.Sprintf("renewal: churned where %s is %s, known %s after due", c.Outcome,
			strings.Join(c.Churned, " or "), pl.grace())
	}
	return fmt.Sprintf("renewal: churned where %s is %s, known at %s",
		c.Outcome, strings.Join(c.Churned, " or "), c.KnownAt)
}

// text writes the project file.
func (pl *proposal) text() string {
	f := &fileWriter{}
	pl.head(f)
	f.line(0, "version: 1", "")
	f.line(0, "project: "+scalar(pl.name), "the folder's name")
	f.line(0, "timezone: UTC", "where a day begins; write your own, such as Europe/London")
	f.blank()
	f.line(0, "data:", "")
	pl.accounts(f)
	pl.contracts(f)
	pl.events(f)
	pl.outcome(f)
	pl.featureSet(f)
	first, every := pl.origins()
	f.line(0, "backtest:", "")
	f.line(2, "every: "+every, "")
	f.line(2, "first: "+first.Format(time.DateOnly), "near the middle of the outcomes that are known")
	f.line(0, "models: models/", "")
	return f.String()
}

func (pl *proposal) head(f *fileWriter) {
	f.comment(0, "Proposed by holdfast init. Every line is a guess, from names and from the rows that were "+
		"looked at; the reason stands beside it. Read them, mend what is wrong, and run holdfast check. "+
		"cmd/holdfast/PROJECT.md of the source explains every key.")
	f.comment(0, "")
	f.comment(0, "Looked at:")
	for _, t := range pl.layout.Tables {
		how := fmt.Sprintf("%d rows, all of them", t.Rows)
		if t.Sampled < t.Rows {
			how = fmt.Sprintf("%d of %d rows, spread over the files", t.Sampled, t.Rows)
		}
		if t.Files > 1 {
			how = fmt.Sprintf("%d files, %s", t.Files, how)
		}
		if t.Role == "" {
			how += "; left out: " + t.Why
		}
		f.comment(0, "  "+pl.path(t.Pattern)+": "+how)
	}
}

func (pl *proposal) accounts(f *fileWriter) {
	a := &pl.layout.Sources.Accounts
	f.line(2, "accounts:", "")
	f.line(4, "path: "+scalar(pl.path(a.Path)), "")
	pl.role(f, 4, "accounts", "key", a.Key)
	pl.role(f, 4, "accounts", "created", a.Created)
	pl.role(f, 4, "accounts", "segment", a.Segment)
	pl.role(f, 4, "accounts", "phase", a.Phase)
	pl.role(f, 4, "accounts", "group", a.Group)
	pl.list(f, 4, "accounts", "attributes", a.Attributes)
	pl.list(f, 4, "accounts", "show", a.Show)
	pl.leftOut(f, 4, "accounts")
}

func (pl *proposal) contracts(f *fileWriter) {
	c := pl.layout.Sources.Contracts
	if c == nil {
		if why := pl.layout.Why["contracts"]; why != "" {
			f.comment(2, "No contracts: "+why+".")
		} else {
			f.comment(2, "No contracts: no table has a start, a due date and a key of its own for every term.")
		}
		return
	}
	f.line(2, "contracts:", "")
	f.line(4, "path: "+scalar(pl.path(c.Path)), "")
	for _, r := range [][2]string{{"key", c.Key}, {"account", c.Account}, {"start", c.Start}, {"due", c.Due},
		{"value", c.Value}, {"value_known", c.ValueKnown}, {"currency", c.Currency}, {"outcome", c.Outcome}} {
		pl.role(f, 4, "contracts", r[0], r[1])
	}
	if c.Outcome == "" {
		f.comment(4, "outcome: "+pl.layout.Why["contracts.outcome"])
	}
	pl.list(f, 4, "contracts", "churned", c.Churned)
	for _, r := range [][2]string{{"known_at", c.KnownAt}, {"notice", c.Notice}, {"signed", c.Signed},
		{"renewed_at", c.RenewedAt}} {
		pl.role(f, 4, "contracts", r[0], r[1])
	}
	pl.list(f, 4, "contracts", "attributes", c.Attributes)
	pl.leftOut(f, 4, "contracts")
}

func (pl *proposal) events(f *fileWriter) {
	events := pl.layout.Sources.Events
	if len(events) == 0 {
		return
	}
	f.line(2, "events:", "")
	for i := range events {
		e := &events[i]
		f.line(4, "- name: "+scalar(e.Name), "")
		f.line(6, "path: "+scalar(pl.path(e.Path)), "")
		for _, r := range [][2]string{{"account", e.Account}, {"time", e.Time}, {"known_at", e.KnownAt},
			{"type", e.Type}, {"value", e.Value}, {"id", e.ID}} {
			pl.role(f, 6, e.Name, r[0], r[1])
		}
		pl.list(f, 6, e.Name, "columns", e.Columns)
		for _, r := range [][2]string{{"known_at", e.KnownAt}, {"type", e.Type}} {
			if why := pl.layout.Why[e.Name+"."+r[0]]; r[1] == "" && why != "" {
				f.comment(6, "No "+r[0]+": "+why+".")
			}
		}
		pl.leftOut(f, 6, e.Name)
	}
}

func (pl *proposal) outcome(f *fileWriter) {
	f.blank()
	f.line(0, "outcome:", "")
	f.line(2, "mode: "+pl.mode(), "")
	if c := pl.layout.Sources.Contracts; c != nil {
		f.line(2, "leads: ["+strings.Join(pl.leads(), ", ")+"]",
			fmt.Sprintf("days before due; nine of ten terms last %d days or less", pl.layout.TermDays))
		why := "how late a renewal may come and still count as one"
		if pl.grace() == "0d" {
			why = "outcome and known_at are columns, so they are the truth"
		}
		f.line(2, "grace: "+pl.grace(), why)
	} else {
		h := pl.horizon()
		f.line(2, "of: "+scalar(pl.layout.Of), "its events say that an account is active")
		f.line(2, "horizon: "+inDays(h), "churned if none of them in so many days")
		f.line(2, "every: 30d", "")
		f.line(2, "active_within: "+inDays(h), "at risk if one of them in so many days before")
	}
	f.blank()
}

func (pl *proposal) featureSet(f *fileWriter) {
	f.line(0, "features:", "")
	windows := make([]string, len(pl.windows))
	for i, w := range pl.windows {
		windows[i] = inDays(w)
	}
	why := "an event a week and account, or more"
	if len(windows) == 2 {
		why = "less than an event a week and account, so 7 days would be noise"
	}
	f.line(2, "windows: ["+strings.Join(windows, ", ")+"]", why)
	f.line(2, "auto: true", "count, sum, recency and trend of every source and type, and the facts")
	if len(pl.features) > 0 {
		f.comment(2, "Pillars and directions are guessed from a word in a name, written behind each. A "+
			"direction says what you expect: leave it out where you do not know. "+
			"Add actionable: true to what your team can change.")
		f.line(2, "set:", "")
	}
	for _, p := range pl.features {
		what, meaning := pl.feature(&p.Feature)
		f.line(4, "- "+what, "")
		f.line(7, meaning, fmt.Sprintf("%q", p.Word))
	}
	f.blank()
}

// feature writes one entry of features.set, in two lines: what is computed, and
// what it means.
func (pl *proposal) feature(p *features.Feature) (what, meaning string) {
	what = "{name: " + scalar(p.Name) + ", from: " + scalar(p.From)
	if p.Type != "" {
		what += ", where: " + quoted("type == '"+strings.ReplaceAll(p.Type, "'", "''")+"'")
	}
	what += ", agg: " + string(p.Agg)
	if p.WindowDays > 0 {
		what += ", window: " + inDays(p.WindowDays)
	}
	if p.Unit != "" {
		what += ", unit: " + scalar(p.Unit)
	}
	return what + ",", fmt.Sprintf("pillar: %s, direction: %s, label: %s}", scalar(p.Pillar), p.Direction,
		quoted(p.Label))
}

// role writes a key and its column with the reason; nothing where it has none.
func (pl *proposal) role(f *fileWriter, indent int, table, key, column string) {
	if column != "" {
		f.line(indent, key+": "+scalar(column), pl.layout.Why[table+"."+key])
	}
}

func (pl *proposal) list(f *fileWriter, indent int, table, key string, values []string) {
	if len(values) == 0 {
		return
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = scalar(v)
	}
	f.line(indent, key+": ["+strings.Join(out, ", ")+"]", pl.layout.Why[table+"."+key])
}

// leftOut names the columns of a table without a role, those that may know the
// outcome first.
func (pl *proposal) leftOut(f *fileWriter, indent int, table string) {
	for _, hindsight := range []bool{true, false} {
		title := "Left out:"
		if hindsight {
			title = "Left out, because they may know the outcome:"
		}
		for _, c := range pl.layout.LeftOut {
			if c.Table != table || c.Hindsight != hindsight {
				continue
			}
			if title != "" {
				f.comment(indent, title)
				title = ""
			}
			f.comment(indent, "  "+c.Column+": "+c.Why)
		}
	}
}
