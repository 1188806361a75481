// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkWriteParquet writes a frame: an id, a few dates, counts, flags,
// rates of which no two are alike, and values of which half are missing.
func BenchmarkWriteParquet(b *testing.B) {
	t := benchFrame(200_000)
	n := countWriter{}
	b.ReportAllocs()
	for b.Loop() {
		n.bytes = 0
		if err := WriteTo(&n, "parquet", t); err != nil {
			b.Fatal(err)
		}
	}
	values := float64(t.Rows) * float64(len(t.Columns)) * float64(b.N)
	b.ReportMetric(values/b.Elapsed().Seconds()/1e6, "Mvalues/s")
	b.ReportMetric(float64(n.bytes), "bytes")
}

type countWriter struct{ bytes int }

func (c *countWriter) Write(b []byte) (int, error) {
	c.bytes += len(b)
	return len(b), nil
}

// benchFrame is a table with the kinds and shapes of a feature frame, 78
// columns wide.
func benchFrame(rows int) *Table {
	r := rand.New(rand.NewPCG(2, 2))
	t := &Table{Name: "frame", Rows: rows}
	t.Columns = append(t.Columns,
		TextOf("account_id", rows, func(i int) string { return fmt.Sprintf("account-%06d", i%20_000) }),
		IntOf("as_of", Date, rows, func(i int) (int64, bool) { return int64(20_000 + i/20_000*30), true }))
	for k := range 76 {
		t.Columns = append(t.Columns, FloatOf(fmt.Sprintf("f%02d", k), rows, func(int) float64 {
			switch k % 4 {
			case 0: // a count
				return math.Floor(r.ExpFloat64() * 20)
			case 1: // a rate
				return r.Float64()
			case 2: // a trend, of which half are missing
				if r.IntN(2) == 0 {
					return math.NaN()
				}
				return r.NormFloat64()
			}
			return float64(r.IntN(2))
		}))
	}
	return t
}
