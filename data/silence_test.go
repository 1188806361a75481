// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// counterOf returns a counter of two segments with these accounts by month, and
// as many of none.
func counterOf(a, b, none []int) *activeCounter {
	c := &activeCounter{segments: make([]monthCounts, 2)}
	for segment, counts := range map[int32][]int{0: a, 1: b, -1: none} {
		for m, n := range counts {
			for range n {
				c.add(segment, 4000+m)
			}
		}
	}
	return c
}

// A month is silent where few of the accounts that the months before let expect
// have an event: of a segment by what the others did, of all by themselves.
func TestSilences(t *testing.T) {
	level := []int{100, 100, 100, 100, 100, 100, 100, 100}
	with := func(n int, at ...int) []int {
		counts := slices.Clone(level)
		for _, m := range at {
			counts[m] = n
		}
		return counts
	}
	for _, c := range []struct {
		name       string
		a, b, none []int
		whole      bool
		want       []string // segment, months after the first, accounts of how many expected
	}{
		{name: "as ever", a: level, b: level, whole: true},
		{name: "one segment", a: with(3, 7), b: level, whole: true, want: []string{"a 7 3/100"}},
		{name: "one segment in a month that is not over", a: with(3, 7), b: with(60, 7), want: []string{"a 7 3/60"}},
		{name: "accounts of no segment count as others", a: with(0, 6), none: level, whole: true, want: []string{"a 6 0/100"}},
		{name: "all of them", a: with(0, 5), b: with(0, 5), whole: true, want: []string{" 5 0/200"}},
		{name: "all of a month that is not over", a: with(9, 7), b: with(9, 7)},
		{name: "the only segment", a: with(0, 7), whole: true, want: []string{" 7 0/100"}},
		{name: "a quarter is left", a: with(26, 7), b: level, whole: true},
		{name: "a source that comes and goes", a: with(0, 1, 3, 5, 7), b: with(0, 1, 3, 5, 7), whole: true},
		{name: "a segment that came late", a: []int{0, 0, 0, 0, 0, 0, 90, 0}, b: level, whole: true},
		{name: "few accounts", a: []int{20, 20, 20, 20, 20, 20, 20, 0}, b: level, whole: true},
		{name: "all fall, one more", a: with(20, 7), b: with(25, 7), whole: true, want: []string{" 7 45/200"}},
		{name: "the second month of it is not named", a: with(0, 6, 7), b: level, whole: true, want: []string{"a 6 0/100"}},
	} {
		var got []string
		for _, s := range counterOf(c.a, c.b, c.none).silences("app", []string{"a", "b"}, 4007, c.whole) {
			m := -1
			for k := range level {
				if monthName(4000+k) == s.Month {
					m = k
				}
			}
			got = append(got, fmt.Sprintf("%s %d %d/%d", s.Segment, m, s.Accounts, s.Expected))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	one, all := Silence{"app", "smb", "2024-05", 3, 100}, Silence{"app", "", "2024-06", 0, 400}
	found := silenceFindings([]Silence{one, all, {"app", "smb", "2025-01", 1, 90}})
	if len(found) != 2 || !strings.HasPrefix(found[0].Message, `3 accounts of the segment "smb" have an event in 2024-05, where about 100 would`) ||
		!strings.HasSuffix(found[0].Message, "(the first of 2 such months)") || !strings.HasPrefix(found[1].Message, "0 accounts have an event in 2024-06") {
		t.Errorf("%+v", found)
	}
}

// Segments are those of the last versions, the largest first, and the smallest
// of very many are not looked at.
func TestSegmentsOf(t *testing.T) {
	h := &History{}
	add := func(segments ...string) {
		a := Account{FirstVersion: int32(len(h.Versions))}
		for _, s := range segments {
			h.Versions = append(h.Versions, Version{Segment: s})
		}
		a.EndVersion = int32(len(h.Versions))
		h.Accounts = append(h.Accounts, a)
	}
	add("b")
	add("b", "a")
	add("b")
	add()
	add("")
	if names, of := segmentsOf(h); !slices.Equal(names, []string{"b", "a"}) || !slices.Equal(of, []int32{0, 1, 0, -1, -1}) {
		t.Errorf("%q, %v", names, of)
	}
	for i := range 2 * segmentsMost {
		add(fmt.Sprintf("s%02d", i))
	}
	names, of := segmentsOf(h)
	if len(names) != segmentsMost || names[0] != "b" || names[1] != "a" || of[len(of)-1] != -1 {
		t.Errorf("%q, %v", names, of)
	}
}
