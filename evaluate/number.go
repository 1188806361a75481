// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// A Number is a figure of a report. NaN says "not defined for these rows" and
// is null in JSON, which has no NaN.
type Number float64

// MarshalJSON writes the number, or null where it is NaN or infinite.
func (x Number) MarshalJSON() ([]byte, error) {
	if v := float64(x); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes; null becomes NaN.
func (x *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*x = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(x))
}

// Defined reports whether the number is one.
func (x Number) Defined() bool { return !math.IsNaN(float64(x)) }

// The forms in which figures stand in sentences and tables. One that is not
// defined is a dash.

// Fixed writes 0.12543 with 4 decimals as 0.1254.
func (x Number) Fixed(decimals int) string { return x.format("%.*f", decimals, float64(x)) }

// Signed writes a difference with its sign and 4 decimals, as +0.0012.
func (x Number) Signed() string { return x.format("%+.4f", float64(x)) }

// Percent writes 0.0347 as 3.5 %.
func (x Number) Percent() string { return x.format("%.1f %%", 100*float64(x)) }

func (x Number) format(form string, args ...any) string {
	if !x.Defined() {
		return "–"
	}
	return fmt.Sprintf(form, args...)
}

// Count writes 69369 as 69,369.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Money writes 1234567 in USD as 1.23 M USD, with three digits that count.
func Money(x Number, currency string) string {
	if !x.Defined() {
		return dash
	}
	v, unit := float64(x), ""
	for _, u := range []struct {
		from float64
		name string
	}{{1e9, " bn"}, {1e6, " M"}, {1e4, " k"}} {
		if math.Abs(v) >= u.from {
			unit = u.name
			if u.name == " k" {
				v /= 1e3
			} else {
				v /= u.from
			}
			break
		}
	}
	digits := 0
	if unit != "" {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	text := strconv.FormatFloat(v, 'f', digits, 64) + unit
	if currency != "" {
		text += " " + currency
	}
	return text
}
