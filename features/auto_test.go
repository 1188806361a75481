// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

func TestAuto(t *testing.T) {
	h := &data.History{
		Accounts:          []data.Account{{ID: "a", EndVersion: 1}},
		Versions:          []data.Version{{From: data.NoTime, Segment: "smb"}},
		AccountAttributes: []data.Column{data.TextColumn("Plan Tier", []string{"pro"}), {Name: "status", Kind: data.Int, Ints: []int64{1}}},
	}
	h.AddSource("orders", []string{"order", "return"}, 0, [][]data.Event{{{Type: 0, Value: 3}, {Type: 1, Value: math.NaN()}}})
	h.AddSource("nps", []string{"nps"}, 0, [][]data.Event{{{Value: 9}}})
	fs := Auto(h, Outcome{Mode: Renewal, Rolling: true}, AutoOptions{WindowDays: []int{7, 30}, ValueKnown: true})
	byName := map[string]Feature{}
	var names []string
	for _, f := range fs {
		byName[f.Name] = f
		names = append(names, f.Name)
	}
	want := strings.Fields(`
		orders_count_7d orders_count_30d orders_count_all orders_recency orders_trend_7d_30d
		orders_active_days_7d orders_active_days_30d orders_active_days_all
		orders_distinct_7d orders_distinct_30d orders_distinct_all
		orders_order_count_7d orders_order_count_30d orders_order_count_all
		orders_order_sum_7d orders_order_sum_30d orders_order_sum_all orders_order_recency orders_order_trend_7d_30d
		orders_return_count_7d orders_return_count_30d orders_return_count_all orders_return_recency orders_return_trend_7d_30d
		nps_count_7d nps_count_30d nps_count_all nps_recency nps_trend_7d_30d
		nps_active_days_7d nps_active_days_30d nps_active_days_all nps_sum_7d nps_sum_30d nps_sum_all
		segment plan_tier account_status tenure_days term_number term_length_days days_to_due previous_renewal_late_days contract_value`)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if f := byName["orders_order_sum_30d"]; f.Label != "order: total value in 30 days" || f.Pillar != "product_utilization" {
		t.Errorf("%+v", f)
	}
	if f := byName["orders_return_count_all"]; f.Label != "orders, return: events so far" || f.Pillar != "sentiment" {
		t.Errorf("%+v", f)
	}
	if f := byName["plan_tier"]; f.Kind != LevelKind || byName["account_status"].Kind != NumberKind {
		t.Errorf("kinds of attributes: %+v", f)
	}
	activity := Auto(h, Outcome{Mode: Activity}, AutoOptions{WindowDays: []int{7, 30}, ValueKnown: true})
	for _, f := range activity {
		if f.From == FromContract {
			t.Errorf("activity mode has no contract to read %s from", f.Name)
		}
	}
}

// A source with values has its sums where it declares no type, and where the
// column that it declares is empty or holds one type.
func TestAutoSums(t *testing.T) {
	texts := data.TextOf("kind", 2, func(int) string { return "" })
	tables := &data.Tables{
		Accounts: &data.Table{Name: "accounts", Rows: 1, Columns: []data.Column{data.TextColumn("id", []string{"a"})}},
		Events: []*data.Table{{Name: "orders", Rows: 2, Columns: []data.Column{data.TextColumn("account", []string{"a", "a"}),
			{Name: "at", Kind: data.Date, Ints: []int64{20000, 20001}}, texts, data.TextColumn("one", []string{"x", "x"}),
			{Name: "value", Kind: data.Float, Floats: []float64{3, math.NaN()}}}}},
	}
	for _, kind := range []string{"", "kind", "one"} {
		h, err := data.NewHistory(context.Background(), tables, data.Sources{Accounts: data.AccountSource{Key: "id"},
			Events: []data.EventSource{{Name: "orders", Account: "account", Time: "at", Type: kind, Value: "value"}}})
		if err != nil {
			t.Fatal(err)
		}
		fs := Auto(h, Outcome{Mode: Activity}, AutoOptions{WindowDays: []int{7}})
		if !slices.ContainsFunc(fs, func(f Feature) bool { return f.Name == "orders_sum_7d" }) {
			t.Errorf("type %q: no sum among the automatic features", kind)
		}
	}
}

func TestGuessPillar(t *testing.T) {
	for name, want := range map[string]string{"usage login": "product_utilization", "support_tickets opened": "sentiment", "NPS": "sentiment",
		"touchpoints referral": "advocacy", "touchpoints qbr": "relationship", "touchpoints training": "engagement",
		"invoices paid": "relationship", "touchpoints roi_report": "roi", "orders order": "product_utilization",
		"android preview": "product_utilization"} {
		if got := GuessPillar(name); got != want {
			t.Errorf("GuessPillar(%q) = %s, want %s", name, got, want)
		}
	}
}
