// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Contract is one term. Instants lie at the start of their calendar day
// where the table holds dates.
type Contract struct {
	ID          string
	Account     int32
	Previous    int32 // the term of the same account that this one continues, or -1; see Link
	Episode     int32 // from 1; one more each time the account came back after its grace had passed
	Y           int8  // 1 churned, 0 renewed, -1 not known
	Involuntary int8  // 1 ended for an involuntary reason such as a failed payment, 0 for another, -1 no reason given
	AutoRenew   int8  // 1 renews by itself, 0 does not, -1 not known
	Start       int64
	Due         int64
	KnownAt     int64 // NoTime where not given
	Notice      int64
	Signed      int64
	RenewedAt   int64
	Value       float64 // of the whole term, NaN where not given
	Kept        float64 // share of the yearly value that its renewal keeps, NaN where not known; see keptValue
	Currency    string
}

func (h *History) addContracts(t *Table, s ContractSource, index *accountIndex) error {
	ids, err := keys(t, s.Key, true)
	if err != nil {
		return err
	}
	owners := index.numbers(nil, t.Column(s.Account), func(string) int32 { return -1 })
	owner := func(r int) int32 { return owners[r] }
	var at [6]func(int) int64
	for i, name := range []string{s.Start, s.Due, s.KnownAt, s.Notice, s.Signed, s.RenewedAt} {
		if at[i], err = dates(t, name, h.Location); err != nil {
			return err
		}
	}
	terms, err := termReaders(t, s)
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

	rows = byAccount(rows, owners, len(h.Accounts), func(a, b int) int {
		return cmp.Or(cmp.Compare(at[0](a), at[0](b)), cmp.Compare(at[1](a), at[1](b)), cmp.Compare(ids[a], ids[b]))
	})
	var unseen tally
	h.Contracts = make([]Contract, len(rows))
	for i, r := range rows {
		h.Contracts[i] = Contract{
			ID: ids[r], Account: owner(r), Y: -1, Start: at[0](r), Due: at[1](r), KnownAt: at[2](r),
			Notice: at[3](r), Signed: at[4](r), RenewedAt: at[5](r), Value: terms.value(r), Kept: terms.kept(r),
			AutoRenew: terms.autoRenew(r), Involuntary: terms.involuntary(r), Currency: currency(r),
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
	h.Link(s.GraceDays)
	h.ValueAtStart = s.ValueKnown == "start"
	if s.Kept == "" && s.RenewedValue == "" && h.ValueAtStart {
		h.keptValue()
	}
	return nil
}

// byAccount puts rows in the order of their accounts, those of one account as
// compare has it.
func byAccount(rows []int, owners []int32, accounts int, compare func(a, b int) int) []int {
	next := make([]int, accounts+1)
	for _, r := range rows {
		next[owners[r]+1]++
	}
	for a := range accounts {
		next[a+1] += next[a]
	}
	out := make([]int, len(rows))
	for _, r := range rows {
		out[next[owners[r]]] = r
		next[owners[r]]++
	}
	for a, from := 0, 0; a < accounts; a++ { // next[a] is now where account a ends
		if to := next[a]; to-from > 1 {
			slices.SortFunc(out[from:to], compare)
		}
		from = next[a]
	}
	return out
}

// A termReader reads what a contracts table says of each term beside its dates
// and its outcome.
type termReader struct {
	value, kept            func(row int) float64
	autoRenew, involuntary func(row int) int8
}

// termReaders checks and reads the columns of a contract source that need not
// be given.
func termReaders(t *Table, s ContractSource) (r termReader, err error) {
	if r.value, err = numbers(t, s.Value); err != nil {
		return r, err
	}
	if r.kept, err = declaredKept(t, s, r.value); err != nil {
		return r, err
	}
	if r.autoRenew, err = yesNo(t, s.AutoRenew); err != nil {
		return r, err
	}
	reason := texts(t, s.Reason)
	r.involuntary = func(row int) int8 {
		switch text := reason(row); {
		case text == "":
			return -1
		case slices.Contains(s.Involuntary, text):
			return 1
		}
		return 0
	}
	return r, nil
}

// declaredKept reads the share of value kept: the column kept as it is, or
// renewed_value over value, NaN where either is missing or value is not above
// 0. Without a column it is NaN.
func declaredKept(t *Table, s ContractSource, value func(int) float64) (func(int) float64, error) {
	name := cmp.Or(s.Kept, s.RenewedValue)
	column, err := numbers(t, name)
	if err != nil {
		return nil, err
	}
	for r := range t.Rows {
		if v := column(r); v < 0 || math.IsInf(v, 1) {
			return nil, &RowError{Table: t.Name, Row: r + 1, Column: name, Problem: fmt.Sprintf(
				"holds %v; expected 0 or more, or null where nothing is known", v)}
		}
	}
	if s.Kept != "" || s.RenewedValue == "" {
		return column, nil
	}
	return func(r int) float64 { return share(column(r), value(r)) }, nil
}

// yesNo reads a column of yes and no in any of the usual spellings: 1, 0, or
// -1 where it is missing.
func yesNo(t *Table, name string) (func(int) int8, error) {
	c := t.Column(name)
	if c == nil {
		return func(int) int8 { return -1 }, nil
	}
	text := c.AsText()
	values := make([]int8, len(text.Dict))
	for k, word := range text.Dict {
		switch strings.ToLower(word) {
		case "true", "yes", "y", "t", "1":
			values[k] = 1
		case "false", "no", "n", "f", "0":
			values[k] = 0
		case "":
			values[k] = -1
		default:
			return nil, &RowError{Table: t.Name, Column: name, Problem: fmt.Sprintf(
				"holds %q; expected true or false, yes or no, 1 or 0", word)}
		}
	}
	return func(r int) int8 {
		if text.Codes[r] < 0 {
			return -1
		}
		return values[text.Codes[r]]
	}, nil
}
