// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// perturbed returns the tables with all that lay ahead of t made up anew:
// events that were not visible get other values, types and times, and come
// twice; events that were visible come again as late corrections; facts not
// known yet change or appear; later terms move, and two are added. n counts
// the rows and values that were changed or added.
func (f *future) perturbed(in *data.Tables) (out *data.Tables, n int) {
	out = new(data.Tables)
	out.Accounts, n = f.otherAccounts(in.Accounts)
	if f.sources.Contracts != nil {
		contracts, changed := f.otherTerms(in.Contracts)
		out.Contracts, n = contracts, n+changed
	}
	for i, e := range in.Events {
		events, changed := f.otherEvents(e, &f.sources.Events[i])
		out.Events, n = append(out.Events, events), n+changed
	}
	return out, n
}

// otherEvents makes up the future of one event table. A made-up time is t
// itself at first, then ever later; a row that happened before t and was known
// only later may also move to another day before t, but stays unknown.
func (f *future) otherEvents(in *data.Table, s *data.EventSource) (out *data.Table, n int) {
	unseen := f.unseen(in, s)
	at := f.instants(in, s.Time)
	var rows []int
	var made []bool // aligned with rows: of the future
	for r := range in.Rows {
		switch {
		case unseen(r):
			rows, made = append(rows, r, r), append(made, true, true)
		case at(r) != data.NoTime: // a correction, with another value, that came too late
			rows, made = append(rows, r, r), append(made, false, true)
		default:
			rows, made = append(rows, r), append(made, false)
		}
	}
	out = in.Take(rows)
	when, known := out.Column(s.Time), out.Column(s.KnownAt)
	for i := range out.Rows {
		if !made[i] {
			continue
		}
		later := f.t + int64(n%1000)*dayLength/2
		happened := at(rows[i])
		switch {
		case known == nil:
			f.setInstant(when, i, later)
		case happened < f.t && n%2 == 0: // known late, dated early
			f.setInstant(when, i, happened-int64(n%3)*dayLength)
			f.setInstant(known, i, later)
		default:
			f.setInstant(when, i, later)
			f.setInstant(known, i, later)
		}
		for k := range out.Columns {
			c := &out.Columns[k]
			switch c.Name {
			case s.Account, s.Time, s.KnownAt:
			case s.ID: // half of them repeat an id, the other half are new events
				if n%2 == 1 {
					rename(c, i, n)
				}
			default:
				alter(c, i)
			}
		}
		n++
	}
	return out, n
}

// otherTerms makes up the future of the contracts table.
func (f *future) otherTerms(in *data.Table) (out *data.Table, n int) {
	s := f.sources.Contracts
	rows := all(in)
	if in.Rows > 0 {
		rows = append(rows, in.Rows-1, 0)
	}
	out = in.Take(rows)
	start, due := out.Column(s.Start), out.Column(s.Due)
	added := make(map[int]bool)
	for i := in.Rows; i < out.Rows; i++ {
		added[i] = true
		rename(out.Column(s.Key), i, i)
		first := f.t + int64(1+i-in.Rows)*dayLength
		f.setInstant(start, i, first)
		f.setInstant(due, i, first+90*dayLength)
		n++
	}
	asMade := out.Take(all(out)) // the rows to change are those of before any change
	later, began, ended := f.laterTerm(asMade), f.instants(asMade, s.Start), f.instants(asMade, s.Due)
	for i := range out.Rows {
		if later(i) && !added[i] && ended(i) != data.NoTime {
			f.setInstant(start, i, began(i)+3*dayLength)
			f.setInstant(due, i, ended(i)+11*dayLength)
			n++
		}
	}
	for _, fact := range f.laterFacts(asMade) {
		c := out.Column(fact.column)
		seen := f.instants(asMade, fact.column)
		for i := range out.Rows {
			if !fact.later(i) {
				continue
			}
			if c.Kind == data.Date || c.Kind == data.Time {
				f.setInstant(c, i, max(seen(i), f.t)+2*dayLength)
			} else {
				alter(c, i)
			}
			n++
		}
	}
	return out, n
}

// setInstant sets a date or timestamp to an instant, which it rounds up to the
// next day that begins where the column holds dates.
func (f *future) setInstant(c *data.Column, i int, at int64) {
	if c.Null != nil {
		c.Null[i] = false
	}
	if c.Kind == data.Date {
		loc := f.sources.Location
		if loc == nil {
			loc = time.UTC
		}
		day := data.DayOf(at, loc)
		if data.DayStart(day, loc) < at {
			day++
		}
		at = int64(day)
	}
	c.Ints[i] = at
}

// alter gives a value another one of its kind. A missing one appears.
func alter(c *data.Column, i int) {
	if c.Null != nil {
		c.Null[i] = false
	}
	switch c.Kind {
	case data.Float:
		if c.Floats[i] = -3*c.Floats[i] + 1000; c.Floats[i] != c.Floats[i] {
			c.Floats[i] = 1000
		}
	case data.Text: // the next of the texts that there are, the last of which is made up
		if len(c.Dict) == 0 || c.Dict[len(c.Dict)-1] != madeUp {
			c.Dict = append(c.Dict, madeUp)
		}
		c.Codes[i] = (c.Codes[i] + 1) % int32(len(c.Dict))
	case data.Bool:
		c.Ints[i] = 1 - c.Ints[i]
	case data.Int:
		c.Ints[i] = -3*c.Ints[i] + 1000
	case data.Date:
		c.Ints[i] += 2
	case data.Time:
		c.Ints[i] += 2 * dayLength
	}
}

const madeUp = "made up"

// rename gives row i an id that no other row has.
func rename(c *data.Column, i, number int) {
	if c.Null != nil {
		c.Null[i] = false
	}
	switch c.Kind {
	case data.Text:
		c.Dict = append(c.Dict, fmt.Sprintf("%s %d", madeUp, number))
		c.Codes[i] = int32(len(c.Dict) - 1)
	case data.Float:
		c.Floats[i] = -1e9 - float64(number)
	default:
		c.Ints[i] = -1_000_000_000 - int64(number)
	}
}
