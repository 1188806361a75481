// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Silence is a month in which far fewer accounts of a segment, or of all
// segments, have an event of a source than the months before let expect: what
// happened was most likely not loaded.
type Silence struct {
	Source   string `json:"source"`
	Segment  string `json:"segment,omitempty"` // empty for all segments
	Month    string `json:"month"`             // such as 2024-05
	Accounts int    `json:"accounts"`          // with an event
	Expected int    `json:"expected"`
}

func (s *Silence) String() string {
	whose := "accounts"
	if s.Segment != "" {
		whose = fmt.Sprintf("accounts of the segment %q", s.Segment)
	}
	return fmt.Sprintf("%s: %d %s have an event in %s, where about %d would by the months before: was a file not loaded?",
		s.Source, s.Accounts, whose, s.Month, s.Expected)
}

// How a silence is told from a quiet month. Accounts are counted rather than
// events, of which a few heavy users have most.
const (
	silenceBase  = 6    // months before that are looked at, and half of them at least must be there
	silenceShare = 0.25 // of the accounts expected: fewer are a silence
	silenceSigma = 5    // and fewer by so many standard deviations of a Poisson count
	segmentsMost = 40   // of the most accounts; the others are not looked at by themselves
)

// segmentsOf returns the names of the largest segments and each account's index
// into them, by its last version; −1 where it is in none of them.
func segmentsOf(h *History) (names []string, of []int32) {
	last := func(a *Account) string {
		if a.EndVersion == a.FirstVersion {
			return ""
		}
		return h.Versions[a.EndVersion-1].Segment
	}
	size := make(map[string]int)
	for i := range h.Accounts {
		if s := last(&h.Accounts[i]); s != "" {
			size[s]++
		}
	}
	for s := range size {
		names = append(names, s)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(size[b], size[a]), strings.Compare(a, b)) })
	names = names[:min(len(names), segmentsMost)]
	index := make(map[string]int32)
	for i, s := range names {
		index[s] = int32(i)
	}
	of = make([]int32, len(h.Accounts))
	for i := range h.Accounts {
		k, ok := index[last(&h.Accounts[i])]
		if of[i] = k; !ok {
			of[i] = -1
		}
	}
	return names, of
}

// An activeCounter counts the accounts that have an event, by month: all of them
// and those of each segment.
type activeCounter struct {
	all      monthCounts
	segments []monthCounts
}

// add counts an account of a segment (−1 for none) in a month.
func (c *activeCounter) add(segment int32, month int) {
	c.all.add(month)
	if segment >= 0 {
		c.segments[segment].add(month)
	}
}

func (c *activeCounter) merge(d *activeCounter) {
	c.all.merge(&d.all)
	for i := range c.segments {
		c.segments[i].merge(&d.segments[i])
	}
}

// silences finds the silent months of a source up to the last month, which is
// whole or not. A segment is compared with its own months before, times what
// the others did meanwhile; all segments together, or the only one, with the
// months before alone, for which a month must be whole.
func (c *activeCounter) silences(source string, names []string, last int, whole bool) []Silence {
	var out []Silence
	for m := c.all.first + silenceBase/2; m <= last; m++ {
		if whole || m < last {
			if s := (Silence{Source: source, Month: monthName(m)}); s.measure(&c.all, nil, m) {
				out = append(out, s)
				continue
			}
		}
		for i := range c.segments {
			if s := (Silence{Source: source, Segment: names[i], Month: monthName(m)}); s.measure(&c.segments[i], &c.all, m) {
				out = append(out, s)
			}
		}
	}
	return out
}

// measure counts the accounts of a month and those that are expected. It
// reports whether that is a silence. With all it takes what the other accounts
// did into account; without other accounts that is unknown.
func (s *Silence) measure(own, all *monthCounts, month int) bool {
	var base, least, before, others float64
	least, months := math.Inf(1), 0
	for m := max(own.first, month-silenceBase); m < month; m++ {
		n := float64(own.at(m))
		base, least, months = base+n, min(least, n), months+1
		if all != nil {
			before += float64(all.at(m)) - n
		}
	}
	if months < silenceBase/2 || least < base/float64(months)/2 { // too few, or a source that comes and goes
		return false
	}
	expected := base / float64(months)
	s.Accounts = own.at(month)
	if all != nil {
		if others = float64(all.at(month) - s.Accounts); before == 0 {
			return false
		}
		expected = base * others / before
	}
	s.Expected = int(math.Round(expected))
	n := float64(s.Accounts)
	return n < silenceShare*expected && n < expected-silenceSigma*math.Sqrt(expected)
}

// findings lists silences as findings, one for each source and segment.
func silenceFindings(silences []Silence) []Finding {
	var out []Finding
	at := make(map[[2]string]int)
	for i := range silences {
		s := &silences[i]
		key := [2]string{s.Source, s.Segment}
		k, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, Finding{Severity: Warning, Check: "silence", Subject: s.Source, Message: strings.TrimPrefix(s.String(), s.Source+": ")})
			k = len(out) - 1
		}
		out[k].Rows++
	}
	for k := range out {
		if n := out[k].Rows - 1; n > 0 {
			out[k].Message += fmt.Sprintf(" (the first of %d such months)", n+1)
		}
		out[k].Rows = 0 // it is about no rows
	}
	return out
}
