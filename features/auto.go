// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// AutoOptions configures Auto.
type AutoOptions struct {
	WindowDays []int // ascending; all history is always added
	ValueKnown bool  // the contract's value is known when the term starts
}

// Auto returns the automatic feature set of a history: for every source and
// every type in it count and sum over each window and over all history,
// recency and trend; for every source as a whole active days and distinct
// types beside them; every declared attribute; segment, phase, tenure, and in
// renewal mode term number, term length, days to due, lateness of the previous
// renewal and, where known, whether it renews by itself and the value, unless
// values are in several currencies.
//
// Pillars are guessed from names. A project file replaces any feature by name.
func Auto(h *data.History, o Outcome, opt AutoOptions) []Feature {
	b := autoBuilder{windows: opt.WindowDays, names: map[string]bool{}}
	for _, name := range keyColumns {
		b.names[name] = true
	}
	for i := range h.Sources {
		if !h.Sources[i].Derived {
			b.source(&h.Sources[i])
		}
	}
	b.facts(h, o, opt)
	return b.features
}

type autoBuilder struct {
	windows  []int
	features []Feature
	names    map[string]bool
}

// source adds the features of one event source.
func (b *autoBuilder) source(src *data.Source) {
	valued, any := make([]bool, len(src.Types)), false
	for _, c := range src.Classes {
		any = any || c.Valued > 0
		if c.Type >= 0 && c.Valued > 0 {
			valued[c.Type] = true
		}
	}
	b.counts(src.Name, "", false)
	b.over(src.Name, "", ActiveDays, "days", "active days")
	if len(src.Types) < 2 {
		if any {
			b.over(src.Name, "", Sum, "", "total value")
		}
		return
	}
	b.over(src.Name, "", Distinct, "types", "kinds of event")
	for t, name := range src.Types {
		b.counts(src.Name, name, valued[t])
	}
}

// counts adds count, recency and trend of one type, and sums where the type
// carries values.
func (b *autoBuilder) counts(source, kind string, valued bool) {
	b.over(source, kind, Count, "events", "events")
	if valued {
		b.over(source, kind, Sum, "", "total value")
	}
	b.event(Feature{From: source, Type: kind, Agg: Recency, Unit: "days"}, "recency", "days since the last event")
	if n := len(b.windows); n >= 2 {
		short, long := b.windows[n-2], b.windows[n-1]
		b.event(Feature{From: source, Type: kind, Agg: Trend, WindowDays: short, LongDays: long, Unit: "log ratio"},
			fmt.Sprintf("trend_%dd_%dd", short, long), fmt.Sprintf("trend of events, %d against %d days", short, long))
	}
}

// over adds one aggregate for each window and for all history.
func (b *autoBuilder) over(source, kind string, agg Agg, unit, what string) {
	for _, days := range append(slices.Clone(b.windows), 0) {
		suffix, words := "all", "so far"
		if days > 0 {
			suffix, words = fmt.Sprintf("%dd", days), fmt.Sprintf("in %d days", days)
		}
		b.event(Feature{From: source, Type: kind, Agg: agg, WindowDays: days, Unit: unit},
			string(agg)+"_"+suffix, what+" "+words)
	}
}

func (b *autoBuilder) event(f Feature, suffix, label string) {
	f.Name = plain(f.From) + "_" + suffix
	f.Label = f.From + ": " + label
	if f.Type != "" {
		f.Name = plain(f.From) + "_" + plain(f.Type) + "_" + suffix
		f.Label = eventWords(f.From, f.Type) + ": " + label
	}
	f.Pillar = GuessPillar(f.From + " " + f.Type)
	b.add(f)
}

// eventWords names an event type as people do: with its source, unless the
// type says it already ("order" of the source orders).
func eventWords(source, kind string) string {
	words := strings.ReplaceAll(kind, "_", " ")
	if strings.Contains(source, kind) || strings.Contains(kind, strings.TrimSuffix(source, "s")) {
		return words
	}
	return strings.ReplaceAll(source, "_", " ") + ", " + words
}

