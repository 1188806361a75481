// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// A snapshot is one instant at which an account is looked at, and the term it
// is looked at for (-1 in activity mode).
type snapshot struct {
	t        int64
	due      int64
	contract int32
}

// A kernel turns one account's history and its snapshots into feature rows. It
// is pure: the same account and snapshots give the same bits, whoever calls it
// and in whatever order. Workers have one each, for its scratch space.
type kernel struct {
	h       *data.History
	sources []*sourcePlan
	facts   []fact
	after   []columnFeature
	days    []snapDay
	cal     data.Days // of events and snapshots
	births  data.Days // of accounts
	view    view
}

// A fact is one column read from the account, the term or the snapshot.
type fact struct {
	column int
	number func(account int32, s *snapshot) float64
	level  func(account int32, s *snapshot) int32
}

// A snapDay is a snapshot's calendar day, and whether it is that day's start.
type snapDay struct {
	day   int
	start bool
}

func newKernel(h *data.History, spec *Spec, facts []fact) *kernel {
	k := &kernel{h: h, facts: facts, after: overColumns(spec), cal: data.Days{Location: h.Location}, births: data.Days{Location: h.Location}}
	for i := range h.Sources {
		if p := planSource(i, &h.Sources[i], spec); len(p.features)+len(p.direct) > 0 {
			k.sources = append(k.sources, p)
		}
	}
	return k
}

// fill writes the features of one account's snapshots into the columns, from the
// given row on. The account lies in the part.
func (k *kernel) fill(columns []Column, row int, part *data.Part, account int32, snaps []snapshot) {
	for i := range snaps {
		s := &snaps[i]
		for j := range k.facts {
			f := &k.facts[j]
			if f.level != nil {
				columns[f.column].Codes[row+i] = f.level(account, s)
			} else {
				columns[f.column].Num[row+i] = f.number(account, s)
			}
		}
	}
	k.date(snaps)
	for _, p := range k.sources {
		k.fillSource(columns, row, part, p, account, snaps)
	}
	for i := range snaps {
		for j := range k.after {
			k.after[j].write(columns, row+i)
		}
	}
}

// date finds the calendar days of the snapshots.
func (k *kernel) date(snaps []snapshot) {
	k.days = k.days[:0]
	for i := range snaps {
		day := k.cal.Of(snaps[i].t)
		k.days = append(k.days, snapDay{day, data.DayStart(day, k.h.Location) == snaps[i].t})
	}
}

// fillSource writes the features over one source. Tallies come from sums over
// intervals where these give the very same result, else from the single events
// in order.
func (k *kernel) fillSource(columns []Column, row int, part *data.Part, p *sourcePlan, account int32, snaps []snapshot) {
	tallied := len(p.features) == 0 || k.fromIntervals(columns, row, part, p, account, snaps)
	if tallied && len(p.direct) == 0 {
		return
	}
	events := part.Events(p.index, int(account))
	if !tallied {
		k.fromEvents(columns, row, p, events, account, snaps)
	}
	for i := range snaps {
		for j := range p.direct {
			d := &p.direct[j]
			k.look(p, d, events, &snaps[i], k.days[i].day)
			columns[d.column].Num[row+i] = d.value(&k.view)
		}
	}
}

// fromIntervals writes the tallied features from sums over intervals. It
// reports false where those may not be what the single events give.
func (k *kernel) fromIntervals(columns []Column, row int, part *data.Part, p *sourcePlan, account int32, snaps []snapshot) bool {
	if !p.fast.load(p, part.Records(p.index, int(account)), snaps, k.days, &k.cal) {
		return false
	}
	for i := range snaps {
		p.fast.tally(p, i)
		p.write(columns, row+i, k.days[i].day, k.tenure(p, account, k.days[i].day))
	}
	return true
}

// fromEvents writes the tallied features from the single events.
func (k *kernel) fromEvents(columns []Column, row int, p *sourcePlan, events []data.Event, account int32, snaps []snapshot) {
	for i := range snaps {
		t := snaps[i].t
		for w, days := range p.windows {
			p.starts[w] = windowStart(t, days, k)
		}
		p.scan(events, t)
		p.write(columns, row+i, k.days[i].day, k.tenure(p, account, k.days[i].day))
	}
}

// tenure returns the calendar days from the account's creation to the day of a
// snapshot, missing where the creation is not known or nobody asks.
func (k *kernel) tenure(p *sourcePlan, account int32, day int) float64 {
	created := k.h.Accounts[account].Created
	if !p.scaled || created == data.NoTime {
		return math.NaN()
	}
	return float64(day - k.births.Of(created))
}

// windowStart returns the first instant of a window that ends at t.
func windowStart(t int64, days int, k *kernel) int64 {
	if days == allHistory {
		return math.MinInt64
	}
	return addDays(t, -days, k.h.Location)
}

// A view is what an aggregate over single events sees of an account at a
// snapshot: the visible events in the window that the feature selects.
type view struct {
	events []data.Event // oldest first
	day    int          // calendar day of t
	seen   int          // calendar day of t less the source's lag: only what lies before it can be complete
}

// look sets the view to what a feature sees.
func (k *kernel) look(p *sourcePlan, d *directFeature, events []data.Event, s *snapshot, day int) {
	v := &k.view
	v.events, v.day, v.seen = v.events[:0], day, k.cal.Of(s.t-p.source.Lag)
	start := windowStart(s.t, d.window, k)
	for i := range events[:before(events, s.t)] {
		if e := &events[i]; e.Time >= start && visible(e, s.t) && p.selects(d.slot, e) {
			v.events = append(v.events, *e)
		}
	}
}

// selects reports whether an event belongs to a slot.
func (p *sourcePlan) selects(slot int, e *data.Event) bool {
	for _, s := range p.slotsOf[e.Class] {
		if s == slot {
			return true
		}
	}
	return false
}
