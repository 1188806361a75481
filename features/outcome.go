// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// The modes of an outcome.
const (
	Renewal  = "renewal"  // a contract term is renewed at its due date, or not
	Activity = "activity" // an account stays active over a horizon, or not
	Table    = "table"    // a ready table with a label column
)

// earlyDays is how long before the longest lead a term may already be scored.
// Beyond it no training row resembles it, and its status is Early.
const earlyDays = 15

// activityEpoch anchors the snapshots of activity mode: they lie at whole
// multiples of EveryDays after Monday 2001-01-01, so that more data never
// moves them.
var activityEpoch = int(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))

// A label is the outcome of one term: y = 1 if nothing renewed it by due +
// grace, and the instant from which that was known for both classes.
type label struct {
	y      int8
	mature int64
}

// renewalLabel returns the outcome of contract k. A declared outcome is the
// truth, mature at due + grace and not before the instant it was known. Else
// the term was renewed if a contract continues it by due + grace (data.Link
// has the rule: an add-on in mid-term renews nothing, and neither does the
// successor of a parallel contract); that is mature at due + grace, and unknown
// while the history does not reach so far.
//
// Both classes mature at the same instant, also where a renewal was early:
// taking renewals that are known early and churns that are not would make
// every prediction too low (METHODS section 1).
func renewalLabel(h *data.History, o *Outcome, k int32) label {
	c := &h.Contracts[k]
	mature := addDays(c.Due, o.GraceDays, h.Location)
	if o.Declared {
		if c.Y < 0 {
			return label{Unknown, Never}
		}
		if c.KnownAt != data.NoTime {
			mature = max(mature, c.KnownAt)
		}
		return label{c.Y, mature}
	}
	if h.Newest < mature {
		return label{Unknown, Never}
	}
	if next := h.Successor(k); next >= 0 && h.Contracts[next].Start <= mature {
		return label{0, mature}
	}
	return label{1, mature}
}

// kept returns the share of the yearly value of contract k that is left after
// its outcome y: nothing of a churned term, what the renewal kept of a renewed
// one (contraction below 0.98, expansion above 1.02), NaN where it is not
// known.
func kept(c *data.Contract, y int8) float64 {
	switch y {
	case 0:
		return c.Kept
	case 1:
		return 0
	}
	return nan
}

// activityLabel returns the outcome of an account at snapshot t: y = 1 if no
// event of the source happened in [t, t + horizon). It matures, for both
// classes, at the end of the horizon and of the source's declared lag, or when
// the event that decides it was known, if later. It is unknown while the
// source's events do not reach the end of the horizon (newest).
func activityLabel(events []data.Event, t, end, lag, newest int64) label {
	if newest < end {
		return label{Unknown, Never}
	}
	first := before(events, t)
	if first == len(events) || events[first].Time >= end {
		return label{1, end + lag}
	}
	known := Never
	for i := first; i < len(events) && events[i].Time < end; i++ {
		known = min(known, events[i].Known)
	}
	if known == Never {
		return label{Unknown, Never}
	}
	return label{0, max(end+lag, known)}
}

// A refusal says why a term has no row at a snapshot.
type refusal string

const (
	notStarted   refusal = "the term had not started"
	notSeen      refusal = "the renewal that began the term had not been seen"
	alreadyKnown refusal = "the outcome, notice or an early signature was known"
	alreadyDue   refusal = "the term was already due"
	notActive    refusal = "the account was not active"
	neverActive  refusal = "the account has no event to start from"
	afterData    refusal = "the snapshot lies after the newest event"
)

// atRisk says whether the term of contract k can be looked at from t without
// hindsight: it has started and is not due; where renewals are dated, the
// renewal that began it was seen before t; and it is not decided yet, by a date
// that was known or, where outcomes are derived, by a successor that had
// started. The empty refusal means yes.
func atRisk(h *data.History, o *Outcome, k int32, t int64) refusal {
	c := &h.Contracts[k]
	switch {
	case !knownBy(c.Start, t):
		return notStarted
	case c.Due <= t:
		return alreadyDue
	}
	if o.Rolling && c.Previous >= 0 {
		if p := &h.Contracts[c.Previous]; p.RenewedAt == data.NoTime || p.RenewedAt >= t {
			return notSeen
		}
	}
	if knownBy(c.Notice, t) || knownBy(c.Signed, t) || (c.Y >= 0 && knownBy(c.KnownAt, t)) {
		return alreadyKnown
	}
	if !o.Declared {
		if next := h.Successor(k); next >= 0 && knownBy(h.Contracts[next].Start, t) {
			return alreadyKnown
		}
	}
	return ""
}

// eligible is atRisk for a row of the history, whose data end at end: a
// snapshot after that would have seen what is not there yet.
func eligible(h *data.History, o *Outcome, k int32, t, end int64) refusal {
	if why := atRisk(h, o, k, t); why != "" || t <= end {
		return why
	}
	return afterData
}

// snapshotsOf returns the snapshots of a term, in order of time: the start of
// the day that lies lead days before the due date, for each lead; a lead longer
// than the term falls on its start. Equal ones count once.
func snapshotsOf(c *data.Contract, leads []int, loc *time.Location) []int64 {
	ts := make([]int64, 0, len(leads))
	for _, lead := range leads {
		ts = append(ts, max(data.DayStart(data.DayOf(c.Due, loc)-lead, loc), c.Start))
	}
	slices.Sort(ts)
	return slices.Compact(ts)
}

// addDays moves an instant by whole calendar days in loc, keeping the time
// since the start of its day. Past the ends of the range it stays there: a
// window of a thousand years is one over all history.
func addDays(t int64, days int, loc *time.Location) int64 {
	day := data.DayOf(t, loc)
	start, since := data.DayStart(day+days, loc), t-data.DayStart(day, loc)
	if start > math.MaxInt64-since {
		return math.MaxInt64
	}
	return start + since
}

// lead returns the whole calendar days from t to due.
func lead(t, due int64, loc *time.Location) int32 {
	return int32(data.DayOf(due, loc) - data.DayOf(t, loc))
}