// add gives the feature its defaults and a name of its own: a name that is
// taken is put after where the feature comes from, then numbered.
func (b *autoBuilder) add(f Feature) {
	if f.Kind == "" {
		f.Kind = NumberKind
	}
	f.Direction = Free
	if b.names[f.Name] {
		f.Name = plain(f.From) + "_" + f.Name
	}
	for base, n := f.Name, 2; b.names[f.Name]; n++ {
		f.Name = fmt.Sprintf("%s_%d", base, n)
	}
	b.names[f.Name] = true
	b.features = append(b.features, f)
}

// facts adds what is known of the account, the term and the snapshot.
func (b *autoBuilder) facts(h *data.History, o Outcome, opt AutoOptions) {
	has := func(text func(*data.Version) string) bool {
		return slices.ContainsFunc(h.Versions, func(v data.Version) bool { return text(&v) != "" })
	}
	if has(func(v *data.Version) string { return v.Segment }) {
		b.add(Feature{Name: "segment", From: FromAccount, Agg: SegmentFact, Kind: LevelKind, Pillar: "account", Label: "segment"})
	}
	if has(func(v *data.Version) string { return v.Phase }) {
		b.add(Feature{Name: "phase", From: FromAccount, Agg: PhaseFact, Kind: LevelKind, Pillar: "account", Label: "lifecycle phase"})
	}
	b.attributes(FromAccount, h.AccountAttributes)
	b.add(Feature{Name: "tenure_days", From: FromSnapshot, Agg: Tenure, Pillar: "account", Unit: "days", Label: "days since the account was created"})
	if o.Mode != Renewal {
		return
	}
	term := func(name string, agg Agg, unit, label string) {
		b.add(Feature{Name: name, From: FromContract, Agg: agg, Pillar: "contract", Unit: unit, Label: label})
	}
	b.attributes(FromContract, h.ContractAttributes)
	term("term_number", TermNumber, "terms", "terms in a row, with this one")
	term("term_length_days", TermDays, "days", "length of the term")
	term("days_to_due", DaysToDue, "days", "days until the renewal is due")
	if o.Rolling {
		term("previous_renewal_late_days", PreviousLate, "days", "days the previous renewal came after its due date")
	}
	if slices.ContainsFunc(h.Contracts, func(c data.Contract) bool { return c.AutoRenew >= 0 }) {
		term("auto_renew", AutoRenew, "", "renews by itself")
	}
	if opt.ValueKnown && len(h.Currencies()) < 2 { // values in two currencies cannot be compared
		term("contract_value", Value, "", "value of the contract")
	}
}

func (b *autoBuilder) attributes(from string, columns []data.Column) {
	for i := range columns {
		f := Feature{Name: plain(columns[i].Name), From: from, Column: columns[i].Name, Agg: Attribute,
			Pillar: from, Label: strings.ReplaceAll(columns[i].Name, "_", " ")}
		f.settle(&columns[i])
		b.add(f)
	}
}

// plain turns a name into lower-case letters, digits and underscores.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}

// pillarWords maps the beginnings of words in the names of sources and types
// to pillars. The first match wins, so the narrow ones come first.
var pillarWords = []struct{ start, pillar string }{
	{"referral", "advocacy"}, {"advoca", "advocacy"}, {"review", "advocacy"},
	{"nps", "sentiment"}, {"csat", "sentiment"}, {"survey", "sentiment"}, {"ticket", "sentiment"},
	{"support", "sentiment"}, {"complain", "sentiment"}, {"return", "sentiment"},
	{"sponsor", "relationship"}, {"champion", "relationship"}, {"exec", "relationship"}, {"qbr", "relationship"},
	{"invoice", "relationship"}, {"payment", "relationship"},
	{"training", "engagement"}, {"webinar", "engagement"}, {"meeting", "engagement"}, {"email", "engagement"},
	{"community", "engagement"}, {"roi", "roi"},
}

// GuessPillar names the pillar of an event source or type by the words in its
// name; what nothing else claims counts as product utilization.
func GuessPillar(name string) string {
	words := strings.FieldsFunc(plain(name), func(r rune) bool { return r == '_' })
	for _, w := range pillarWords {
		if slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, w.start) }) {
			return w.pillar
		}
	}
	return "product_utilization"
}
