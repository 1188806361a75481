// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

// The matured renewals below which a model is provisional (METHODS section 7).
const (
	firmChurned = 100
	firmRenewed = 300
)

// A Plan says what the matured renewals are enough for, and how many more it
// takes until they are enough for more.
type Plan struct {
	Churned  int    `json:"churned"` // matured renewals
	Renewed  int    `json:"renewed"`
	Rate     Number `json:"rate"`      // share that churned
	PerMonth Number `json:"per_month"` // churned renewals that matured a month, over the last year

	Weights   int `json:"weights"`    // candidates, as the features stand
	EnoughFor int `json:"enough_for"` // weights that could be fitted without a penalty

	Needs []Need   `json:"needs"`
	Words []string `json:"words"`

	names Names
}

// Names are what the outcomes of a mode are called.
type Names struct {
	Kept string // those who did not churn
	Unit string // what has an outcome, many of them
}

// NamesOf returns the names of a mode's outcomes.
func NamesOf(mode string) Names {
	if mode == features.Activity {
		return Names{"active", "snapshots"}
	}
	return Names{"renewed", "renewals"}
}

// A Need is one thing that takes a number of matured renewals.
type Need struct {
	Name    string `json:"name"`
	What    string `json:"what"`
	Churned int    `json:"churned"` // needed in all
	Renewed int    `json:"renewed"`
	More    int    `json:"more_churned"` // churned ones still missing: as many as bring the renewed ones with them
	By      string `json:"by,omitempty"` // month in which they are there at today's rate; empty: now, or nobody knows
}

// The names of the needs.
const (
	NeedFirm    = "firm"
	NeedRisk    = "overall risk"
	NeedWeights = "all weights"
)

// longestPlan is how many months a plan looks ahead.
const longestPlan = 10 * 12

// NewPlan plans with the outcomes of a history that ends at now, for a model of
// so many candidate weights. With one class only, or none, nothing is known of
// the rate, and the plan has only the first need. The mode names the outcomes.
//
// How many more it takes until need (n_c churned, n_r renewed) is met assumes
// that the churned come with (1 − p)/p renewed each:
//
//	more = max(0, n_c − churned, (n_r − renewed) p/(1 − p))
//	by   = now + more / (churned ones a month) months
func NewPlan(mode string, l *features.Labels, weights int, now time.Time) *Plan {
	nan := Number(math.NaN())
	p := &Plan{Churned: l.Total.Churned, Renewed: l.Total.Renewed, Rate: nan, PerMonth: nan, Weights: weights, names: NamesOf(mode)}
	p.Needs = []Need{{Name: NeedFirm, What: "a model that is not provisional", Churned: firmChurned, Renewed: firmRenewed}}
	if n := p.Churned + p.Renewed; n > 0 {
		p.Rate = Number(float64(p.Churned) / float64(n))
	}
	if l.RecentDays >= 28 {
		p.PerMonth = Number(float64(l.RecentChurned) / l.RecentDays * 365.25 / 12)
	}
	if rate := float64(p.Rate); rate > 0 && rate < 1 {
		r2 := expectedR2 * MaxCoxSnell(rate)
		size := NewMinimumSize(max(weights, 1), rate, r2)
		p.EnoughFor = enoughFor(p.Churned+p.Renewed, rate, r2)
		p.Needs = append(p.Needs,
			need(NeedRisk, "the overall risk to ± 5 points", size.Risk, rate),
			need(NeedWeights, fmt.Sprintf("all %d candidate weights without a penalty", max(weights, 1)),
				max(size.Shrinkage, size.Optimism), rate))
	}
	for i := range p.Needs {
		p.schedule(&p.Needs[i], now)
	}
	p.Words = p.words()
	return p
}

// need splits n outcomes into both classes.
func need(name, what string, n int, rate float64) Need {
	churned := int(math.Ceil(float64(n) * rate))
	return Need{Name: name, What: what, Churned: churned, Renewed: n - churned}
}

// schedule sets what is missing, and when it will be there.
func (p *Plan) schedule(n *Need, now time.Time) {
	more := float64(max(0, n.Churned-p.Churned))
	if rate := float64(p.Rate); rate > 0 && rate < 1 {
		more = max(more, math.Ceil(float64(n.Renewed-p.Renewed)*rate/(1-rate)))
	}
	n.More = int(more)
	if perMonth := float64(p.PerMonth); n.More > 0 && perMonth > 0 {
		if months := math.Ceil(more / perMonth); months <= longestPlan {
			first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
			n.By = first.AddDate(0, int(months), 0).Format("2006-01")
		}
	}
}

// words says it in sentences.
func (p *Plan) words() []string {
	words := []string{fmt.Sprintf("%s churned and %s %s %s have matured (%s churn).",
		Count(p.Churned), Count(p.Renewed), p.names.Kept, p.names.Unit, p.Rate.Percent())}
	for _, n := range p.Needs {
		switch {
		case n.Name == NeedFirm && n.More == 0 && p.Renewed >= firmRenewed:
			words = append(words, fmt.Sprintf("That is enough for a model that is not provisional (%d and %d).",
				firmChurned, firmRenewed))
		case n.Name == NeedFirm:
			words = append(words, fmt.Sprintf("A model stays provisional until %d churned and %d %s have: %s.",
				firmChurned, firmRenewed, p.names.Kept, n.missing(p)))
		case n.More == 0:
			words = append(words, fmt.Sprintf("It is enough for %s.", n.What))
		case n.Name == NeedWeights:
			words = append(words, fmt.Sprintf("It is enough for about %s of the %s candidate weights; "+
				"the penalty has to hold back the others. For all: %s.", Count(p.EnoughFor), Count(p.Weights), n.missing(p)))
		default:
			words = append(words, fmt.Sprintf("For %s: %s.", n.What, n.missing(p)))
		}
	}
	return words
}

// missing says how many more it takes and until when.
func (n *Need) missing(p *Plan) string {
	if n.More == 0 { // with a rate of 0 or 1, nothing says how many
		return "more outcomes of both kinds"
	}
	when := "; none has matured of late"
	switch {
	case n.By != "":
		when = ", at today's rate by " + n.By
	case float64(p.PerMonth) > 0:
		when = ", at today's rate in more than ten years"
	}
	return fmt.Sprintf("about %s more churned %s%s", Count(n.More), p.names.Unit, when)
}
