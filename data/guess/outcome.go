// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// outcomeWords are names of a column that says how a term ended, the surest
// first.
var outcomeWords = []string{"outcome", "renewal result", "renewal status", "churned", "=churn", "is churn",
	"churn flag", "=renewed", "is renewed", "retained", "=result", "=label", "=target", "=y", "churn",
	"=status", "contract status", "subscription status"}

// Values of such a column. A value is known by its beginning, except for those
// of one letter or digit.
var (
	goneValues = []string{"churn", "lost", "cancel", "lapse", "not renewed", "not_renewed", "non-renew",
		"nonrenew", "terminat", "expired", "ended", "left", "closed lost", "closed_lost", "withdrawn", "withdrew",
		"attrit", "dropped", "inactive", "deactiv"}
	openValues = []string{"open", "pending", "active", "current", "unknown", "in progress", "in_progress",
		"undecided", "future", "ongoing", "upcoming", "tbd", "n/a", "none"}
	yesValues = []string{"1", "true", "yes", "y", "t"}
	noValues  = []string{"0", "false", "no", "n", "f"}
)

func beginsWith(value string, starts []string) bool {
	value = strings.ToLower(value)
	return slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(value, s) })
}

// outcome picks the column that says how terms ended and its values that mean
// churn. It returns a reader of it (churned, known), nil where there is none.
func (k *looker) outcome(m *terms, s *data.ContractSource) func(r int) (churned, known bool) {
	t := m.t
	for {
		c := t.best(func(c *data.ColumnProfile) bool { return !isDated(c) && c.Distinct <= 8 }, outcomeWords...)
		if c == nil {
			k.layout.Why["contracts.outcome"] = "no column says how terms ended, so it is derived: renewed " +
				"if the account has a contract that starts within grace of due"
			return nil
		}
		gone, why := churnedValues(c)
		if why != "" {
			k.leave(t, "contracts", c, true, why)
			continue
		}
		s.Churned = gone
		why = "by its name"
		if c.Missing > 0 {
			why += fmt.Sprintf("; empty (%d rows) means not known yet", c.Missing)
		}
		s.Outcome = k.take(t, "contracts.outcome", c, why)
		k.layout.Why["contracts.churned"] = "all other values count as renewed: " +
			strings.Join(others(c, gone), ", ")
		text := t.sample.Column(c.Name).AsText()
		return func(r int) (bool, bool) { return slices.Contains(gone, text.Text(r)), text.Text(r) != "" }
	}
}

// churnedValues returns the values of an outcome that mean churn, or why the
// column cannot be the outcome.
func churnedValues(c *data.ColumnProfile) (gone []string, why string) {
	yes := speaks(c.Name, "churn", "lost", "cancel", "lapse", "=y", "=target", "=label")
	no := speaks(c.Name, "renew", "retain", "kept")
	for _, l := range c.Levels {
		v := strings.ToLower(l.Text)
		switch {
		case beginsWith(v, openValues):
			return nil, fmt.Sprintf("it may be the outcome, but its value %q (%d rows) seems to mean that "+
				"nothing is decided, and any value that is not churn would count as renewed; leave such rows empty",
				l.Text, l.Rows)
		case beginsWith(v, goneValues), yes && slices.Contains(yesValues, v), no && slices.Contains(noValues, v):
			gone = append(gone, l.Text)
		}
	}
	slices.Sort(gone)
	switch {
	case len(gone) == 0:
		return nil, "it may be the outcome, but none of its values is known to mean churn"
	case len(gone) == len(c.Levels):
		return nil, "it may be the outcome, but all its values mean churn"
	}
	return gone, ""
}

// others lists the values of an outcome that count as renewed.
func others(c *data.ColumnProfile, gone []string) []string {
	var out []string
	for _, l := range c.Levels {
		if !slices.Contains(gone, l.Text) {
			out = append(out, l.Text)
		}
	}
	return out
}
