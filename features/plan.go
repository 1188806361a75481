// SPDX-License-Identifier: Apache-2.0

package features

import (
	"maps"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// allHistory is the window that reaches back to the first event.
const allHistory = math.MaxInt32

// A sourcePlan says what to compute from one event source, and holds the
// scratch space for one account.
type sourcePlan struct {
	index    int // of the source
	source   *data.Source
	windows  []int // days, increasing; allHistory last
	slots    []slot
	features []windowFeature // from tallies
	direct   []directFeature // from the single events

	slotsOf [][]int // by class: the slots that its events belong to
	classes [][]int // by slot: its classes

	valued   bool    // some feature needs values
	daily    bool    // some feature counts active days
	seenAt   []int   // by slot: its place in seen where some feature counts its types, else -1
	ranged   []bool  // by slot: some feature needs the least or the largest value
	counted  []bool  // by slot: some feature counts its active days
	rangedIn [][]int // by class: those of its slots that are ranged
	countIn  [][]int // by class: those of its slots that are counted
	scaled   bool    // some feature needs the tenure
	dated    []bool  // by window: some feature needs the newest or the oldest event

	running []tally   // by slot
	tallies [][]tally // by window, then slot
	starts  []int64   // by window
	seen    []bool    // by slot whose types are counted, then type
	fast    intervals
}

// A slot is a set of events that features select: of one type or of all, and
// passing a filter or not asked to. It belongs to no class where the type does
// not occur.
type slot struct {
	kind  string // "" for all types
	where string // "" for no filter
}

// A windowFeature is one column computed from the tallies of its source.
type windowFeature struct {
	column     int
	agg        Agg
	of         Agg // what is scaled: Count or Sum
	slot, to   int // to: of a ratio of types, the one divided by
	window     int // index into windows
	longWindow int
	days, long int
	lifespan   int
}

// A directFeature is one column computed from the single events of a window.
type directFeature struct {
	column  int
	feature *Feature
	slot    int
	window  int       // days, or allHistory
	weights []float64 // by type, for agg weighted
	perType []float64 // scratch for it
}

// fromTally lists the aggregates that a tally answers.
var fromTally = []Agg{Count, Sum, Mean, Min, Max, Distinct, ActiveDays, Recency, Tenure, Trend, PerSeat, TenureScaled, Ratio, CLV}

// planSource collects the windows and slots that the spec asks of a source.
func planSource(index int, src *data.Source, spec *Spec) *sourcePlan {
	p := &sourcePlan{index: index, source: src}
	for i := range spec.Features {
		f := &spec.Features[i]
		if !f.isFact() && f.Source() == src.Name && slices.Contains(fromTally, f.Agg) && !spec.ofFeatures(f) {
			p.windows = append(p.windows, windowOf(f))
			if f.LongDays > 0 {
				p.windows = append(p.windows, f.LongDays)
			}
		}
	}
	slices.Sort(p.windows)
	p.windows = slices.Compact(p.windows)
	p.dated = make([]bool, len(p.windows))
	for i := range spec.Features {
		f := &spec.Features[i]
		switch {
		case f.isFact() || f.Source() != src.Name || spec.ofFeatures(f):
		case slices.Contains(fromTally, f.Agg):
			p.addTallied(i, f)
		default:
			d := directFeature{column: i, feature: f, slot: p.slotFor(f, f.Type), window: windowOf(f)}
			for _, kind := range src.Types {
				d.weights = append(d.weights, f.Weights[kind])
			}
			d.perType = make([]float64, len(src.Types))
			p.direct = append(p.direct, d)
		}
	}
	p.bindClasses()
	p.running = make([]tally, len(p.slots))
	p.starts = make([]int64, len(p.windows))
	for range p.windows {
		p.tallies = append(p.tallies, make([]tally, len(p.slots)))
	}
	return p
}

func windowOf(f *Feature) int {
	if f.WindowDays == 0 {
		return allHistory
	}
	return f.WindowDays
}

func (p *sourcePlan) addTallied(column int, f *Feature) {
	at := func(d int) int { i, _ := slices.BinarySearch(p.windows, d); return i }
	w := windowFeature{column: column, agg: f.Agg, of: f.added(), window: at(windowOf(f)), days: f.WindowDays, long: f.LongDays,
		lifespan: f.LifespanDays}
	if f.Agg == Ratio {
		w.slot, w.to = p.slotFor(f, f.Of), p.slotFor(f, f.To)
	} else {
		w.slot = p.slotFor(f, f.Type)
	}
	if f.LongDays > 0 {
		w.longWindow = at(f.LongDays)
	}
	p.features = append(p.features, w)
	switch f.Agg {
	case Sum, Mean:
		p.valued = true
	case CLV:
		p.valued, p.scaled = true, true
	case PerSeat:
		p.valued = p.valued || w.of == Sum
	case TenureScaled:
		p.valued, p.scaled = p.valued || w.of == Sum, true
	case Min, Max:
		p.valued, p.ranged[w.slot] = true, true
	case Recency, Tenure:
		p.dated[w.window] = true
	case ActiveDays:
		p.daily, p.counted[w.slot] = true, true
	case Distinct:
		if p.seenAt[w.slot] < 0 {
			p.seenAt[w.slot] = len(p.seen)
			p.seen = append(p.seen, make([]bool, len(p.source.Types))...)
		}
	}
}

// added returns what the feature adds up of events: their number, or their
// values.
func (f *Feature) added() Agg {
	if f.Of == string(Sum) {
		return Sum
	}
	return Count
}

// TypesOf lists the event types that a feature of the spec names.
func (s *Spec) TypesOf(f *Feature) []string {
	names := slices.Sorted(maps.Keys(f.Weights))
	if f.Agg == Ratio && !s.ofFeatures(f) {
		names = append(names, f.Of, f.To)
	}
	if f.Type != "" {
		names = append(names, f.Type)
	}
	return names
}

// slotFor returns the slot of the events of a type that a feature selects.
func (p *sourcePlan) slotFor(f *Feature, kind string) int {
	s := slot{kind, f.Where}
	i := slices.Index(p.slots, s)
	if i < 0 {
		i = len(p.slots)
		p.slots = append(p.slots, s)
		p.seenAt = append(p.seenAt, -1)
		p.ranged = append(p.ranged, false)
		p.counted = append(p.counted, false)
	}
	return i
}

// bindClasses says which classes of records belong to which slots.
func (p *sourcePlan) bindClasses() {
	p.slotsOf = make([][]int, len(p.source.Classes))
	p.classes = make([][]int, len(p.slots))
	p.rangedIn, p.countIn = make([][]int, len(p.source.Classes)), make([][]int, len(p.source.Classes))
	for c := range p.source.Classes {
		class := &p.source.Classes[c]
		for i, s := range p.slots {
			if p.source.Passes(class, s.kind, s.where) {
				p.slotsOf[c] = append(p.slotsOf[c], i)
				p.classes[i] = append(p.classes[i], c)
				if p.ranged[i] {
					p.rangedIn[c] = append(p.rangedIn[c], i)
				}
				if p.counted[i] {
					p.countIn[c] = append(p.countIn[c], i)
				}
			}
		}
	}
}

// scan tallies the visible events of every window [t - W, t). It walks from
// the newest event back and copies the running tallies each time it leaves a
// window, so that the windows together cost one pass.
func (p *sourcePlan) scan(events []data.Event, t int64) {
	clear(p.running)
	clear(p.seen)
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
		for _, s := range p.slotsOf[e.Class] {
			slot := &p.running[s]
			slot.add(e)
			if at := p.seenAt[s]; at >= 0 && e.Type >= 0 {
				if seen := &p.seen[at+int(e.Type)]; !*seen {
					*seen = true
					slot.types++
				}
			}
		}
	}
	for ; w < len(p.windows); w++ {
		p.leave(w)
	}
}

func (p *sourcePlan) leave(w int) { copy(p.tallies[w], p.running) }

// write stores one row of the source's tallied features; day is that of the
// snapshot, tenure the days since the account was created.
func (p *sourcePlan) write(columns []Column, row, day int, tenure float64) {
	for i := range p.features {
		f := &p.features[i]
		short := &p.tallies[f.window][f.slot]
		var v float64
		switch f.agg {
		case Trend:
			v = trend(short, &p.tallies[f.longWindow][f.slot], f.days, f.long)
		case Recency:
			v = short.recency(day)
		case Tenure:
			v = short.tenure(day)
		case Ratio:
			v = ratio(float64(short.n), float64(p.tallies[f.window][f.to].n))
		case PerSeat: // divided when all columns are there
			v = short.value(f.of)
		case TenureScaled:
			v = perDay(short.value(f.of), f.days, tenure)
		case CLV:
			v = lifetimeValue(short, f.days, tenure, f.lifespan)
		default:
			v = short.value(f.agg)
		}
		columns[f.column].Num[row] = v
	}
}
