// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"slices"
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
		var asked []string
		got := x.ofTexts(nil, [][]byte{[]byte("nobody"), []byte("5"), []byte("somebody")}, func(id string) int32 {
			asked = append(asked, id)
			return int32(-1 - len(asked))
		})
		if n, ok := known["5"]; ok {
			if want := []int32{-2, n, -3}; !slices.Equal(got, want) || !slices.Equal(asked, []string{"nobody", "somebody"}) {
				t.Errorf("%s: %d, want %d; asked for %q", name, got, want, asked)
			}
		}
	}
}

// Texts are found among many, also where two have one hash.
func TestTextIndex(t *testing.T) {
	var texts []string
	var asked [][]byte
	for i := range 5000 {
		texts = append(texts, fmt.Sprint("id", i))
	}
	for i := range 6000 {
		asked = append(asked, []byte(fmt.Sprint("id", i*i%5500)))
	}
	x := newTextIndex(texts)
	got := x.find([]int32{7}, asked)
	if got[0] != 7 || len(got) != 1+len(asked) {
		t.Fatalf("%d places", len(got))
	}
	for i := range asked {
		want := int32(i * i % 5500)
		if want >= 5000 {
			want = -1
		}
		if got[1+i] != want {
			t.Fatalf("%s is at %d", asked[i], got[1+i])
		}
	}
	// Of two texts with one hash the other comes first.
	x = newTextIndex([]string{"other", "this"})
	clear(x.slots)
	hash := x.hash("this")
	for i := range uint32(2) {
		x.slots[(hash+i)%uint32(len(x.slots))] = slot{hash, int32(i) + 1}
	}
	if got := x.find(nil, [][]byte{[]byte("this")}); got[0] != 1 {
		t.Errorf("of two texts with its hash it is taken for number %d", got[0])
	}
}
