// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"math/bits"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// intervals tallies all windows of all snapshots of one account in one pass
// over its records, in whatever order these lie.
//
// The starts and ends of all windows cut time into elementary intervals of
// whole days. Each record adds to the cell of its interval and class; running
// totals over the intervals then answer any window in one subtraction, so that
// a window costs O(1) however long it is and however many there are. Whole
// millionths keep the subtraction exact.
//
// It works where the result is the same as that of looking at the single
// events: every snapshot is the start of a day, every record before a snapshot
// was known by then, and the values to be added are whole millionths. Where
// one of these fails, load says so and the events are looked at one by one; so
// it does where cells would outnumber what they save, as with thousands of
// types.
type intervals struct {
	bounds []int    // days, increasing; interval k is [bounds[k-1], bounds[k])
	table  []uint16 // interval of each day from bounds[0] to the last bound
	next   []int64  // by interval: the first snapshot that may see it
	lo     []int    // by snapshot, then window: the first interval of it
	hi     []int    // by snapshot: the interval after the last of it
	made   []int    // what the cuts were made for: by snapshot, the days it is on and sees up to

	cells  []cell       // by interval, then class
	ranges []valueRange // by interval, then slot
	days   []int32      // by record
	bits   []uint64
	first  int // day of the first bit
	width  int // words of a slot in bits
}

// A cell is what is kept of the records of one class in one interval; in the
// end n, valued, millionths and newest are those of all intervals up to it, and
// earliest is oldest of the first of them that has any. Days count from
// intervals.first, from 1; oldest and earliest count back from lastDay. So 0
// stands for none, and a day that comes needs no question whether it is the first.
type cell struct {
	millionths               int64
	n, valued                int32
	newest, oldest, earliest int32
}

const lastDay = maxSpan + 2

func (c *cell) add(day int32) {
	c.n++
	c.newest, c.oldest = max(c.newest, day), max(c.oldest, lastDay-day)
}

// A valueRange is the least and the largest value, in millionths, of the
// records of one slot in one interval: by how much they lie below and above
// what no value reaches, so that 0 stands for none.
type valueRange struct{ below, above int64 }

const noMillionths = 1 << 60

// add takes a value in.
func (r *valueRange) add(m int64) {
	r.below, r.above = max(r.below, noMillionths-m), max(r.above, noMillionths+m)
}

func (r *valueRange) merge(o valueRange) {
	r.below, r.above = max(r.below, o.below), max(r.above, o.above)
}

func (r *valueRange) any() bool { return r.above > 0 }

func (r *valueRange) min() int64 { return noMillionths - r.below }

func (r *valueRange) max() int64 { return r.above - noMillionths }

const (
	maxSpan = 1<<16 - 1 // days that the table may cover, so that their intervals have numbers of 16 bits
	maxSum  = 1 << 62   // millionths that an account's values may come to, signs aside

	maxCells = 1 << 20 // 40 MiB
	// A cell costs about a nanosecond, a single event about three for each
	// snapshot that looks at it. Below manyCells neither matters.
	manyCells    = 1 << 12
	cellsPerLook = 3
)

// load tallies the records of an account by interval. It reports whether the
// tallies are those of the single events.
func (v *intervals) load(p *sourcePlan, r data.Records, snaps []snapshot, days []snapDay, cal *data.Days) bool {
	if !v.cut(p, snaps, days, cal) {
		return false
	}
	classes := len(p.source.Classes)
	n := (len(v.bounds) + 1) * classes
	if n > maxCells || n > manyCells && n > cellsPerLook*r.Len()*len(snaps) {
		return false // of many types an account has few; looking at its events is quicker
	}
	v.cells = slices.Grow(v.cells[:0], n)[:n]
	clear(v.cells)
	v.ranges = slices.Grow(v.ranges[:0], (len(v.bounds)+1)*len(p.slots))[:(len(v.bounds)+1)*len(p.slots)]
	clear(v.ranges)
	if !v.locate(p, r, cal) {
		return false
	}
	if p.daily {
		v.width = (v.bounds[len(v.bounds)-1] - v.first + 63) / 64
		v.bits = slices.Grow(v.bits[:0], v.width*len(p.slots))[:v.width*len(p.slots)]
		clear(v.bits)
	}
	added := false
	if p.source.ByDay() {
		added = v.addDays(p, r.Words)
	} else {
		added = v.add(p, r)
	}
	if !added {
		return false
	}
	for i := range n {
		c, before := &v.cells[i], &cell{}
		if i >= classes {
			before = &v.cells[i-classes]
		}
		c.n += before.n
		c.valued += before.valued
		c.millionths += before.millionths
		if c.newest == 0 {
			c.newest = before.newest
		}
		if c.earliest = before.earliest; c.earliest == 0 {
			c.earliest = c.oldest
		}
	}
	return true
}

