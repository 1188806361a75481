// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// What csat and clv take where a feature does not say. features/SPEC.md states
// them.
const (
	csatPositive    = 4.0 // of 5
	csatPrior       = 80.0
	csatPriorWeight = 5.0
	clvLifespan     = 3 * 365
)

// valuedAggs are the aggregates that read the value of an event.
var valuedAggs = []features.Agg{features.Sum, features.Mean, features.Min, features.Max, features.Last, features.LastChange,
	features.Decayed, features.Weighted, features.PerSeat, features.TenureScaled, features.NPS, features.CSAT, features.CLV}

// factSources are the words that stand in from for what is no event source.
var factSources = []string{features.FromAccount, features.FromContract, features.FromSnapshot}

// parameters converts the keys that belong to single aggregates, and refuses
// them with any other.
func (c *converter) parameters(key string, f featureYAML, out *features.Feature) {
	for _, k := range []struct {
		name  string
		given bool
		aggs  []features.Agg
	}{
		{"long", f.Long != "", []features.Agg{features.Trend}},
		{"half_life", f.HalfLife != "", []features.Agg{features.Decayed}},
		{"weights", f.Weights != nil, []features.Agg{features.Weighted}},
		{"seats", f.Seats != "", []features.Agg{features.PerSeat}},
		{"of", f.Of != "", []features.Agg{features.Ratio, features.Decayed, features.Weighted, features.PerSeat, features.TenureScaled}},
		{"to", f.To != "", []features.Agg{features.Ratio}},
		{"value", f.Value != "", valuedAggs},
		{"positive", f.Positive != nil, []features.Agg{features.CSAT}},
		{"prior", f.Prior != nil, []features.Agg{features.CSAT}},
		{"prior_weight", f.PriorWeight != nil, []features.Agg{features.CSAT}},
		{"due", f.Due != "", []features.Agg{features.Lateness}},
		{"paid", f.Paid != "", []features.Agg{features.Lateness}},
		{"lifespan", f.Lifespan != "", []features.Agg{features.CLV}},
		{"column", f.Column != "", []features.Agg{features.Attribute}},
	} {
		c.check(!k.given || slices.Contains(k.aggs, out.Agg), key, "%s does not go with agg %s; it belongs to %s",
			k.name, out.Agg, aggNames(k.aggs))
	}
	out.Value, out.Due, out.Paid = f.Value, f.Due, f.Paid
	out.HalfLifeDays = c.days(key+": half_life", f.HalfLife, 0)
	out.Weights, out.Seats = f.Weights, f.Seats
	switch out.Agg {
	case features.Decayed, features.Weighted, features.PerSeat, features.TenureScaled:
		c.oneOf(key+": of", f.Of, string(features.Count), string(features.Sum))
		if f.Of == string(features.Count) {
			out.Of = "" // the same feature, however it is written
		}
	case features.CSAT:
		out.Positive, out.Prior, out.PriorWeight = csatPositive, csatPrior, csatPriorWeight
		for _, p := range []struct{ to, from *float64 }{{&out.Positive, f.Positive}, {&out.Prior, f.Prior}, {&out.PriorWeight, f.PriorWeight}} {
			if p.from != nil {
				*p.to = *p.from
			}
		}
		c.check(out.Prior >= 0 && out.Prior <= 100, key+": prior", "found %v; expected a percentage from 0 to 100", out.Prior)
	case features.Lateness:
		c.check(f.Due != "" && f.Paid != "", key, "lateness needs due and paid, two columns of dates")
	case features.CLV:
		out.LifespanDays = c.days(key+": lifespan", f.Lifespan, clvLifespan)
	}
	if i := slices.IndexFunc(c.events, func(e data.EventSource) bool { return e.Name == f.From }); i >= 0 && c.events[i].Value == f.Value {
		out.Value = "" // the declared one
	}
}

func aggNames(aggs []features.Agg) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(aggs), "[]"), " ", ", ")
}

// fact checks a feature over the account, the term or the snapshot: what it
// reads must be declared, and known at the snapshot.
func (c *converter) fact(key string, f *features.Feature, p *project) {
	c.check(f.WindowDays == 0 && f.Where == "" && f.Type == "" && f.Value == "", key,
		"window, where and value are for events; %s of %s has none", f.Agg, f.From)
	accounts, contracts := &p.sources.Accounts, p.sources.Contracts
	c.check(f.From != features.FromContract || contracts != nil && p.outcome.Mode == features.Renewal, key,
		"from: contract needs contracts and outcome.mode renewal")
	switch f.Agg {
	case features.Attribute:
		declared := accounts.Attributes
		c.check(f.From != features.FromSnapshot, key+": from", "an attribute is of account or contract, found snapshot")
		if f.From == features.FromContract && contracts != nil {
			declared = contracts.Attributes
		}
		near := ""
		if n := data.Nearest(f.Column, declared); n != "" {
			near = fmt.Sprintf("; did you mean %q?", n)
		}
		c.check(slices.Contains(declared, f.Column), key+": column", "%q is not among the attributes of data.%ss%s", f.Column, f.From, near)
		return
	case features.SegmentFact, features.PhaseFact:
		f.Kind = features.LevelKind
		c.check(f.Agg != features.SegmentFact || accounts.Segment != "", key, "data.accounts.segment is not declared")
		c.check(f.Agg != features.PhaseFact || accounts.Phase != "", key, "data.accounts.phase is not declared")
	case features.Tenure:
		c.check(accounts.Created != "", key, "data.accounts.created is not declared")
	case features.Value:
		c.check(p.autoOpt.ValueKnown, key,
			"the value is known only at the end of the term (value_known: end), so it cannot be a feature; say value_known: start if it is agreed when a term starts")
	case features.AutoRenew:
		c.check(contracts == nil || contracts.AutoRenew != "", key, "data.contracts.auto_renew names no column")
	case features.PreviousLate:
		c.check(p.outcome.Rolling, key, "data.contracts.renewed_at is not declared")
	}
}

// factPillar names the pillar of a fact: the table it stands in.
func factPillar(f *features.Feature) string {
	switch f.Agg {
	case features.Attribute:
		return f.From
	case features.SegmentFact, features.PhaseFact, features.Tenure:
		return features.FromAccount
	}
	return features.FromContract
}
