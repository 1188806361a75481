// SPDX-License-Identifier: Apache-2.0

package features

import "github.com/holdfast-churn/holdfast/data"

// fewRecords are so few that no values of theirs add up to maxSum: a value that
// is whole millionths is below 10^15 of them.
const fewRecords = 1 << 12

// addDays is add for the records of a source by day, all of which are known on
// their day and have exact values.
func (v *intervals) addDays(p *sourcePlan, words []uint64) bool {
	if p.valued && len(words) > fewRecords && !smallSum(p.source, words) {
		return false
	}
	classes, slots := len(p.source.Classes), len(p.slots)
	first, base, end := int32(v.first)-1, int32(v.bounds[0]), int32(v.bounds[len(v.bounds)-1])
	for _, word := range words {
		day := data.DayOfWord(word)
		if day >= end {
			continue // after the last snapshot
		}
		k := 0
		if day >= base {
			k = int(v.table[day-base])
		}
		class := p.source.ClassOfWord(word)
		c := &v.cells[k*classes+class]
		c.add(day - first)
		if p.daily {
			bit := uint32(day - first - 1)
			for _, s := range p.countIn[class] {
				v.bits[s*v.width+int(bit>>6)] |= 1 << (bit & 63)
			}
		}
		if !p.valued {
			continue
		}
		m, valued := p.source.MillionthsOfWord(word)
		if !valued {
			continue
		}
		c.valued++
		c.millionths += m
		for _, s := range p.rangedIn[class] {
			v.ranges[k*slots+s].add(m)
		}
	}
	return true
}

// smallSum reports whether the values of the records come to no more than
// maxSum, signs aside.
func smallSum(s *data.Source, words []uint64) bool {
	var sum uint64
	for _, word := range words {
		m, _ := s.MillionthsOfWord(word)
		if sum += uint64(max(m, -m)); sum > maxSum {
			return false
		}
	}
	return true
}
