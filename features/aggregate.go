// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
)

// value returns an aggregate over the single events of a view.
func (d *directFeature) value(v *view) float64 {
	f := d.feature
	switch f.Agg {
	case Last:
		return last(v)
	case LastChange:
		return lastChange(v)
	case LongestGap:
		return longestGap(v)
	case Streak:
		return streak(v)
	case Decayed:
		return decayed(v, f.added(), f.HalfLifeDays)
	case Weighted:
		return weighted(v, f.added(), d.weights, d.perType)
	case NPS:
		return nps(v)
	case CSAT:
		return csat(v, f.Positive, f.Prior, f.PriorWeight)
	case Lateness:
		return lateness(v)
	}
	panic("features: value: not an aggregate over single events")
}

// last returns the value of the newest event that has one, missing where none
// has.
func last(v *view) float64 {
	for _, e := range slices.Backward(v.events) {
		if e.Value == e.Value {
			return e.Value
		}
	}
	return math.NaN()
}

// lastChange returns the newest value less the one before it, missing with
// fewer than two.
func lastChange(v *view) float64 {
	newest := math.NaN()
	for _, e := range slices.Backward(v.events) {
		switch {
		case e.Value != e.Value:
		case newest == newest:
			return newest - e.Value
		default:
			newest = e.Value
		}
	}
	return math.NaN()
}

// decayed adds up the events (of Count) or their values (of Sum), each by how
// recent it is,
//
//	sum of x 0.5^(age / half-life),
//
// where the age is the calendar days from the event to the snapshot. 0 over
// nothing.
func decayed(v *view, of Agg, halfLife int) float64 {
	sum := 0.0
	for i := range v.events {
		e := &v.events[i]
		x := 1.0
		if of == Sum {
			if x = e.Value; x != x {
				continue
			}
		}
		sum += float64(x * math.Exp2(-float64(v.day-int(e.Day))/float64(halfLife)))
	}
	return sum
}

// weighted adds up the events (of Count) or their values (of Sum) of each type
// times the type's weight; types without one, and events without a type, do not
// count. 0 over nothing. perType is scratch space, one element a type.
func weighted(v *view, of Agg, weights, perType []float64) float64 {
	clear(perType)
	for i := range v.events {
		switch e := &v.events[i]; {
		case e.Type < 0:
		case of == Count:
			perType[e.Type]++
		case e.Value == e.Value:
			perType[e.Type] += e.Value
		}
	}
	sum := 0.0
	for k, n := range perType { // types are sorted
		sum += float64(weights[k] * n)
	}
	return sum
}

// longestGap returns the longest stretch of calendar days between one day with
// an event and the next; the day of the snapshot closes the last stretch. The
// time before the first event is no gap: the account may not have been there.
// Missing over nothing.
func longestGap(v *view) float64 {
	if len(v.events) == 0 {
		return math.NaN()
	}
	longest, before := 0, int(v.events[0].Day)
	for i := range v.events {
		day := int(v.events[i].Day)
		longest, before = max(longest, day-before), day
	}
	return float64(max(longest, v.day-before))
}

// streak returns how many calendar days in a row have an event, up to the day
// before the snapshot; of a source with a lag, up to the last day that can have
// been seen whole. 0 where that day has none.
func streak(v *view) float64 {
	next := v.seen - 1 // the day that would go on with the streak
	n := 0
	for _, e := range slices.Backward(v.events) {
		switch day := int(e.Day); {
		case day > next:
		case day < next:
			return float64(n)
		default:
			n++
			next--
		}
	}
	return float64(n)
}
