// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data/demo"
)

// The outcome as shop.yaml has it, in days.
const (
	shopEvery, shopHorizon, shopActive = 30, 90, 180
	shopEpoch                          = 11323 // 2001-01-01: date -u -d 2001-01-01 +%s divided by 86,400
)

// The log-odds of leaving are the sum that TRUTH.md gives, from the tables
// alone; the snapshots are those at which the customer was active; and y is
// that no order came, unknown where the horizon has not passed.
func TestShopTruthFollowsFromTheTables(t *testing.T) {
	d := demo.Shop(demo.Options{Seed: 4, Accounts: 250})
	o, truth := newOracle(d), &d.Truth.Snapshots
	channel := make(map[string]float64)
	for r := range d.Accounts.Rows {
		channel[text(&d.Accounts, "customer_id", r)] =
			float64(slices.Index([]string{"search", "coupon", "social", "referral"}, text(&d.Accounts, "channel", r)))
	}
	listed := make(map[string]map[int64]int)
	for r := range truth.Rows {
		id := text(truth, "customer_id", r)
		if listed[id] == nil {
			listed[id] = make(map[int64]int)
		}
		listed[id][mustDate(t, truth, "snapshot", r)] = r
	}
	var churned [2]int
	unknown := 0
	for id, c := range channel {
		at := int64(shopEpoch)
		for at <= endDay-30*31 { // before the history's start
			at += shopEvery
		}
		for ; at <= endDay; at += shopEvery {
			r, is := listed[id][at]
			if active := len(o.visible("orders", id, "", shopActive, at)) > 0; is != active {
				t.Fatalf("%s on day %d: listed %v, active %v", id, at, is, active)
			}
			if !is {
				continue
			}
			want := d.Truth.Intercept
			x := o.shopFeatures(id, at)
			x["segment"] = c
			for _, e := range d.Truth.Effects {
				want += e.Coef * form(t, e, x)
			}
			if z := truth.Column("log_odds").Floats[r]; !(math.Abs(z-want) < 2e-9) { // stored to nine decimals
				t.Fatalf("log-odds %v, want %v: %s", z, want, line(truth, r))
			}
			y := truth.Column("churned")
			if y.Missing(r) != (at+shopHorizon > endDay) {
				t.Fatalf("the outcome is known at the end of the horizon and not before: %s", line(truth, r))
			}
			if y.Missing(r) {
				unknown++
				continue
			}
			if silent := len(o.visible("orders", id, "", shopHorizon, at+shopHorizon)) == 0; silent != (y.Ints[r] == 1) {
				t.Fatalf("silent %v: %s", silent, line(truth, r))
			}
			churned[y.Ints[r]]++
		}
	}
	if churned[0] < 500 || churned[1] < 200 || unknown < 100 {
		t.Errorf("%d outcomes of 0, %d of 1, %d unknown: too few to say anything", churned[0], churned[1], unknown)
	}
}

// shopFeatures returns the true features of a customer at day at, by name.
func (o *oracle) shopFeatures(id string, at int64) map[string]float64 {
	n := func(source, kind string, days int) float64 {
		return float64(len(o.visible(source, id, kind, days, at)))
	}
	return map[string]float64{
		"returns_count_90d":            n("returns", "", 90),
		"deliveries_late_count_90d":    n("deliveries", "late", 90),
		"contacts_complaint_count_90d": n("contacts", "complaint", 90),
		"orders_trend_90d_360d":        math.Log((n("orders", "", 90) + 1) / (n("orders", "", 360)*90/360 + 1)),
		"newsletters_count_90d":        n("newsletters", "", 90),
		"orders_count_all":             n("orders", "", allDays),
	}
}

