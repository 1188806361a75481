// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// said runs a command and returns all that it prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), args, &out, &errs); code != exitOK {
		t.Fatalf("%v: exit %d, %s", args, code, &errs)
	}
	return out.String() + errs.String()
}

// FAULTS.md row 55: data that are poisoned in ways that no single row shows.
func TestPoison(t *testing.T) {
	dir := smallProject(t, 600)
	holdfastOK(t, "-C", dir, "train")
	kept := make(map[string]*data.Table)
	for _, name := range demoTables {
		table, err := data.Read(data.Disk{}, filepath.Join(dir, "data", name+".parquet"), nil)
		if err != nil {
			t.Fatal(err)
		}
		kept[name] = table
	}
	watch := func() (check, monitor string) {
		return said(t, "-C", dir, "check"), said(t, "-C", dir, "monitor", "--model", "latest", "--as-of", "2026-07-01", "-o", filepath.Join(dir, "watch"))
	}
	cleanCheck, cleanMonitor := watch()
	poison := func(name string, change func(table *data.Table) *data.Table) (check, monitor string) {
		t.Helper()
		path := filepath.Join(dir, "data", name+".parquet")
		table, err := data.Read(data.Disk{}, path, nil)
		if err == nil {
			err = data.Write(data.Disk{}, path, change(table))
		}
		if err != nil {
			t.Fatal(err)
		}
		check, monitor = watch()
		if err := data.Write(data.Disk{}, path, kept[name]); err != nil {
			t.Fatal(err)
		}
		return check, monitor
	}

	t.Run("labels", func(t *testing.T) { // every tenth outcome is the other one
		check, _ := poison("contracts", func(table *data.Table) *data.Table {
			c := table.Column("outcome")
			churned, renewed := int32(-1), int32(-1)
			for k, text := range c.Dict {
				switch text {
				case "churned":
					churned = int32(k)
				case "renewed":
					renewed = int32(k)
				}
			}
			for i := 0; i < table.Rows; i += 10 {
				switch c.Codes[i] {
				case churned:
					c.Codes[i] = renewed
				case renewed:
					c.Codes[i] = churned
				}
			}
			return table
		})
		const words = "terms are declared churned, although a contract continues them"
		if !strings.Contains(check, words) || strings.Contains(cleanCheck, words) {
			t.Errorf("check says nothing of it:\n%s", check)
		}
	})
	month := func(table *data.Table, column string, i int) bool { // the last one
		ts := table.Column(column)
		day := ts.Ints[i]
		if ts.Kind == data.Time {
			day /= 86400e9
		}
		return day >= 20604 // 2026-06-01
	}
	t.Run("scale", func(t *testing.T) { // surveys come in another unit, all of the past too
		_, monitor := poison("nps", func(table *data.Table) *data.Table {
			v := table.Column("value")
			for i := range table.Rows {
				if v.Kind == data.Float {
					v.Floats[i] *= 100
				} else {
					v.Ints[i] *= 100
				}
			}
			return table
		})
		const words = "nps_last: "
		if !strings.Contains(monitor, "warning: "+words) || !strings.Contains(monitor, "that the model was trained on: has its unit changed?") || strings.Contains(cleanMonitor, words) {
			t.Errorf("monitor says nothing of it:\n%s\nclean:\n%s", monitor, cleanMonitor)
		}
	})
	t.Run("silence", func(t *testing.T) { // a segment's use of the last month was never loaded
		segment := make(map[string]string)
		accounts := kept["accounts"]
		for i := range accounts.Rows {
			segment[accounts.Column("account_id").Text(i)] = accounts.Column("segment").Text(i)
		}
		one := accounts.Column("segment").Text(0)
		check, monitor := poison("usage", func(table *data.Table) *data.Table {
			var rows []int
			for i := range table.Rows {
				if !(month(table, "ts", i) && segment[table.Column("account_id").Text(i)] == one) {
					rows = append(rows, i)
				}
			}
			return table.Take(rows)
		})
		for name, c := range map[string][2]string{"check": {check, cleanCheck}, "monitor": {monitor, cleanMonitor}} {
			words := fmt.Sprintf("usage: 0 accounts of the segment %q have an event in 2026-06, where about ", one)
			if !strings.Contains(strings.ReplaceAll(c[0], "usage  ", "usage: "), words) || strings.Contains(c[1], "have an event in") {
				t.Errorf("%s says nothing of it, or of what is not there:\n%s\nclean:\n%s", name, c[0], c[1])
			}
		}
		if !strings.Contains(monitor, "warning: usage: 0 accounts") {
			t.Errorf("no alarm:\n%s", monitor)
		}
	})
}
