// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// drawnFilters are what features may ask of a row, and the same in Go.
var drawnFilters = map[string]func(e *rawEvent) bool{
	"":           func(*rawEvent) bool { return true },
	"value >= 1": func(e *rawEvent) bool { return e.value >= 1 },
	"kind != 'login' or value is missing": func(e *rawEvent) bool {
		return e.kind != "" && e.kind != "login" || math.IsNaN(e.value)
	},
	"id < 10 and due is not missing": func(e *rawEvent) bool { return e.id < 10 && e.due != 0 },
}

// drawnFeatures are every aggregate over one type and over all types.
func drawnFeatures() []Feature {
	var fs []Feature
	for _, kind := range []string{"", "login", "never"} {
		for _, w := range []int{7, 30, 0} {
			for _, agg := range EventAggs {
				f := Feature{Name: fmt.Sprintf("%s_%s_%d", agg, kind, w), From: "app", Type: kind, Agg: agg, WindowDays: w, Kind: NumberKind}
				if (agg == Distinct || agg == Ratio) && kind != "" || agg == Trend && w == 0 || kind == "never" && w != 30 {
					continue
				}
				fs = append(fs, f.completed()...)
			}
		}
	}
	for where := range drawnFilters {
		if where == "" {
			continue
		}
		for _, agg := range EventAggs {
			f := Feature{Name: fmt.Sprintf("%s_%s", agg, where), From: "app", Where: where, Agg: agg, WindowDays: 30, Kind: NumberKind}
			fs = append(fs, f.completed()...)
			f.Name, f.Type = "login_"+f.Name, "login"
			if agg != Distinct && agg != Ratio {
				fs = append(fs, f.completed()...)
			}
		}
	}
	slices.SortFunc(fs, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) }) // maps have no order
	fs = append(fs, Feature{Name: "ratio", From: "app", Agg: Ratio, Of: "count__7", To: "count__30", Kind: NumberKind})
	for _, agg := range []Agg{Tenure, TermNumber, TermDays, DaysToDue, PreviousLate, Value} {
		fs = append(fs, Feature{Name: "fact_" + string(agg), From: FromContract, Agg: agg, Kind: NumberKind})
	}
	return fs
}

// completed returns the feature with what its aggregate needs, in each way
// there is.
func (f Feature) completed() []Feature {
	fs := []Feature{f}
	add := &fs[0]
	switch f.Agg {
	case Trend:
		add.LongDays = 60
	case Decayed:
		add.HalfLifeDays = 10
	case Weighted:
		add.Weights = map[string]float64{"login": 2, "ticket": -.5, "never": 7}
	case PerSeat:
		add.Seats = "sum__30"
	case Ratio:
		add.Of, add.To = "login", "ticket"
	case CSAT:
		add.Positive, add.Prior, add.PriorWeight = 2.5, 60, 4
	case Lateness:
		add.Due, add.Paid = "due", "paid"
	case CLV:
		add.LifespanDays = 730
	}
	if slices.Contains([]Agg{Decayed, Weighted, PerSeat, TenureScaled}, f.Agg) {
		of := *add
		of.Name, of.Of = f.Name+"_sum", "sum"
		fs = append(fs, of)
	}
	if slices.Contains([]Agg{Sum, Max, LastChange}, f.Agg) {
		other := *add
		other.Name, other.Value = f.Name+"_id", "id"
		fs = append(fs, other)
	}
	return fs
}

// read returns the history as the feature reads it: with its value in place of
// the declared one, by which repeats are told apart as well.
func (h *rawHistory) read(f *Feature) *rawHistory {
	g := *h
	g.events = slices.Clone(h.events)
	for i := range g.events {
		for k, where := range slices.Sorted(maps.Keys(drawnFilters)) {
			if drawnFilters[where](&h.events[i]) {
				g.events[i].match |= 1 << k
			}
		}
		switch e := &g.events[i]; {
		case f.Value == "id":
			e.value = float64(e.id)
		case f.Due == "" || e.due == 0 && e.paid == 0:
			if f.Due != "" {
				e.value = math.NaN()
			}
		case e.due == 0:
			e.value = math.NaN()
		case e.paid == 0:
			e.value = float64(e.due<<20 + 1<<20 - 1)
		default:
			e.value = float64(e.due<<20 + e.paid - e.due + 1<<19)
		}
	}
	return &g
}

