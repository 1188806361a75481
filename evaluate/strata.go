// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-churn/holdfast/features"
)

// The kinds of Slice.
const (
	ByLead        = "lead"
	BySegment     = "segment"
	ByInvoluntary = "involuntary churn"
	ByAutoRenew   = "auto-renew"
	ByTerm        = "term"
	BySeen        = "account"
)

// The most slices of a kind that are told apart, the largest first, and the
// rows below which a slice is put with the rest.
const (
	mostSlices = 12
	leastSlice = 30
)

// A stratification says to which slice of one kind each test row belongs; rows
// in none have "".
type stratification struct {
	kind string
	of   []string
}

// stratify returns the kinds of slices that tell test rows apart. A kind with
// one slice for all rows says nothing and is left out.
func (t *pool) stratify(f *features.Frame, origins []Origin) []stratification {
	seen := seenBefore(f, origins)
	kinds := []stratification{
		{kind: ByLead}, {kind: BySegment}, {kind: ByInvoluntary}, {kind: ByAutoRenew}, {kind: ByTerm}, {kind: BySeen},
	}
	for i, r := range t.rows {
		row := &f.Rows[r]
		for k := range kinds {
			name := ""
			switch kinds[k].kind {
			case ByLead:
				if row.Due > row.Snapshot && row.Contract != "" {
					name = strconv.Itoa(int(row.LeadDays)) + " days"
				}
			case BySegment:
				name = row.Segment
			case ByInvoluntary:
				if name = "churn by choice, and who stayed"; row.Involuntary {
					name = "involuntary churn"
				}
			case ByAutoRenew:
				switch row.AutoRenew {
				case 1:
					name = "renews by itself"
				case 0:
					name = "must be renewed"
				}
			case ByTerm:
				if row.TermDays > features.MultiYearDays {
					name = "multi-year"
				} else if row.TermDays > 0 {
					name = "a year or less"
				}
			case BySeen:
				if name = "never seen in training"; seen[i] {
					name = "seen in training"
				}
			}
			kinds[k].of = append(kinds[k].of, name)
		}
	}
	return slices.DeleteFunc(kinds, func(s stratification) bool { return !s.limit() })
}

// seenBefore reports, for each test row, whether its group had a row in the
// training of the row's origin.
func seenBefore(f *features.Frame, origins []Origin) []bool {
	number, of := map[string]int{}, make([]int, len(f.Rows))
	for i := range f.Rows {
		group := groupOf(&f.Rows[i])
		g, ok := number[group]
		if !ok {
			g = len(number)
			number[group] = g
		}
		of[i] = g
	}
	var seen []bool
	for o := range origins {
		known := make([]bool, len(number))
		for _, r := range origins[o].Train {
			known[of[r]] = true
		}
		for _, r := range origins[o].Test {
			seen = append(seen, known[of[r]])
		}
	}
	return seen
}

// limit keeps the largest slices apart and puts the others together. It reports
// whether rows are told apart at all.
func (s *stratification) limit() bool {
	rows := map[string]int{}
	for _, name := range s.of {
		rows[name]++
	}
	blank := rows[""]
	delete(rows, "")
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rows[b], rows[a]), cmp.Compare(a, b)) })
	keep := map[string]bool{}
	dropped := 0
	for k, name := range names {
		if keep[name] = k < mostSlices && (rows[name] >= leastSlice || s.kind == ByInvoluntary); !keep[name] {
			dropped++
		}
	}
	others := fmt.Sprintf("%d others", dropped)
	for i, name := range s.of {
		if name != "" && !keep[name] {
			s.of[i] = others
		}
	}
	return len(names) > 1 || len(names) == 1 && blank > 0
}

// names returns the slices in order: numbers by size, others by rows, the
// commonest first.
func (s *stratification) names() []string {
	rows := map[string]int{}
	for _, name := range s.of {
		if name != "" {
			rows[name]++
		}
	}
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	number := func(name string) int {
		var n int
		if _, err := fmt.Sscanf(name, "%d days", &n); err != nil {
			return -1
		}
		return n
	}
	slices.SortFunc(names, func(a, b string) int {
		if s.kind == ByLead {
			return cmp.Or(cmp.Compare(number(b), number(a)), cmp.Compare(a, b))
		}
		return cmp.Or(cmp.Compare(rows[b], rows[a]), cmp.Compare(a, b))
	})
	return names
}
