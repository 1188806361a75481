// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkRead reads an event file as a product writes it: a dictionary of
// accounts, rising times, few types, many values.
func BenchmarkRead(b *testing.B) {
	const rows = 2_000_000
	path := filepath.Join(b.TempDir(), "events.parquet")
	if err := Write(Disk{}, path, benchEvents(rows)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(Disk{}, path, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// BenchmarkWrite writes the same table as Parquet.
func BenchmarkWrite(b *testing.B) {
	const rows = 500_000
	t := benchEvents(rows)
	path := filepath.Join(b.TempDir(), "events.parquet")
	for b.Loop() {
		if err := Write(Disk{}, path, t); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func benchEvents(rows int) *Table {
	r := rand.New(rand.NewPCG(1, 1))
	account := Column{Name: "account_id", Kind: Text}
	for i := range 20_000 {
		account.Dict = append(account.Dict, fmt.Sprintf("account-%06d", i))
	}
	ts := Column{Name: "ts", Kind: Time}
	kind := Column{Name: "event_type", Kind: Text, Dict: []string{"login", "export", "invite", "report"}}
	value := Column{Name: "value", Kind: Float}
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	for range rows {
		at += int64(r.IntN(1000)) * int64(time.Millisecond)
		account.Codes = append(account.Codes, r.Int32N(20_000))
		ts.Ints = append(ts.Ints, at)
		kind.Codes = append(kind.Codes, r.Int32N(4))
		value.Floats = append(value.Floats, float64(r.IntN(10_000))/100)
	}
	return &Table{Name: "events", Rows: rows, Columns: []Column{account, ts, kind, value}}
}
