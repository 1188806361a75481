// SPDX-License-Identifier: Apache-2.0

package demo

import "math"

const (
	primaryLead = 90  // days before due at which a term is decided
	grace       = 30  // days after due within which a renewal still counts
	winBack     = .08 // share of churners who come back after grace
)

// A custom is how the customers on one kind of terms go about a renewal.
type custom struct {
	months   int
	early    float64 // share of both classes that is decided before the primary snapshot
	notice   float64 // share of other churners who give notice between the snapshot and due
	signed   float64 // share of other renewers who sign in that time
	late     float64 // share of other renewers who renew one to 25 days late
	windDown day     // days before due from which a churner uses less

	invoiceEvery day // days between invoices
	credit       day // days to pay; 0 charges a card at once
}

var (
	yearly = custom{months: 12, early: .03, notice: .35, signed: .2, late: .08, windDown: 25,
		invoiceEvery: 92, credit: 14}
	monthly = custom{months: 1, notice: .2, late: .03, windDown: 10,
		invoiceEvery: 31}
)

// A term is one contract: from its start to the scheduled due date.
type term struct {
	seq      int // within the episode, from 1
	episode  int // 2 and more after a win-back
	start    day
	due      day
	snapshot day // due - primaryLead, or the start of a shorter term
	amount   float64
	seats    int

	decided bool    // false where the snapshot lies after the history's end
	logOdds float64 // before the noise
	best    float64 // probability of churn, as well as the tables allow
	p       float64 // of churn, noise included
	churned bool
	notice  day
	signed  day
	renewed day // when the renewal took effect, or was signed early
}

// tell runs an account's life from term to term: live up to the snapshot,
// decide from what is seen there, live on. It returns the terms that had
// begun by the history's end.
func (l *life) tell() []term {
	var terms []term
	if l.seq > 1 {
		l.billEarlier()
	}
	next := l.newTerm(l.seq, 1, l.start)
	for next.start <= l.w.end {
		t := next
		l.seats = t.seats
		l.bill(t.start, t.due)
		l.live(t.snapshot)
		if t.snapshot <= l.w.end {
			l.decide(&t)
		}
		terms = append(terms, t)
		if !t.decided {
			l.live(l.w.end)
			break
		}
		next = l.after(&t)
	}
	return terms
}

// billEarlier issues the invoices of the terms before the first listed one.
func (l *life) billEarlier() {
	if from := max(l.created, l.w.start); from < l.start {
		l.bill(from+(l.start-from)%l.custom.invoiceEvery, l.start)
	}
}

func (l *life) newTerm(seq, episode int, start day) term {
	t := term{seq: seq, episode: episode, start: start, due: start.addMonths(l.custom.months), seats: l.seats,
		notice: never, signed: never, renewed: never}
	t.snapshot = max(t.due-primaryLead, start)
	t.amount = round(float64(l.seats*l.custom.months)*l.price, 100)
	return t
}

// decide draws the outcome of a term from what is seen at its snapshot, and
// the dates at which it shows. The same share of both classes is decided
// before the snapshot, so that the terms still open there keep their odds.
func (l *life) decide(t *term) {
	r, c := l.rTerms, l.custom
	t.decided = true
	t.logOdds = logOdds(l.look(t))
	t.best = meanOverNoise(t.logOdds)
	t.p = sigmoid(t.logOdds + noiseSD*r.NormFloat64())
	t.churned = r.Float64() < t.p

	early, shows := r.Float64() < c.early, r.Float64()
	before := max(t.start, t.snapshot-day(r.IntN(30))) // the snapshot's own day is seen at it
	within := t.snapshot + 1 + day(r.IntN(int(t.due-t.snapshot)-1))
	late := 1 + day(r.IntN(25))
	switch {
	case t.churned && early:
		t.notice = before
	case t.churned && shows < c.notice:
		t.notice = within
	case t.churned:
	case early:
		t.signed, t.renewed = before, before
	case shows < c.signed:
		t.signed, t.renewed = within, within
	case shows > 1-c.late:
		t.renewed = t.due + late
	default:
		t.renewed = t.due
	}
}

// after lives a decided term to its end and returns the next one, which
// starts after the history's end where there is none.
func (l *life) after(t *term) term {
	r := l.rTerms
	if t.churned {
		l.windDown = max(t.snapshot, t.due-l.custom.windDown)
		l.live(t.due)
		gap, returns := day(between(r, 60, 240)), r.Float64() < winBack
		if !returns {
			return term{start: l.w.end + 1}
		}
		l.windDown, l.lived = never, t.due+gap
		return l.newTerm(1, t.episode+1, t.due+gap)
	}
	start := max(t.renewed, t.due)
	l.live(start)
	growth := math.Exp(.02 + .1*r.NormFloat64() + .1*l.usagePath[min(int(start-l.w.start)/7, len(l.usagePath)-1)])
	l.seats = max(2, int(math.Round(float64(l.seats)*growth)))
	return l.newTerm(t.seq+1, t.episode, start)
}
