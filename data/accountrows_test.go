// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"math"
	"testing"
)

// Reading the rows of some accounts gives those that reading all and picking
// them gives, whether ids are texts, integers or numbers, and over files whose
// texts are numbered apart.
func TestReadTablesOf(t *testing.T) {
	ids := map[string]func(ids []int64) Column{
		"texts": func(ids []int64) Column {
			return TextOf("account", len(ids), func(i int) string { return fmt.Sprint(ids[i]) })
		},
		"integers": func(ids []int64) Column { return Column{Name: "account", Kind: Int, Ints: ids} },
		"numbers": func(ids []int64) Column {
			return FloatOf("account", len(ids), func(i int) float64 { return float64(ids[i]) })
		},
	}
	for name, column := range ids {
		t.Run(name, func(t *testing.T) {
			fsys := newMemFS()
			write := func(name string, account []int64, columns ...Column) {
				table := Table{Name: name, Rows: len(account), Columns: append([]Column{column(account)}, columns...)}
				if err := Write(fsys, name, &table); err != nil {
					t.Fatal(err)
				}
			}
			day := func(name string, days ...int64) Column { return Column{Name: name, Kind: Date, Ints: days} }
			write("a.parquet", []int64{1, 2, 3})
			write("c.parquet", []int64{3, 1, 2}, TextColumn("id", []string{"x", "y", "z"}), day("start", 1, 2, 3), day("due", 4, 5, 6))
			// The second file numbers "out" before "in" and has a type of its own; account 9 is nobody's.
			write("e1.parquet", []int64{1, 2, 3, 9}, TextColumn("type", []string{"in", "out", "", "in"}), day("at", 1, 2, 3, 4),
				Column{Name: "v", Kind: Float, Floats: []float64{1, math.NaN(), 3, 4}})
			write("e2.parquet", []int64{2, 3, 1}, TextColumn("type", []string{"out", "new", "in"}), day("at", 5, 6, 7),
				Column{Name: "v", Kind: Float, Floats: []float64{5, 6, 7}})
			s := Sources{
				Accounts:  AccountSource{Path: "a.parquet", Key: "account"},
				Contracts: &ContractSource{Path: "c.parquet", Key: "id", Account: "account", Start: "start", Due: "due"},
				Events:    []EventSource{{Name: "e", Path: "e?.parquet", Account: "account", Time: "at", Type: "type", Value: "v"}},
			}
			all, err := ReadTables(context.Background(), fsys, s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadTablesOf(context.Background(), fsys, s, []string{"3", "1", "nobody"})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got.Accounts, all.Accounts.Take([]int{0, 2}))
			equal(t, got.Contracts, all.Contracts.Take([]int{0, 1}))
			equal(t, got.Events[0], all.Events[0].Take([]int{0, 2, 5, 6}))
			none, err := ReadTablesOf(context.Background(), fsys, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, none.Events[0], all.Events[0].Take(nil))
		})
	}
}
