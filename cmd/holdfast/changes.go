// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// lowHealth is the score below which an account is in changes.csv: 3.2 times
// the base odds of churn. It stays where the tiers of a project are moved.
const lowHealth = 40

// changesSince returns the rows of a score table that are newly below 40 or
// newly of the tier at risk, against the scores of the run before; all of these
// where there is none. Rows are in the order of the scores.
func (a *app) changesSince(before *runFolder, scores *data.Table, show []data.Column) (*data.Table, error) {
	was := make(map[string]int) // row before, by account and contract
	var old *data.Table
	if before != nil {
		var err error
		if old, err = data.Read(a.fsys, before.path, []string{"account_id", "contract_id", "health", "tier", "p_churn"}); err != nil {
			return nil, fmt.Errorf("comparing with the run of %s: %w", before.AsOf, err)
		}
		for i := range old.Rows {
			was[termKey(old, i)] = i
		}
	}
	var rows []int
	var what []string
	var health, p []float64
	health0, tier := scores.Column("health"), scores.Column("tier")
	for i := range scores.Rows {
		h, pBefore, tierBefore := math.NaN(), math.NaN(), ""
		if k, ok := was[termKey(scores, i)]; ok {
			h, pBefore, tierBefore = old.Column("health").Floats[k], old.Column("p_churn").Floats[k], old.Column("tier").Text(k)
		}
		var words []string
		if health0.Floats[i] < lowHealth && !(h < lowHealth) {
			words = append(words, "below_40")
		}
		if tier.Text(i) == string(predict.AtRisk) && tierBefore != string(predict.AtRisk) {
			words = append(words, "at_risk")
		}
		if words != nil {
			rows, what, health, p = append(rows, i), append(what, strings.Join(words, "+")), append(health, h), append(p, pBefore)
		}
	}
	t := &data.Table{Name: "changes", Rows: len(rows)}
	take := func(from, name string) {
		c := scores.Column(from).Take(rows)
		c.Name = name
		t.Columns = append(t.Columns, c)
	}
	for _, name := range []string{"account_id", "contract_id"} {
		take(name, name)
	}
	for _, c := range show {
		take(c.Name, c.Name)
	}
	t.Columns = append(t.Columns, data.TextOf("change", len(rows), func(i int) string { return what[i] }))
	take("due", "due")
	take("lead_days", "days_to_due")
	take("health", "health")
	t.Columns = append(t.Columns, data.FloatOf("health_before", len(rows), func(i int) float64 { return health[i] }))
	take("p_churn", "p_churn")
	t.Columns = append(t.Columns, data.FloatOf("p_churn_before", len(rows), func(i int) float64 { return p[i] }))
	for _, name := range []string{"tier", "value", "currency", "value_at_risk", "reason_1"} {
		take(name, name)
	}
	return t, nil
}

// termKey joins account and contract; neither can hold the byte between them
// and be taken for another pair, for lengths are part of it.
func termKey(t *data.Table, i int) string {
	account := t.Column("account_id").Text(i)
	return fmt.Sprintf("%d:%s%s", len(account), account, t.Column("contract_id").Text(i))
}
