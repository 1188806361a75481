// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
	"strings"
)

// manyEvents is how many events a type must have had before its silence means
// anything.
const manyEvents = 100

// findings says what is odd about one source: events dated before the account
// was created, by type (whether the stamp or the sign-up date is wrong only
// the owner of the data can say, so they stay visible), events outside the
// account's terms, rows that repeat, and months without any event.
func (v *surveyor) findings(source, first, last int) []Finding {
	src, s := &v.h.Sources[source], &v.sources[source]
	if src.Rows == 0 {
		return []Finding{{Warning, "no_events", src.Name, 0, 0,
			"the source has no usable events; its features are all empty", nil}}
	}
	var out []Finding
	if src.Stray > 0 {
		out = append(out, Finding{Warning, "stray", src.Name, src.Stray, src.Rows, fmt.Sprintf(
			"%d of %d events are dated over 90 days after all others; they do not count as the end of the data",
			src.Stray, src.Rows), nil})
	}
	for t := range s.types {
		if early, total := s.types[t].early, s.types[t].rows; early > 0 {
			out = append(out, Finding{Warning, "before_created", src.typeName(t), early, total, fmt.Sprintf(
				"%d of %d events are dated before the account was created; check the time stamps and the creation date",
				early, total), nil})
		}
	}
	odd := func(severity Severity, check string, t tally, message string) {
		if t.n > 0 {
			out = append(out, Finding{severity, check, src.Name, t.n, src.Rows,
				fmt.Sprintf("%d of %d events ", t.n, src.Rows) + message, t.examples})
		}
	}
	odd(Note, "before_contract", s.unstarted, "are dated before the account's first contract starts")
	odd(Note, "after_end", s.ended, "are dated after the account's last contract was due")
	odd(Warning, "after_churn", s.churned, fmt.Sprintf("are dated over %d days after the account's last contract was due, "+
		"although that is declared churned and none follows; is the outcome right, or a contract missing?", afterChurn))
	odd(Note, "repeats", s.repeats, "repeat another one of their account in time, type and value; "+
		"if they are one event loaded twice, declare the column that identifies it as id")
	return append(out, v.silence(source, first, last)...)
}

// typeName names a type of a source by its place in a survey.
func (s *Source) typeName(t int) string {
	if t > 0 && s.Types[t-1] != s.Name {
		return s.Name + "." + s.Types[t-1]
	}
	return s.Name
}

// silence names the months of a source without any event, and the types that
// are not heard of any more: none in the last two months of all sources.
func (v *surveyor) silence(source, first, last int) []Finding {
	src, types := &v.h.Sources[source], v.sources[source].types
	var all monthCounts
	var out []Finding
	for t := range types {
		m := &types[t].months
		all.merge(m)
		newest := -1
		for at := max(first, m.first); at <= last; at++ {
			if m.at(at) > 0 {
				newest = at
			}
		}
		if types[t].rows >= manyEvents && newest >= 0 && newest <= last-2 {
			out = append(out, Finding{Warning, "ended", src.typeName(t), 0, types[t].rows, fmt.Sprintf(
				"none of its %d events is newer than %s, and the data go on to %s; features of recent snapshots see nothing",
				types[t].rows, monthName(newest), monthName(last)), nil})
		}
	}
	var gaps, quiet []string // quiet months count once another event follows
	for at := max(first, all.first); at <= last; at++ {
		if all.at(at) > 0 {
			gaps, quiet = append(gaps, quiet...), nil
		} else {
			quiet = append(quiet, monthName(at))
		}
	}
	if len(gaps) > 0 && src.Rows >= manyEvents {
		out = append(out, Finding{Note, "gap", src.Name, 0, 0, fmt.Sprintf(
			"there is no event in %s, and some before and after", Listed(gaps)), nil})
	}
	return out
}

