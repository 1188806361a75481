// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

// The log-odds of every term follow from the tables alone, with the truth's
// coefficients: nothing after the snapshot, loaded after it or delivered twice
// has a part in them.
func TestLogOddsFollowFromTheTables(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 4, Accounts: 600})
	o := newOracle(d)
	segment := make(map[string]string)
	for r := range d.Accounts.Rows {
		segment[text(&d.Accounts, "account_id", r)] = text(&d.Accounts, "segment", r)
	}
	const start = 19723 // 2024-01-01, 30 months before the end
	// log_odds is stored to nine decimals, and this sums in another order.
	const tolerance = 2e-9
	z := d.Truth.Contracts.Column("log_odds").Floats
	compared := 0
	for r := range d.Contracts.Rows {
		if math.IsNaN(z[r]) {
			continue
		}
		at := mustDate(t, &d.Truth.Contracts, "snapshot", r)
		x := o.features(&d.Contracts, r, at)
		x["segment"] = float64(slices.Index([]string{"smb", "mid", "enterprise"}, segment[text(&d.Contracts, "account_id", r)]))
		x["snapshot"] = float64(at-start) / 365.25
		want := d.Truth.Intercept
		effects := append(slices.Clone(d.Truth.Effects), d.Truth.Interaction, d.Truth.NonMonotone, d.Truth.Season, d.Truth.Drift)
		for _, e := range effects {
			want += e.Coef * form(t, e, x)
		}
		if !(math.Abs(z[r]-want) <= tolerance) {
			t.Errorf("log-odds %v, want %v: %s", z[r], want, line(&d.Contracts, r))
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d terms compared", compared)
	}
}

// features returns the true features of contract r at day at, by name.
func (o *oracle) features(c *data.Table, r int, at int64) map[string]float64 {
	id := text(c, "account_id", r)
	n := func(source, kind string, days int) float64 {
		return float64(len(o.visible(source, id, kind, days, at)))
	}
	due := mustDateOf(c, "renewal_date", r)
	return map[string]float64{
		"usage_login_count_30d":                n("usage", "login", 30),
		"usage_trend_30d_90d":                  math.Log((n("usage", "", 30) + 1) / (n("usage", "", 90)*30/90 + 1)),
		"nps_last":                             lastOf(o.visible("nps", id, "", allDays, at)),
		"csat_mean":                            meanOf(o.visible("tickets", id, "csat", allDays, at)),
		"tickets_escalated_count_90d":          n("tickets", "escalated", 90),
		"tickets_opened_count_90d":             n("tickets", "opened", 90),
		"touchpoints_qbr_count_90d":            n("touchpoints", "qbr", 90),
		"touchpoints_training_count_90d":       n("touchpoints", "training", 90),
		"touchpoints_sponsor_change_count_90d": n("touchpoints", "sponsor_change", 90),
		"invoices_failed_count_90d":            n("invoices", "failed", 90),
		"days_late_90d":                        meanOf(o.visible("invoices", id, "paid", 90, at)),
		"roi_last":                             lastOf(o.visible("touchpoints", id, "roi_report", allDays, at)),
		"auto_renew":                           float64(c.Column("auto_renew").Ints[r]),
		"seq":                                  float64(c.Column("seq").Ints[r]),
		"term_days":                            float64(due - mustDateOf(c, "start_date", r)),
		"month of the due date":                float64(time.Unix(due*86400, 0).UTC().Month()),
	}
}

func mustDateOf(t *data.Table, name string, r int) int64 { d, _ := date(t, name, r); return d }

// form evaluates an effect's form as its text says.
func form(t *testing.T, e demo.Effect, x map[string]float64) float64 {
	t.Helper()
	names := strings.Split(strings.TrimSuffix(e.Feature, " is missing"), ", ")
	v, ok := x[names[0]]
	if !ok {
		t.Fatalf("no such feature: %q", names[0])
	}
	if strings.HasSuffix(e.Feature, " is missing") {
		return float64(one(math.IsNaN(v)))
	}
	if math.IsNaN(v) {
		return 0
	}
	switch e.Form {
	case "x", "1 or 0", "years of 365.25 days since the history's start":
		return v
	case "ln(1 + x) - 1.3":
		return math.Log(1+v) - 1.3
	case "x - 7":
		return v - 7
	case "x - 4":
		return v - 4
	case "x - 2":
		return v - 2
	case "min(x, 1)":
		return min(v, 1)
	case "min(x, 2)":
		return min(v, 2)
	case "min(x, 3)":
		return min(v, 3)
	case "min(x, 20) / 10":
		return min(v, 20) / 10
	case "1 if smb, else 0":
		return float64(one(v == 0))
	case "1 if enterprise, else 0":
		return float64(one(v == 2))
	case "1 if x = 1, else 0":
		return float64(one(v == 1))
	case "ln(1 + x) - 1.5":
		return math.Log(1+v) - 1.5
	case "1 if coupon, else 0":
		return float64(one(v == 1))
	case "1 if referral, else 0":
		return float64(one(v == 3))
	case "1 if x < 100, else 0":
		return float64(one(v < 100))
	case "min(x1, 1) (ln(1 + x2) - 1.3)":
		return min(v, 1) * (math.Log(1+x[names[1]]) - 1.3)
	case "(min(ln(1 + x), 2.5) - 1.1)^2":
		return math.Pow(min(math.Log(1+v), 2.5)-1.1, 2)
	case "cos(2 pi (x - 1) / 12)":
		return math.Cos(2 * math.Pi * (v - 1) / 12)
	}
	t.Fatalf("unknown form %q", e.Form)
	return 0
}

