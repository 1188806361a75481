// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// The rows of a forgotten account are left out of every table and counted, and
// the others are as if it had never been there.
func TestForgotten(t *testing.T) {
	for _, kind := range []string{"texts", "integers"} {
		ids := []string{"7", "8", "9"}
		column := func(name string, of ...int) Column {
			c := TextOf(name, len(of), func(i int) string { return ids[of[i]] })
			if kind == "integers" {
				c = IntOf(name, Int, len(of), func(i int) (int64, bool) { return int64(7 + of[i]), true })
			}
			return c
		}
		day := func(name string, days ...int64) Column { return Column{Name: name, Kind: Date, Ints: days} }
		s := Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"},
			Contracts: &ContractSource{Path: "contracts.parquet", Key: "term", Account: "id", Start: "start", Due: "due"},
			Events:    []EventSource{{Name: "use", Path: "use.parquet", Account: "id", Time: "at"}}}
		m := newMemFS()
		for name, table := range map[string]*Table{
			"accounts.parquet":  {Rows: 3, Columns: []Column{column("id", 0, 1, 2)}},
			"contracts.parquet": {Rows: 3, Columns: []Column{TextColumn("term", []string{"p", "q", "r"}), column("id", 0, 1, 1), day("start", 1, 2, 400), day("due", 366, 367, 765)}},
			"use.parquet":       {Rows: 6, Columns: []Column{column("id", 1, 0, 2, 1, 1, 0), day("at", 5, 6, 7, 8, 9, 10)}},
		} {
			if err := Write(m, name, table); err != nil {
				t.Fatal(err)
			}
		}
		all, err := ReadHistory(context.Background(), m, s, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.Forgotten = (*Forgotten)(nil).With("8", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))
		h, err := ReadHistory(context.Background(), m, s, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := []Count{
			{Table: "accounts.parquet", Reason: wasForgotten, Rows: 1, Of: 3},
			{Table: "contracts.parquet", Reason: wasForgotten, Rows: 2, Of: 3},
			{Table: "use", Reason: wasForgotten, Rows: 3, Of: 6},
		}
		if !slices.EqualFunc(h.Dropped, want, func(a, b Count) bool {
			return a.Table == b.Table && a.Reason == b.Reason && a.Rows == b.Rows && a.Of == b.Of && a.Examples == nil
		}) {
			t.Errorf("%s: dropped %+v, want %+v", kind, h.Dropped, want)
		}
		if len(h.Accounts) != 2 || h.Accounts[0].ID != "7" || h.Accounts[1].ID != "9" || len(h.Contracts) != 1 || h.Sources[0].Rows != 3 {
			t.Errorf("%s: %+v, %+v, %d events", kind, h.Accounts, h.Contracts, h.Sources[0].Rows)
		}
		if h.Fingerprint() == all.Fingerprint() {
			t.Errorf("%s: the fingerprint is that of all accounts", kind)
		}
		findings := (&Survey{}).Check(h, s)
		if k := slices.IndexFunc(findings, func(f Finding) bool {
			return strings.Contains(f.Message, "1 of 3 rows are left out: the account was forgotten")
		}); k < 0 || findings[k].Severity != Note {
			t.Errorf("%s: findings %+v", kind, findings)
		}
	}
}

// Tombstones hold digests, come back from their file, and are refused where
// they are damaged: an empty set would read forgotten accounts again.
func TestForgottenFile(t *testing.T) {
	m := newMemFS()
	if f, err := ReadForgotten(m, "f.json"); f != nil || err != nil {
		t.Fatalf("no file: %v, %v", f, err)
	}
	var set *Forgotten
	for _, id := range append(oddIDs, oddIDs[0]) {
		set = set.With(id, time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC))
	}
	if err := set.Write(m, "f.json"); err != nil {
		t.Fatal(err)
	}
	got, err := ReadForgotten(m, "f.json")
	if err != nil || len(got.Accounts) != len(oddIDs) {
		t.Fatalf("%v, %v", got, err)
	}
	for _, id := range oddIDs {
		if tomb, ok := got.Of(id); !ok || tomb.Since != "2026-01-31" || tomb.SHA256 != HashID(id) {
			t.Errorf("%.40q: %v, %v", id, tomb, ok)
		}
	}
	if _, ok := got.Of("another"); ok {
		t.Error("an account that was never forgotten")
	}
	sound := string(m.files["f.json"])
	for name, text := range map[string]string{
		"cut":           sound[:len(sound)/2],
		"empty":         "",
		"a newer one":   strings.Replace(sound, "forgotten/1", "forgotten/2", 1),
		"a short sum":   strings.Replace(sound, HashID(oddIDs[0]), "abcd", 1),
		"another shape": "[]",
	} {
		m.files["f.json"] = []byte(text)
		if _, err := ReadForgotten(m, "f.json"); !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), "f.json: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// Removing an account takes its rows, whatever its id is made of, and nothing
// else; twice changes nothing more.
func TestRemoveAccount(t *testing.T) {
	ids := append([]string{"a", "1"}, oddIDs...)
	n := len(ids)
	table := &Table{Name: "t", Rows: 2 * n, Columns: []Column{
		IntOf("k", Int, 2*n, func(i int) (int64, bool) { return int64(i), i%3 > 0 }),
		TextOf("account_id", 2*n, func(i int) string { return ids[i%n] }),
		FloatOf("p_churn", 2*n, func(i int) float64 { return 1 / float64(i+1) }),
		IntOf("due", Date, 2*n, func(i int) (int64, bool) { return int64(i), true }),
		TextOf("note", 2*n, func(i int) string { return ids[(i+1)%n] }),
	}}
	for _, name := range []string{"t.parquet", "t.csv", "t.jsonl"} {
		for k, id := range ids {
			m := newMemFS()
			if err := Write(m, name, table); err != nil {
				t.Fatal(err)
			}
			var rows []int
			for i := range table.Rows {
				if i%n != k {
					rows = append(rows, i)
				}
			}
			count, err := CountAccount(m, name, "account_id", id)
			if count != 2 || err != nil {
				t.Errorf("%s: %.40q: counted %d rows, %v", name, id, count, err)
			}
			removed, err := RemoveAccount(m, name, "account_id", id)
			if removed != 2 || err != nil {
				t.Errorf("%s: %.40q: removed %d rows, %v", name, id, removed, err)
			}
			got := m.files[name]
			if err := Write(m, name, table.Take(rows)); err != nil {
				t.Fatal(err)
			}
			if string(got) != string(m.files[name]) {
				t.Errorf("%s: %.40q: other bytes than those of the table without it", name, id)
			}
			if again, err := RemoveAccount(m, name, "account_id", id); again != 0 || err != nil || string(got) != string(m.files[name]) {
				t.Errorf("%s: %.40q: again %d rows, %v", name, id, again, err)
			}
		}
	}
	m := newMemFS()
	m.files["t.csv"] = []byte("a,b\n1,2\n")
	if rows, err := RemoveAccount(m, "t.csv", "account_id", "1"); rows != 0 || err != nil || string(m.files["t.csv"]) != "a,b\n1,2\n" {
		t.Errorf("without the column: %d rows, %v", rows, err)
	}
	if _, err := RemoveAccount(m, "*.csv", "account_id", "1"); err == nil {
		t.Error("a pattern was taken for a file")
	}
}
