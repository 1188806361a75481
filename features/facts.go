// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
	"sort"

	"github.com/holdfast-churn/holdfast/data"
)

// factOf returns how a column that does not come from events is read. It
// reports false for a column over events. Levels of the column are set here,
// sorted, so that codes do not depend on the order of rows.
func factOf(h *data.History, c *Column) (f fact, ok bool) {
	if !c.Feature.isFact() {
		return fact{}, false
	}
	switch c.Feature.Agg {
	case Attribute:
		return attributeFact(h, c), true
	case SegmentFact:
		return accountLevel(h, c, func(v *data.Version) string { return v.Segment }), true
	case PhaseFact:
		return accountLevel(h, c, func(v *data.Version) string { return v.Phase }), true
	case Tenure:
		f.number = func(a int32, s *snapshot) float64 {
			created := h.Accounts[a].Created
			if created == data.NoTime {
				return math.NaN()
			}
			return float64(data.DayOf(s.t, h.Location) - data.DayOf(created, h.Location))
		}
	case TermNumber:
		number := termNumbers(h)
		f.number = func(_ int32, s *snapshot) float64 { return number[s.contract] }
	case TermDays:
		f.number = func(_ int32, s *snapshot) float64 {
			k := &h.Contracts[s.contract]
			return float64(lead(k.Start, k.Due, h.Location))
		}
	case DaysToDue:
		f.number = func(_ int32, s *snapshot) float64 { return float64(lead(s.t, s.due, h.Location)) }
	case PreviousLate:
		f.number = func(_ int32, s *snapshot) float64 { return previousLate(h, s.contract) }
	case Value:
		f.number = func(_ int32, s *snapshot) float64 { return h.Contracts[s.contract].Value }
	case Episode:
		f.number = func(_ int32, s *snapshot) float64 { return float64(h.Contracts[s.contract].Episode) }
	case WinBack:
		f.number = func(_ int32, s *snapshot) float64 {
			if h.Contracts[s.contract].Episode > 1 {
				return 1
			}
			return 0
		}
	case AutoRenew:
		f.number = func(_ int32, s *snapshot) float64 {
			if renews := h.Contracts[s.contract].AutoRenew; renews >= 0 {
				return float64(renews)
			}
			return math.NaN()
		}
	default:
		return fact{}, false
	}
	return f, true
}

// isFact reports whether the feature is a fact of the account, the term or the
// snapshot, rather than an aggregate of events or of other features.
func (f *Feature) isFact() bool {
	return slices.Contains([]string{FromAccount, FromContract, FromSnapshot}, f.From) && slices.Contains(FactAggs, f.Agg)
}

// termNumbers returns for each contract its place in the chain of terms that
// continued each other within grace, from 1.
func termNumbers(h *data.History) []float64 {
	number := make([]float64, len(h.Contracts))
	for k := range h.Contracts { // predecessors come first: they start earlier
		number[k] = 1
		if p := h.Contracts[k].Previous; p >= 0 {
			number[k] = number[p] + 1
		}
	}
	return number
}

// previousLate returns the days from the previous term's due date to the day
// its renewal was seen, 0 for a term without a previous one. atRisk has made
// sure that the renewal was seen before the snapshot.
func previousLate(h *data.History, k int32) float64 {
	p := h.Contracts[k].Previous
	if p < 0 || h.Contracts[p].RenewedAt == data.NoTime {
		return 0
	}
	return float64(lead(h.Contracts[p].Due, h.Contracts[p].RenewedAt, h.Location))
}

// attributeOf returns the declared attribute that a feature names, or nil.
func attributeOf(h *data.History, f *Feature) *data.Column {
	attributes := h.AccountAttributes
	if f.From == FromContract {
		attributes = h.ContractAttributes
	}
	i := slices.IndexFunc(attributes, func(a data.Column) bool { return a.Name == f.Column })
	if i < 0 {
		return nil
	}
	return &attributes[i]
}

// Settle gives a feature of a project file that reads an attribute the kind
// that its column has in the history; others stay as they are.
func (f *Feature) Settle(h *data.History) {
	if c := attributeOf(h, f); f.Agg == Attribute && c != nil {
		f.settle(c)
	}
}

// settle makes texts levels and everything else a number.
func (f *Feature) settle(c *data.Column) {
	f.Kind, f.Input = NumberKind, c.Kind.String()
	if c.Kind == data.Text {
		f.Kind = LevelKind
	}
}

// attributeFact reads a declared attribute of the account, as it was at the
// snapshot, or of the contract. An account of one version, as where no
// valid_from is declared, is assumed constant.
func attributeFact(h *data.History, c *Column) fact {
	values := attributeOf(h, &c.Feature)
	row := func(a int32, s *snapshot) (int, bool) { return VersionAt(h, &h.Accounts[a], s.t) }
	if c.Feature.From == FromContract {
		row = func(_ int32, s *snapshot) (int, bool) { return int(s.contract), true }
	}
	isText := values.Kind == data.Text
	switch {
	case c.IsLevel() && isText:
		c.Levels = values.Dict
		return fact{level: func(a int32, s *snapshot) int32 {
			if i, ok := row(a, s); ok {
				return values.Codes[i]
			}
			return -1
		}}
	case c.IsLevel(): // accepted because every value is missing
		return fact{level: func(int32, *snapshot) int32 { return -1 }}
	case isText:
		return fact{number: func(int32, *snapshot) float64 { return math.NaN() }}
	}
	return fact{number: func(a int32, s *snapshot) float64 {
		if i, ok := row(a, s); ok {
			return values.Number(i)
		}
		return math.NaN()
	}}
}

// accountLevel makes a level column of a text every version of an account has.
func accountLevel(h *data.History, c *Column, text func(*data.Version) string) fact {
	var levels []string
	for i := range h.Versions {
		levels = append(levels, text(&h.Versions[i]))
	}
	sort.Strings(levels)
	levels = slices.Compact(levels)
	if len(levels) > 0 && levels[0] == "" {
		levels = levels[1:] // missing is a code of its own
	}
	codes := make([]int32, len(h.Versions))
	for i := range codes {
		k, found := slices.BinarySearch(levels, text(&h.Versions[i]))
		if codes[i] = int32(k); !found {
			codes[i] = -1
		}
	}
	c.Levels = levels
	return fact{level: func(a int32, s *snapshot) int32 {
		if i, ok := VersionAt(h, &h.Accounts[a], s.t); ok {
			return codes[i]
		}
		return -1
	}}
}
