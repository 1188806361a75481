// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

var nan = math.NaN()

// ErrSpec is wrapped by every error about a spec: a mistake in the project
// file, not in the data.
var ErrSpec = errors.New("feature spec")

func specError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSpec, fmt.Sprintf(format, args...))
}

// validate checks a spec against the history it is to be built from.
func (s *Spec) validate(h *data.History) error {
	o := &s.Outcome
	var sources []string
	for i := range h.Sources {
		if !h.Sources[i].Derived {
			sources = append(sources, h.Sources[i].Name)
		}
	}
	switch o.Mode {
	case Renewal:
		if len(o.LeadDays) == 0 {
			return specError("outcome: no leads; give at least one, such as leads: [30d]")
		}
		if o.GraceDays != h.GraceDays {
			return specError("outcome: a grace of %d days, but the terms of the history were linked with one of %d", o.GraceDays, h.GraceDays)
		}
		for _, d := range o.LeadDays {
			if d <= 0 {
				return specError("outcome: a lead of %d days; leads are one day or more", d)
			}
		}
	case Activity:
		if !slices.Contains(sources, o.Of) {
			return specError("outcome: of %q is not an event source; the sources are %q", o.Of, sources)
		}
		if o.HorizonDays <= 0 || o.EveryDays <= 0 || o.ActiveWithinDays <= 0 {
			return specError("outcome: horizon, every and active_within must be one day or more")
		}
	default:
		return specError("outcome: mode %q; expected %q or %q", o.Mode, Renewal, Activity)
	}
	seen := make(map[string]bool)
	for i := range s.Features {
		f := &s.Features[i]
		if seen[f.Name] {
			return specError("feature %q is defined twice", f.Name)
		}
		seen[f.Name] = true
		if slices.Contains(keyColumns, f.Name) {
			return specError("feature %q has the name of a key column; choose another", f.Name)
		}
		if err := f.validate(sources, h); err != nil {
			return err
		}
		if !f.Agg.overColumns() {
			continue
		}
		for _, name := range []string{f.Of, f.To} {
			j := slices.IndexFunc(s.Features, func(g Feature) bool { return g.Name == name })
			if j < 0 || s.Features[j].Kind == LevelKind || j > i && s.Features[j].Agg.overColumns() {
				return specError("feature %q: %q is no number among the features before it; a %s needs two, as of and to", f.Name, name, f.Agg)
			}
		}
	}
	return nil
}

func (f *Feature) validate(sources []string, h *data.History) error {
	if f.isFact() {
		return f.validateFact(h)
	}
	switch {
	case f.Agg.overColumns():
		return nil // the spec has looked whether the features are there
	case !slices.Contains(sources, f.From):
		return specError("feature %q: from %q is not an event source; the sources are %q", f.Name, f.From, sources)
	case !slices.Contains(EventAggs, f.Agg):
		return specError("feature %q: agg %q; expected one of %v", f.Name, f.Agg, EventAggs)
	case !f.isRead(h):
		return specError("feature %q: where %q over %s was not evaluated when the history was read; read it with features.Sources",
			f.Name, f.Where, f.Source())
	case f.Agg == Trend && (f.WindowDays <= 0 || f.LongDays <= f.WindowDays):
		return specError("feature %q: a trend needs a window and a longer one, found %dd and %dd", f.Name, f.WindowDays, f.LongDays)
	case f.Agg == Distinct && f.Type != "":
		return specError("feature %q: distinct counts types, so it cannot be of the one type %q", f.Name, f.Type)
	}
	return nil
}

// isRead reports whether the history was read for the feature: with its filter
// and the columns that it takes values from.
func (f *Feature) isRead(h *data.History) bool {
	i := slices.IndexFunc(h.Sources, func(s data.Source) bool { return s.Name == f.Source() })
	return i >= 0 && (f.Where == "" || slices.Contains(h.Sources[i].Filters, f.Where))
}

func (f *Feature) validateFact(h *data.History) error {
	switch {
	case f.Agg == Value && !h.ValueAtStart:
		return specError("feature %q: the value of a contract is known only at the end of its term, so it is money for reports and no feature; "+
			"say value_known: start if it is agreed when a term starts", f.Name)
	case f.Agg == Value:
		return h.OneCurrency(fmt.Sprintf("the feature %q", f.Name))
	case f.Agg != Attribute:
		return nil
	}
	c := attributeOf(h, f)
	if c == nil {
		return specError("feature %q: %s has no attribute %q", f.Name, f.From, f.Column)
	}
	if !f.accepts(c) {
		return &data.RowError{Table: f.From + "s", Column: f.Column, Problem: fmt.Sprintf(
			"is of type %v; the spec was made for %s: train again, or restore the type", c.Kind, f.Input)}
	}
	return nil
}

// accepts reports whether a column can feed the feature: it has the type the
// spec was made for, integers and numbers being alike, or nothing but missing
// values.
func (f *Feature) accepts(c *data.Column) bool {
	numeric := func(kind string) bool { return kind == data.Int.String() || kind == data.Float.String() }
	if got := c.Kind.String(); got == f.Input || (numeric(got) && numeric(f.Input)) {
		return true
	}
	return allMissing(c)
}

func allMissing(c *data.Column) bool {
	for i := range c.Len() {
		if !c.Missing(i) {
			return false
		}
	}
	return true
}
