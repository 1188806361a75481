// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The texts that codes in a shop's tables stand for.
var (
	channels      = []string{"search", "coupon", "social", "referral"}
	devices       = []string{"web", "app"}
	deliveryTypes = []string{"on_time", "late"}
	reasons       = []string{"wrong_size", "changed_mind", "damaged", "not_as_described"}
	contactTypes  = []string{"question", "complaint"}
	letterTypes   = []string{"opened"}
)

const (
	channelCoupon   = 1
	channelReferral = 3
)

const (
	onTime = iota
	late
)

const (
	question = iota
	complaint
)

// A customer is what one customer of a shop is like, before anything happens.
type customer struct {
	index   int
	id      string
	channel int // through which he was won
	country int
	created day // of the customer account
	first   day // of the first order

	perDay  float64 // orders a day at a pace of 0
	late    float64 // share of deliveries that come late
	returns float64 // share of orders of which something is sent back
	basket  float64 // median value of an order
	app     float64 // share of orders made in the app
	opens   float64 // log-odds of opening a newsletter at a pace of 0

	pace []float64 // latent log rate of ordering, by week since the history's start
}

func customerID(i int) string { return fmt.Sprintf("cust-%05d", i+1) }

// newCustomer draws customer i. A third is won in the shop's first half year,
// the others evenly over the rest of the history.
func newCustomer(w *world, i int) *customer {
	r := newStream(w.seed, forCustomer, i)
	c := &customer{index: i, id: customerID(i)}
	c.channel = choose(r, []float64{.4, .25, .2, .15})
	c.country = choose(r, []float64{.45, .15, .15, .1, .07, .08})
	c.first = w.start + day(between(r, 0, 180))
	if later := int(w.end - w.start); r.Float64() > 1./3 {
		c.first = w.start + day(between(r, 181, later-1))
	}
	c.created = c.first - day(r.IntN(15))
	c.perDay = math.Exp(.4*r.NormFloat64()) / 36
	c.late = min(.14*math.Exp(.5*r.NormFloat64()), .5)
	c.returns = min(.14*math.Exp(.5*r.NormFloat64()), .5)
	c.basket = 45 * math.Exp(.5*r.NormFloat64())
	c.app = r.Float64()
	c.opens = -.6 + .8*r.NormFloat64()
	c.pace = paceOf(newStream(w.seed, forPace, i), int(w.end+shopHorizon-w.start)/7+1)
	return c
}

// paceOf draws a stationary autoregressive path, one value a week:
//
//	u_k = phi u_(k-1) + sd sqrt(1 - phi^2) e_k,  phi = .97, sd = .35
//
// A deviation halves in about 23 weeks, so that the orders of the last months
// tell of those to come.
func paceOf(r *rand.Rand, weeks int) []float64 {
	const phi, sd = .97, .35
	fresh := sd * math.Sqrt(1-phi*phi)
	path := make([]float64, weeks)
	u := sd * r.NormFloat64()
	for k := range path {
		path[k] = u
		u = phi*u + fresh*r.NormFloat64()
	}
	return path
}

// rate returns the orders to expect on a day while he is a customer, more
// around December than in summer.
func (c *customer) rate(w *world, d day) float64 {
	season := .08 * math.Cos(2*math.Pi*float64(d.date().Month()-12)/12)
	return c.perDay * math.Exp(c.pace[int(d-w.start)/7]+season)
}