// Outcomes come as often as their probabilities say: in all, in ten groups by
// probability, among those undecided at the snapshot, and by p_seen as by p.
func TestProbabilitiesAreTrue(t *testing.T) {
	type pair struct{ p, y float64 }
	var byP, bySeen, open []pair
	for seed := range uint64(3) {
		d := demo.Make(demo.Options{Seed: seed, Accounts: 2500})
		truth := &d.Truth.Contracts
		for r := range truth.Rows {
			if truth.Column("churned").Missing(r) {
				continue
			}
			y := float64(truth.Column("churned").Ints[r])
			byP = append(byP, pair{truth.Column("p").Floats[r], y})
			bySeen = append(bySeen, pair{truth.Column("p_seen").Floats[r], y})
			at := mustDate(t, truth, "snapshot", r)
			notice, noticed := date(&d.Contracts, "notice_at", r)
			signed, early := date(&d.Contracts, "signed_at", r)
			if !(noticed && notice <= at) && !(early && signed <= at) {
				open = append(open, pair{truth.Column("p").Floats[r], y})
			}
		}
	}
	// chi-squared with 10 degrees of freedom passes 35 once in 8,000 times.
	const limit = 35
	for name, pairs := range map[string][]pair{"p": byP, "p_seen": bySeen, "p of undecided terms": open} {
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
		if chi2 > limit {
			t.Errorf("%s: chi-squared %.1f over ten groups of %d terms, limit %d", name, chi2, len(pairs)/10, limit)
		}
	}
}

// The default history is about as hard as the real thing.
func TestDefaultHistory(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 1})
	var renewals, churned int
	for _, s := range d.Truth.Segments {
		renewals += s.Renewals
		churned += s.Churned
	}
	if rate := float64(churned) / float64(renewals); rate < .08 || rate > .12 || churned < 500 {
		t.Errorf("%d of %d mature renewals churned; want 8 to 12 %% and 500 or more", churned, renewals)
	}
	truth := &d.Truth.Contracts
	if a := auc(truth.Column("p_seen").Floats, truth.Column("churned")); a < .75 || a > .85 {
		t.Errorf("AUC of the best visible probability is %.3f, want .75 to .85", a)
	}
	if n := d.Events[0].Rows; n < 500_000 || n > 1_000_000 {
		t.Errorf("%d usage rows, want 500,000 to 1,000,000", n)
	}
}

// auc is the share of pairs in which the churned term has the higher
// probability, by counting renewed terms below each churned one.
func auc(p []float64, churned *data.Column) float64 {
	var order []int
	for i := range p {
		if !churned.Missing(i) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var below, pairs, events float64
	for _, i := range order {
		if churned.Ints[i] == 1 {
			pairs += below
			events++
		} else {
			below++
		}
	}
	return pairs / (below * events)
}

// Referrals and reviews have nothing to do with the log-odds.
func TestUselessPillar(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 6})
	if d.Truth.UselessPillar != "advocacy" {
		t.Fatalf("useless pillar is %q", d.Truth.UselessPillar)
	}
	for _, e := range append(slices.Clone(d.Truth.Effects), d.Truth.Interaction, d.Truth.NonMonotone) {
		if e.Pillar == "advocacy" {
			t.Errorf("%s is of the useless pillar", e.Feature)
		}
	}
	o := newOracle(d)
	var x, z []float64
	seen := make(map[string]bool) // one term an account, so that terms are independent
	for r := range d.Contracts.Rows {
		id, logOdds := text(&d.Contracts, "account_id", r), d.Truth.Contracts.Column("log_odds").Floats[r]
		if seen[id] || math.IsNaN(logOdds) {
			continue
		}
		seen[id] = true
		at := mustDate(t, &d.Truth.Contracts, "snapshot", r)
		referrals, reviews := o.visible("touchpoints", id, "referral", 90, at), o.visible("touchpoints", id, "review", 90, at)
		x = append(x, float64(len(referrals)+len(reviews)))
		z = append(z, logOdds)
	}
	// Four standard errors of a correlation of nothing.
	if c, limit := correlation(x, z), 4/math.Sqrt(float64(len(x))); math.Abs(c) > limit {
		t.Errorf("correlation with the log-odds is %.3f over %d accounts, limit %.3f", c, len(x), limit)
	}
}

