// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"

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
	sources []sourcePlan
	facts   []fact
}

// A sourcePlan says what to tally over one event source.
type sourcePlan struct {
	source   *data.Source
	windows  []int // days, increasing; allHistory last
	features []windowFeature

	running []tally   // by slot: all types together, then each type
	tallies [][]tally // by window, then slot
	starts  []int64   // by window
}

// A windowFeature is one column computed from the tallies of its source.
type windowFeature struct {
	column     int
	agg        Agg
	slot       int // -1: the type does not occur in the history
	window     int // index into windows
	longWindow int
	days, long int
}

// A fact is one column read from the account, the term or the snapshot.
type fact struct {
	column int
	number func(account int32, s *snapshot) float64
	level  func(account int32, s *snapshot) int32
}

// allHistory is the window that reaches back to the first event.
const allHistory = math.MaxInt32

func newKernel(h *data.History, spec *Spec, columns []Column) *kernel {
	k := &kernel{h: h}
	for i := range h.Sources {
		if p, any := planSource(&h.Sources[i], spec); any {
			k.sources = append(k.sources, p)
		}
	}
	for i := range columns {
		if f, ok := factOf(h, &columns[i]); ok {
			f.column = i
			k.facts = append(k.facts, f)
		}
	}
	return k
}

// planSource collects the windows and types that the spec asks of a source.
func planSource(src *data.Source, spec *Spec) (p sourcePlan, any bool) {
	p = sourcePlan{source: src}
	days := func(d int) int {
		if d == 0 {
			return allHistory
		}
		return d
	}
	for i := range spec.Features {
		if f := &spec.Features[i]; f.From == src.Name {
			p.windows = append(p.windows, days(f.WindowDays))
			if f.LongDays > 0 {
				p.windows = append(p.windows, f.LongDays)
			}
		}
	}
	slices.Sort(p.windows)
	p.windows = slices.Compact(p.windows)
	at := func(d int) int { i, _ := slices.BinarySearch(p.windows, d); return i }
	for i := range spec.Features {
		f := &spec.Features[i]
		if f.From != src.Name {
			continue
		}
		w := windowFeature{column: i, agg: f.Agg, window: at(days(f.WindowDays)), days: f.WindowDays, long: f.LongDays}
		if f.LongDays > 0 {
			w.longWindow = at(f.LongDays)
		}
		if f.Type != "" {
			w.slot = -1
			if t, ok := slices.BinarySearch(src.Types, f.Type); ok {
				w.slot = t + 1
			}
		}
		p.features = append(p.features, w)
	}
	slots := len(src.Types) + 1
	p.running = make([]tally, slots)
	p.starts = make([]int64, len(p.windows))
	for range p.windows {
		p.tallies = append(p.tallies, make([]tally, slots))
	}
	return p, len(p.features) > 0
}

// fill writes the features of one account's snapshots into the columns, from
// the given row on.
func (k *kernel) fill(columns []Column, row int, account int32, snaps []snapshot) {
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
		for j := range k.sources {
			p := &k.sources[j]
			p.scan(k.h, p.source.Of(int(account)), s.t)
			p.write(columns, row+i, data.DayOf(s.t, k.h.Location))
		}
	}
}

// scan tallies the visible events of every window [t - W, t). It walks from
// the newest event back and copies the running tallies each time it leaves a
// window, so that the windows together cost one pass.
func (p *sourcePlan) scan(h *data.History, events []data.Event, t int64) {
	clear(p.running)
	for w, days := range p.windows {
		p.starts[w] = math.MinInt64
		if days != allHistory {
			p.starts[w] = addDays(t, -days, h.Location)
		}
	}
	w := 0
	for i := before(events, t) - 1; i >= 0; i-- {
		e := &events[i]
		for e.Time < p.starts[w] {
			p.leave(w)
			if w++; w == len(p.windows) {
				return
			}
		}
		if !visible(e, t) {
			continue
		}
		p.running[0].add(e)
		if e.Type >= 0 {
			slot := &p.running[e.Type+1]
			if slot.n == 0 {
				p.running[0].types++
			}
			slot.add(e)
		}
	}
	for ; w < len(p.windows); w++ {
		p.leave(w)
	}
}

func (p *sourcePlan) leave(w int) { copy(p.tallies[w], p.running) }

// write stores one row of the source's features; day is that of the snapshot.
func (p *sourcePlan) write(columns []Column, row, day int) {
	var none tally
	for i := range p.features {
		f := &p.features[i]
		short, long := &none, &none
		if f.slot >= 0 {
			short, long = &p.tallies[f.window][f.slot], &p.tallies[f.longWindow][f.slot]
		}
		var v float64
		switch f.agg {
		case Trend:
			v = trend(short, long, f.days, f.long)
		case Recency:
			v = short.recency(day)
		default:
			v = short.value(f.agg)
		}
		columns[f.column].Num[row] = v
	}
}
