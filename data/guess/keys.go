// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

const (
	// lookups is how many rows of a column are looked up among the keys.
	lookups = 5000
	// Of a column that a name ties to a key, this share of rows must be found
	// there: real tables have orphans.
	namedShare = 0.5
	// Without a name nearly all must be, of at least this many different texts:
	// small integers and codes of countries are found in many a key.
	namelessShare    = 0.9
	namelessDistinct = 20
	// A larger table is one of accounts only if a name says so: to make sure of
	// a key means to read all of it.
	namelessRows = 2_000_000
)

// A reference is a column that holds another table's keys.
type reference struct {
	from   *table
	column string
	share  float64 // of its rows looked up that are found
	named  bool
}

// A candidate is a key that may be the accounts'.
type candidate struct {
	table *table
	key   *data.ColumnProfile
	refs  []reference
	score int
}

// findAccounts finds the accounts table and its key, and for every other table
// the column that refers to it.
func (k *looker) findAccounts() (*table, error) {
	var best *candidate
	for _, t := range k.tables {
		if t.why != "" {
			continue
		}
		for i := range t.columns {
			c := &t.columns[i]
			if !isID(c) || !c.Unique() || slices.Contains(t.sample.Folders, c.Name) {
				continue
			}
			subject := strings.Join(subjects(c.Name, t.Name), " ")
			if t.sample.Total > namelessRows && !speaks(subject, accountWords...) {
				continue
			}
			found, err := k.weigh(t, c)
			if err != nil {
				return nil, err
			}
			if found != nil && (best == nil || found.score > best.score ||
				found.score == best.score && found.table.sample.Total > best.table.sample.Total) {
				best = found
			}
		}
	}
	if best == nil {
		return nil, k.noAccounts()
	}
	for _, r := range best.refs {
		r.from.account, r.from.match = r.column, r.share
		r.from.used[r.column] = true
	}
	for _, t := range k.tables {
		if t != best.table && t.account == "" && t.why == "" {
			t.why = fmt.Sprintf("no column refers to %s of %s; join it in if this table matters",
				best.key.Name, best.table.Name)
		}
	}
	s := &k.layout.Sources
	k.layout.Accounts = best.table.sample.Total
	s.Accounts.Path = best.table.Pattern
	s.Accounts.Key = k.take(best.table, "accounts.key", best.key,
		fmt.Sprintf("no value is empty or repeats; %s to it", refer(best.refs)))
	return best.table, nil
}

func refer(refs []reference) string {
	if len(refs) == 1 {
		return "1 other table refers"
	}
	return fmt.Sprintf("%d other tables refer", len(refs))
}

// weigh scores a unique column as the accounts' key: other tables that refer
// to it, and what its name says. nil where none refers to it.
func (k *looker) weigh(t *table, c *data.ColumnProfile) (*candidate, error) {
	keys, err := k.keys(t, c.Name)
	if err != nil || keys == nil {
		return nil, err
	}
	found := &candidate{table: t, key: c}
	for _, other := range k.tables {
		if other == t || other.why != "" {
			continue
		}
		if r := other.refersTo(keys, t, c); r != nil {
			found.refs = append(found.refs, *r)
		}
	}
	if len(found.refs) == 0 {
		return nil, nil
	}
	found.score = 2 * min(len(found.refs), 5)
	of := strings.Join(subjects(c.Name, t.Name), " ")
	if r := rank(of, accountWords...); r >= 0 {
		found.score += 12 - r/7
	} else if speaks(of, otherWords...) {
		found.score -= 6
	}
	if speaks(t.Name, accountWords...) {
		found.score += 3
	}
	return found, nil
}

// keys returns all values of a column, nil where one is missing or repeats.
func (k *looker) keys(t *table, column string) (map[string]bool, error) {
	rows := t.sample.Table
	if !t.sample.Whole() {
		var err error
		if rows, err = data.Read(k.fsys, t.Pattern, []string{column}); err != nil {
			return nil, err
		}
	}
	text := rows.Column(column).AsText()
	keys := make(map[string]bool, rows.Rows)
	for i := range rows.Rows {
		v := text.Text(i)
		if v == "" || keys[v] {
			return nil, nil
		}
		keys[v] = true
	}
	return keys, nil
}

// refersTo returns the column of t that holds keys of another table: one that
// its name ties to the key before any other, then the one found most often.
func (t *table) refersTo(keys map[string]bool, other *table, key *data.ColumnProfile) *reference {
	var best *reference
	for i := range t.columns {
		c := &t.columns[i]
		if !isID(c) || c.Present() == 0 || slices.Contains(t.sample.Folders, c.Name) {
			continue
		}
		named := agree(c.Name, key.Name, other.Name)
		if !named && (c.Kind != data.Text || key.Kind != data.Text || c.Distinct < namelessDistinct) {
			continue
		}
		share := found(t.sample.Column(c.Name), keys)
		if share < namedShare || !named && share < namelessShare {
			continue
		}
		r := &reference{t, c.Name, share, named}
		if best == nil || r.named && !best.named || r.named == best.named && r.share > best.share {
			best = r
		}
	}
	return best
}

// found returns the share of a column's values that are among the keys, of up
// to lookups rows spread over it.
func found(c *data.Column, keys map[string]bool) float64 {
	step := max(1, c.Len()/lookups)
	var rows []int
	for i := 0; i < c.Len(); i += step {
		if !c.Missing(i) {
			rows = append(rows, i)
		}
	}
	some := c.Take(rows)
	text, hits := some.AsText(), 0
	for i := range rows {
		if keys[text.Text(i)] {
			hits++
		}
	}
	if len(rows) == 0 {
		return 0
	}
	return float64(hits) / float64(len(rows))
}

// noAccounts is the error of a folder without a table of accounts. It names
// the column that such a table could be made from.
func (k *looker) noAccounts() error {
	type hint struct {
		t    *table
		c    *data.ColumnProfile
		rank int
	}
	var hints []hint
	for _, t := range k.tables {
		if label := t.label(); label != "" && len(k.tables) == 1 {
			return k.bad("%s is the only table and has a column %q; learn from it as it is with "+
				"holdfast train --table %s --label %s", t.Pattern, label, t.Pattern, label)
		}
		for i := range t.columns {
			c := &t.columns[i]
			r := rank(c.Name, accountWords...)
			if r >= 0 && isID(c) && c.Distinct >= namelessDistinct && t.why == "" &&
				speaks(c.Name, "id", "key", "uuid", "guid", "code") {
				hints = append(hints, hint{t, c, r})
			}
		}
	}
	if len(hints) == 0 {
		return k.bad("no column could be an account key: none is complete, without repeats, and referred " +
			"to by another table; add a table with one row per account")
	}
	slices.SortStableFunc(hints, func(a, b hint) int { return cmp.Compare(a.rank, b.rank) })
	h := hints[0]
	if h.c.Unique() {
		return k.bad("%s has one row per %s, and no other table refers to it; add contracts or events with "+
			"a column %s",
			h.t.Pattern, h.c.Name, h.c.Name)
	}
	return k.bad("no column could be an account key: %s of %s has %d values in %d rows, and no table has "+
		"one row for each; "+
		"write one with a column %s and run init again", h.c.Name, h.t.Pattern, h.c.Distinct, h.c.Rows, h.c.Name)
}
