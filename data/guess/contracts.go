// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// Names of the two dates of a term. An end may be the scheduled one or the
// actual one: only a column without gaps can be the scheduled one.
var (
	startWords = []string{"term start", "period start", "contract start", "start", "begin", "effective",
		"commence", "valid from", "=from"}
	dueWords = []string{"renewal", "due", "expir", "term end", "period end", "end", "until", "valid to", "=to"}
)

// terms is a table looked at as one of contract terms.
type terms struct {
	t               *table
	key, start, due *data.ColumnProfile
	score           int
}

// minTermScore is what a table must reach to be taken for contract terms:
// more than a session with a start and an end has.
const minTermScore = 5

// findContracts chooses the table of contract terms, if there is one, and
// gives its columns their roles.
func (k *looker) findContracts(accounts *table) *table {
	var best *terms
	for _, t := range k.tables {
		if t == accounts || t.account == "" || t.why != "" {
			continue
		}
		if m := k.asTerms(t); m != nil && (best == nil || m.score > best.score) {
			best = m
		}
	}
	if best == nil {
		return nil
	}
	k.contracts(best)
	return best.t
}

// asTerms looks at a table as one of contract terms; nil where it cannot be.
func (k *looker) asTerms(t *table) *terms {
	complete := func(c *data.ColumnProfile) bool {
		return isDated(c) && c.Missing*50 <= c.Rows && !speaks(c.Name, "actual", "cancel", "churn", "paid",
			"known", "mature")
	}
	m := &terms{t: t, start: t.best(complete, startWords...), due: t.best(complete, dueWords...)}
	m.key = t.best(func(c *data.ColumnProfile) bool { return isID(c) && c.Unique() },
		append(slices.Clone(contractWords), "=id", "key", "id", "uuid", "number", "no")...)
	named := speaks(t.Name, contractWords...)
	if named {
		m.score += 3
	}
	if named && m.start != nil && m.due == nil {
		if end := t.best(isDated, dueWords...); end != nil {
			k.layout.Why["contracts"] = fmt.Sprintf("%s is no table of terms: %s is empty in %d of %d "+
				"rows, so it is when they ended, not when they are due; add the scheduled due date of every term",
				t.Name, end.Name, end.Missing, end.Rows)
		}
	}
	if m.start == nil || m.due == nil || m.start == m.due || m.key == nil {
		return nil
	}
	m.score += 2
	if speaks(m.due.Name, "renewal", "due", "expir") {
		m.score += 2
	} else {
		m.score++
	}
	if t.best(func(c *data.ColumnProfile) bool { return c.Distinct <= 8 }, outcomeWords...) != nil {
		m.score += 2
	}
	if speaks(m.key.Name, contractWords...) {
		m.score++
	}
	if m.score < minTermScore || share(t, func(r int) (bool, bool) {
		from, to := m.at(m.start, r), m.at(m.due, r)
		return to > from, from == from && to == to
	}) < 0.98 {
		return nil
	}
	return m
}

// at returns a date in row r as days since 1970-01-01, NaN where missing.
func (m *terms) at(c *data.ColumnProfile, r int) float64 { return m.t.sample.Column(c.Name).Number(r) }

// share returns the share of rows for which holds, of those that count; 0
// where none counts.
func share(t *table, of func(row int) (holds, counts bool)) float64 {
	holds, counts := 0, 0
	for r := range t.sample.Rows {
		h, c := of(r)
		if c {
			counts++
			if h {
				holds++
			}
		}
	}
	if counts == 0 {
		return 0
	}
	return float64(holds) / float64(counts)
}

