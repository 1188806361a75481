// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"
	"math/rand/v2"
)

const (
	surveyEvery  = 91   // days between two surveys
	weekendUse   = .3   // use on a weekend day, of a working day's
	windDownUse  = .4   // use of a customer about to leave, of his own before
	lateShare    = .015 // of usage rows that load five to nine days late
	loginShare   = .5   // of usage events
	featureShare = .3
	apiShare     = .12
)

// A life is one account as its days go by: what happened so far, and the
// streams that decide what happens next.
type life struct {
	*account
	w        *world
	lived    day // events exist for the days before this one
	windDown day // from this day a leaving customer uses less; never if he stays

	usage, tickets, surveys, invoices, touches []event

	rUsage, rTickets, rSurveys, rInvoices, rTouches, rTerms *rand.Rand

	rates rates
	week  int // for which rates hold
}

// rates hold the chances that a day passes without an event (e^-rate), and the
// share of tickets that escalate; all are constant over a week.
type rates struct {
	usage, usageWeekend, usageLeaving, usageLeavingWeekend float64
	tickets, escalation                                    float64
	touch                                                  [6]float64 // by type
}

func newLife(w *world, a *account) *life {
	return &life{
		account: a, w: w, lived: max(a.created, w.start), windDown: never, week: -1,
		rUsage:    newStream(w.seed, forUsage, a.index),
		rTickets:  newStream(w.seed, forTickets, a.index),
		rSurveys:  newStream(w.seed, forSurveys, a.index),
		rInvoices: newStream(w.seed, forInvoices, a.index),
		rTouches:  newStream(w.seed, forTouchpoints, a.index),
		rTerms:    newStream(w.seed, forTerms, a.index),
	}
}

// live makes the events of all days before to that are not made yet, and none
// after the history's end.
func (l *life) live(to day) {
	for ; l.lived < min(to, l.w.end); l.lived++ {
		if week := int(l.lived-l.w.start) / 7; week != l.week {
			l.week = week
			l.setRates()
		}
		l.use()
		l.ask()
		l.survey()
		l.meet()
	}
}

// setRates computes the week's rates from the latent paths.
func (l *life) setRates() {
	none := func(perDay float64) float64 { return math.Exp(-perDay) }
	mood, use := l.moodPath[l.week], l.perDay*math.Exp(l.usagePath[l.week])
	visits := .15
	if l.managed {
		visits = 1
	}
	l.rates = rates{
		usage:               none(use),
		usageWeekend:        none(use * weekendUse),
		usageLeaving:        none(use * windDownUse),
		usageLeavingWeekend: none(use * windDownUse * weekendUse),
		tickets:             none(l.ticketRate * math.Exp(-.1*mood)),
		escalation:          .12 * math.Exp(-.6*mood),
		touch: [6]float64{
			qbr:           none(.0070 * visits * math.Exp(.15*mood)),
			training:      none(.0060 * visits * math.Exp(.3*l.usagePath[l.week])),
			referral:      none(.5 * l.advocacy),
			review:        none(.5 * l.advocacy),
			sponsorChange: none(.0018),
			roiReport:     none(.0075 * visits),
		},
	}
}

// use draws the day's product use. A row is loaded within the day, apart from
// the share that comes five to nine days late.
func (l *life) use() {
	r, d := l.rUsage, l.lived
	none := l.rates.usage
	switch leaving := l.windDown != never && d >= l.windDown; {
	case leaving && d.weekend():
		none = l.rates.usageLeavingWeekend
	case leaving:
		none = l.rates.usageLeaving
	case d.weekend():
		none = l.rates.usageWeekend
	}
	first := len(l.usage)
	for range poisson(r, none) {
		e := event{ts: d.officeTime(r), part: missing, seats: l.seats}
		e.typ = choose(r, []float64{loginShare, featureShare, apiShare, 1 - loginShare - featureShare - apiShare})
		switch e.typ {
		case login:
			e.value = math.Round(3 + 12*r.ExpFloat64()) // minutes
		case featureUse:
			e.part = choose(r, []float64{.4, .25, .15, .12, .08})
			e.value = float64(between(r, 1, 9)) // actions
		default:
			e.value = noValue
		}
		if r.Float64() < lateShare {
			e.loaded = e.ts + 5*nsPerDay + r.Int64N(4*24*60*60)*nsPerSecond
		} else {
			e.loaded = e.ts + (60+r.Int64N(20*60*60))*nsPerSecond
		}
		l.usage = append(l.usage, e)
	}
	sortEvents(l.usage[first:])
}

