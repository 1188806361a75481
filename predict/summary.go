// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// SummaryOptions configures Summarise.
type SummaryOptions struct {
	Forecast  ForecastOptions // Cells is set by Summarise
	ShockFrom string          // where Forecast.ShockSD comes from, in words
	Show      []string        // pass-through columns that lists repeat
	Listed    int             // rows of each list; zero means 20
}

// A Summary is a score table at a glance: how many are how healthy, what is due
// and at risk, what is likely to be kept, and whom to talk to.
type Summary struct {
	AsOf    string `json:"as_of"`
	ModelID string `json:"model_id"`
	Rows    int    `json:"rows"`
	Scored  int    `json:"scored"` // rows with a probability

	Status   []Tally       `json:"status"`
	Tiers    []Tally       `json:"tiers"` // from worst to best, empty ones too
	Segments []SegmentLine `json:"segments"`

	Money  []MoneyLine `json:"money"` // one a currency
	Months []MonthLine `json:"months"`

	ShockSD   float64 `json:"shock_sd"`
	ShockFrom string  `json:"shock_from"`
	Kept      int     `json:"kept"` // past renewals that simulated ones keep as much as

	Show  []string          `json:"show,omitempty"`
	Lists map[List][]Listed `json:"lists"`
	Notes []string          `json:"notes"`
}

// A Tally counts rows.
type Tally struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// A SegmentLine sums up the scored rows of a segment.
type SegmentLine struct {
	Segment string  `json:"segment"`
	Scored  int     `json:"scored"`
	MeanP   float64 `json:"mean_p"`
	AtRisk  int     `json:"at_risk"` // of the tier at risk
}

// A MoneyLine sums up the scored rows with a value of one currency.
type MoneyLine struct {
	Currency string  `json:"currency"`
	AtRisk   float64 `json:"value_at_risk"`  // Σ value p
	Lifetime float64 `json:"lifetime_value"` // Σ LifetimeValue
	Retention
	// Renewals and value without a probability, for they are early or decided.
	Unscored      int     `json:"unscored"`
	UnscoredValue float64 `json:"unscored_value"`
}

// A MonthLine sums up the scored rows with a value that are due in a month.
type MonthLine struct {
	Month    string  `json:"month"`
	Currency string  `json:"currency"`
	AtRisk   float64 `json:"value_at_risk"`
	Retention
}

// A Listed is a row of a list.
type Listed struct {
	Account  string   `json:"account_id"`
	Contract string   `json:"contract_id,omitempty"`
	Show     []string `json:"show,omitempty"`
	Due      string   `json:"due"`
	LeadDays int64    `json:"lead_days"`
	P        float64  `json:"p_churn"`
	Health   float64  `json:"health"`
	Tier     string   `json:"tier"`
	Value    *float64 `json:"value"`
	Currency string   `json:"currency,omitempty"`
	Reason   string   `json:"reason"`
	Helps    string   `json:"helps"`
}

// Summarise sums up a score table of Scores. Money of two currencies is never
// added.
func Summarise(scores *data.Table, o SummaryOptions) *Summary {
	s := &Summary{Rows: scores.Rows, Status: []Tally{}, Segments: []SegmentLine{}, Money: []MoneyLine{}, Months: []MonthLine{},
		ShockSD: o.Forecast.ShockSD, ShockFrom: o.ShockFrom, Kept: len(o.Forecast.Kept), Show: o.Show,
		Lists: map[List][]Listed{}, Notes: []string{}}
	if scores.Rows > 0 {
		s.AsOf, s.ModelID = dayText(scores.Column("as_of").Ints[0]), scores.Column("model_id").Text(0)
	}
	s.tally(scores)
	s.segments(scores)
	s.money(scores, o.Forecast)
	if n := falls(scores); n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d rows fell by %d points of health or more in 30 days", n, -fallOf30Days))
	}
	rowsListed := o.Listed
	if rowsListed == 0 {
		rowsListed = 20
	}
	for _, list := range Lists {
		rows := RowsOf(list, scores)
		entries := []Listed{}
		for _, i := range rows[:min(rowsListed, len(rows))] {
			entries = append(entries, entryOf(scores, i, o.Show))
		}
		if more := len(rows) - len(entries); more > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%d more are on the list %s", more, list))
		}
		s.Lists[list] = entries
	}
	return s
}

// fallOf30Days is the change of health that is worth a warning.
const fallOf30Days = -15