// contracts gives the columns of the terms their roles.
func (k *looker) contracts(m *terms) {
	t := m.t
	s := &data.ContractSource{Path: t.Pattern, Account: t.account}
	k.layout.Sources.Contracts = s
	k.layout.Why["contracts"] = ""
	k.layout.Why["contracts.account"] = fmt.Sprintf("%.1f %% of the rows looked up are found in the accounts",
		100*t.match)
	k.layout.First = int(m.due.Min)
	k.layout.Newest = int(m.start.Max) // until events say more
	s.Key = k.take(t, "contracts.key", m.key, "no value is empty or repeats"+t.looked())
	s.Start = k.take(t, "contracts.start", m.start, "by its name")
	s.Due = k.take(t, "contracts.due", m.due,
		"by its name; after the start in nearly all rows. Never use the actual end")
	churned := k.outcome(m, s)
	c := t.best(isDated, "mature", "known", "label date", "outcome known")
	s.KnownAt = k.take(t, "contracts.known_at", c, "by its name; an outcome trains a model only from this day on")
	k.layout.MatureDays = m.median(c, m.due)
	inside := func(c *data.ColumnProfile) bool { // after the start, not after the due date
		return isDated(c) && share(t, func(r int) (bool, bool) {
			v := m.at(c, r)
			return v > m.at(m.start, r) && v <= m.at(m.due, r), v == v
		}) >= 0.9
	}
	s.Notice = k.take(t, "contracts.notice", t.best(inside, "notice", "cancel", "terminat"),
		"by its name; it lies inside the term")
	s.Signed = k.take(t, "contracts.signed", t.best(inside, "sign"),
		"by its name; it lies inside the term, so it is the next term's signature")
	pairs := m.successors()
	k.value(m, s, pairs)
	c = t.best(func(c *data.ColumnProfile) bool { return c.Kind == data.Text && c.Distinct <= 30 },
		"currency", "=ccy")
	s.Currency = k.take(t, "contracts.currency", c, "by its name")
	k.renewedAt(m, s, pairs)
	k.termLength(m)
	k.knownByOutcome(m, churned)
	s.Attributes = k.attributes(t, "contracts")
	if len(s.Attributes) > 0 {
		k.layout.Why["contracts.attributes"] = "must be known when the term starts"
	}
}

// median returns the median number of days from one date to another, 0 where
// no row has both.
func (m *terms) median(to, from *data.ColumnProfile) int {
	var days []float64
	for r := 0; to != nil && r < m.t.sample.Rows; r++ {
		if d := m.at(to, r) - m.at(from, r); d == d {
			days = append(days, d)
		}
	}
	if len(days) == 0 {
		return 0
	}
	slices.Sort(days)
	return int(math.Floor(days[len(days)/2]))
}

// successors returns pairs of rows of one account where the second term starts
// on the day the first is due, or the day after, in order of the second.
func (m *terms) successors() [][2]int {
	type place struct {
		account string
		day     float64
	}
	account := m.t.sample.Column(m.t.account).AsText()
	dueOn := make(map[place]int)
	for r := m.t.sample.Rows - 1; r >= 0; r-- {
		dueOn[place{account.Text(r), math.Floor(m.at(m.due, r))}] = r
	}
	var out [][2]int
	for r := range m.t.sample.Rows {
		day := math.Floor(m.at(m.start, r))
		p, ok := dueOn[place{account.Text(r), day}]
		if !ok {
			p, ok = dueOn[place{account.Text(r), day - 1}]
		}
		if ok && p != r {
			out = append(out, [2]int{p, r})
		}
	}
	return out
}

// minPairs is how many successive terms are needed to judge what they share.
const minPairs = 20

