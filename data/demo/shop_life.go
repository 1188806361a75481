// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"
	"math/rand/v2"
)

// shopEpoch is Monday 2001-01-01, from which activity mode counts its
// snapshots (features, SPEC.md).
const shopEpoch day = 11323

// A shopLife is one customer as the months go by.
type shopLife struct {
	*customer
	w    *world
	left bool // for good; the tables do not show it

	orders, deliveries, returns, contacts, letters []event

	items     []int // of each order
	snapshots []shopSnapshot

	rOrders, rAftermath, rLeaving *rand.Rand
}

func newShopLife(w *world, c *customer) *shopLife {
	return &shopLife{
		customer: c, w: w,
		rOrders:    newStream(w.seed, forOrders, c.index),
		rAftermath: newStream(w.seed, forAftermath, c.index),
		rLeaving:   newStream(w.seed, forLeaving, c.index),
	}
}

// tell runs a customer's life from his first order: order up to the next
// snapshot, look, perhaps leave, live on.
func (l *shopLife) tell() {
	l.readLetters()
	l.order(l.first)
	here := 1. // the probability that he is still a customer, from his orders
	from := l.first + 1
	for at := shopEpoch + ((l.first-shopEpoch)/shopEvery+1)*shopEvery; ; at += shopEvery {
		before := len(l.orders)
		l.live(from, min(at, l.w.end))
		if at > l.w.end {
			break
		}
		if n := len(l.snapshots); n > 0 && len(l.orders) == before {
			here = stillHere(here, &l.snapshots[n-1])
		} else {
			here = 1
		}
		l.snapshots = append(l.snapshots, l.look(at, here))
		if l.rLeaving.Float64() < l.snapshots[len(l.snapshots)-1].leaves[0] {
			l.left = true
		}
		from = at
	}
	l.settle()
}

// live makes the orders of the days in [from, to).
func (l *shopLife) live(from, to day) {
	for d := from; d < to && !l.left; d++ {
		if l.rOrders.Float64() >= math.Exp(-l.rate(l.w, d)) {
			l.order(d)
		}
	}
}

// order makes an order on day d and draws at once all that will come of it:
// when it arrives, whether something is sent back, and who calls.
func (l *shopLife) order(d day) {
	r := l.rAftermath
	o := event{ts: d.officeTime(r), typ: choose(r, []float64{1 - l.app, l.app})}
	o.value = round(l.basket*math.Exp(.5*r.NormFloat64()), 100)
	l.orders = append(l.orders, o)
	l.items = append(l.items, 1+poisson(r, math.Exp(-1.2)))

	arrives := d + day(between(r, 2, 5))
	delay, complains := 0, .05
	typ := onTime
	if r.Float64() < l.late {
		typ, delay, complains = late, between(r, 3, 12), complains+.25
	}
	arrives += day(delay)
	l.deliveries = append(l.deliveries, event{ts: arrives.officeTime(r), typ: typ, value: float64(delay)})
	if r.Float64() < l.customer.returns {
		complains += .15
		e := event{ts: (arrives + day(between(r, 1, 14))).officeTime(r), typ: choose(r, []float64{.4, .3, .15, .15})}
		e.value = round(o.value*(.3+.7*r.Float64()), 100)
		l.returns = append(l.returns, e)
	}
	if r.Float64() < .1 {
		l.contact(question, d+day(r.IntN(3)))
	}
	if r.Float64() < complains {
		l.contact(complaint, arrives+day(between(r, 0, 4)))
	}
}

func (l *shopLife) contact(typ int, d day) {
	l.contacts = append(l.contacts, event{ts: d.officeTime(l.rAftermath), typ: typ, value: noValue})
}

// readLetters draws the weekly newsletters he opens, from the first order to
// the history's end: whoever left opens as many, so that they give nobody away.
func (l *shopLife) readLetters() {
	r := newStream(l.w.seed, forNewsletters, l.index)
	for d := l.first + 1; d < l.w.end; d++ {
		if (d-shopEpoch)%7 != 3 { // Thursdays
			continue
		}
		if r.Float64() < sigmoid(l.opens+l.pace[int(d-l.w.start)/7]) {
			l.letters = append(l.letters, event{ts: d.officeTime(r), value: noValue})
		}
	}
}
