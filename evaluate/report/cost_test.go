// SPDX-License-Identifier: Apache-2.0

//go:build unix

package report

import (
	"bytes"
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// A million test rows and two candidates whose fits cost nothing: metrics, intervals
// (B = 1,000), noise bands, slices, forecast, gates, report.json and the page, in
// seconds of CPU.
func BenchmarkMillionRows(b *testing.B) {
	f := drawn(100_000, 11)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Segment, r.Contract = fmt.Sprint("segment ", i/11%5), fmt.Sprint("c", i)
		r.Value, r.Currency, r.Kept, r.LeadDays = float64(50+i%100), "EUR", 1, 30
	}
	o := evaluate.Options{Seed: 1, Origins: evaluate.OriginOptions{First: time.Date(2023, 2, 1, 0, 0, 0, 0, time.UTC)}}
	for b.Loop() {
		start := cpu(b)
		result, err := evaluate.Backtest(context.Background(), f, []evaluate.Candidate{candidate("ours", "", line{-2, 1}), evaluate.BaseRate()}, o)
		if err != nil {
			b.Fatal(err)
		}
		text, err := result.Report.JSON()
		if err != nil {
			b.Fatal(err)
		}
		var page bytes.Buffer
		if err := WriteHTML(&page, result.Report); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((cpu(b) - start).Seconds(), "cpu-s")
		b.ReportMetric(float64(result.Report.Design.TestRows), "test-rows")
		b.ReportMetric(float64(page.Len()), "page-bytes")
		b.ReportMetric(float64(len(text)), "json-bytes")
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
