// SPDX-License-Identifier: Apache-2.0

package features

import (
	"github.com/holdfast-churn/holdfast/data"
)

// An ending says how a term ended, or a snapshot of activity mode.
type ending string

// The endings of terms. Every term has one of the first group; those of the
// second tell more of some.
const (
	renewedEarly       ending = "renewed early"
	renewedOnTime      ending = "renewed on time"
	renewedLate        ending = "renewed late"
	renewedUndated     ending = "renewed, on a day not given"
	churned            ending = "churned"
	churnedInvoluntary ending = "churned involuntarily"
	notKnown           ending = "the outcome is not known yet"

	wonBack     ending = "won back after grace, as a new episode"
	contracted  ending = "kept less than 98 % of the value"
	expanded    ending = "kept more than 102 % of the value"
	keptUnknown ending = "kept an unknown share of the value"
	multiYear   ending = "multi-year terms"
	autoRenewed ending = "terms that renew by themselves"
)

// The endings of snapshots in activity mode.
const (
	stayedActive ending = "active within the horizon"
	wentSilent   ending = "not active within the horizon"
)

// Contraction and expansion begin beyond these shares of the value kept.
const (
	contraction = 0.98
	expansion   = 1.02
)

// endingOf says how the term of contract k, whose outcome is y, ended. A
// renewal is dated by renewed_at, else by the early signature, else by the
// start of the successor; it is early before the day the term was due and late
// from the second day after it (due dates may be last days).
func endingOf(h *data.History, k int32, y int8) ending {
	c := &h.Contracts[k]
	switch {
	case y == Unknown:
		return notKnown
	case y == 1 && c.Involuntary == 1:
		return churnedInvoluntary
	case y == 1:
		return churned
	}
	at := c.RenewedAt
	if at == data.NoTime {
		at = c.Signed
	}
	if next := h.Successor(k); at == data.NoTime && next >= 0 {
		at = h.Contracts[next].Start
	}
	if at == data.NoTime {
		return renewedUndated
	}
	switch after := data.DayOf(at, h.Location) - data.DayOf(c.Due, h.Location); {
	case after < 0:
		return renewedEarly
	case after <= 1:
		return renewedOnTime
	}
	return renewedLate
}

// returned returns the contract that began the account's next episode after
// the term of contract k, or -1: a win-back, if the term churned.
func returned(h *data.History, k int32) int32 {
	c := &h.Contracts[k]
	for j := k + 1; j < h.Accounts[c.Account].EndContract; j++ {
		if h.Contracts[j].Episode > c.Episode {
			return j
		}
	}
	return -1
}

// change names the share kept of a renewed term's value: contracted, expanded,
// keptUnknown, or "" for the same.
func change(share float64) ending {
	switch {
	case share != share:
		return keptUnknown
	case share < contraction:
		return contracted
	case share > expansion:
		return expanded
	}
	return ""
}

// An outcomeTally counts endings.
type outcomeTally map[ending]int

// term counts the term of contract k, whose outcome is y.
func (n outcomeTally) term(h *data.History, k int32, y int8) {
	c := &h.Contracts[k]
	n[endingOf(h, k, y)]++
	switch {
	case y == 1 && returned(h, k) >= 0:
		n[wonBack]++
	case y == 0:
		n[change(c.Kept)]++
	}
	if lead(c.Start, c.Due, h.Location) > MultiYearDays {
		n[multiYear]++
	}
	if c.AutoRenew == 1 {
		n[autoRenewed]++
	}
}

// snapshot counts a snapshot of activity mode.
func (n outcomeTally) snapshot(y int8) {
	n[map[int8]ending{0: stayedActive, 1: wentSilent, Unknown: notKnown}[y]]++
}

// add takes in what another listing counted.
func (n outcomeTally) add(m outcomeTally) {
	for e, k := range m {
		n[e] += k
	}
}

// counts lists the endings that occur: first those that make up all terms (or
// snapshots), then those that are part of the renewed, churned or all terms.
func (n outcomeTally) counts(mode string) []data.Count {
	out := []data.Count{}
	list := func(table string, of int, endings ...ending) {
		for _, e := range endings {
			if n[e] > 0 {
				out = append(out, data.Count{Table: table, Reason: string(e), Rows: n[e], Of: of})
			}
		}
	}
	if mode == Activity {
		list("snapshots", n[stayedActive]+n[wentSilent]+n[notKnown], stayedActive, wentSilent, notKnown)
		return out
	}
	renewed := n[renewedEarly] + n[renewedOnTime] + n[renewedLate] + n[renewedUndated]
	gone := n[churned] + n[churnedInvoluntary]
	all := renewed + gone + n[notKnown]
	list("terms", all, renewedEarly, renewedOnTime, renewedLate, renewedUndated, churned, churnedInvoluntary, notKnown)
	list("churned terms", gone, wonBack)
	if n[keptUnknown] < renewed { // else nothing says what was kept
		list("renewed terms", renewed, contracted, expanded, keptUnknown)
	}
	list("terms", all, multiYear, autoRenewed)
	return out
}