// cut finds the intervals of an account's snapshots. It reports false where
// days are too coarse for them.
func (v *intervals) cut(p *sourcePlan, snaps []snapshot, days []snapDay, cal *data.Days) bool {
	made := make([]int, 0, 32)
	for i := range snaps {
		up := days[i].day
		if lag := p.source.Lag; lag != 0 { // seen are events up to t - lag, which must be the start of a day too
			up = cal.Of(snaps[i].t - lag)
			if data.DayStart(up, cal.Location) != snaps[i].t-lag {
				return false
			}
		}
		if !days[i].start {
			return false
		}
		made = append(made, days[i].day, up)
	}
	if slices.Equal(made, v.made) {
		return true
	}
	v.made = append(v.made[:0], made...)
	v.bounds = v.bounds[:0]
	for i := range snaps {
		v.bounds = append(v.bounds, made[2*i+1])
		for _, w := range p.windows {
			if w != allHistory {
				v.bounds = append(v.bounds, min(made[2*i]-w, made[2*i+1]))
			}
		}
	}
	slices.Sort(v.bounds)
	v.bounds = slices.Compact(v.bounds)
	span := v.bounds[len(v.bounds)-1] - v.bounds[0]
	if span > maxSpan {
		v.made = v.made[:0]
		return false
	}
	v.table = slices.Grow(v.table[:0], span)[:span]
	for k := 1; k < len(v.bounds); k++ {
		run := v.table[v.bounds[k-1]-v.bounds[0] : v.bounds[k]-v.bounds[0]]
		for i := range run {
			run[i] = uint16(k)
		}
	}
	v.place(p, snaps)
	return true
}

// place finds the intervals of each window, and which snapshot sees an
// interval first.
func (v *intervals) place(p *sourcePlan, snaps []snapshot) {
	at := func(day int) int { // the interval that begins on the day, a bound
		i, _ := slices.BinarySearch(v.bounds, day)
		return i + 1
	}
	v.lo, v.hi = v.lo[:0], v.hi[:0]
	v.next = slices.Grow(v.next[:0], len(v.bounds)+1)[:len(v.bounds)+1]
	for k := range v.next {
		v.next[k] = math.MaxInt64
	}
	for i := range snaps {
		hi := at(v.made[2*i+1])
		v.hi = append(v.hi, hi)
		for _, w := range p.windows {
			lo := 0
			if w != allHistory {
				lo = at(min(v.made[2*i]-w, v.made[2*i+1]))
			}
			v.lo = append(v.lo, lo)
		}
		for k := range v.next[:hi] {
			v.next[k] = min(v.next[k], snaps[i].t)
		}
	}
}

// locate finds the day of each record, and the first of all. It reports false
// where the clock's changes make days overlap.
func (v *intervals) locate(p *sourcePlan, r data.Records, cal *data.Days) bool {
	v.first = v.bounds[0]
	if p.source.ByDay() {
		first := int32(v.first)
		for _, word := range r.Words {
			first = min(first, data.DayOfWord(word))
		}
		v.first = int(first)
		return v.bounds[len(v.bounds)-1]-v.first <= maxSpan
	}
	v.days = v.days[:0]
	for at := 0; at < len(r.Words); at += r.Stride {
		day := cal.Of(int64(r.Words[at]))
		v.days = append(v.days, int32(day))
		v.first = min(v.first, day)
	}
	return !cal.Folded && v.bounds[len(v.bounds)-1]-v.first <= maxSpan
}

// add puts the records into their cells. It reports false for one that was not
// known by the first snapshot after it, and for values that are not added
// exactly.
func (v *intervals) add(p *sourcePlan, r data.Records) bool {
	classes := len(p.source.Classes)
	base, end := int32(v.bounds[0]), int32(v.bounds[len(v.bounds)-1])
	late := r.Stride > 2
	var sum uint64
	for i, day := range v.days {
		if day >= end {
			continue // after the last snapshot
		}
		k := 0
		if day >= base {
			k = int(v.table[day-base])
		}
		record := r.Words[i*r.Stride : (i+1)*r.Stride]
		if late && p.source.Known(record) >= v.next[k] {
			return false
		}
		class := data.ClassOf(record[1])
		c := &v.cells[k*classes+class]
		d := day - int32(v.first) + 1
		c.add(d)
		if p.valued {
			m, exact, valued := p.source.Millionths(record)
			if !exact {
				return false
			}
			if valued {
				sum += uint64(max(m, -m))
				if sum > maxSum {
					return false
				}
				c.millionths += m
				for _, s := range p.rangedIn[class] {
					v.ranges[k*len(p.slots)+s].add(m)
				}
				c.valued++
			}
		}
		if p.daily {
			bit := uint32(d - 1)
			for _, s := range p.countIn[class] {
				v.bits[s*v.width+int(bit>>6)] |= 1 << (bit & 63)
			}
		}
	}
	return true
}

