// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"fmt"
	"maps"
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

// Validate checks a spec against the history it is to be built from.
func (s *Spec) Validate(h *data.History) error {
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
		if !s.ofFeatures(f) {
			if err := f.validate(o, sources, h); err != nil {
				return err
			}
		}
		if err := s.validateNames(i); err != nil {
			return err
		}
	}
	return nil
}

// validateNames checks the other features that feature i names: each is a
// number, and computed before it.
func (s *Spec) validateNames(i int) error {
	f := &s.Features[i]
	names := map[string]string{"seats": f.Seats}
	switch {
	case s.ofFeatures(f) && (f.WindowDays != 0 || f.Type != "" || f.Where != ""):
		return specError("feature %q: a ratio of two features, %s and %s, has no window or where of its own; "+
			"for types of %s rename the features", f.Name, f.Of, f.To, f.From)
	case f.Agg == Ratio && (s.ofFeatures(f) || s.feature(f.Of) != s.feature(f.To)): // one feature and one type are no pair
		names = map[string]string{"of": f.Of, "to": f.To}
	case f.Agg != PerSeat:
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		name := names[key]
		j := s.feature(name)
		switch {
		case name == "":
			return specError("feature %q: %s needs %s, the name of a feature to divide by", f.Name, f.Agg, key)
		case j < 0 && f.Agg == Ratio:
			return specError("feature %q: %s %q is no feature, and the other one is: a ratio is of two features, or of two types of %s",
				f.Name, key, name, f.From)
		case j < 0:
			return specError("feature %q: %s %q is no feature; it must be one, such as the last value of a column that counts seats",
				f.Name, key, name)
		case s.Features[j].Kind == LevelKind:
			return specError("feature %q: %s %q is a level; a number is needed", f.Name, key, name)
		case j == i:
			return specError("feature %q: %s names the feature itself", f.Name, key)
		case j > i && (s.ofFeatures(&s.Features[j]) || s.Features[j].Agg == PerSeat):
			return specError("feature %q: %s %q is computed from other features too; it must stand before this one", f.Name, key, name)
		}
	}
	return nil
}

// days writes a number of days as a project file does.
func days(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%dd", n)
}

func (f *Feature) validate(o *Outcome, sources []string, h *data.History) error {
	if f.isFact() {
		return f.validateFact(o, h)
	}
	switch {
	case slices.Contains([]string{FromAccount, FromContract, FromSnapshot}, f.From):
		return specError("feature %q: agg %q from %s; from %q is not an event source, and facts are %v", f.Name, f.Agg, f.From, f.From, FactAggs)
	case !slices.Contains(sources, f.From):
		return specError("feature %q: from %q is not an event source; the sources are %q", f.Name, f.From, sources)
	case !slices.Contains(EventAggs, f.Agg):
		return specError("feature %q: agg %q; expected one of %v", f.Name, f.Agg, EventAggs)
	case !f.isRead(h):
		return specError("feature %q: where %q over %s was not evaluated when the history was read; read it with the sources of features.Sources",
			f.Name, f.Where, f.Source())
	case f.Agg == Trend && (f.WindowDays <= 0 || f.LongDays <= f.WindowDays):
		return specError("feature %q: a trend needs window and a longer one, long (else the longest of features.windows); found %s and %s",
			f.Name, days(f.WindowDays), days(f.LongDays))
	case f.Agg == Ratio && (f.Of == "" || f.To == ""):
		return specError("feature %q: a ratio needs of and to: two features, or two types of %s", f.Name, f.From)
	case f.Agg == Decayed && f.HalfLifeDays <= 0:
		return specError("feature %q: decayed needs a half_life of one day or more", f.Name)
	case f.Agg == Weighted && len(f.Weights) == 0:
		return specError("feature %q: weighted needs weights, such as {login: 1, export: 3}", f.Name)
	case f.Agg == Lateness && f.Due == "":
		return specError("feature %q: lateness needs due and paid, two columns of dates", f.Name)
	case f.Agg == CLV && f.LifespanDays <= 0:
		return specError("feature %q: clv needs a lifespan of one day or more", f.Name)
	case f.Agg == CSAT && f.PriorWeight < 0:
		return specError("feature %q: prior_weight %v; expected zero or more answers", f.Name, f.PriorWeight)
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

func (f *Feature) validateFact(o *Outcome, h *data.History) error {
	termFact := slices.Contains([]Agg{TermNumber, TermDays, DaysToDue, PreviousLate, Value, Episode, WinBack, AutoRenew}, f.Agg)
	if o.Mode != Renewal && (termFact || f.From == FromContract && f.Agg == Attribute) {
		return specError("feature %q: %s of a term, and in activity mode there are no terms", f.Name, f.Agg)
	}
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
