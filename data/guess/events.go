// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// Names of dates of an event: of when it happened, of when its row became
// available, and of what came later.
var (
	timeWords = []string{"=ts", "=timestamp", "event time", "event date", "event at", "event timestamp",
		"occurred", "happened", "=time", "=date", "=datetime", "=at", "=day", "created", "opened", "issued",
		"ordered", "order", "submitted", "sent", "start", "purchase", "transaction", "session", "login", "visit",
		"invoice", "payment", "timestamp", "time", "date", "at", "on", "day"}
	knownWords = []string{"loaded", "ingest", "received", "arrived", "inserted", "synced", "known", "recorded",
		"available", "processed", "imported"}
	laterWords = []string{"closed", "resolved", "solved", "paid", "due", "end", "ended", "finished",
		"completed", "updated", "modified", "deleted", "cancel", "delivered", "shipped", "returned",
		"refunded", "expir", "next", "last"}
)

// events makes a table that refers to the accounts an event source, or says
// why it is none.
func (k *looker) events(t *table) {
	when := k.when(t)
	if when == nil {
		return
	}
	name := t.Name
	if slices.Contains([]string{"account", "contract", "snapshot", "table", "accounts", "contracts"}, name) {
		name += "_events" // kept for facts, and for reasons
	}
	s := data.EventSource{Name: name, Path: t.Pattern, Account: t.account}
	why := func(role string) string { return name + "." + role }
	k.layout.Why[why("account")] = fmt.Sprintf("%.1f %% of the rows looked up are found in the accounts",
		100*t.match)
	s.Time = k.take(t, why("time"), when, k.whyTime(t, when))
	k.known(t, &s, when)
	k.eventType(t, &s)
	k.eventID(t, &s)
	c := t.best(isNumber, "=value", "value", "amount", "total", "price", "revenue", "=score", "score",
		"rating", "duration", "minutes", "seconds", "quantity", "=qty", "units", "count")
	if c == nil {
		c = t.onlyFloat()
	}
	s.Value = k.take(t, why("value"), c, "by its name")
	s.Columns = k.further(t, name)
	k.layout.Sources.Events = append(k.layout.Sources.Events, s)
	k.layout.Streams = append(k.layout.Streams, k.stream(t, &s))
}

// when picks the date of an event; nil, with the reason in t.why, where the
// table has none.
func (k *looker) when(t *table) *data.ColumnProfile {
	fits := func(c *data.ColumnProfile) bool {
		return isDated(c) && c.Missing*5 <= c.Rows &&
			!speaks(c.Name, laterWords...) && !speaks(c.Name, knownWords...)
	}
	if c := t.best(fits, timeWords...); c != nil {
		return c
	}
	t.why = "it has no date, so nothing says when its rows happened"
	var any *data.ColumnProfile
	for i := range t.columns {
		c := &t.columns[i]
		if fits(c) && any == nil {
			any = c
		}
		if c.Kind == data.Text && speaks(c.Name, timeWords...) && looksDated(t.sample.Column(c.Name)) {
			t.why = fmt.Sprintf("its dates (%s) are written as text; write them as dates or timestamps", c.Name)
		}
	}
	if any != nil {
		t.why = ""
		return any
	}
	for i := range t.columns { // better a late date than none
		if c := &t.columns[i]; isDated(c) && c.Missing*5 <= c.Rows {
			t.why = ""
			return c
		}
	}
	return nil
}

// looksDated reports whether a text's first values begin like 2026-01-31.
func looksDated(c *data.Column) bool {
	n := 0
	for _, s := range c.Dict[:min(10, len(c.Dict))] {
		if len(s) >= len(time.DateOnly) {
			if _, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)]); err == nil {
				n++
			}
		}
	}
	return n > 0 && n == min(10, len(c.Dict))
}

func (k *looker) whyTime(t *table, c *data.ColumnProfile) string {
	span := fmt.Sprintf("%s to %s%s", date(c.Min), date(c.Max), t.looked())
	if speaks(c.Name, laterWords...) {
		return "the only date; " + span
	}
	return "by its name; " + span
}

func date(days float64) string {
	return time.Unix(int64(days)*24*60*60, 0).UTC().Format(time.DateOnly)
}

// known picks the date a row became available: named so, given in every row,
// and not before the event.
func (k *looker) known(t *table, s *data.EventSource, when *data.ColumnProfile) {
	role := s.Name + ".known_at"
	at := t.sample.Column(when.Name)
	c := t.best(func(c *data.ColumnProfile) bool {
		if !isDated(c) || c.Missing > 0 {
			return false
		}
		column := t.sample.Column(c.Name)
		after := func(r int) (bool, bool) { return column.Number(r) >= at.Number(r), !at.Missing(r) }
		return share(t, after) >= 0.995
	}, knownWords...)
	if c != nil {
		s.KnownAt = k.take(t, role, c, "by its name; never before the event")
		return
	}
	k.layout.Why[role] = "rows count as known when they happened; if they come late, add lag: 1d"
}

// maxTypes is how many types of event a source may have: each gives a dozen
// features or more.
const maxTypes = 40