func correlation(x, y []float64) float64 {
	var sx, sy, sxx, syy, sxy float64
	n := float64(len(x))
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
		sxx, syy, sxy = sxx+x[i]*x[i], syy+y[i]*y[i], sxy+x[i]*y[i]
	}
	return (sxy - sx*sy/n) / math.Sqrt((sxx-sx*sx/n)*(syy-sy*sy/n))
}

// What the truth says of the tables is what they hold.
func TestDeclaredCounts(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 9, Accounts: 1500})
	known := make(map[string]string) // account to segment
	nulls := make(map[string]int)
	for r := range d.Accounts.Rows {
		known[text(&d.Accounts, "account_id", r)] = text(&d.Accounts, "segment", r)
		for i := range d.Accounts.Columns {
			if c := &d.Accounts.Columns[i]; c.Missing(r) {
				nulls[c.Name]++
			}
		}
	}
	for _, n := range d.Truth.Nulls {
		if nulls[n.Column] != n.Rows || n.Rows == 0 {
			t.Errorf("%s: %d values are missing, the truth says %d", n.Column, nulls[n.Column], n.Rows)
		}
		delete(nulls, n.Column)
	}
	if len(nulls) > 0 {
		t.Errorf("missing values that the truth does not tell of: %v", nulls)
	}
	for i := range d.Events {
		e := &d.Events[i]
		got := demo.SourceCount{Source: sourceOf(e), Rows: e.Rows}
		ids := make(map[int64]bool)
		for r := range e.Rows {
			id := e.Column("event_id").Ints[r]
			got.Repeated += one(ids[id])
			ids[id] = true
			got.Orphans += one(known[text(e, "account_id", r)] == "")
			if loaded := e.Column("loaded_at"); loaded != nil {
				got.Late += one(loaded.Ints[r]-e.Column("ts").Ints[r] > nsPerDay)
			}
		}
		if diff := gocmp.Diff(d.Truth.Sources[i], got); diff != "" {
			t.Errorf("(-truth +tables)\n%s", diff)
		}
	}
	if u := d.Truth.Sources[0]; u.Repeated == 0 || u.Late == 0 || u.Orphans == 0 {
		t.Errorf("usage has no repeated, no late or no orphan rows: %+v", u)
	}
	counts := make(map[string]demo.SegmentCount)
	for r := range d.Contracts.Rows {
		s := known[text(&d.Contracts, "account_id", r)]
		c := counts[s]
		c.Segment = s
		c.Renewals += one(text(&d.Contracts, "outcome", r) != "")
		c.Churned += one(text(&d.Contracts, "outcome", r) == "churned")
		counts[s] = c
	}
	for _, want := range d.Truth.Segments {
		if diff := gocmp.Diff(want, counts[want.Segment]); diff != "" || want.Churned == 0 {
			t.Errorf("(-truth +tables)\n%s", diff)
		}
	}
}

// TRUTH.md lists every effect with its form and coefficient.
func TestTruthIsWrittenDown(t *testing.T) {
	text, err := os.ReadFile("TRUTH.md")
	if err != nil {
		t.Fatal(err)
	}
	truth := demo.Make(demo.Options{Accounts: 1}).Truth
	rows := []string{row3("intercept", "", truth.Intercept), row3("noise", "normal, standard deviation", truth.NoiseSD)}
	for _, e := range append(truth.Effects, truth.Interaction, truth.NonMonotone, truth.Season, truth.Drift) {
		rows = append(rows, row3(e.Feature, e.Form, e.Coef))
	}
	for _, other := range []demo.Truth{demo.Linear(1, 1).Truth, demo.Shop(demo.Options{Accounts: 1}).Truth} {
		rows = append(rows, row3("intercept", "", other.Intercept))
		for _, e := range other.Effects {
			rows = append(rows, row3(e.Feature, e.Form, e.Coef))
		}
	}
	for _, want := range rows {
		if !strings.Contains(string(text), want) {
			t.Errorf("TRUTH.md lacks the row\n%s", want)
		}
	}
}

func row3(feature, form string, coef float64) string {
	return fmt.Sprintf("| %s | %s | %g |", feature, form, coef)
}
