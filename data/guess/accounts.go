// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
)

// accounts gives the columns of the accounts table their roles. The key is
// taken already.
func (k *looker) accounts(t *table) {
	s := &k.layout.Sources.Accounts
	s.Created = k.created(t)
	levels := func(c *data.ColumnProfile) bool {
		return c.Kind == data.Text && c.Distinct >= 2 && c.Distinct <= maxLevels
	}
	c := t.best(levels, "segment", "customer tier", "customer type", "account type", "company size", "=tier",
		"=size", "industry", "vertical")
	s.Segment = k.take(t, "accounts.segment", c, "by its name")
	c = t.best(levels, "lifecycle", "phase", "=stage", "life stage")
	s.Phase = k.take(t, "accounts.phase", c, "by its name; taken as constant, so leave it out if it changes")
	c = t.best(func(c *data.ColumnProfile) bool { return isID(c) && c.Distinct < c.Present() },
		"parent", "group id", "=group", "household", "holding", "person", "family", "owner id")
	if c != nil {
		s.Group = k.take(t, "accounts.group", c, fmt.Sprintf("by its name; %d rows share %d values, and "+
			"rows of one stay in one fold", c.Present(), c.Distinct))
	}
	text := func(c *data.ColumnProfile) bool { return c.Kind == data.Text && !personal(c.Name) }
	for _, patterns := range [][]string{
		{"=name", "account name", "customer name", "company name", "client name", "display name", "full name",
			"=company", "=title"},
		{"=owner", "csm", "account manager", "success manager", "owner name", "account owner", "=manager",
			"sales rep", "=rep"},
	} {
		if c := t.best(text, patterns...); c != nil {
			s.Show = append(s.Show, k.take(t, "accounts.show", c, "passed through to the scores, never features"))
		}
	}
	s.Attributes = k.attributes(t, "accounts")
	if len(s.Attributes) > 0 {
		k.layout.Why["accounts.attributes"] = "taken as constant: nothing says since when they hold"
	}
}

// created picks the date an account began: by name, or the only date there is
// whose name does not speak of an end.
func (k *looker) created(t *table) string {
	c := t.best(isDated, "=created", "created", "creation", "sign up", "signup", "registered", "registration",
		"joined", "join", "since", "onboard", "acquired", "opened", "install", "first", "start", "begin")
	if c != nil {
		return k.take(t, "accounts.created", c, "by its name")
	}
	n := 0
	for i := range t.columns {
		if d := &t.columns[i]; isDated(d) && hindsight(d.Name, true) == "" && !personal(d.Name) {
			n++
			c = d
		}
	}
	if n != 1 {
		return ""
	}
	return k.take(t, "accounts.created", c, "the only date here")
}
