// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// The ends of the range, from package time.
func TestTimeRange(t *testing.T) {
	first := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	after := time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC)
	if first.Unix() != minSecond || after.Unix()-1 != maxSecond {
		t.Fatalf("%d to %d, want %d to %d", minSecond, maxSecond, first.Unix(), after.Unix()-1)
	}
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond, time.Nanosecond} {
		per := int64(time.Second / unit)
		low, high := first.Unix()*per, after.Unix()*per-1
		if v, ok := Nanos(low, int64(unit)); !ok || v != first.UnixNano() {
			t.Errorf("%v: %d, %v, want %d", unit, v, ok, first.UnixNano())
		}
		if v, ok := Nanos(high, int64(unit)); !ok || v != after.Add(-unit).UnixNano() {
			t.Errorf("%v: %d, %v, want %d", unit, v, ok, after.Add(-unit).UnixNano())
		}
		for _, v := range []int64{low - 1, high + 1, math.MinInt64, math.MaxInt64} {
			if _, ok := Nanos(v, int64(unit)); ok {
				t.Errorf("%v: %d accepted", unit, v)
			}
		}
	}
	for day, want := range map[int64]bool{first.Unix() / secondsPerDay: true, first.Unix()/secondsPerDay - 1: false,
		after.Unix()/secondsPerDay - 1: true, after.Unix() / secondsPerDay: false} {
		if got := DayInRange(day); got != want {
			t.Errorf("day %d: %v", day, got)
		}
	}
}

func TestInt96Nanos(t *testing.T) {
	const noon = uint64(12 * time.Hour)
	tests := []struct {
		nanos  uint64
		julian uint32
		want   int64
	}{
		{0, unixJulianDay, 0},
		{noon, unixJulianDay - 1, -int64(noon)},
		{noon, unixJulianDay + 20454, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).UnixNano()},
		{0, 0, math.MinInt64},
		{0, math.MaxUint32, math.MaxInt64},
		{math.MaxUint64, unixJulianDay, math.MaxInt64},
		{math.MaxInt64, unixJulianDay + 1, math.MaxInt64},
	}
	for _, test := range tests {
		if got := int96Nanos(test.nanos, test.julian); got != test.want {
			t.Errorf("%d ns of day %d: %d, want %d", test.nanos, test.julian, got, test.want)
		}
	}
}

// A date out of range is refused with its place, also after nulls and in a
// later row group.
func TestReadOutOfRange(t *testing.T) {
	table := ints("until", make([]int64, rowGroupRows+3)...)
	c := &table.Columns[0]
	c.Kind, c.Null = Date, make([]bool, table.Rows)
	c.Null[rowGroupRows], c.Ints[rowGroupRows+1] = true, 2932896 // 9999-12-31
	m := stored(t, map[string]*Table{"x.parquet": table})
	_, err := Read(m, "x.parquet", nil)
	const want = `x.parquet: row 65538: column "until" holds 9999-12-31; ` +
		`dates and times must lie in the years 1678 to 2261`
	if err == nil || err.Error() != want || !errors.Is(err, ErrBadData) {
		t.Errorf("%v, want %s", err, want)
	}
	c.Kind, c.Ints[rowGroupRows+1] = Time, math.MinInt64 // what pandas stores for "not a time"
	m = stored(t, map[string]*Table{"x.parquet": table})
	if _, err = Read(m, "x.parquet", nil); err == nil || !strings.Contains(err.Error(), "row 65538") {
		t.Errorf("%v, want the row named", err)
	}
}
