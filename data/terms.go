// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Link finds which terms follow each other, for contracts in their order
// (account, start, due, ID). It sets each account's range of contracts, the
// Previous and the Episode of each contract, and GraceDays.
//
// A contract j can continue a term k of its account that began before j did
// and is due before j is, if j starts within grace of the due date of k, on
// either side, or on the day after it, where due dates are last days:
//
//	-grace <= day(start_j) - day(due_k) <= max(grace, 1).
//
// An add-on that ends with the term continues nothing, and neither does a
// contract in mid-term. Of the terms that j can continue it continues the one
// whose due date is nearest to its start, of two as near the one that was due
// already; so that of two parallel contracts each has its own successors.
// Terms of an account that are due on one day are one renewal: each successor
// of one of them is a successor of all.
//
// An account that comes back later than that after all its terms begins a new
// episode. Nothing here depends on what starts after j.
func (h *History) Link(graceDays int) {
	h.GraceDays = graceDays
	for lo := 0; lo < len(h.Contracts); {
		a := h.Contracts[lo].Account
		hi := lo
		for hi < len(h.Contracts) && h.Contracts[hi].Account == a {
			hi++
		}
		h.Accounts[a].FirstContract, h.Accounts[a].EndContract = int32(lo), int32(hi)
		h.linkAccount(int32(lo), int32(hi))
		lo = hi
	}
}

// linkAccount links the contracts lo to hi of one account.
func (h *History) linkAccount(lo, hi int32) {
	type dueDay struct {
		day int
		k   int32
	}
	late := max(h.GraceDays, 1)
	dues := make([]dueDay, 0, hi-lo)
	for k := lo; k < hi; k++ {
		dues = append(dues, dueDay{DayOf(h.Contracts[k].Due, h.Location), k})
	}
	lastDue, episode := dues[0].day, int32(0)
	byContract := slices.Clone(dues)
	slices.SortFunc(dues, func(a, b dueDay) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.k, b.k)) })
	for j := lo; j < hi; j++ {
		c := &h.Contracts[j]
		start := DayOf(c.Start, h.Location)
		if j == lo || start-lastDue > late {
			episode++
		}
		lastDue = max(lastDue, byContract[j-lo].day)
		c.Previous, c.Episode = -1, episode
		nearest := math.MaxInt
		from, _ := slices.BinarySearchFunc(dues, start-late, func(d dueDay, day int) int { return cmp.Compare(d.day, day) })
		for _, d := range dues[from:] {
			gap := start - d.day
			if gap < -h.GraceDays {
				break
			}
			k := &h.Contracts[d.k]
			// Dues ascend, so that of two as near the one already due stays.
			if far := max(gap, -gap); far < nearest && k.Start < c.Start && k.Due < c.Due {
				nearest, c.Previous = far, d.k
			}
		}
	}
}

// Successors calls yield for each contract that continues the term of contract
// k, in order of their start, until it returns false.
func (h *History) Successors(k int32) func(yield func(j int32) bool) {
	return func(yield func(int32) bool) {
		c := &h.Contracts[k]
		account, due := &h.Accounts[c.Account], DayOf(c.Due, h.Location)
		of := h.Contracts[account.FirstContract:account.EndContract]
		from, _ := slices.BinarySearchFunc(of, DayStart(due-h.GraceDays, h.Location), func(c Contract, t int64) int {
			return cmp.Compare(c.Start, t)
		})
		end := DayStart(due+max(h.GraceDays, 1)+1, h.Location)
		for i := from; i < len(of) && of[i].Start < end; i++ {
			next := &of[i]
			continues := next.Previous >= 0 && DayOf(h.Contracts[next.Previous].Due, h.Location) == due
			if continues && next.Start > c.Start && next.Due > c.Due && !yield(account.FirstContract+int32(i)) {
				return
			}
		}
	}
}

// Successor returns the first contract that continues the term of contract k,
// or -1.
func (h *History) Successor(k int32) int32 {
	for j := range h.Successors(k) {
		return j
	}
	return -1
}

// keptValue sets the share of value that each renewal keeps, from the values
// of the terms and of their successors,
//
//	kept = sum of yearly(successors) / sum of yearly(terms),
//
// over all terms of the account due on the same day, since they are one
// renewal. It is missing where there is no successor, where a value is missing
// or the terms are worth nothing, and where the currency changes. It must not
// be used where values are known only at the end of a term: a successor's
// would be known long after the renewal.
func (h *History) keptValue() {
	for i := range h.Accounts {
		a := &h.Accounts[i]
		before, after := make(map[int]worth), make(map[int]worth) // by the day the terms are due
		for k := a.FirstContract; k < a.EndContract; k++ {
			c := &h.Contracts[k]
			due := DayOf(c.Due, h.Location)
			before[due] = before[due].plus(c, h.Location)
			if c.Previous >= 0 {
				due = DayOf(h.Contracts[c.Previous].Due, h.Location)
				after[due] = after[due].plus(c, h.Location)
			}
		}
		for k := a.FirstContract; k < a.EndContract; k++ {
			c := &h.Contracts[k]
			c.Kept = math.NaN()
			due := DayOf(c.Due, h.Location)
			if was, is := before[due], after[due]; is.currency == was.currency && h.Successor(k) >= 0 {
				c.Kept = share(is.sum, was.sum)
			}
		}
	}
}

// A worth is the yearly value of some contracts, NaN if they have more than
// one currency.
type worth struct {
	terms    int
	sum      float64
	currency string
}

func (w worth) plus(c *Contract, loc *time.Location) worth {
	if w.terms > 0 && c.Currency != w.currency {
		w.sum = math.NaN()
	}
	return worth{w.terms + 1, w.sum + yearly(c, loc), c.Currency}
}

// yearly returns a contract's value for a year: value * 12 / months, with the
// term's length rounded to whole months of 365.25/12 days, so that leap years
// and short months change nothing. Terms under half a month are counted in
// days.
func yearly(c *Contract, loc *time.Location) float64 {
	months := float64(DayOf(c.Due, loc)-DayOf(c.Start, loc)) / (365.25 / 12)
	if months >= 0.5 {
		months = math.Round(months)
	}
	return c.Value * 12 / months
}

// share returns part / whole, NaN where either is missing, part is negative or
// whole is not above 0.
func share(part, whole float64) float64 {
	if !(whole > 0) || !(part >= 0) {
		return math.NaN()
	}
	return part / whole
}

// Currencies returns the currencies of the contracts that have a value,
// sorted. A missing currency is none.
func (h *History) Currencies() []string {
	var out []string
	last := ""
	for i := range h.Contracts {
		c := &h.Contracts[i]
		if c.Currency == "" || c.Currency == last || c.Value != c.Value {
			continue
		}
		last = c.Currency
		if at, found := slices.BinarySearch(out, last); !found {
			out = slices.Insert(out, at, last)
		}
	}
	return out
}

// inWords lists what there is: EUR, GBP and USD.
func inWords(all []string) string {
	if n := len(all) - 1; n > 0 {
		return strings.Join(all[:n], ", ") + " and " + all[n]
	}
	return strings.Join(all, "")
}

// OneCurrency returns an error if the contracts hold values in more than one
// currency, for whatever would add or compare them.
func (h *History) OneCurrency(what string) error {
	all := h.Currencies()
	if len(all) < 2 {
		return nil
	}
	return &RowError{Table: "contracts", Column: "currency", Problem: fmt.Sprintf(
		"values are in %s, and %s would put them together; keep the contracts of one currency or convert the values first",
		inWords(all), what)}
}