func (k *looker) eventType(t *table, s *data.EventSource) {
	role := s.Name + ".type"
	fits := func(most int) func(c *data.ColumnProfile) bool {
		return func(c *data.ColumnProfile) bool { return c.Kind == data.Text && c.Distinct <= most }
	}
	kinds := []string{"event type", "event name", "=type", "=event", "=action", "=kind", "type", "action", "activity"}
	if c := t.best(fits(maxTypes), kinds...); c != nil {
		s.Type = k.take(t, role, c, fmt.Sprintf("by its name; %d kinds", c.Distinct))
		return
	}
	c := t.best(fits(20), "category", "channel", "=topic", "feature")
	if c != nil && c.Distinct > 1 && hindsight(c.Name, false) == "" {
		s.Type = k.take(t, role, c, fmt.Sprintf("by its name; %d kinds. Leave it out if one stream of all "+
			"is meant", c.Distinct))
		return
	}
	k.layout.Why[role] = "no column of a few kinds, so every row is of one type, called as the source"
}

// eventID picks a column that identifies one event. Some rows may repeat it:
// they are what it is for.
func (k *looker) eventID(t *table, s *data.EventSource) {
	role := s.Name + ".id"
	ids := append([]string{"event id", "=id", "=uuid", "=guid"}, idWords...)
	for {
		c := t.best(isID, ids...)
		if c == nil {
			return
		}
		switch {
		case c.Missing*100 > c.Rows:
			k.leave(t, s.Name, c, false, fmt.Sprintf("it is empty in %d of %d rows looked at, so it "+
				"identifies no event", c.Missing, c.Rows))
		case c.Distinct*100 < c.Present()*95:
			k.leave(t, s.Name, c, false, fmt.Sprintf("it repeats (%d values in %d rows looked at), so it "+
				"identifies no single event", c.Distinct, c.Present()))
		default:
			why := "by its name; no value repeats" + t.looked()
			if n := c.Present() - c.Distinct; n > 0 {
				why = fmt.Sprintf("by its name; %d of %d rows looked at repeat a value and will count once",
					n, c.Present())
			}
			s.ID = k.take(t, role, c, why)
			return
		}
	}
}

// onlyFloat returns the one column of numbers with fractions, or nil.
func (t *table) onlyFloat() *data.ColumnProfile {
	var out *data.ColumnProfile
	for i := range t.columns {
		if c := &t.columns[i]; c.Kind == data.Float && !t.used[c.Name] && c.Present() > 0 {
			if out != nil {
				return nil
			}
			out = c
		}
	}
	return out
}

// further lists the columns that later features may read, and leaves out those
// that were filled in after the event.
func (k *looker) further(t *table, source string) []string {
	var out []string
	for i := range t.columns {
		c := &t.columns[i]
		switch {
		case t.used[c.Name], slices.Contains(t.sample.Folders, c.Name), c.Present() == 0:
			continue
		case isDated(c):
			k.leave(t, source, c, true, "it is a second date; what it says is known only then")
			continue
		case personal(c.Name):
			k.leave(t, source, c, false, "it looks like personal data")
			continue
		}
		if why := hindsight(c.Name, false); why != "" {
			k.leave(t, source, c, true, why)
			continue
		}
		if c.Kind == data.Text && c.Distinct > data.MaxLevels {
			continue // free text and foreign ids
		}
		t.used[c.Name] = true
		out = append(out, c.Name)
	}
	return out
}

// stream counts the events of a source by type, scaled from the sample to the
// whole table.
func (k *looker) stream(t *table, s *data.EventSource) Stream {
	at := t.sample.Column(s.Time)
	days := make([]float64, 0, at.Len())
	for r := range at.Len() {
		if !at.Missing(r) {
			days = append(days, at.Number(r))
		}
	}
	slices.Sort(days)
	out := Stream{Name: s.Name}
	if len(days) == 0 {
		return out
	}
	// The very last of a thousand may be stray stamps in the far future.
	first, last := days[0], days[(len(days)-1)*999/1000]
	if k.layout.Sources.Contracts == nil && (len(k.layout.Streams) == 0 || int(first) < k.layout.First) {
		k.layout.First = int(first)
	}
	if len(k.layout.Streams) == 0 || int(last) > k.layout.Newest {
		k.layout.Newest = int(last)
	}
	months := max(1, (last-first)/30)
	scale := float64(t.sample.Total) / float64(t.sample.Rows) / months / float64(max(1, k.layout.Accounts))
	out.PerMonth = float64(len(days)) * scale
	out.Valued = s.Value != ""
	if s.Type == "" {
		return out
	}
	kind := t.sample.Column(s.Type)
	valued := make(map[string]bool)
	if s.Value != "" {
		value := t.sample.Column(s.Value)
		for r := range kind.Len() {
			if !kind.Missing(r) && !value.Missing(r) {
				valued[kind.Text(r)] = true
			}
		}
	}
	for _, c := range t.columns {
		if c.Name == s.Type {
			for _, l := range c.Levels {
				out.Types = append(out.Types, Type{l.Text, float64(l.Rows) * scale, valued[l.Text]})
			}
		}
	}
	return out
}
