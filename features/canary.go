// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// A canary is a stream of events that nobody may see at a snapshot, together
// with features over it: whatever they show has come from the future.
type canary struct {
	source  data.EventSource
	spec    *Spec // with the features over the canary at its end
	ordered int   // number of features that are the spec's own
}

// canaryAggs are the aggregates that a canary is looked at with, and the
// windows in days, 0 for all history.
var (
	canaryAggs    = []Agg{Count, Sum, Mean, Min, Max, Last, Distinct, ActiveDays, Recency, Tenure}
	canaryWindows = []int{0, 7, 90}
)

// newCanary names a source that the project has not, and adds features over it.
func newCanary(s data.Sources, spec *Spec) *canary {
	name := "canary"
	taken := func() bool {
		return slices.ContainsFunc(s.Events, func(e data.EventSource) bool { return e.Name == name }) ||
			slices.ContainsFunc(spec.Features, func(f Feature) bool { return strings.HasPrefix(f.Name, name) })
	}
	for n := 2; taken(); n++ {
		name = fmt.Sprintf("canary%d", n)
	}
	c := &canary{ordered: len(spec.Features),
		source: data.EventSource{Name: name, Account: "account", Time: "at", KnownAt: "known", Type: "type", Value: "value"}}
	with := *spec
	with.Sources = append(slices.Clip(spec.Sources), Source{Name: name, KnownAt: true})
	with.Features = slices.Clip(spec.Features)
	add := func(f Feature) {
		f.Name = fmt.Sprintf("%s_%s_%dd", strings.TrimSuffix(name+"_"+f.Type, "_"), f.Agg, f.WindowDays)
		f.From, f.Kind, f.Direction = name, NumberKind, Free
		with.Features = append(with.Features, f)
	}
	for _, days := range canaryWindows {
		for _, agg := range canaryAggs {
			add(Feature{Agg: agg, WindowDays: days})
		}
		add(Feature{Type: canaryType, Agg: Count, WindowDays: days})
	}
	add(Feature{Agg: Trend, WindowDays: 7, LongDays: 90})
	c.spec = &with
	return c
}

const canaryType = "outcome"

// An egg is one event of a canary.
type egg struct {
	at, known int64
	value     float64
}

// eggs are the events that a snapshot must not show: the outcome as an event on
// the due date and on the day it was known, an event at the very instant of the
// snapshot, and others that happened before it and were known at that instant,
// or on the due date.
func eggs(r *Row) []egg {
	outcome := float64(2 + r.Y) // 1 for one that is not known
	known := max(r.Snapshot, r.Due)
	if r.Mature != Never {
		known = max(known, r.Mature)
	}
	due := max(r.Snapshot, r.Due)
	return []egg{
		{due, due, outcome},
		{known, known, outcome},
		{r.Snapshot, r.Snapshot, 10},
		{r.Snapshot - dayLength, r.Snapshot, 100},
		{r.Snapshot - 30*dayLength, due, 1000},
	}
}

// visibleEgg was there a moment before the snapshot: a look that misses it
// would miss any leak.
func visibleEgg(r *Row) []egg { return []egg{{r.Snapshot - 1, r.Snapshot - 1, 1}} }

// plant returns the tables and sources with the canary among them.
func (c *canary) plant(t *data.Tables, s data.Sources, account string, laid []egg) (*data.Tables, data.Sources) {
	n := len(laid)
	stamp := func(name string, at func(egg) int64) data.Column {
		return data.IntOf(name, data.Time, n, func(i int) (int64, bool) { return at(laid[i]), true })
	}
	with := *t
	with.Events = append(slices.Clip(t.Events), &data.Table{Name: c.source.Name, Rows: n, Columns: []data.Column{
		data.TextOf("account", n, func(int) string { return account }),
		stamp("at", func(e egg) int64 { return e.at }),
		stamp("known", func(e egg) int64 { return e.known }),
		data.TextOf("type", n, func(int) string { return canaryType }),
		data.FloatOf("value", n, func(i int) float64 { return laid[i].value }),
	}})
	s.Events = append(slices.Clip(s.Events), c.source)
	return &with, s
}
