// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// lay writes one small table into each of the named files. A name may end in
// "|" and the names of its columns; else they are a and b.
func lay(t *testing.T, names ...string) *memFS {
	t.Helper()
	m := newMemFS()
	for _, n := range names {
		name, columns, ok := strings.Cut(n, "|")
		if !ok {
			columns = "a,b"
		}
		table := &Table{Rows: 3}
		for _, c := range strings.Split(columns, ",") {
			table.Columns = append(table.Columns, Column{Name: c, Kind: Int, Ints: []int64{1, 2, 3}})
		}
		if err := Write(m, name, table); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestFindTables(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  []string // name: pattern, by pattern
	}{
		"hive partitions": {
			[]string{"d/usage/month=2026-01/part-0.parquet", "d/usage/month=2026-02/part-0.parquet", "d/accounts.parquet"},
			[]string{"accounts: d/accounts.parquet", "usage: d/usage/**/*.parquet"}},
		"one partition, of which there will be more": {
			[]string{"d/usage/month=2026-01/part-0.parquet"},
			[]string{"usage: d/usage/**/*.parquet"}},
		"folders of dates": {
			[]string{"d/usage/2025/12/x-1.parquet", "d/usage/2026/01/x-2.parquet"},
			[]string{"x: d/usage/**/*.parquet"}},
		"partitions at the top, beside a table": {
			[]string{"d/day=2026-01-01/part-0.parquet", "d/day=2026-01-02/part-0.parquet", "d/accounts.parquet|id"},
			[]string{"accounts: d/accounts.parquet", "d: d/day=*/**/*.parquet"}},
		"two streams in one partition": {
			[]string{"d/in/m=1/orders.parquet", "d/in/m=1/visits.parquet", "d/in/m=2/orders.parquet", "d/in/m=2/visits.parquet"},
			[]string{"orders: d/in/**/orders*.parquet", "visits: d/in/**/visits*.parquet"}},
		"numbered files": {
			[]string{"d/orders_2025.parquet", "d/orders_2026.parquet", "d/accounts.parquet|id"},
			[]string{"accounts: d/accounts.parquet|id", "orders: d/orders*.parquet"}},
		"a name that begins like the stream's": {
			[]string{"d/order_1.parquet", "d/order_2.parquet", "d/orderlines.parquet"},
			[]string{"order: d/order_*.parquet", "orderlines: d/orderlines.parquet"}},
		"numbered names of different tables": {
			[]string{"d/table1.parquet|a", "d/table2.parquet|b"},
			[]string{"table1: d/table1.parquet", "table2: d/table2.parquet"}},
		"parts in a folder": {
			[]string{"d/orders/part-00000-9c1f.snappy.parquet", "d/orders/part-00001-77aa.snappy.parquet"},
			[]string{"orders: d/orders/*.parquet"}},
		"a folder of its own": {
			[]string{"d/contracts/eu.parquet", "d/contracts/us.parquet"},
			[]string{"contracts: d/contracts/*.parquet"}},
		"different tables alike, in a folder that says nothing": {
			[]string{"d/data/nps.parquet", "d/data/tickets.parquet"},
			[]string{"nps: d/data/nps.parquet", "tickets: d/data/tickets.parquet"}},
		"two tables of one name": {
			[]string{"d/crm/users.parquet|a", "d/crm/notes.parquet|c", "d/app/users.parquet|b", "d/app/log.parquet|d"},
			[]string{"log: d/app/log.parquet", "app_users: d/app/users.parquet", "notes: d/crm/notes.parquet", "crm_users: d/crm/users.parquet"}},
		"what is not looked at": {
			[]string{"d/_tmp/x.parquet", "d/.y/x.parquet", "d/skipped/x.parquet", "d/x.csv", "d/z.PARQUET"},
			[]string{"z: d/z.PARQUET"}},
	} {
		t.Run(name, func(t *testing.T) {
			var files []string
			for _, f := range c.files {
				if strings.Contains(f, ".csv") || strings.Contains(f, ".PARQUET") {
					continue
				}
				files = append(files, f)
			}
			m := lay(t, files...)
			m.files["d/x.csv"] = []byte("a,b\n")
			if name == "what is not looked at" {
				m.files["d/z.PARQUET"] = m.files["d/skipped/x.parquet"]
			}
			found, err := FindTables(m, "d", func(folder string) bool { return folder == "d/skipped" })
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.Name+": "+f.Pattern)
				sources, err := glob(m, f.Pattern)
				if err != nil || !slices.EqualFunc(sources, f.Files, func(s source, name string) bool { return s.name == name }) {
					t.Errorf("%s matches %v, %v; want %q", f.Pattern, sources, err, f.Files)
				}
			}
			var want []string
			for _, w := range c.want {
				w, _, _ = strings.Cut(w, "|")
				want = append(want, w)
			}
			if !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

// The first damaged file is the error, and it is named.
func TestFindTablesNamesDamage(t *testing.T) {
	m := lay(t, "d/a.parquet", "d/b.parquet")
	m.files["d/b.parquet"] = m.files["d/b.parquet"][:40]
	_, err := FindTables(m, "d", nil)
	if !errors.Is(err, ErrBadData) || !strings.HasPrefix(err.Error(), "d/b.parquet: ") {
		t.Errorf("%v", err)
	}
}
