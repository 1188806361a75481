// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"
	"math/rand/v2"

	"github.com/holdfast-churn/holdfast/data"
)

// A driver is one feature of a linear history. Its values fill lo to hi
// evenly, or with a hump in the middle where they are made of several draws:
// bounded, hardly skewed, never missing and with no value in more than one row
// of twenty, so that a fit needs no transform, no clipping and no flag, and
// the true coefficient is what it should find.
type driver struct {
	Effect
	lo, hi  int
	loading float64 // on the factor all drivers share; its square is the shared part of the variance
}

// The drivers, in the order in which linear.yaml lists them. Effects of one
// standard deviation run from .2 to .5.
var drivers = []driver{
	{Effect{"logins_30d", utilization, "x", -.06}, 0, 27, .6},
	{Effect{"exports_90d", utilization, "x", -.025}, 0, 26, .5},
	{Effect{"actions_30d", utilization, "x", -.02}, 0, 30, .4}, // each of four
	{Effect{"csat_90d", sentiment, "x", -.015}, 0, 100, .3},    // each of three
	{Effect{"survey_last", sentiment, "x", -.012}, 0, 100, .5},
	{Effect{"worst_delay_90d", relationship, "x", .025}, 0, 60, 0}, // each of two
	{Effect{"since_qbr", engagement, "x", .015}, 3, 80, -.3},
	{Effect{"training_days_90d", engagement, "x", -.03}, 1, 26, 0},
}

// linearBase sets the churn rate of linear histories to about a quarter, which
// tells most about the coefficients for its number of renewals.
const linearBase = 1.15

// Linear makes a history whose true log-odds are exactly linear in the
// features of its project file,
//
//	z = Intercept + sum of Coef x,
//
// without noise beyond the draw of the outcome: each mature renewal has one
// snapshot, 90 days before it is due, and each account one or two renewals. It
// adds accounts until there are at least the given number of mature renewals.
// Events outside the windows, rows loaded after the snapshot, and events
// between snapshot and due that give the outcome away lie in wait for a
// pipeline that looks where it must not.
func Linear(seed uint64, renewals int) *Demo {
	b := &linearBuilder{builder: builder{w: &world{seed: seed, start: dayOf(defaultEnd) - 1300, end: dayOf(defaultEnd)}}}
	for i := 0; b.matured < renewals; i++ {
		b.addAccount(i)
	}
	truth := Truth{Seed: seed, Intercept: linearBase, Contracts: b.truthTable(), Sources: b.sourceCounts()}
	for i := range drivers {
		truth.Effects = append(truth.Effects, drivers[i].Effect)
	}
	return &Demo{
		Accounts: only(b.accountTable(), "account_id", "created_at"),
		Contracts: only(b.contractTable(),
			"contract_id", "account_id", "start_date", "renewal_date", "outcome", "label_mature_at"),
		Events:      b.eventTables(),
		ProjectYAML: linearYAML,
		Truth:       truth,
	}
}

// only keeps the named columns of a table, in the order given.
func only(t data.Table, names ...string) data.Table {
	kept := data.Table{Name: t.Name, Rows: t.Rows}
	for _, name := range names {
		kept.Columns = append(kept.Columns, *t.Column(name))
	}
	return kept
}

// A linearBuilder gathers a linear history.
type linearBuilder struct {
	builder
	matured int
}

// addAccount makes one account: terms of a year, one after the other, until
// one churns or is not mature at the history's end. That last one has no
// events of its own and no outcome.
func (b *linearBuilder) addAccount(i int) {
	w := b.w
	r := newStream(w.seed, forLinear, i)
	due := w.end - day(between(r, 430, 760))
	a := &account{index: i, id: accountID(i), parent: missing, custom: &yearly, autoRenew: true}
	a.start = due.addMonths(-12)
	a.created = a.start - day(between(r, 0, 60))
	l := &life{account: a, w: w}
	var terms []term
	t := l.newTerm(1, 1, a.start)
	for ; t.due+grace <= w.end; t = l.newTerm(t.seq+1, 1, t.due) {
		l.drive(r, &t)
		b.matured++
		terms = append(terms, t)
		if t.churned {
			break
		}
	}
	if n := len(terms); !terms[n-1].churned {
		terms = append(terms, t)
		l.put(&l.usage, login, (w.end - 1).ns(), noValue) // the newest event: every outcome above is mature after it
	}
	b.accounts = append(b.accounts, a)
	b.addTerms(a, terms)
	for _, events := range [][]event{l.usage, l.tickets, l.surveys, l.invoices, l.touches} {
		sortEvents(events)
	}
	b.usage.addAll(i, l.usage)
	b.addEvents(l)
}

