// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"strings"
)

// checkContracts looks for outcomes that the contracts themselves contradict,
// and for values that cannot be added. A declared outcome stays the truth: the
// findings say how often the table disagrees with itself.
func checkContracts(h *History) []Finding {
	if len(h.Accounts) == 0 {
		return nil // then no contract is anybody's
	}
	var out []Finding
	if all := h.Currencies(); len(all) > 1 {
		out = append(out, Finding{Warning, "currencies", "contracts", 0, 0, fmt.Sprintf(
			"values are in %s; they are never added or compared, so the value is no feature and totals are refused", strings.Join(all, " and ")), nil})
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
