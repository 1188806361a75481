// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"testing"
)

// Accounts are found by integers and by texts, whether the integers lie close
// together or far apart; none other is.
func TestAccountIndex(t *testing.T) {
	for name, ids := range map[string][]string{
		"close":    {"7", "-3", "5", "12"},
		"far":      {fmt.Sprint(math.MaxInt64), fmt.Sprint(math.MinInt64), "0", "5", "123456789012"},
		"mixed":    {"a", "5", "07", "+5", "1e3", ""},
		"no id":    nil,
		"one":      {"42"},
		"no digit": {"x", "y"},
	} {
		x := newAccountIndex(ids)
		known := map[string]int32{}
		for i, id := range ids {
			known[id] = int32(i)
			if got := x.text(id); got != int32(i) {
				t.Errorf("%s: text %q is account %d, want %d", name, id, got, i)
			}
		}
		for _, v := range []int64{-4, -3, 0, 5, 6, 7, 12, 13, 42, 123456789012, math.MaxInt64, math.MinInt64} {
			want, ok := known[fmt.Sprint(v)]
			if !ok {
				want = -1
			}
			if got := x.integer(v); got != want {
				t.Errorf("%s: integer %d is account %d, want %d", name, v, got, want)
			}
		}
		if x.text("nobody") != -1 {
			t.Errorf("%s: nobody is an account", name)
		}
	}
}