// falls counts the rows whose health fell that much.
func falls(scores *data.Table) int {
	n := 0
	if c := scores.Column("health_change_30d"); c != nil {
		for _, change := range c.Floats {
			if change <= fallOf30Days {
				n++
			}
		}
	}
	return n
}

func (s *Summary) tally(scores *data.Table) {
	of := func(name string, all []string) []Tally {
		n := map[string]int{}
		for i := range scores.Rows {
			n[scores.Column(name).Text(i)]++
		}
		out := []Tally{}
		for _, k := range all {
			out = append(out, Tally{k, n[k]})
		}
		return out
	}
	s.Status = of("status", []string{"scored", "no_history", "early", "decided"})
	s.Tiers = of("tier", []string{string(AtRisk), string(Watch), string(Healthy), string(Loyal)})
	for _, t := range s.Tiers {
		s.Scored += t.Rows
	}
}

func (s *Summary) segments(scores *data.Table) {
	segment, p, tier := scores.Column("segment"), scores.Column("p_churn"), scores.Column("tier")
	at := map[string]int{}
	for i := range scores.Rows {
		if p.Missing(i) {
			continue
		}
		name := segment.Text(i)
		k, ok := at[name]
		if !ok {
			k = len(s.Segments)
			at[name] = k
			s.Segments = append(s.Segments, SegmentLine{Segment: name})
		}
		line := &s.Segments[k]
		line.Scored++
		line.MeanP += p.Floats[i]
		if tier.Text(i) == string(AtRisk) {
			line.AtRisk++
		}
	}
	for k := range s.Segments {
		s.Segments[k].MeanP /= float64(s.Segments[k].Scored)
	}
	slices.SortFunc(s.Segments, func(a, b SegmentLine) int { return cmp.Compare(a.Segment, b.Segment) })
}

// money forecasts the scored rows with a value above 0, by currency and by
// month due.
func (s *Summary) money(scores *data.Table, o ForecastOptions) {
	value, currency, p, due := scores.Column("value"), scores.Column("currency"), scores.Column("p_churn"), scores.Column("due")
	for _, name := range currenciesOf(scores) {
		line := MoneyLine{Currency: name}
		var months []MonthLine
		var dues []Due
		at, quarters := map[string]int{}, map[string]int{}
		for i := range scores.Rows {
			if !(value.Floats[i] > 0) || currency.Text(i) != name {
				continue
			}
			v := value.Floats[i]
			if p.Missing(i) {
				line.Unscored++
				line.UnscoredValue += v
				continue
			}
			line.AtRisk += ValueAtRisk(v, p.Floats[i])
			line.Lifetime += LifetimeValue(v, p.Floats[i])
			day := time.Unix(due.Ints[i]*24*60*60, 0).UTC()
			month, quarter := day.Format("2006-01"), fmt.Sprint(day.Year(), (day.Month()-1)/3)
			if _, ok := at[month]; !ok {
				at[month] = len(months)
				months = append(months, MonthLine{Month: month, Currency: name})
			}
			if _, ok := quarters[quarter]; !ok {
				quarters[quarter] = len(quarters)
			}
			months[at[month]].AtRisk += ValueAtRisk(v, p.Floats[i])
			dues = append(dues, Due{Cell: at[month], Quarter: quarters[quarter], P: p.Floats[i], Value: v})
		}
		if len(dues) > 0 {
			o.Cells = len(months)
			cells, all := Forecasts(dues, o)
			for k := range months {
				months[k].Retention = cells[k]
			}
			line.Retention = all
		}
		slices.SortFunc(months, func(a, b MonthLine) int { return cmp.Compare(a.Month, b.Month) })
		s.Money, s.Months = append(s.Money, line), append(s.Months, months...)
	}
}

func entryOf(scores *data.Table, i int, show []string) Listed {
	text := func(name string) string { return scores.Column(name).Text(i) }
	e := Listed{Account: text("account_id"), Contract: text("contract_id"), Due: dayText(scores.Column("due").Ints[i]),
		LeadDays: scores.Column("lead_days").Ints[i], P: scores.Column("p_churn").Floats[i], Health: scores.Column("health").Floats[i],
		Tier: text("tier"), Currency: text("currency"), Reason: text("reason_1"), Helps: text("helps_1")}
	if v := scores.Column("value").Floats[i]; !math.IsNaN(v) {
		e.Value = &v
	}
	for _, name := range show {
		c := scores.Column(name).Take([]int{i})
		c = c.AsText()
		e.Show = append(e.Show, c.Text(0))
	}
	return e
}

func dayText(day int64) string { return time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly) }