// Listed names the first six of a list, for a message.
func Listed(names []string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// checkContracts looks at the contracts beside the accounts: terms that repeat
// or overlap or start before the account was created, facts that are dated
// before the term they belong to, and accounts without a contract.
func checkContracts(h *History, s Sources) []Finding {
	if s.Contracts == nil || len(h.Contracts) == 0 {
		return nil
	}
	var repeated, overlap, early, known, notice, signed, renewed, without tally
	for a := range h.Accounts {
		account := &h.Accounts[a]
		if account.FirstContract == account.EndContract {
			without.addMany(1, account.ID)
		}
		end := NoTime // the latest due date so far
		for k := account.FirstContract; k < account.EndContract; k++ {
			c := &h.Contracts[k]
			switch {
			case k > account.FirstContract && h.Contracts[k-1].Start == c.Start && h.Contracts[k-1].Due == c.Due:
				repeated.add(c.ID)
			case c.Start < end:
				overlap.add(c.ID)
			}
			end = max(end, c.Due)
			if account.Created != NoTime && DayOf(c.Start, h.Location) < DayOf(account.Created, h.Location) {
				early.add(c.ID)
			}
			for _, fact := range []struct {
				at int64
				to *tally
			}{{c.KnownAt, &known}, {c.Notice, &notice}, {c.Signed, &signed}, {c.RenewedAt, &renewed}} {
				if fact.at != NoTime && fact.at < c.Start {
					fact.to.add(c.ID)
				}
			}
		}
	}
	var out []Finding
	n := len(h.Contracts)
	odd := func(severity Severity, check, subject string, t tally, of int, message string) {
		if t.n > 0 {
			out = append(out, Finding{severity, check, subject, t.n, of,
				fmt.Sprintf("%d of %d ", t.n, of) + message, t.examples})
		}
	}
	odd(Warning, "repeated_term", "contracts", repeated, n,
		"contracts have the account, start and due date of another one; a renewal must count once")
	odd(Note, "overlap", "contracts", overlap, n, "contracts start before an earlier one of the account is due")
	odd(Warning, "contract_before_created", "contracts", early, n,
		"contracts start before the day on which the account was created")
	for _, fact := range []struct {
		column, what string
		t            tally
	}{{s.Contracts.KnownAt, "outcomes are known", known}, {s.Contracts.Notice, "notices are given", notice},
		{s.Contracts.Signed, "renewals are signed", signed}, {s.Contracts.RenewedAt, "renewals are seen", renewed}} {
		odd(Warning, "before_start", "contracts."+fact.column, fact.t, n,
			fact.what+" before the term starts; check both dates")
	}
	odd(Note, "without_contract", "accounts", without, len(h.Accounts), "accounts have no contract")
	return append(out, checkShared(h)...)
}

// checkShared compares the attributes that accounts and contracts both have. A
// contract that disagrees with its account shows that the account's value
// changes, and that the table holds the latest one.
func checkShared(h *History) []Finding {
	var out []Finding
	for i := range h.AccountAttributes {
		of := &h.AccountAttributes[i]
		k := slices.IndexFunc(h.ContractAttributes, func(c Column) bool { return strings.EqualFold(c.Name, of.Name) })
		if k < 0 {
			continue
		}
		on := &h.ContractAttributes[k]
		var differ tally
		compared := 0
		for r := range h.Contracts {
			account := &h.Accounts[h.Contracts[r].Account]
			a := int(account.FirstVersion)
			if account.EndVersion-account.FirstVersion != 1 || of.Missing(a) || on.Missing(r) {
				continue
			}
			compared++
			if !sameCell(of, a, on, r) {
				differ.add(h.Contracts[r].ID)
			}
		}
		if differ.n > 0 {
			out = append(out, Finding{Warning, "disagrees", "accounts." + of.Name, differ.n, compared, fmt.Sprintf(
				"%d of %d contracts have another %s than their account, so that changes, and the account's is the latest: "+
					"a snapshot must not see it; keep the contract's", differ.n, compared, of.Name), differ.examples})
		}
	}
	return out
}

// sameCell compares two values that are there: as numbers where both are.
func sameCell(c *Column, i int, d *Column, k int) bool {
	if c.Kind == Text || d.Kind == Text {
		return c.format(i) == d.format(k)
	}
	return c.Number(i) == d.Number(k)
}