// naive computes one event feature from the raw rows, from its definition.
func (h *rawHistory) naive(f *Feature, account string, t int64) float64 {
	with := func(agg Agg, window int) *Feature {
		g := *f
		g.Name, g.Agg, g.WindowDays = "", agg, window
		return &g
	}
	switch {
	case f.Name == "ratio":
		return naiveRatio(h.naive(with(Count, 7), account, t), h.naive(with(Count, 30), account, t))
	case f.Agg == Ratio:
		of, to := with(Count, f.WindowDays), with(Count, f.WindowDays)
		of.Type, to.Type = "login", "ticket"
		return naiveRatio(h.naive(of, account, t), h.naive(to, account, t))
	case f.Agg == PerSeat:
		seats := h.naive(&Feature{From: "app", Agg: Sum, WindowDays: 30}, account, t)
		if seats <= 0 {
			return math.NaN()
		}
		return h.naive(with(f.added(), f.WindowDays), account, t) / seats
	}
	from := func(days int) int64 {
		if days == 0 {
			return math.MinInt64
		}
		// The first quarter of an hour that falls on that day.
		day := h.number(t) - int64(days)
		from := time.Unix((day-1)*86400, 0)
		for h.number(from.UnixNano()) != day {
			from = from.Add(15 * time.Minute)
		}
		return from.UnixNano()
	}
	seen := h.seen(f, account, t)
	inside := func(days int) (out []rawEvent) {
		start := from(days)
		for _, e := range seen {
			if e.at >= start {
				out = append(out, e)
			}
		}
		return out
	}
	in := inside(f.WindowDays)
	if f.Agg == Trend {
		long := float64(len(inside(f.LongDays)))
		return math.Log((float64(len(in)) + 1) / (long*float64(f.WindowDays)/float64(f.LongDays) + 1))
	}
	return h.naiveOver(f, in, account, t)
}

func naiveRatio(of, to float64) float64 {
	if to == 0 {
		return math.NaN()
	}
	return of / to
}

