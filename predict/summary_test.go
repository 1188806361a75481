// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// portfolio is a score table of nine rows in two currencies.
func portfolio() *data.Table {
	nan := math.NaN()
	day := func(month int) int64 { return []int64{20454, 20485, 20513, 20544}[month] } // 2026-01-01, -02-01, -03-01, -04-01
	account := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
	tier := []string{"at_risk", "at_risk", "healthy", "loyal", "", "", "watch", "loyal", "healthy"}
	status := []string{"scored", "no_history", "scored", "scored", "early", "decided", "scored", "scored", "scored"}
	p := []float64{.5, .25, .04, .01, nan, nan, .1, .02, .05}
	value := []float64{100, 1000, 200, 300, 700, 50, nan, 10, 400}
	currency := []string{"EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "", "USD", "EUR"}
	use := []float64{10, 20, 80, 70, nan, nan, 60, 90, 40} // the last one is below average
	advocacy := []float64{60, 60, 61, 60, nan, nan, 60, 70, 99}
	due := []int64{day(0), day(0), day(1), day(3), day(3), day(3), day(0), day(0), day(1)}
	n := len(account)
	text := func(name string, v []string) data.Column {
		return data.TextOf(name, n, func(i int) string { return v[i] })
	}
	number := func(name string, v []float64) data.Column {
		return data.FloatOf(name, n, func(i int) float64 { return v[i] })
	}
	days := func(name string, v func(int) int64) data.Column {
		return data.IntOf(name, data.Date, n, func(i int) (int64, bool) { return v(i), true })
	}
	risk := slices.Clone(value)
	for i := range risk {
		risk[i] *= p[i]
	}
	return &data.Table{Name: "scores", Rows: n, Columns: []data.Column{
		text("account_id", account), text("contract_id", account), days("as_of", func(int) int64 { return 20453 }),
		days("due", func(i int) int64 { return due[i] }), data.IntOf("lead_days", data.Int, n, func(i int) (int64, bool) { return due[i] - 20453, true }),
		text("status", status), number("p_churn", p), number("health", []float64{30, 38, 75, 95, nan, nan, 60, 90, 70}), text("tier", tier),
		text("segment", []string{"s", "s", "t", "t", "t", "t", "", "s", "s"}), number("health_change_30d", []float64{-15, -14, 3, nan, nan, nan, -30, 0, 0}),
		text("owner", []string{"O", "", "", "", "", "", "", "", ""}),
		number("health_product_utilization", use), number("health_advocacy", advocacy), text("reason_1", account), text("helps_1", account),
		number("value", value), text("currency", currency), number("value_at_risk", risk), text("model_id", slices.Repeat([]string{"m"}, n)),
	}}
}

func TestRowsOf(t *testing.T) {
	scores := portfolio()
	for _, c := range []struct {
		list List
		want []int
	}{
		{Support, []int{0, 1}},    // by p: two currencies cannot be compared
		{Loyalty, []int{7, 2, 3}}, // by advocacy; row 8 uses the product less than the average
		{Upsell, nil},             // no p_grow
	} {
		if got := RowsOf(c.list, scores); !slices.Equal(got, c.want) {
			t.Errorf("%s: rows %v, want %v", c.list, got, c.want)
		}
	}
	scores.Column("currency").Codes[7] = 0 // EUR as well
	if got := RowsOf(Support, scores); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("support by value at risk: rows %v, want 250 before 50", got)
	}
}

func TestUpsellOf(t *testing.T) {
	tiers, grow := make([]Tier, 20), make([]float64, 20)
	for i := range tiers {
		tiers[i], grow[i] = Healthy, float64(i)/20
	}
	tiers[19], grow[0] = Watch, math.NaN()
	// 19 known values, .05 to .95: their 90 % quantile is .86, above which are 18 and 19.
	want := make([]bool, 20)
	want[18] = true
	if got := UpsellOf(tiers, grow); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := UpsellOf(tiers[:2], []float64{math.NaN(), math.NaN()}); got[0] || got[1] {
		t.Error("nothing is known, and someone is on the list")
	}
}

func TestSummarise(t *testing.T) {
	s := Summarise(portfolio(), SummaryOptions{Show: []string{"owner"}, Listed: 1, Forecast: ForecastOptions{Kept: []float64{1.1}, Draws: 500}})
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	if s.AsOf != "2025-12-31" || s.ModelID != "m" || s.Rows != 9 || s.Scored != 7 {
		t.Errorf("%+v", s)
	}
	if want := []Tally{{"scored", 6}, {"no_history", 1}, {"early", 1}, {"decided", 1}}; !slices.Equal(s.Status, want) {
		t.Errorf("status %v", s.Status)
	}
	if len(s.Money) != 2 || s.Money[0].Currency != "EUR" || s.Money[1].Currency != "USD" || len(s.Months) != 4 || s.Months[2].Month != "2026-04" {
		t.Fatalf("money %+v, months %+v", s.Money, s.Months)
	}
	eur := s.Money[0]
	near("value due", eur.Value, 100+1000+200+300+400)
	near("at risk", eur.AtRisk, 50+250+8+3+20)
	near("lifetime value", eur.Lifetime, LifetimeValue(100, .5)+LifetimeValue(1000, .25)+LifetimeValue(200, .04)+LifetimeValue(300, .01)+LifetimeValue(400, .05))
	near("without a probability", eur.UnscoredValue, 750)
	near("due in January", s.Months[0].Value, 1100)
	near("at risk in January", s.Months[0].AtRisk, 300)
	if eur.Unscored != 2 || eur.Renewals != 5 || s.Months[0].Renewals != 2 {
		t.Errorf("renewals %+v", s.Money)
	}
	// Whoever stays keeps 1.1 of its value.
	near("NRR against GRR", eur.NRR.Mean, 1.1*eur.GRR.Mean)
	if gap := math.Abs(eur.GRR.Mean - (1 - eur.AtRisk/eur.Value)); gap > 0.03 {
		t.Errorf("GRR %v, expected %v", eur.GRR.Mean, 1-eur.AtRisk/eur.Value)
	}
	near("mean p of segment s", s.Segments[1].MeanP, (.5+.25+.02+.05)/4)
	s.Segments[1].MeanP = 0
	if want := []SegmentLine{{"", 1, .1, 0}, {"s", 4, 0, 2}, {"t", 2, .025, 0}}; !slices.Equal(s.Segments, want) {
		t.Errorf("segments %v", s.Segments)
	}
	if e := s.Lists[Support]; len(e) != 1 || e[0].Account != "a" || e[0].Show[0] != "O" || *e[0].Value != 100 || e[0].LeadDays != 1 {
		t.Errorf("support %+v", e)
	}
	if want := []string{"2 rows fell by 15 points of health or more in 30 days", "1 more are on the list support", "2 more are on the list loyalty"}; !slices.Equal(s.Notes, want) {
		t.Errorf("notes %q", s.Notes)
	}
	// Without money and without rows there is nothing to forecast.
	empty := portfolio()
	empty.Rows = 0
	for i := range empty.Columns {
		empty.Columns[i] = empty.Columns[i].Take(nil)
	}
	if s := Summarise(empty, SummaryOptions{}); s.Scored != 0 || len(s.Money) != 0 || len(s.Months) != 0 {
		t.Errorf("of nothing: %+v", s)
	}
}
