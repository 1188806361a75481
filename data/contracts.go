// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"slices"
)

// A Contract is one term. Instants lie at the start of their calendar day
// where the table holds dates.
type Contract struct {
	ID        string
	Account   int32
	Previous  int32 // the contract of the same account that was due when this one started, or -1
	Y         int8  // 1 churned, 0 renewed, -1 not known
	Start     int64
	Due       int64
	KnownAt   int64 // NoTime where not given
	Notice    int64
	Signed    int64
	RenewedAt int64
	Value     float64 // NaN where not given
	Currency  string
}

func (h *History) addContracts(t *Table, s ContractSource, index *accountIndex) error {
	ids, err := keys(t, s.Key)
	if err != nil {
		return err
	}
	owners := index.numbers(nil, t.Column(s.Account), func(string) {})
	owner := func(r int) int32 { return owners[r] }
	var at [6]func(int) int64
	for i, name := range []string{s.Start, s.Due, s.KnownAt, s.Notice, s.Signed, s.RenewedAt} {
		if at[i], err = dates(t, name, h.Location); err != nil {
			return err
		}
	}
	value, err := numbers(t, s.Value)
	if err != nil {
		return err
	}
	outcome, currency := texts(t, s.Outcome), texts(t, s.Currency)
	var orphans, undated, backwards tally
	var rows []int
	for r := range t.Rows {
		switch {
		case owner(r) < 0:
			orphans.add(ids[r])
		case at[0](r) == NoTime || at[1](r) == NoTime:
			undated.add(ids[r])
		case at[1](r) <= at[0](r):
			backwards.add(ids[r])
		default:
			rows = append(rows, r)
		}
	}
	h.drop(t.Name, "the account is not in the accounts table", t.Rows, orphans)
	h.drop(t.Name, "start or due is missing", t.Rows, undated)
	h.drop(t.Name, "due is not after start", t.Rows, backwards)

	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(owner(a), owner(b)), cmp.Compare(at[0](a), at[0](b)),
			cmp.Compare(at[1](a), at[1](b)), cmp.Compare(ids[a], ids[b]))
	})
	var unseen tally
	h.Contracts = make([]Contract, len(rows))
	for i, r := range rows {
		h.Contracts[i] = Contract{
			ID: ids[r], Account: owner(r), Y: -1, Start: at[0](r), Due: at[1](r), KnownAt: at[2](r),
			Notice: at[3](r), Signed: at[4](r), RenewedAt: at[5](r), Value: value(r), Currency: currency(r),
		}
		switch {
		case s.Outcome == "" || outcome(r) == "":
		case s.KnownAt != "" && at[2](r) == NoTime:
			// Taking it as known at due + grace would let one class mature before the other.
			unseen.add(ids[r])
		case slices.Contains(s.Churned, outcome(r)):
			h.Contracts[i].Y = 1
		default:
			h.Contracts[i].Y = 0
		}
	}
	h.drop(t.Name, "the outcome has no known_at, so it counts as not known", t.Rows, unseen)
	h.ContractAttributes = pick(t, s.Attributes, rows)
	h.linkContracts()
	return nil
}

// linkContracts sets each account's range of contracts and each contract's
// predecessor: the first of the account's contracts that was due on the day it
// started, or the day before, where due dates are last days.
func (h *History) linkContracts() {
	for lo := 0; lo < len(h.Contracts); {
		a := h.Contracts[lo].Account
		hi := lo
		for hi < len(h.Contracts) && h.Contracts[hi].Account == a {
			hi++
		}
		h.Accounts[a].FirstContract, h.Accounts[a].EndContract = int32(lo), int32(hi)
		dueOn := make(map[int]int32, hi-lo)
		for k := hi - 1; k >= lo; k-- {
			dueOn[DayOf(h.Contracts[k].Due, h.Location)] = int32(k)
		}
		for k := lo; k < hi; k++ {
			start := DayOf(h.Contracts[k].Start, h.Location)
			p, ok := dueOn[start]
			if !ok {
				p, ok = dueOn[start-1]
			}
			if !ok || int(p) == k {
				p = -1
			}
			h.Contracts[k].Previous = p
		}
		lo = hi
	}
}
