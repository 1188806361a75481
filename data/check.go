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
// others, sources without events, tables that contradict each other, and facts
// whose value at a snapshot is not known.
func Check(h *History, s Sources) ([]Finding, error) {
	v, err := NewSurvey(h, 0)
	if err != nil {
		return nil, err
	}
	return v.Check(h, s), nil
}

// Check is the same for a history that was surveyed already.
func (v *Survey) Check(h *History, s Sources) []Finding {
	var out []Finding
	for _, d := range h.Dropped {
		f := Finding{Warning, "left_out", d.Table, d.Rows, d.Of,
			fmt.Sprintf("%d of %d rows are left out: %s", d.Rows, d.Of, d.Reason), d.Examples}
		if d.Reason == wasForgotten {
			f.Severity = Note
		}
		if strings.HasPrefix(d.Reason, "the id repeats") && d.Rows*manyRepeats > d.Of {
			f.Message += "; so many that the column seems to identify no single event: declare another one as id, or none"
		}
		out = append(out, f)
	}
	out = append(out, v.Findings...)
	out = append(out, checkContracts(h, s)...)
	out = append(out, checkOutcomes(h)...)
	out = append(out, checkChurned(h, s.Contracts)...)
	out = append(out, checkAttributes(s)...)
	if len(h.Accounts) == 0 {
		out = append(out, Finding{Fatal, "no_accounts", s.Accounts.Path, 0, 0, "the accounts table has no rows", nil})
	}
	if s.Contracts != nil && len(h.Contracts) == 0 {
		out = append(out, Finding{Fatal, "no_contracts", s.Contracts.Path, 0, 0, "the contracts table has no usable rows", nil})
	}
	return out
}

// manyRepeats: where more than one row in so many is left out for its id, the
// id is doubted. Sources that load some rows twice lose a few in a hundred.
const manyRepeats = 5

// outcomeWords in a column's name suggest that it was filled in after the
// outcome was known.
var outcomeWords = []string{"churn", "leak", "cancel", "renewed", "outcome", "target", "label", "final", "terminat", "closed"}

// AssumedConstant names the facts that have no valid-from: features take them
// as they stand today for every snapshot.
func AssumedConstant(s Sources) []string {
	constant := []string{}
	facts := func(table string, names ...string) {
		for _, name := range names {
			if fact := table + "." + name; name != "" && !slices.Contains(constant, fact) {
				constant = append(constant, fact)
			}
		}
	}
	if s.Accounts.ValidFrom == "" {
		facts("accounts", append([]string{s.Accounts.Segment, s.Accounts.Phase}, s.Accounts.Attributes...)...)
	}
	if s.Contracts != nil {
		facts("contracts", append(slices.Clip(s.Contracts.Attributes), s.Contracts.AutoRenew)...)
	}
	return constant
}

// checkAttributes names the facts that are assumed constant, and warns of those
// whose name speaks of the outcome.
func checkAttributes(s Sources) []Finding {
	var out []Finding
	constant := AssumedConstant(s)
	for _, subject := range constant {
		_, name, _ := strings.Cut(subject, ".")
		i := slices.IndexFunc(outcomeWords, func(w string) bool { return strings.Contains(strings.ToLower(name), w) })
		if i >= 0 {
			out = append(out, Finding{Warning, "leak_suspect", subject, 0, 0, fmt.Sprintf(
				"column %q speaks of the outcome by its name (%q) and has no valid-from, so its value at a snapshot is not known; "+
					"leave it out unless it never changes", name, outcomeWords[i]), nil})
		}
	}
	if len(constant) > 0 {
		out = append(out, Finding{Note, "assumed_constant", "facts", 0, 0, fmt.Sprintf(
			"%d columns have no valid-from and are assumed constant: %s", len(constant), strings.Join(constant, ", ")), nil})
	}
	return out
}
