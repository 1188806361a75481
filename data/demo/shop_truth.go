// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// shopLooks is how many snapshots lie in one horizon, its first day included.
const shopLooks = int(shopHorizon / shopEvery)

// A shopSnapshot is the truth about a customer at one snapshot.
type shopSnapshot struct {
	at     day
	z      float64            // log-odds of leaving now
	here   float64            // probability that he has not left before, from his orders
	leaves [shopLooks]float64 // probability of leaving at this and the next snapshots, if no order comes
	quiet  [shopLooks]float64 // probability of no order from each of them to the next, if he stays
	active bool               // he ordered in the shopActive days before
	quits  bool               // he orders nothing in the horizon
	known  bool               // the horizon has passed by the history's end
	p      float64            // of no order in the horizon
}

// look computes the truth at a snapshot up to which orders are made and after
// which none is. The future orders that would change what is seen later end
// the question whether none comes, so that the path without any is all that p
// needs.
func (l *shopLife) look(at day, here float64) shopSnapshot {
	s := shopSnapshot{at: at, here: here, z: leaving(l.see(at)), active: l.ordered(at-shopActive, at)}
	for k := range shopLooks {
		then := at + day(k)*shopEvery
		s.leaves[k] = sigmoid(leaving(l.see(then)))
		var orders float64
		for d := then; d < then+shopEvery; d++ {
			orders += l.rate(l.w, d)
		}
		s.quiet[k] = round(math.Exp(-orders), 1e9)
	}
	s.p = round(s.probability(), 1e9)
	return s
}

// probability returns the probability that a customer orders nothing in the
// horizon, given all that happened before it, how his pace goes, and not
// whether he has left,
//
//	p = 1 - a + a Q_0,  Q_k = h_k + (1 - h_k) e_k Q_(k+1),  Q_K = 1,
//
// with a = here, h = leaves and e = quiet: at each snapshot he leaves, or
// stays and orders nothing until the next.
func (s *shopSnapshot) probability() float64 {
	q := 1.
	for k := shopLooks - 1; k >= 0; k-- {
		q = s.leaves[k] + (1-s.leaves[k])*s.quiet[k]*q
	}
	return 1 - s.here + s.here*q
}

// stillHere returns the probability that a customer has not left by the next
// snapshot, given that he ordered nothing since this one,
//
//	a' = a (1-h) e / (1 - a (1-h) + a (1-h) e),
//
// by Bayes' rule: those who left order nothing for certain. (After an order it
// is 1.) This is how models that count customers who never say goodbye tell
// the slow from the gone.
//
// Source: Schmittlein, Morrison and Colombo, Counting Your Customers,
// Management Science 33 (1987), with leaving at known dates.
func stillHere(here float64, s *shopSnapshot) float64 {
	stays := here * (1 - s.leaves[0])
	return stays * s.quiet[0] / (1 - stays + stays*s.quiet[0])
}

// ordered reports whether an order was made in [from, to).
func (l *shopLife) ordered(from, to day) bool {
	for i := len(l.orders) - 1; i >= 0 && l.orders[i].ts >= from.ns(); i-- {
		if l.orders[i].ts < to.ns() {
			return true
		}
	}
	return false
}

// settle says what came of each snapshot, and drops those of customers who
// were not active.
func (l *shopLife) settle() {
	kept := l.snapshots[:0]
	for _, s := range l.snapshots {
		if s.active {
			s.known, s.quits = s.at+shopHorizon <= l.w.end, !l.ordered(s.at, s.at+shopHorizon)
			kept = append(kept, s)
		}
	}
	l.snapshots = kept
}

func (b *shopBuilder) truth() Truth {
	t := Truth{Seed: b.w.seed, Intercept: shopBase, UselessPillar: roi,
		Snapshots: b.truthTable(), Segments: b.segmentCounts()}
	for i := range shopEffects {
		t.Effects = append(t.Effects, shopEffects[i].Effect)
	}
	for _, s := range []struct {
		name string
		rows *eventRows
	}{{"orders", &b.orders}, {"deliveries", &b.deliveries}, {"returns", &b.returns}, {"contacts", &b.contacts},
		{"newsletters", &b.letters}} {
		t.Sources = append(t.Sources, s.rows.count(s.name, len(b.customers)))
	}
	return t
}

// truthTable has a row for each customer and snapshot at risk: customer_id;
// snapshot; log_odds of leaving there; here, the probability that he has not
// left before; p, the probability of no order in the horizon; churned, whether
// none came, missing where the horizon has not passed.
func (b *shopBuilder) truthTable() data.Table {
	n := len(b.snapshots)
	at := make([]day, n)
	z, here, p := make([]float64, n), make([]float64, n), make([]float64, n)
	churned := data.Column{Name: "churned", Kind: data.Bool, Ints: make([]int64, n), Null: make([]bool, n)}
	for k := range b.snapshots {
		s := &b.snapshots[k]
		at[k], z[k], here[k], p[k] = s.at, s.z, round(s.here, 1e9), s.p
		churned.Null[k] = !s.known
		if s.known && s.quits {
			churned.Ints[k] = 1
		}
	}
	return newTable("truth.parquet",
		textColumn("customer_id", b.who, b.ids()),
		dateColumn("snapshot", at),
		floatColumn("log_odds", z),
		floatColumn("here", here),
		floatColumn("p", p),
		churned,
	)
}

func (b *shopBuilder) segmentCounts() []SegmentCount {
	counts := make([]SegmentCount, len(channels))
	for c := range counts {
		counts[c].Segment = channels[c]
	}
	for k := range b.snapshots {
		if s := &b.snapshots[k]; s.known {
			c := &counts[b.customers[b.who[k]].channel]
			c.Renewals++
			if s.quits {
				c.Churned++
			}
		}
	}
	return counts
}
