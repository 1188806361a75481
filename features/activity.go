// SPDX-License-Identifier: Apache-2.0

package features

import (
	"slices"
	"sort"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// listActivity lists the snapshots of activity mode: every EveryDays on a
// fixed grid, or the one as-of instant, for each account that was active
// within ActiveWithinDays before. The money at stake is not known: Value is
// missing.
func (l *listing) listActivity() {
	h, o := l.h, &l.spec.Outcome
	of := slices.IndexFunc(h.Sources, func(s data.Source) bool { return s.Name == o.Of })
	src := &h.Sources[of]
	lag := l.spec.lag(o.Of)
	for a := l.part.First; a < l.part.End; a++ {
		if a%l.every != 0 {
			continue
		}
		first := len(l.rows)
		events := l.part.Events(of, a)
		points := l.gridOver(events, src.Newest)
		if len(points) == 0 {
			l.left[neverActive]++
		}
		for _, t := range points {
			if !activeWithin(events, addDays(t, -o.ActiveWithinDays, h.Location), t) {
				l.left[notActive]++
				continue
			}
			end := addDays(t, o.HorizonDays, h.Location)
			mark := label{Unknown, Never}
			if l.asOf == history {
				mark = activityLabel(events, t, end, lag, src.Newest)
				l.outcomes.snapshot(mark.y)
			}
			l.addActivity(int32(a), t, end, mark)
		}
		l.close(int32(a), first)
	}
}

func (l *listing) addActivity(a int32, t, end int64, mark label) {
	acc := &l.h.Accounts[a]
	v := l.version(acc, t)
	l.rows = append(l.rows, Row{
		Account: acc.ID, Group: acc.Group, Segment: v.Segment, Phase: v.Phase, Snapshot: t, Due: end,
		LeadDays: lead(t, end, l.h.Location), Mature: mark.mature, Y: mark.y, Weight: 1, Value: nan, Status: Scored,
		Kept: nan, AutoRenew: Unknown,
	})
	l.snaps = append(l.snaps, snapshot{t: t, due: end, contract: -1})
}

// gridOver returns the snapshots to try for an account: the as-of instants, or
// the grid's points after its first event up to the end of the source.
func (l *listing) gridOver(events []data.Event, newest int64) []int64 {
	switch {
	case len(events) == 0:
		return nil
	case l.asOf != history:
		return l.instants
	}
	every := l.spec.Outcome.EveryDays
	first := int(events[0].Day) - activityEpoch
	point := activityEpoch + (first/every+1)*every
	end := data.MidnightAfter(newest, l.h.Location).UnixNano()
	var ts []int64
	for t := data.DayStart(point, l.h.Location); t <= end; t = data.DayStart(point, l.h.Location) {
		ts = append(ts, t)
		point += every
	}
	return ts
}

// activeWithin reports whether an event in [from, t) was visible at t.
func activeWithin(events []data.Event, from, t int64) bool {
	end := before(events, t)
	start := sort.Search(end, func(i int) bool { return events[i].Time >= from })
	for i := start; i < end; i++ {
		if visible(&events[i], t) {
			return true
		}
	}
	return false
}

// lag returns how long after they happened the rows of a source become known
// at the soonest.
func (s *Spec) lag(source string) int64 {
	for i := range s.Sources {
		if s.Sources[i].Name == source {
			return int64(s.Sources[i].LagDays) * int64(24*time.Hour)
		}
	}
	return 0
}