// tally fills the tallies of snapshot i.
func (v *intervals) tally(p *sourcePlan, i int) {
	classes := len(p.source.Classes)
	hi := v.hi[i]
	for w := range p.windows {
		lo := v.lo[i*len(p.windows)+w]
		for s := range p.slots {
			t := &p.tallies[w][s]
			*t = tally{}
			for _, class := range p.classes[s] {
				v.addClass(t, class, classes, lo, hi)
			}
			if p.dated[w] && t.n > 0 {
				v.addDates(p, t, s, lo, hi)
			}
			if p.ranged[s] && t.valued > 0 {
				v.addRange(p, t, w, s, i)
			}
			if p.seenAt[s] >= 0 {
				t.types = v.types(p, s, classes, lo, hi)
			}
			if p.counted[s] && t.n > 0 {
				from := v.first
				if lo > 0 {
					from = v.bounds[lo-1]
				}
				t.days = v.countDays(s, from-v.first, v.bounds[hi-1]-v.first)
			}
		}
	}
}

// addClass adds the records of a class in the intervals from lo to hi.
func (v *intervals) addClass(t *tally, class, classes, lo, hi int) {
	if hi == 0 {
		return
	}
	last := &v.cells[(hi-1)*classes+class]
	n, valued, sum := last.n, last.valued, last.millionths
	if lo > 0 {
		before := &v.cells[(lo-1)*classes+class]
		n, valued, sum = n-before.n, valued-before.valued, sum-before.millionths
	}
	t.n += int64(n)
	t.valued += int64(valued)
	t.sum.addMillionths(sum)
}

// addDates finds the days of the newest and of the oldest record of a slot that
// has some in the intervals from lo to hi.
func (v *intervals) addDates(p *sourcePlan, t *tally, slot, lo, hi int) {
	classes := len(p.source.Classes)
	t.newest, t.oldest = math.MinInt32, math.MaxInt32
	for _, class := range p.classes[slot] {
		last, before := &v.cells[(hi-1)*classes+class], int32(0)
		if lo > 0 {
			before = v.cells[(lo-1)*classes+class].n
		}
		if last.n == before {
			continue
		}
		oldest := last.earliest
		if before > 0 { // then it is that of the first interval with any
			k := lo
			for v.cells[k*classes+class].oldest == 0 {
				k++
			}
			oldest = v.cells[k*classes+class].oldest
		}
		first := int32(v.first) - 1
		t.newest, t.oldest = max(t.newest, last.newest+first), min(t.oldest, lastDay-oldest+first)
	}
}

// addRange finds the range of a slot's values in window w: that of the window
// before, which is the shorter, and of the intervals that it adds.
func (v *intervals) addRange(p *sourcePlan, t *tally, w, slot, snapshot int) {
	row := v.lo[snapshot*len(p.windows) : (snapshot+1)*len(p.windows)]
	end, inherited := v.hi[snapshot], false
	if w > 0 {
		end = row[w-1]
		if before := &p.tallies[w-1][slot]; before.valued > 0 {
			t.min, t.max, inherited = before.min, before.max, true
		}
	}
	var r valueRange
	for k := row[w]; k < end; k++ {
		r.merge(v.ranges[k*len(p.slots)+slot])
	}
	if !r.any() {
		return
	}
	low, high := float64(r.min())/data.Millionths, float64(r.max())/data.Millionths
	if !inherited {
		t.min, t.max = low, high
	}
	t.min, t.max = min(t.min, low), max(t.max, high)
}

// types counts the types with a record of the slot in the intervals.
func (v *intervals) types(p *sourcePlan, slot, classes, lo, hi int) (n int64) {
	clear(p.seen[:len(p.source.Types)])
	for _, class := range p.classes[slot] {
		kind := p.source.Classes[class].Type
		if kind < 0 || p.seen[kind] || hi == 0 {
			continue
		}
		in := v.cells[(hi-1)*classes+class].n
		if lo > 0 {
			in -= v.cells[(lo-1)*classes+class].n
		}
		if in > 0 {
			p.seen[kind] = true
			n++
		}
	}
	return n
}

// countDays counts the days [from, to), from v.first on, with a record of the
// slot.
func (v *intervals) countDays(slot, from, to int) int64 {
	words := v.bits[slot*v.width : (slot+1)*v.width]
	n := 0
	for i := from / 64; i*64 < to; i++ {
		w := words[i]
		if from > i*64 {
			w &= ^uint64(0) << (from - i*64)
		}
		if to < (i+1)*64 {
			w &= 1<<(to-i*64) - 1
		}
		n += bits.OnesCount64(w)
	}
	return int64(n)
}
