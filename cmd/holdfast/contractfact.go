// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// contractFacts are the facts of a term that features.set may ask for with
// from: contract.
var contractFacts = []features.Agg{features.TermNumber, features.Episode, features.WinBack, features.AutoRenew, features.TermDays,
	features.PreviousLate, features.Value}

// contractFact converts an entry of features.set that reads the term itself.
// The value is refused unless it is known when the term starts.
func (c *converter) contractFact(key string, f featureYAML, p *project) features.Feature {
	c.require(key+": name", f.Name)
	names := make([]string, len(contractFacts))
	for i, a := range contractFacts {
		names[i] = string(a)
	}
	agg := features.Agg(f.Agg)
	c.check(slices.Contains(contractFacts, agg), key+": agg", "found %q; expected one of %s for from: contract", f.Agg, strings.Join(names, ", "))
	c.check(f.Where == "" && f.Window == "" && f.Long == "", key, "a fact of the contract has no where and no window")
	k := p.sources.Contracts
	c.check(k != nil && p.outcome.Mode == features.Renewal, key, "from: contract needs contracts and outcome.mode renewal")
	c.check(agg != features.Value || p.autoOpt.ValueKnown, key,
		"the value is known only at the end of the term (value_known: end), so it cannot be a feature; say value_known: start if it is agreed when a term starts")
	c.check(agg != features.AutoRenew || k == nil || k.AutoRenew != "", key, "data.contracts.auto_renew names no column")
	direction := features.Direction(cmp.Or(f.Direction, string(features.Free)))
	c.check(slices.Contains([]features.Direction{features.Free, features.Healthy, features.Risky}, direction),
		key+": direction", "found %q; expected healthy, risky or free", f.Direction)
	return features.Feature{Name: f.Name, From: f.From, Agg: agg, Kind: features.NumberKind, Pillar: cmp.Or(f.Pillar, "contract"),
		Direction: direction, Actionable: f.Actionable, Unit: f.Unit, Label: cmp.Or(f.Label, strings.ReplaceAll(f.Name, "_", " "))}
}
