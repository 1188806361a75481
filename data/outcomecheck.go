// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
)

// checkOutcomes looks for outcomes that the contracts themselves contradict,
// and for values that cannot be added. A declared outcome stays the truth: the
// findings say how often the table disagrees with itself.
func checkOutcomes(h *History) []Finding {
	if len(h.Accounts) == 0 {
		return nil // then no contract is anybody's
	}
	var out []Finding
	if all := h.Currencies(); len(all) > 1 {
		out = append(out, Finding{Warning, "currencies", "contracts", 0, 0, fmt.Sprintf(
			"values are in %s; they are never added or compared, so the value is no feature and totals are refused", inWords(all)), nil})
	}
	churned, renewed := 0, 0
	var back, alone tally
	linked := false
	for k := range h.Contracts {
		c := &h.Contracts[k]
		next := h.Successor(int32(k))
		linked = linked || next >= 0
		switch {
		case c.Y == 1:
			if churned++; next >= 0 {
				back.add(c.ID)
			}
		case c.Y == 0 && h.Newest >= DayStart(DayOf(c.Due, h.Location)+max(h.GraceDays, 1), h.Location):
			if renewed++; next < 0 {
				alone.add(c.ID)
			}
		}
	}
	out = append(out, checkMaturity(h)...)
	if back.n > 0 {
		out = append(out, Finding{Warning, "contradiction", "contracts", back.n, churned, fmt.Sprintf(
			"%d of %d terms are declared churned, although a contract continues them within the grace of %d days", back.n, churned, h.GraceDays), back.examples})
	}
	if linked && alone.n > 0 { // a table without any successor does not hold them
		out = append(out, Finding{Warning, "contradiction", "contracts", alone.n, renewed, fmt.Sprintf(
			"%d of %d terms are declared renewed, although no contract continues them within the grace of %d days", alone.n, renewed, h.GraceDays), alone.examples})
	}
	return out
}

// checkChurned looks for a slip in which values of the outcome mean churn: none
// of them is there, and others are.
func checkChurned(h *History, s *ContractSource) []Finding {
	if s == nil || s.Outcome == "" || slices.ContainsFunc(h.Contracts, func(c Contract) bool { return c.Y == 1 }) {
		return nil
	}
	var there []string
	contracts := h.facts[1].table
	outcome := texts(contracts, s.Outcome)
	for r := range contracts.Rows {
		if text := outcome(r); text != "" && !slices.Contains(there, text) && len(there) < 5 {
			there = append(there, text)
		}
	}
	if len(there) == 0 || slices.ContainsFunc(s.Churned, func(v string) bool { return slices.Contains(there, v) }) {
		return nil
	}
	slices.Sort(there)
	return []Finding{{Warning, "churned_values", "contracts", 0, 0, fmt.Sprintf(
		"no value of %q is one of those that data.contracts.churned names (%q); there are %q", s.Outcome, s.Churned, there), nil}}
}

// slackDays is how much sooner one class may typically be known than the
// other: weekends and the habits of those who keep the books.
const slackDays = 7

// checkMaturity compares how long after the due date churns and renewals are
// known, grace included. A project that takes the day a renewal was seen for
// known_at lets renewals train before churns could, and every prediction comes
// out too low (METHODS section 1).
func checkMaturity(h *History) []Finding {
	var days [2][]int
	for k := range h.Contracts {
		c := &h.Contracts[k]
		if c.Y < 0 || c.KnownAt == NoTime {
			continue
		}
		days[c.Y] = append(days[c.Y], max(DayOf(c.KnownAt, h.Location)-DayOf(c.Due, h.Location), h.GraceDays))
	}
	if len(days[0]) == 0 || len(days[1]) == 0 {
		return nil
	}
	var median [2]int
	for y := range days {
		slices.Sort(days[y])
		median[y] = days[y][len(days[y])/2]
	}
	if d := median[1] - median[0]; d <= slackDays && d >= -slackDays {
		return nil
	}
	return []Finding{{Warning, "unequal_maturity", "contracts", 0, 0, fmt.Sprintf(
		"churned outcomes are known %d days after the due date, renewed ones %d (medians): the class that is known first is over-represented in training; "+
			"give outcome.grace of at least %d days, or a known_at that waits as long for both", median[1], median[0], max(median[0], median[1])), nil}}
}