// number returns the calendar day of an instant.
func (h *rawHistory) number(at int64) int64 {
	y, m, d := time.Unix(0, at).In(h.loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// naiveOver computes an aggregate over the seen events of a window, in order.
func (h *rawHistory) naiveOver(f *Feature, in []rawEvent, account string, t int64) float64 {
	today := h.number(t)
	days, kinds := map[int64]bool{}, map[string]bool{}
	var values []float64
	for _, e := range in {
		days[h.number(e.at)] = true
		if e.kind != "" {
			kinds[e.kind] = true
		}
		if !math.IsNaN(e.value) {
			values = append(values, e.value)
		}
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	added := float64(len(in))
	if f.Of == "sum" {
		added = sum
	}
	life := float64(today - h.number(h.created[account]))
	if f.WindowDays > 0 {
		life = min(life, float64(f.WindowDays))
	}
	if life < 1 {
		life = math.NaN()
	}
	switch f.Agg {
	case Count:
		return float64(len(in))
	case Sum:
		return sum
	case ActiveDays:
		return float64(len(days))
	case Distinct:
		return float64(len(kinds))
	case TenureScaled:
		return added / life
	case Streak:
		n := 0
		for day := h.number(t-int64(h.lag)) - 1; days[day]; day-- {
			n++
		}
		return float64(n)
	case Decayed, Weighted:
		total := 0.0
		for _, e := range in {
			x := 1.0
			if f.Of == "sum" {
				x = e.value
			}
			if f.Agg == Weighted {
				x *= f.Weights[e.kind]
			} else {
				x *= math.Pow(.5, float64(today-h.number(e.at))/float64(f.HalfLifeDays))
			}
			if !math.IsNaN(x) {
				total += x
			}
		}
		return total
	case Lateness:
		return h.naiveLateness(in, today, t)
	}
	if f.Agg == Recency || f.Agg == Tenure || f.Agg == LongestGap {
		if len(in) == 0 {
			return math.NaN()
		}
		if f.Agg == Tenure {
			return float64(today - h.number(in[0].at))
		}
		if f.Agg == Recency {
			return float64(today - h.number(in[len(in)-1].at))
		}
		ordered := slices.Sorted(maps.Keys(days))
		gap := int64(0)
		for i, day := range append(ordered[1:], today) {
			gap = max(gap, day-ordered[i])
		}
		return float64(gap)
	}
	if len(values) == 0 {
		return math.NaN()
	}
	n := float64(len(values))
	share := func(is func(v float64) bool) float64 {
		k := 0.0
		for _, v := range values {
			if is(v) {
				k++
			}
		}
		return k
	}
	switch f.Agg {
	case Mean:
		return sum / n
	case Min:
		return slices.Min(values)
	case Max:
		return slices.Max(values)
	case NPS:
		return 100*share(func(v float64) bool { return v >= 9 })/n - 100*share(func(v float64) bool { return v <= 6 })/n
	case CSAT:
		return (share(func(v float64) bool { return v >= 2.5 })*100 + 4*60) / (n + 4)
	case CLV:
		return sum / n * (n / (life / 365)) * 2
	case LastChange:
		if len(values) < 2 {
			return math.NaN()
		}
		return values[len(values)-1] - values[len(values)-2]
	}
	return values[len(values)-1] // Last
}

// naiveLateness looks at each payment as it stood at t.
func (h *rawHistory) naiveLateness(in []rawEvent, today, t int64) float64 {
	n, late := 0.0, 0.0
	for _, e := range in {
		paid := e.paid != 0 && e.paid < h.number(t-int64(h.lag))
		switch {
		case e.due == 0 || !paid && e.due >= today:
			continue
		case paid:
			late += float64(e.paid - e.due)
		default:
			late += float64(today - e.due)
		}
		n++
	}
	if n == 0 {
		return math.NaN()
	}
	return late / n
}

// seen returns the events of an account that a feature selects and that were
// visible at t, in order; of repeats of an id only the one known first, by the
// data package's rule.
func (h *rawHistory) seen(f *Feature, account string, t int64) []rawEvent {
	key := fmt.Sprint(f.Source(), "/", f.Type, "/", f.Where, "/", account, t)
	if events, ok := h.memo[key]; ok {
		return events
	}
	var out []rawEvent
	whole := h
	h, kind, passes := h.read(f), f.Type, drawnFilters[f.Where]
	for i, e := range h.events {
		known := max(e.known, e.at) + int64(h.lag)
		if e.account != account || (kind != "" && e.kind != kind) || e.at >= t || known >= t {
			continue
		}
		repeated := slices.ContainsFunc(h.events[:], func(o rawEvent) bool { return repeats(&h.events[i], &o) })
		first := slices.IndexFunc(h.events, func(o rawEvent) bool { return same(&e, &o) }) == i
		if !repeated && first && passes(&whole.events[i]) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, compareRaw)
	if whole.memo == nil {
		whole.memo = map[string][]rawEvent{}
	}
	whole.memo[key] = out
	return out
}

// repeats reports whether o stands for the same event as e and comes first.
func repeats(e, o *rawEvent) bool {
	if e.account != o.account || e.kind != o.kind || e.id != o.id {
		return false
	}
	if ke, ko := max(e.known, e.at), max(o.known, o.at); ke != ko {
		return ko < ke
	}
	if e.at != o.at {
		return o.at < e.at
	}
	if o.value != e.value && !(math.IsNaN(o.value) && math.IsNaN(e.value)) {
		return o.value < e.value || math.IsNaN(o.value)
	}
	return o.match < e.match
}

// same reports whether two rows are equal in all that matters.
func same(e, o *rawEvent) bool {
	return e.account == o.account && e.kind == o.kind && e.id == o.id && e.at == o.at &&
		max(e.known, e.at) == max(o.known, o.at) && e.match == o.match && (e.value == o.value || (math.IsNaN(e.value) && math.IsNaN(o.value)))
}

func compareRaw(a, b rawEvent) int {
	switch {
	case a.at != b.at:
		return int(min(max(a.at-b.at, -1), 1))
	case a.kind != b.kind:
		return map[bool]int{true: -1, false: 1}[a.kind < b.kind]
	case a.id != b.id:
		return map[bool]int{true: -1, false: 1}[a.id < b.id]
	}
	return 0 // one id of one type is one event
}
