// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// madeShop writes a made shop and loads it.
func madeShop(t *testing.T, o demo.Options) (*app, *demo.Demo, *loaded) {
	t.Helper()
	a := &app{fsys: data.Disk{}, dir: filepath.Join(t.TempDir(), "shop"), progress: new(progress), workers: 2}
	d := demo.Shop(o)
	if err := a.writeDemo(context.Background(), a.dir, d); err != nil {
		t.Fatal(err)
	}
	l, err := a.load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return a, d, l
}

// The demo of a shop shows its whole pipeline, in activity mode, beside the true
// probabilities. Out of time its model beats the base rate, and the truth beats
// the model: it knows each customer's own pace, which no table shows.
func TestShopDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"demo", "--kind", "shop", "--accounts", "1200", dir}, &out, &errs); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, &out, &errs)
	}
	for _, want := range []string{
		"the made history of a shop",
		"\nshop: 1200 accounts, newest event 2026-06-30\n",
		"\nhow the snapshots turned out\n",
		"active snapshots have matured",
		"holdfast is better than the base rate",
		"champion is now ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	for name, want := range map[string]bool{"truth.parquet": true, "data/customers.parquet": true, "scores.parquet": true, "data/contracts.parquet": false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is there: %t", name, err == nil)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil || !strings.Contains(string(text), `"Feature": "deliveries_late_count_90d"`) || strings.Contains(string(text), "NoiseSD") {
		t.Errorf("truth.json is not the shop's: %v", err)
	}
	verdict := regexp.MustCompile(`: log loss ([0-9.]+) against`).FindStringSubmatch(out.String())
	truth := regexp.MustCompile(`truth: on the same [0-9]+ rows .* holdfast's ([0-9.]+) finds ([0-9]+) % of what can be known`).FindStringSubmatch(out.String())
	if verdict == nil || truth == nil {
		t.Fatalf("the demo does not compare with the truth:\n%s", &out)
	}
	t.Log(truth[0])
	if truth[1] != verdict[1] {
		t.Errorf("beside the truth the model's log loss is %s, in the verdict %s", truth[1], verdict[1])
	}
	// What this version reaches is 63 %; a half leaves room for another seed.
	if found, _ := strconv.Atoi(truth[2]); found < 50 || found > 99 {
		t.Errorf("the model finds %s %% of the oracle's gain over the base rate, want 50 to 99", truth[2])
	}
}

// The frame's snapshots, outcomes and features are those of the truth.
func TestShopFrameIsTheTruth(t *testing.T) {
	_, d, l := madeShop(t, demo.Options{Seed: 2, Accounts: 200})
	f := built(t, l, 2).Frame
	truth := &d.Truth.Snapshots
	// Both are in order of customer and snapshot.
	if len(f.Rows) != truth.Rows {
		t.Fatalf("%d snapshots, the truth has %d", len(f.Rows), truth.Rows)
	}
	known := 0
	for i := range f.Rows {
		r, churned := &f.Rows[i], truth.Column("churned")
		day := int64(data.DayOf(r.Snapshot, l.sources.Location))
		if r.Account != truth.Column("customer_id").Text(i) || day != truth.Column("snapshot").Ints[i] {
			t.Fatalf("row %d is of %s on day %d, the truth's of %s on day %d", i, r.Account, day,
				truth.Column("customer_id").Text(i), truth.Column("snapshot").Ints[i])
		}
		if r.Y == features.Unknown || churned.Missing(i) {
			continue
		}
		if known++; int64(r.Y) != churned.Ints[i] {
			t.Errorf("%s on day %d: y = %d, the truth says %d", r.Account, day, r.Y, churned.Ints[i])
		}
		z, clip := d.Truth.Intercept, func(name string) float64 { return min(f.Column(name).Num[i], 3) }
		coef := make(map[string]float64)
		for _, e := range d.Truth.Effects {
			coef[e.Feature+" "+e.Form] = e.Coef
		}
		for _, name := range []string{"returns_count_90d", "deliveries_late_count_90d", "contacts_complaint_count_90d"} {
			z += coef[name+" min(x, 3)"] * clip(name)
		}
		z += coef["orders_trend_90d_360d x"] * f.Column("orders_trend_90d_360d").Num[i]
		z += coef["newsletters_count_90d ln(1 + x) - 1.5"] * (math.Log1p(f.Column("newsletters_count_90d").Num[i]) - 1.5)
		if f.Column("orders_count_all").Num[i] == 1 {
			z += coef["orders_count_all 1 if x = 1, else 0"]
		}
		z += coef["segment 1 if "+r.Segment+", else 0"]
		if want := truth.Column("log_odds").Floats[i]; math.Abs(z-want) > 2e-9 { // stored to nine decimals
			t.Fatalf("%s on day %d: log-odds of leaving %v from the frame, the truth says %v", r.Account, day, z, want)
		}
	}
	if known < 1000 {
		t.Errorf("only %d outcomes compared", known)
	}
}

// Every true reason to leave is found with its sign, at an interval that
// excludes 0, save one. Beside the reasons the fit has what tells the
// customer's pace.
func TestShopDirections(t *testing.T) {
	a, d, l := madeShop(t, demo.Options{Seed: 3})
	spec := l.spec
	signs := make(map[string]float64)
	for _, e := range d.Truth.Effects {
		signs[e.Feature] = e.Coef
	}
	signs["orders_count_all"] = -1 // risky is a count of 1, the smallest there is
	pace := []string{"orders_count_90d", "orders_recency"}
	spec.Features = slices.DeleteFunc(slices.Clone(spec.Features), func(f features.Feature) bool {
		return signs[f.Name] == 0 && !slices.Contains(pace, f.Name)
	})
	b, err := features.Build(context.Background(), l.history, &spec, features.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	f := b.Frame.Select(b.Frame.Where(func(r *features.Row) bool { return r.Y != features.Unknown }))
	o := l.trainOptions(a)
	o.Stages = train.StagesLinear // a curve's effect is that of two of its points
	m, err := train.Fit(context.Background(), f, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, term := range m.Terms {
		t.Logf("%-30s %+.3f (%+.3f to %+.3f) %s", term.Feature, term.Effect.Estimate, term.Effect.Low, term.Effect.High, term.Contrast)
		sign := signs[term.Feature]
		switch {
		case sign == 0:
			continue
		case term.Feature == "segment":
			sign = 1 // of coupon, the second most common, against search
			if !strings.Contains(term.Contrast, "coupon against search") {
				t.Errorf("segment contrasts %s", term.Contrast)
			}
			if w := weightOf(&term, "referral") - weightOf(&term, "search"); w >= 0 {
				t.Errorf("referral against search is %+.3f, want below 0", w)
			}
		}
		found++
		least := math.Min(term.Effect.Low*sign, term.Effect.High*sign)
		if term.Feature == "orders_count_all" { // a step at 1, of which a line sees little
			least = term.Effect.Estimate * sign
		}
		if least <= 0 {
			t.Errorf("%s: effect %+.3f (%+.3f to %+.3f), want a certain %+g", term.Feature, term.Effect.Estimate,
				term.Effect.Low, term.Effect.High, sign)
		}
	}
	if found != len(signs) {
		t.Errorf("%d of %d true reasons are terms of the model", found, len(signs))
	}
}

// weightOf returns a level's part of the log-odds; a level without a column
// has none.
func weightOf(term *predict.Term, level string) float64 {
	var w float64
	for _, b := range term.Columns {
		v := -b.Mean / b.SD
		if b.Kind == predict.Level && b.Level == level {
			v = (1 - b.Mean) / b.SD
		}
		w += b.Weight * v
	}
	return w
}
