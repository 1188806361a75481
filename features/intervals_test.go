// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/data"
)

const bigger = "value > 1" // a filter

// talliedFeatures are all aggregates that come from tallies, over many windows,
// of one type and of all, and of rows that pass a filter.
func talliedFeatures() []Feature {
	var fs []Feature
	for _, kind := range []string{"", "a", "b", "never"} {
		for _, days := range []int{0, 1, 2, 7, 30, 31, 365, 20_000} {
			for _, agg := range fromTally {
				f := Feature{Name: fmt.Sprint(agg, kind, days), From: "app", Type: kind, Agg: agg, WindowDays: days, Kind: NumberKind}
				switch agg {
				case Trend:
					f.LongDays = days + 20
				case Ratio:
					f.Of, f.To = "a", "b"
				case CLV:
					f.LifespanDays = 730
				case TenureScaled:
					f.Of = string(Sum)
				case PerSeat: // is written as what it divides
					f.Of = string(Sum)
				}
				if (agg != Trend || days > 0) && (agg != Distinct && agg != Ratio || kind == "") {
					fs = append(fs, f)
					if f.Name, f.Where = f.Name+" where", bigger; days < 30 {
						fs = append(fs, f)
					}
				}
			}
		}
	}
	return fs
}

// drawTimes are zones in which midnight is skipped, comes twice, or comes back
// after the next day has begun, and a day round which events are drawn.
var drawTimes = []struct{ zone, date string }{
	{"UTC", "2024-02-29"}, {"Europe/London", "2024-03-31"}, {"America/New_York", "2024-11-03"}, {"Asia/Amman", "2021-10-29"},
	{"Africa/Cairo", "2024-04-26"}, {"Pacific/Apia", "2011-12-30"}, {"America/St_Johns", "2010-11-07"}, {"Asia/Kolkata", "1969-12-31"},
}

// drawAccount draws one account's events round a change of the clocks, and a
// history of it.
func drawAccount(t *rapid.T) (h *data.History, middle time.Time) {
	at := rapid.SampledFrom(drawTimes).Draw(t, "clocks")
	loc, err := time.LoadLocation(at.zone)
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	if middle, err = time.ParseInLocation(time.DateOnly, at.date, loc); err != nil {
		t.Fatal(err)
	}
	values := rapid.SampledFrom([][]float64{
		{math.NaN(), 0, 1, -2.5, 19.99, 1234567.89, 0.000001},     // whole millionths
		{1, 134217728, 999999999.999999, -999999999.999999},       // too long to be packed
		{math.NaN(), 1, 1.0 / 3, 1e12, -1e300, 5e-324, 0.1 + 0.2}, // no millionths
	}).Draw(t, "values")
	n := rapid.IntRange(0, 40).Draw(t, "events")
	when, known, kinds, value := make([]int64, n), make([]int64, n), make([]string, n), make([]float64, n)
	for i := range n {
		minutes := rapid.OneOf(rapid.IntRange(-3*60, 27*60), rapid.IntRange(-60*24*60, 60*24*60), rapid.IntRange(-500*24*60, 0)).Draw(t, "minutes")
		when[i] = middle.Add(time.Duration(minutes) * time.Minute).UnixNano()
		known[i] = when[i] + rapid.SampledFrom([]int64{0, 0, 0, 0, 1, day, 40 * day}).Draw(t, "late")
		kinds[i], value[i] = rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "kind"), rapid.SampledFrom(values).Draw(t, "value")
	}
	stamp := func(name string, ns []int64) data.Column { return data.Column{Name: name, Kind: data.Time, Ints: ns} }
	tables := &data.Tables{
		Accounts: &data.Table{Name: "accounts", Rows: 1, Columns: []data.Column{
			data.TextColumn("id", []string{"x"}), stamp("created", []int64{middle.Add(-100 * 24 * time.Hour).UnixNano()})}},
		Events: []*data.Table{{Name: "events", Rows: n, Columns: []data.Column{data.TextColumn("account", slices.Repeat([]string{"x"}, n)),
			stamp("at", when), stamp("known", known), data.TextColumn("kind", kinds), {Name: "value", Kind: data.Float, Floats: value}}}},
	}
	s := data.Sources{Location: loc, Accounts: data.AccountSource{Key: "id", Created: "created"}, Events: []data.EventSource{
		{Name: "app", Account: "account", Time: "at", Type: "kind", Value: "value",
			Lag: rapid.SampledFrom([]time.Duration{0, 0, 24 * time.Hour, 48 * time.Hour, time.Hour}).Draw(t, "lag")}}}
	filter, err := data.ParseFilter(bigger)
	if err != nil || filter.String() != bigger {
		t.Fatal(filter, err)
	}
	s.Events[0].Filters = []*data.Filter{filter}
	if rapid.Bool().Draw(t, "loads") {
		s.Events[0].KnownAt = "known"
	}
	if h, err = data.NewHistory(context.Background(), tables, s); err != nil {
		t.Fatal(err)
	}
	return h, middle
}