// ask draws the day's tickets. Some escalate and some are rated, the same day.
func (l *life) ask() {
	r, d := l.rTickets, l.lived
	first := len(l.tickets)
	for range poisson(r, l.rates.tickets) {
		e := event{ts: d.officeTime(r), typ: opened, value: noValue}
		l.tickets = append(l.tickets, e)
		if r.Float64() < l.rates.escalation {
			l.tickets = append(l.tickets, event{ts: e.ts + 2*nsPerHour, typ: escalated, value: noValue})
		}
		if r.Float64() < .45 {
			rating := math.Round(4 + .7*l.moodPath[l.week] + .7*r.NormFloat64())
			l.tickets = append(l.tickets, event{ts: e.ts + 3*nsPerHour, typ: csat, value: min(max(rating, 1), 5)})
		}
	}
	sortEvents(l.tickets[first:])
}

// survey sends the quarterly survey to accounts of a month or older.
func (l *life) survey() {
	r, d := l.rSurveys, l.lived
	if int(d)%surveyEvery != l.surveyDay || d-l.created < 30 || r.Float64() > l.answers {
		return
	}
	answer := math.Round(7.2 + 1.7*l.moodPath[l.week] + 1.2*r.NormFloat64())
	l.surveys = append(l.surveys, event{ts: d.officeTime(r), value: min(max(answer, 0), 10)})
}

// meet draws the day's touchpoints.
func (l *life) meet() {
	r, d := l.rTouches, l.lived
	first := len(l.touches)
	for typ, none := range l.rates.touch {
		if r.Float64() <= none { // the chance of two on one day is left out
			continue
		}
		e := event{ts: d.officeTime(r), typ: typ, value: noValue}
		if typ == roiReport { // value realised, in multiples of the fee
			e.value = max(.1, round(2+.5*l.moodPath[l.week]+.6*r.NormFloat64(), 10))
		}
		l.touches = append(l.touches, e)
	}
	sortEvents(l.touches[first:])
}

// bill issues invoices from one day on, every so many days, before another.
// Monthly terms are charged to a card, yearly ones are billed by the quarter
// with 14 days to pay; value of a payment is how many days late it came.
func (l *life) bill(from, to day) {
	every, credit := l.custom.invoiceEvery, l.custom.credit
	r := l.rInvoices
	for d := from; d < to; d += every {
		late := min(day(l.payer*(.3+.9*r.ExpFloat64())), 28)
		fails := r.Float64() < .02+.006*l.payer
		if fails {
			late += 4
		}
		if credit == 0 {
			late /= 2 // a card is charged again soon
		}
		l.invoice(d, issued, noValue, to)
		if fails {
			l.invoice(d+credit+1, failed, noValue, to)
		}
		l.invoice(d+credit+late, paid, float64(late), to)
	}
}

// invoice adds an event unless it lies outside the account's time as a
// customer or outside the history.
func (l *life) invoice(d day, typ int, value float64, to day) {
	ts := d.ns() + 9*nsPerHour + int64(typ)*nsPerHour // a failure never precedes its invoice
	if d >= max(l.created, l.w.start) && d < min(to, l.w.end) {
		l.invoices = append(l.invoices, event{ts: ts, typ: typ, value: value})
	}
}
