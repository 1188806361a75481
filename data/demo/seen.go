// SPDX-License-Identifier: Apache-2.0

package demo

import "math"

// A seen holds what the tables show of one term at its primary snapshot t. An
// event counts if it happened before t and, for usage, was loaded before t;
// windows are [t - W, t). Averages and last values over nothing are NaN.
type seen struct {
	logins30    float64
	usage30     float64 // events of every type
	usage90     float64
	tickets90   float64 // opened
	escalated90 float64
	csatMean    float64 // over all history
	npsLast     float64
	qbrs90      float64
	trainings90 float64
	sponsors90  float64 // changes of the sponsor
	roiLast     float64 // multiples of the fee
	failed90    float64 // payments
	daysLate90  float64 // mean over payments

	segment   int
	termDays  int
	autoRenew bool
	seq       int

	due   day
	years float64 // from the history's start to t
}

// look gathers what is seen of a term at t.
func (l *life) look(t *term) *seen {
	at := t.snapshot
	s := &seen{
		segment: l.segment, termDays: int(t.due - t.start), autoRenew: l.autoRenew, seq: t.seq,
		due: t.due, years: float64(at-l.w.start) / 365.25,
	}
	for i := len(l.usage) - 1; i >= 0 && l.usage[i].ts >= (at-90).ns(); i-- {
		e := &l.usage[i]
		if e.ts >= at.ns() || e.loaded >= at.ns() {
			continue
		}
		s.usage90++
		if e.ts >= (at - 30).ns() {
			s.usage30++
			if e.typ == login {
				s.logins30++
			}
		}
	}
	s.tickets90 = float64(count(l.tickets, opened, at-90, at))
	s.escalated90 = float64(count(l.tickets, escalated, at-90, at))
	s.csatMean = mean(l.tickets, csat, l.w.start, at)
	s.npsLast = last(l.surveys, 0, at)
	s.qbrs90 = float64(count(l.touches, qbr, at-90, at))
	s.trainings90 = float64(count(l.touches, training, at-90, at))
	s.sponsors90 = float64(count(l.touches, sponsorChange, at-90, at))
	s.roiLast = last(l.touches, roiReport, at)
	s.failed90 = float64(count(l.invoices, failed, at-90, at))
	s.daysLate90 = mean(l.invoices, paid, at-90, at)
	return s
}

// count returns the events of a type in [from, to).
func count(events []event, typ int, from, to day) int {
	n := 0
	for i := range events {
		if e := &events[i]; e.typ == typ && e.ts >= from.ns() && e.ts < to.ns() {
			n++
		}
	}
	return n
}

// mean returns the mean value of the events of a type in [from, to).
func mean(events []event, typ int, from, to day) float64 {
	var sum, n float64
	for i := range events {
		if e := &events[i]; e.typ == typ && e.ts >= from.ns() && e.ts < to.ns() {
			sum += e.value
			n++
		}
	}
	return sum / n // 0/0 is NaN
}

// last returns the value of the newest event of a type before to.
func last(events []event, typ int, to day) float64 {
	for i := len(events) - 1; i >= 0; i-- {
		if e := &events[i]; e.typ == typ && e.ts < to.ns() {
			return e.value
		}
	}
	return math.NaN()
}