// drive draws the drivers of one term, makes the events that show them, and
// draws the outcome.
func (l *life) drive(r *rand.Rand, t *term) {
	factor := r.NormFloat64()
	z := linearBase
	for k := range drivers {
		x := l.show(r, k, factor, t.snapshot)
		z += float64(drivers[k].Coef * x)
	}
	t.decided = true
	t.logOdds = round(z, 1e9)
	t.p = sigmoid(t.logOdds)
	t.best = t.p
	t.churned = r.Float64() < t.p
	if !t.churned {
		t.renewed = t.due
	}
	l.mislead(r, t)
}

// show makes the events of driver k before the snapshot and returns the value
// that its feature takes there.
func (l *life) show(r *rand.Rand, k int, factor float64, at day) float64 {
	draw := func() float64 { return drivers[k].draw(r, factor) }
	switch k {
	case 0:
		return l.scatter(r, &l.usage, login, int(draw()), at, 30)
	case 1:
		return l.scatter(r, &l.usage, export, int(draw()), at, 90)
	case 2:
		return l.fill(r, &l.usage, featureUse, []float64{draw(), draw(), draw(), draw()}, at, 30)
	case 3:
		return l.fill(r, &l.tickets, csat, []float64{draw(), draw(), draw()}, at, 90) / 3
	case 4:
		return l.fill(r, &l.surveys, 0, []float64{draw()}, at, 60)
	case 5:
		x, y := draw(), draw()
		l.fill(r, &l.invoices, paid, []float64{x, y}, at, 90)
		return max(x, y)
	case 6:
		x := draw()
		l.put(&l.touches, qbr, (at - day(x)).ns(), noValue)
		return x
	}
	x := draw()
	for _, d := range r.Perm(90)[:int(x)] { // distinct days, the window's first one included
		l.put(&l.touches, training, (at-90+day(d)).ns()+r.Int64N(12)*nsPerHour, noValue)
	}
	return x
}

// draw draws one whole number in [lo, hi], each as likely, that is related to
// the factor by the driver's loading (a Gaussian copula).
func (d *driver) draw(r *rand.Rand, factor float64) float64 {
	g := float64(d.loading*factor) + float64(math.Sqrt(1-d.loading*d.loading)*r.NormFloat64())
	u := .5 * math.Erfc(-g/math.Sqrt2)
	return min(float64(d.lo)+math.Floor(u*float64(d.hi-d.lo+1)), float64(d.hi))
}

// scatter puts n events without a value into [at - days, at) and returns n.
// One in eight sets begins exactly on the window's first instant, which counts.
func (l *life) scatter(r *rand.Rand, events *[]event, typ, n int, at day, days int) float64 {
	for k := range n {
		ts := (at - day(days)).ns() + r.Int64N(int64(days-1)*24*60*60)*nsPerSecond
		if k == 0 && r.IntN(8) == 0 {
			ts = (at - day(days)).ns()
		}
		l.put(events, typ, ts, noValue)
	}
	return float64(n)
}

// fill puts one event for each value into [at - days, at) and returns the sum.
func (l *life) fill(r *rand.Rand, events *[]event, typ int, values []float64, at day, days int) float64 {
	var sum float64
	for _, v := range values {
		ts := (at - day(days)).ns() + r.Int64N(int64(days-1)*24*60*60)*nsPerSecond
		l.put(events, typ, ts, v)
		sum += v
	}
	return sum
}

// mislead adds logins that must not count: before the window, on the
// snapshot's first instant, loaded after it, and, for those who stay only,
// between the snapshot and the due date.
func (l *life) mislead(r *rand.Rand, t *term) {
	at := t.snapshot.ns()
	for range r.IntN(4) {
		l.put(&l.usage, login, at-30*nsPerDay-1-r.Int64N(40*nsPerDay), noValue)
	}
	if r.IntN(4) == 0 {
		l.put(&l.usage, login, at, noValue)
	}
	for range r.IntN(3) {
		ts := at - nsPerDay - r.Int64N(6*24*60*60)*nsPerSecond
		l.usage = append(l.usage, event{ts: ts, loaded: at + r.Int64N(nsPerDay), typ: login, part: missing, value: noValue})
	}
	if !t.churned {
		for range 5 {
			l.put(&l.usage, login, at+r.Int64N(80*nsPerDay), noValue)
		}
	}
}

// put appends an event that is loaded within the hour.
func (l *life) put(events *[]event, typ int, ts int64, value float64) {
	*events = append(*events, event{ts: ts, loaded: ts + nsPerHour/2, typ: typ, part: missing, value: value})
}
