// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"cmp"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// A List names rows of a score table to act on, in the order to act in.
type List string

// The lists.
const (
	// Support is who may leave: the tier at risk, those most likely to leave
	// first; where all values are of one currency, the most value at risk first.
	Support List = "support"
	// Loyalty is whom to ask for a review or a referral: the tiers loyal and
	// healthy whose use of the product is not below average, the best advocates
	// first (the sub-scores of the pillars product_utilization and advocacy,
	// where the model has them), then by health.
	Loyalty List = "loyalty"
	// Upsell is who may grow: rows with upsell set, the most likely first.
	Upsell List = "upsell"
)

// Lists are the names of all lists.
var Lists = []List{Support, Loyalty, Upsell}

// averageHealth is a pillar's sub-score at the average of the training rows.
const averageHealth = baseHealth

// RowsOf returns the rows of a score table that are on a list, in its order.
// Rows without a probability are on none.
func RowsOf(list List, scores *data.Table) []int {
	number := func(name string, missing float64) func(int) float64 {
		c := scores.Column(name)
		return func(i int) float64 {
			if c == nil || c.Missing(i) {
				return missing
			}
			return c.Number(i)
		}
	}
	tier := scores.Column("tier")
	var on func(i int) bool
	var by []func(i int) float64 // descending
	switch list {
	case Support:
		on = func(i int) bool { return tier.Text(i) == string(AtRisk) }
		by = append(by, number("p_churn", 0))
		if len(currenciesOf(scores)) == 1 {
			by = slices.Insert(by, 0, number("value_at_risk", 0))
		}
	case Loyalty:
		used := number("health_product_utilization", averageHealth)
		on = func(i int) bool {
			return (tier.Text(i) == string(Loyal) || tier.Text(i) == string(Healthy)) && used(i) >= averageHealth
		}
		by = append(by, number("health_advocacy", averageHealth), number("health", 0))
	case Upsell:
		grows := number("upsell", 0)
		on = func(i int) bool { return grows(i) == 1 }
		by = append(by, number("p_grow", 0))
	}
	var rows []int
	for i := range scores.Rows {
		if !scores.Column("p_churn").Missing(i) && on(i) {
			rows = append(rows, i)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int {
		for _, of := range by {
			if c := cmp.Compare(of(b), of(a)); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

// upsellShare is how many of the accounts that may grow are on the list.
const upsellShare = 0.1

// UpsellOf reports for each row whether it is healthy or loyal and its
// probability to grow is in the top tenth of all that have one. pGrow is NaN
// where it is not known, and such a row is never on the list.
func UpsellOf(tiers []Tier, pGrow []float64) []bool {
	var known []float64
	for _, p := range pGrow {
		if p == p {
			known = append(known, p)
		}
	}
	out := make([]bool, len(tiers))
	if len(known) == 0 {
		return out
	}
	slices.Sort(known)
	bound := quantileOf(known, 1-upsellShare)
	for i, t := range tiers {
		out[i] = (t == Healthy || t == Loyal) && pGrow[i] >= bound
	}
	return out
}

// SetUpsell sets the column upsell of a table of scores whose rows were scored
// in parts, and in which it therefore is what UpsellOf says of each part alone.
// grow holds the probability to grow of every row by each of some profiles, of
// the profile of each row.
func SetUpsell(scores *data.Table, grow [][]float64, of []int) {
	upsell, tier := scores.Column("upsell"), scores.Column("tier")
	tiers := make([]Tier, scores.Rows)
	for i := range tiers {
		tiers[i] = Tier(tier.Text(i))
	}
	for k := range grow {
		for i, yes := range UpsellOf(tiers, grow[k]) {
			if of[i] == k && !upsell.Missing(i) {
				upsell.Ints[i] = 0
				if yes {
					upsell.Ints[i] = 1
				}
			}
		}
	}
}

// currenciesOf returns the currencies of the rows that have a value, sorted; a
// value without a currency counts as "".
func currenciesOf(scores *data.Table) []string {
	value, currency := scores.Column("value"), scores.Column("currency")
	var out []string
	if value == nil || currency == nil {
		return out
	}
	for i := range scores.Rows {
		if value.Missing(i) {
			continue
		}
		if at, found := slices.BinarySearch(out, currency.Text(i)); !found {
			out = slices.Insert(out, at, currency.Text(i))
		}
	}
	return out
}
