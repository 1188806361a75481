// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how much a finding matters.
type Severity string

// The severities. Fatal findings end check with exit code 4.
const (
	Fatal   Severity = "fatal"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// A Finding is one result of a data check.
type Finding struct {
	Severity Severity `json:"severity"`
	Check    string   `json:"check"`
	Subject  string   `json:"subject"` // table, source or column
	Rows     int      `json:"rows"`    // rows it holds for, 0 where it is about a column
	Of       int      `json:"of"`
	Message  string   `json:"message"`
	Examples []string `json:"-"` // up to three ids, for the terminal only: reports hold none
}

// Check looks for what makes a history less than it seems: rows that were
// left out, events dated before their account was created or long after all
// others, sources without events, and facts whose value at a snapshot is not
// known.
func Check(h *History, s Sources) ([]Finding, error) {
	var out []Finding
	for _, d := range h.Dropped {
		out = append(out, Finding{Warning, "left_out", d.Table, d.Rows, d.Of,
			fmt.Sprintf("%d of %d rows are left out: %s", d.Rows, d.Of, d.Reason), d.Examples})
	}
	p := h.NewPart()
	early := make([][]int, len(h.Sources))
	for i := range h.Sources {
		early[i] = make([]int, len(h.Sources[i].Types)+1)
	}
	for part := range h.Parts() {
		if err := h.ReadPart(p, part); err != nil {
			return nil, err
		}
		for a := p.First; a < p.End; a++ {
			if h.Accounts[a].Created != NoTime {
				p.countBefore(early, a, h.Accounts[a].Created)
			}
		}
	}
	for i := range h.Sources {
		if h.Sources[i].Derived {
			continue
		}
		out = append(out, checkSource(&h.Sources[i], early[i])...)
	}
	out = append(out, checkContracts(h)...)
	out = append(out, checkAttributes(s)...)
	if len(h.Accounts) == 0 {
		out = append(out, Finding{Fatal, "no_accounts", s.Accounts.Path, 0, 0, "the accounts table has no rows", nil})
	}
	if s.Contracts != nil && len(h.Contracts) == 0 {
		out = append(out, Finding{Fatal, "no_contracts", s.Contracts.Path, 0, 0, "the contracts table has no usable rows", nil})
	}
	return out, nil
}

// countBefore adds the account's events before t, by source and type; type -1,
// a missing one, comes first.
func (p *Part) countBefore(counts [][]int, account int, t int64) {
	for i := range p.h.Sources {
		src := &p.h.Sources[i]
		r := p.Records(i, account)
		for at := 0; at < len(r.Words); at += r.Stride {
			if int64(r.Words[at]) < t {
				counts[i][src.Classes[ClassOf(r.Words[at+1])].Type+1]++
			}
		}
	}
}

// checkSource reports the events dated before their account was created, by
// type. They stay visible: whether the stamp or the sign-up date is wrong only
// the owner of the data can say.
func checkSource(src *Source, early []int) []Finding {
	if src.Rows == 0 {
		return []Finding{{Warning, "no_events", src.Name, 0, 0, "the source has no usable events; its features are all empty", nil}}
	}
	total := make([]int, len(src.Types)+1)
	for _, c := range src.Classes {
		total[c.Type+1] += c.Rows
	}
	var out []Finding
	if src.Stray > 0 {
		out = append(out, Finding{Warning, "stray", src.Name, src.Stray, src.Rows, fmt.Sprintf(
			"%d of %d events are dated over 90 days after all others; they do not count as the end of the data", src.Stray, src.Rows), nil})
	}
	for t := range total {
		if early[t] == 0 {
			continue
		}
		name := src.Name
		if t > 0 && src.Types[t-1] != src.Name {
			name += "." + src.Types[t-1]
		}
		out = append(out, Finding{Warning, "before_created", name, early[t], total[t], fmt.Sprintf(
			"%d of %d events are dated before the account was created; check the time stamps and the creation date", early[t], total[t]), nil})
	}
	return out
}

// outcomeWords in a column's name suggest that it was filled in after the
// outcome was known.
var outcomeWords = []string{"churn", "leak", "cancel", "renewed", "outcome", "target", "label", "final", "terminat", "closed"}

// checkAttributes names the facts that have no valid-from and so are assumed
// constant, and warns of those whose name speaks of the outcome.
func checkAttributes(s Sources) []Finding {
	var out []Finding
	var constant []string
	facts := func(table string, names ...string) {
		for _, name := range names {
			if name == "" {
				continue
			}
			constant = append(constant, table+"."+name)
			i := slices.IndexFunc(outcomeWords, func(w string) bool { return strings.Contains(strings.ToLower(name), w) })
			if i >= 0 {
				out = append(out, Finding{Warning, "leak_suspect", table + "." + name, 0, 0, fmt.Sprintf(
					"column %q speaks of the outcome by its name (%q) and has no valid-from, so its value at a snapshot is not known; "+
						"leave it out unless it never changes", name, outcomeWords[i]), nil})
			}
		}
	}
	if s.Accounts.ValidFrom == "" {
		facts("accounts", append([]string{s.Accounts.Segment, s.Accounts.Phase}, s.Accounts.Attributes...)...)
	}
	if s.Contracts != nil {
		facts("contracts", s.Contracts.Attributes...)
	}
	if len(constant) > 0 {
		out = append(out, Finding{Note, "assumed_constant", "facts", 0, 0, fmt.Sprintf(
			"%d columns have no valid-from and are assumed constant: %s", len(constant), strings.Join(constant, ", ")), nil})
	}
	return out
}