// value picks the money at stake. A price that was agreed returns in the
// next term; what was ordered in a term hardly ever does, and is known only at
// its end.
func (k *looker) value(m *terms, s *data.ContractSource, pairs [][2]int) {
	c := m.t.best(isNumber, "=value", "amount", "contract value", "=arr", "=acv", "=mrr", "=tcv", "arr", "acv",
		"mrr", "price", "fee", "value", "revenue", "charge", "total")
	if c == nil {
		return
	}
	column, same := m.t.sample.Column(c.Name), 0
	for _, p := range pairs {
		if column.Number(p[0]) == column.Number(p[1]) {
			same++
		}
	}
	why := "by its name"
	s.Value = k.take(m.t, "contracts.value", c, why)
	percent := 100 * float64(same) / float64(max(1, len(pairs)))
	switch {
	case len(pairs) < minPairs:
		k.layout.Why["contracts.value"] = "by its name; if agreed when the term starts, add value_known: start"
	case percent >= 10:
		s.ValueKnown = "start"
		k.layout.Why["contracts.value_known"] = fmt.Sprintf("%.0f %% of successive terms have the same "+
			"value, as an agreed price has; else write end", percent)
	default:
		k.layout.Why["contracts.value"] = fmt.Sprintf("by its name; %.1f %% of successive terms have the "+
			"same value, so only their end may tell it: no feature", percent)
	}
}

// renewedAt finds out whether terms are rolling: built from what an account
// did, so that the renewal which begins a term is seen only after its start.
// Then the date it was seen must be declared.
func (k *looker) renewedAt(m *terms, s *data.ContractSource, pairs [][2]int) {
	c := m.t.best(isDated, "renewed", "renewal seen", "outcome", "observed", "decided")
	if c == nil {
		return
	}
	later, n := 0, 0
	for _, p := range pairs {
		if seen := m.at(c, p[0]); seen == seen {
			n++
			if math.Floor(seen) > math.Floor(m.at(m.start, p[1])) {
				later++
			}
		}
	}
	percent := 100 * float64(later) / float64(max(1, n))
	if n >= minPairs && percent >= 5 {
		s.RenewedAt = k.take(m.t, "contracts.renewed_at", c, fmt.Sprintf(
			"rolling terms: in %.0f %% of successive terms it lies after the start of the next", percent))
		return
	}
	k.leave(m.t, "contracts", c, true, "it seems to be when the outcome came about; no term here starts "+
		"before its renewal was seen, as renewed_at needs")
}

// termLength leaves out a column that repeats the length of the term, which is
// a feature anyway, and notes how long terms are.
func (k *looker) termLength(m *terms) {
	lengths := make([]float64, 0, m.t.sample.Rows)
	for r := range m.t.sample.Rows {
		if d := m.at(m.due, r) - m.at(m.start, r); d > 0 {
			lengths = append(lengths, d)
		}
	}
	slices.Sort(lengths)
	if n := len(lengths); n > 0 {
		k.layout.TermDays = int(math.Round(lengths[n*9/10]))
	}
	for i := range m.t.columns {
		c := &m.t.columns[i]
		if m.t.used[c.Name] || !isNumber(c) {
			continue
		}
		if share(m.t, func(r int) (bool, bool) {
			v := m.at(c, r)
			return v == m.at(m.due, r)-m.at(m.start, r), v == v
		}) >= 0.99 {
			k.leave(m.t, "contracts", c, false,
				"it is due minus start, which is a feature anyway (term_length_days)")
		}
	}
}

// knownByOutcome leaves out columns that are filled for one outcome and empty
// for the other, whatever their name. churned says of a row whether it churned
// and whether that is known.
func (k *looker) knownByOutcome(m *terms, churned func(r int) (bool, bool)) {
	if churned == nil {
		return
	}
	for i := range m.t.columns {
		c := &m.t.columns[i]
		if m.t.used[c.Name] || c.Missing == 0 {
			continue
		}
		column := m.t.sample.Column(c.Name)
		filled := func(want bool) float64 {
			return share(m.t, func(r int) (bool, bool) {
				y, known := churned(r)
				return !column.Missing(r), known && y == want
			})
		}
		if gone, stayed := filled(true), filled(false); math.Abs(gone-stayed) > 0.5 {
			k.leave(m.t, "contracts", c, true, fmt.Sprintf("it is filled in %.0f %% of churned and %.0f %% "+
				"of other terms, so it knows the outcome",
				100*gone, 100*stayed))
		}
	}
}