// Sums over intervals give the bits that the single events give, wherever they
// are used at all.
func TestIntervalsGiveTheBitsOfEvents(t *testing.T) {
	features := talliedFeatures()
	used, tried := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		h, middle := drawAccount(t)
		k := newKernel(h, &Spec{Features: features}, nil)
		var snaps []snapshot
		today := data.DayOf(middle.UnixNano(), h.Location)
		for range rapid.IntRange(1, 8).Draw(t, "snapshots") {
			off := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-100, 100)).Draw(t, "day")
			snaps = append(snaps, snapshot{t: data.DayStart(today+off, h.Location)})
		}
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			snaps[0].t += int64(time.Hour)
		}
		part := h.NewPart()
		if err := h.ReadPart(part, 0); err != nil {
			t.Fatal(err)
		}
		k.date(snaps)
		columns := func() []Column {
			out := make([]Column, len(features))
			for i := range out {
				out[i] = Column{Feature: features[i], Num: slices.Repeat([]float64{-1}, len(snaps))}
			}
			return out
		}
		got, want := columns(), columns()
		tried++
		if !k.fromIntervals(got, 0, part, k.sources[0], 0, snaps) {
			return
		}
		used[h.Location.String()]++
		k.fromEvents(want, 0, k.sources[0], part.Events(0, 0), 0, snaps)
		for c := range want {
			for i := range snaps {
				if a, b := got[c].Num[i], want[c].Num[i]; math.Float64bits(a) != math.Float64bits(b) {
					t.Fatalf("%s at %v: %v by intervals, %v by events", features[c].Name, time.Unix(0, snaps[i].t).In(h.Location), a, b)
				}
			}
		}
	})
	if len(used) == 0 {
		t.Error("intervals were never used")
	}
	t.Logf("of %d accounts %v came from intervals", tried, used) // none in St. John's, where a day comes back
}

// Of thousands of types an account has few: cells for all of them would take
// the memory and the time of all accounts together.
func TestManyTypes(t *testing.T) {
	const types, accounts = 20_000, 4
	ids := []string{"a", "b", "c", "d"}
	var account, kind []string
	var at []int64
	for i := range types {
		account, kind = append(account, ids[i%accounts]), append(kind, fmt.Sprint("type", i))
		at = append(at, on("2024-01-01")+int64(i%100)*day)
	}
	h, err := data.NewHistory(context.Background(), &data.Tables{
		Accounts: &data.Table{Name: "accounts", Rows: accounts, Columns: []data.Column{data.TextColumn("id", ids)}},
		Events: []*data.Table{{Name: "events", Rows: types, Columns: []data.Column{data.TextColumn("account", account),
			{Name: "at", Kind: data.Time, Ints: at}, data.TextColumn("kind", kind)}}},
	}, data.Sources{Location: time.UTC, Accounts: data.AccountSource{Key: "id"}, Events: []data.EventSource{
		{Name: "app", Account: "account", Time: "at", Type: "kind"}}})
	if err != nil {
		t.Fatal(err)
	}
	k := newKernel(h, &Spec{Features: []Feature{{Name: "types", From: "app", Agg: Distinct, Kind: NumberKind},
		{Name: "one", From: "app", Type: "type0", Agg: Count, Kind: NumberKind}}}, nil)
	part := h.NewPart()
	columns := []Column{{Num: make([]float64, 2)}, {Num: make([]float64, 2)}}
	snaps := []snapshot{{t: on("2024-01-02")}, {t: on("2025-01-01")}}
	for a := range accounts {
		if err := h.ReadPart(part, a); err != nil {
			t.Fatal(err)
		}
		k.fill(columns, 0, part, int32(a), snaps)
		first := []float64{1, 0, 0, 0}[a] // type0 is of the first account
		// Of every hundred events one in four of the first account lies on the first day.
		if got, want := columns[0].Num, []float64{200 * first, types / accounts}; !slices.Equal(got, want) {
			t.Errorf("account %d: %v types, want %v", a, got, want)
		}
		if got, want := columns[1].Num, []float64{first, first}; !slices.Equal(got, want) {
			t.Errorf("account %d: %v of one type, want %v", a, got, want)
		}
	}
	if n := cap(k.sources[0].fast.cells); n > types {
		t.Errorf("%d cells", n)
	}
}
