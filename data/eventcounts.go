// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// eventCounts is what is counted while a source is read. Workers count apart,
// and their counts are added in the end: nothing in it depends on the order of
// rows or on who read them.
type eventCounts struct {
	rows                     int // of the table
	forgotten                int // of accounts that were forgotten
	orphans, undated, unseen tally
	classes                  []classCount
	days                     dayCounts
	sum                      [2]uint64 // of the digests of the rows kept, modulo 2^64
}

// A classCount counts the rows of one class, and keeps its hash where a worker
// finds it without asking the table that all share.
type classCount struct {
	rows, valued int
	hash         uint64
}

func newEventCounts() eventCounts { return eventCounts{days: newDayCounts()} }

// meet makes room for a class, and for those numbered before it.
func (c *eventCounts) meet(class uint16, t *classTable) {
	for n := len(c.classes); n <= int(class); n++ {
		c.classes = append(c.classes, classCount{hash: t.hash(uint16(n))})
	}
}

func (c *eventCounts) add(d *eventCounts) {
	c.rows += d.rows
	c.forgotten += d.forgotten
	c.orphans.merge(&d.orphans)
	c.undated.merge(&d.undated)
	c.unseen.merge(&d.unseen)
	for len(c.classes) < len(d.classes) {
		c.classes = append(c.classes, classCount{})
	}
	for i, k := range d.classes {
		c.classes[i].rows += k.rows
		c.classes[i].valued += k.valued
	}
	c.days.merge(&d.days)
	c.sum[0] += d.sum[0]
	c.sum[1] += d.sum[1]
}

// digestRow returns the digest of one row, for a sum of all: of its time, its
// value and class, its account, and what else its record holds. It takes
// nothing that depends on the order of reading, such as the number of a class,
// or on how a value is held.
func digestRow(at, value, account uint64, rest []uint64) (lo, hi uint64) {
	if len(rest) > 0 {
		at = mixAll(at, rest)
	}
	hi, lo = bits.Mul64(at^account*0x9E3779B97F4A7C15, value^0xe7037ed1a0b428db)
	return lo, hi ^ bits.RotateLeft64(at, 17) ^ value
}

func mixAll(x uint64, words []uint64) uint64 {
	for _, word := range words {
		x = mix(x, word)
	}
	return x
}

// mix spreads two words over 64 bits.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}

// dayCounts counts the events of each UTC day in the range of dates, and keeps
// the latest of each. Days lie on pages, which are made when one occurs: many
// small histories are read, too.
type dayCounts struct {
	pages [][]dayCount
	page  []dayCount // that of the last event
	at    uint64     // its place
}

type dayCount struct{ rows, latest int64 }

const (
	minDay  = minSecond / secondsPerDay
	maxDay  = maxSecond / secondsPerDay
	dayPage = 1 << 10 // days
)

func newDayCounts() dayCounts {
	return dayCounts{pages: make([][]dayCount, (maxDay-minDay)/dayPage+1), at: math.MaxUint64}
}

func (d *dayCounts) add(at int64) {
	n := countedDay(at)
	if n/dayPage != d.at {
		d.turn(n / dayPage)
	}
	d.page[n%dayPage].add(1, at)
}

// addRows adds some events of one day, the latest of them at the given time.
func (d *dayCounts) addRows(at, rows int64) {
	n := countedDay(at)
	if n/dayPage != d.at {
		d.turn(n / dayPage)
	}
	d.page[n%dayPage].add(rows, at)
}

// addAll adds one event at each of the times.
func (d *dayCounts) addAll(at []int64) {
	page, first := d.page, d.at*dayPage
	for _, t := range at {
		n := countedDay(t)
		if n-first >= dayPage {
			d.turn(n / dayPage)
			page, first = d.page, d.at*dayPage
		}
		page[n-first].add(1, t)
	}
}

// countedDay returns the place of the UTC day of an instant.
func countedDay(at int64) uint64 {
	first := int64(minSecond) * int64(time.Second)
	if at <= first { // in the east the first date begins before it does in UTC
		return 0
	}
	return (uint64(at) - uint64(first)) / uint64(24*time.Hour)
}

// turn makes another page the current one.
func (d *dayCounts) turn(to uint64) {
	if d.pages[to] == nil {
		d.pages[to] = make([]dayCount, dayPage)
	}
	d.page, d.at = d.pages[to], to
}

func (k *dayCount) add(rows, latest int64) {
	if k.rows == 0 || latest > k.latest {
		k.latest = latest
	}
	k.rows += rows
}

func (d *dayCounts) merge(e *dayCounts) {
	for i, page := range e.pages {
		if page != nil && d.pages[i] == nil {
			d.pages[i] = make([]dayCount, dayPage)
		}
		for j, k := range page {
			if k.rows > 0 {
				d.pages[i][j].add(k.rows, k.latest)
			}
		}
	}
}

// newest returns the latest event time. Of 1,000 events or more, up to one in
// a thousand that lie 90 days or more after all others are stray: one wrong
// stamp must not move the end of the data, from which outcomes are derived.
func (d *dayCounts) newest() (latest int64, stray int) {
	const far = 90
	var total int64
	for _, page := range d.pages {
		for _, k := range page {
			total += k.rows
		}
	}
	latest, later := NoTime, -1
	var after int64 // events on later days
	for i, page := range slices.Backward(d.pages) {
		for j, k := range slices.Backward(page) {
			if k.rows == 0 {
				continue
			}
			day := i*dayPage + j
			if latest == NoTime || later-day > far {
				latest, stray = k.latest, int(after)
			}
			if after += k.rows; after > total/1000 {
				return latest, stray
			}
			later = day
		}
	}
	return latest, stray
}

// keep notes an example of what is counted elsewhere: of all of them the three
// that come first as texts, whatever the order in which they are met.
func (t *tally) keep(example string) {
	i, found := slices.BinarySearch(t.examples, example)
	if found || i == 3 {
		return
	}
	t.examples = slices.Insert(t.examples, i, example)
	t.examples = t.examples[:min(3, len(t.examples))]
}

func (t *tally) merge(u *tally) {
	t.n += u.n
	for _, e := range u.examples {
		t.keep(e)
	}
}
