// SPDX-License-Identifier: Apache-2.0

package features

import (
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// Sources returns the declared event sources with all that the features read
// of them: the filters that select rows, and after the declared ones a further
// reading of a source for each value that features take from other columns
// than the declared one. Features of a model and of a project may be given
// together; those of other sources are left aside.
func Sources(declared []data.EventSource, sets ...[]Feature) ([]data.EventSource, error) {
	out := slices.Clone(declared)
	filters := make(map[string][]string) // by source
	for _, set := range sets {
		for i := range set {
			f := &set[i]
			k := slices.IndexFunc(declared, func(s data.EventSource) bool { return s.Name == f.From })
			if k < 0 {
				continue
			}
			name := f.Source()
			if !slices.ContainsFunc(out, func(s data.EventSource) bool { return s.Name == name }) {
				out = append(out, f.reading(declared[k]))
			}
			if f.Where != "" {
				filters[name] = append(filters[name], f.Where)
			}
		}
	}
	for i := range out {
		texts := filters[out[i].Name]
		slices.Sort(texts)
		out[i].Filters = nil
		for _, text := range slices.Compact(texts) {
			filter, err := data.ParseFilter(text)
			if err != nil {
				return nil, specError("%v", err)
			}
			out[i].Filters = append(out[i].Filters, filter)
		}
		if n := len(out[i].Filters); n > data.MaxFilters {
			return nil, specError("%d different filters over %s; %d are the most", n, out[i].Name, data.MaxFilters)
		}
	}
	return out, nil
}

// AskDays marks the event sources of which a frame needs only the days on which
// their events were, so that they may be held in less memory: tallies over whole
// days are the same whatever the time of day. set is the features beside the
// automatic ones, which are all tallies.
func AskDays(sources []data.EventSource, o Outcome, set []Feature) {
	for k := range sources {
		s := &sources[k]
		s.ByDay = o.Mode != Activity || o.Of != s.Name
		for i := range set {
			if f := &set[i]; f.Source() == s.Name && !slices.Contains(fromTally, f.Agg) {
				s.ByDay = false
			}
		}
	}
}

// checkDays refuses to build from a source by day what needs more than days.
func (s *Spec) checkDays(h *data.History, o Options) error {
	for i := range h.Sources {
		name := h.Sources[i].Name
		if !h.Sources[i].ByDay() {
			continue
		}
		for _, asOf := range append(slices.Clip(o.Earlier), o.AsOf) {
			if t := asOf.UnixNano(); !asOf.IsZero() && t != data.DayStart(data.DayOf(t, h.Location), h.Location) {
				return specError("%s was read by day, so snapshots lie at the start of one, not at %v", name, asOf)
			}
		}
		if s.Outcome.Mode == Activity && s.Outcome.Of == name {
			return specError("outcome: %s was read by day, but activity needs the times of events", name)
		}
		for k := range s.Features {
			if f := &s.Features[k]; f.Source() == name && !slices.Contains(fromTally, f.Agg) {
				return specError("%s: %s was read by day, but %s needs the times of events", f.Name, name, f.Agg)
			}
		}
	}
	return nil
}

// Source returns the name of the source that the feature's events come from: a
// source of which it takes another value than the declared one has a name of
// its own, such as orders[margin] or invoices[due_on, paid_on].
func (f *Feature) Source() string {
	columns := f.columns()
	if columns == nil {
		return f.From
	}
	return f.From + "[" + strings.Join(columns, ", ") + "]"
}

// columns returns the columns that the feature reads as its value in place of
// the declared one, nil for none.
func (f *Feature) columns() []string {
	switch {
	case f.Value != "":
		return []string{f.Value}
	case f.Due != "":
		return []string{f.Due, f.Paid}
	}
	return nil
}

// reading returns the source with the feature's value in place of its own.
func (f *Feature) reading(s data.EventSource) data.EventSource {
	s.Name, s.Derived, s.Filters = f.Source(), true, nil
	s.Value, s.Dates = f.Value, data.Dates{From: f.Due, To: f.Paid}
	return s
}