// Silence comes as often as p says, in ten groups by p. One snapshot a customer
// keeps outcomes independent; which one must not depend on what came later, as
// the number of his snapshots does.
func TestShopProbabilitiesAreTrue(t *testing.T) {
	type pair struct{ p, y float64 }
	var pairs []pair
	for seed := range uint64(4) {
		truth := demo.Shop(demo.Options{Seed: 20 + seed}).Truth.Snapshots
		id, churned := truth.Column("customer_id"), truth.Column("churned")
		nth := 0
		for r := range truth.Rows {
			if nth++; r == 0 || id.Codes[r] != id.Codes[r-1] {
				nth = 0
			}
			if nth == int(id.Codes[r])%10 && !churned.Missing(r) {
				pairs = append(pairs, pair{truth.Column("p").Floats[r], float64(churned.Ints[r])})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.p, b.p) })
	var chi2 float64
	for k := range 10 {
		var sum, variance float64
		for _, v := range pairs[k*len(pairs)/10 : (k+1)*len(pairs)/10] {
			sum += v.y - v.p
			variance += v.p * (1 - v.p)
		}
		chi2 += sum * sum / variance
	}
	// chi-squared with 10 degrees of freedom passes 35 once in 8,000 times.
	if t.Logf("chi-squared %.1f over ten groups of %d", chi2, len(pairs)/10); chi2 > 35 || len(pairs) < 3000 {
		t.Errorf("chi-squared %.1f over ten groups of %d snapshots, limit 35", chi2, len(pairs)/10)
	}
}

// The default shop is about as hard as a real one, and nothing lies after its
// end or before its customers.
func TestDefaultShop(t *testing.T) {
	d := demo.Shop(demo.Options{Seed: 1})
	var rows, churned int
	for _, s := range d.Truth.Segments {
		rows += s.Renewals
		churned += s.Churned
	}
	if rate := float64(churned) / float64(rows); rows < 15_000 || rate < .25 || rate > .4 {
		t.Errorf("%d of %d snapshots are of customers who fall silent, want 25 to 40 %% of 15,000 or more", churned, rows)
	}
	if a := auc(d.Truth.Snapshots.Column("p").Floats, d.Truth.Snapshots.Column("churned")); a < .8 || a > .9 {
		t.Errorf("AUC of the true probability is %.3f, want .8 to .9", a)
	}
	created := make(map[string]int64)
	for r := range d.Accounts.Rows {
		created[text(&d.Accounts, "customer_id", r)] = mustDate(t, &d.Accounts, "created_at", r)
	}
	for i := range d.Events {
		e := &d.Events[i]
		ts := e.Column("ts")
		if e.Rows != d.Truth.Sources[i].Rows || e.Rows < 1000 {
			t.Errorf("%s: %d rows, the truth says %d", e.Name, e.Rows, d.Truth.Sources[i].Rows)
		}
		for r := range e.Rows {
			if ts.Ints[r] >= endDay*nsPerDay || ts.Ints[r] < created[text(e, "customer_id", r)]*nsPerDay {
				t.Fatalf("%s: row %d lies outside the customer's time: %s", e.Name, r, line(e, r))
			}
		}
	}
	if tables := d.Tables(); len(tables) != 6 {
		t.Errorf("%d tables, want customers and five kinds of events", len(tables))
	}
}

// A customer's rows do not depend on how many customers there are.
func TestMoreCustomersChangeNoEarlierOne(t *testing.T) {
	rows := func(customers int) []string {
		d := demo.Shop(demo.Options{Seed: 3, Accounts: customers})
		var lines []string
		for _, table := range append(d.Tables(), d.Truth.Snapshots) {
			for r := range table.Rows {
				if text(&table, "customer_id", r) <= "cust-00041" {
					lines = append(lines, table.Name+line(&table, r))
				}
			}
		}
		return lines
	}
	if diff := gocmp.Diff(rows(41), rows(60)); diff != "" {
		t.Errorf("rows of the first 41 customers differ (-41 +60 customers):\n%.600s", diff)
	}
}

// What a project file cannot say is not promised by it: the days of the
// outcome are those of the truth.
func TestShopFileHasTheOutcomeOfTheTruth(t *testing.T) {
	yaml := demo.Shop(demo.Options{Accounts: 1}).ProjectYAML
	for _, want := range []string{"of: orders", "horizon: 90d", "every: 30d", "active_within: 180d"} {
		if !strings.Contains(yaml, want) {
			t.Errorf("shop.yaml lacks %q", want)
		}
	}
}
