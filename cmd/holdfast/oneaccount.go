// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/holdfast-churn/holdfast/data"
)

// ofAccount returns the rows of one account in every table.
func ofAccount(t *data.Tables, s data.Sources, account string) *data.Tables {
	of := func(t *data.Table, key string) *data.Table {
		text := t.Column(key).AsText()
		return keepRows(t, func(i int) bool { return text.Text(i) == account })
	}
	out := &data.Tables{Accounts: of(t.Accounts, s.Accounts.Key)}
	if t.Contracts != nil {
		out.Contracts = of(t.Contracts, s.Contracts.Account)
	}
	for i, e := range t.Events {
		out.Events = append(out.Events, of(e, s.Events[i].Account))
	}
	return out
}

// keepRows returns the rows of a table for which keep is true, in order.
func keepRows(t *data.Table, keep func(int) bool) *data.Table {
	var rows []int
	for i := range t.Rows {
		if keep(i) {
			rows = append(rows, i)
		}
	}
	return takeRows(t, rows)
}

// takeRows returns the given rows of a table.
func takeRows(t *data.Table, rows []int) *data.Table {
	out := &data.Table{Name: t.Name, Rows: len(rows)}
	for i := range t.Columns {
		out.Columns = append(out.Columns, t.Columns[i].Take(rows))
	}
	return out
}
