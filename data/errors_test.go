// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"account_id", "created_at", "segment", "seats", "plan"}
	for name, want := range map[string]string{
		"acount_id":  "account_id", // one letter left out
		"accuont_id": "account_id", // two swapped
		"AccountID":  "account_id",
		"Segment":    "segment",
		"seat":       "seats",
		"plane":      "plan",
		"country":    "",
		"x":          "",
		"":           "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("abcd", []string{"abcx", "abcy", "abcd1"}); got != "abcx" {
		t.Errorf("a tie went to %q, not to the first", got)
	}
}

func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1},
		{"ca", "abc", 3}, // the unrestricted distance would be 2
	}
	for _, test := range tests {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestErrorsAreBadData(t *testing.T) {
	for _, err := range []error{
		badFile("f", "x"), newColumnError("f", []string{"a"}, nil), &TypeError{}, &DriftError{}, &RowError{},
	} {
		if !errors.Is(err, ErrBadData) {
			t.Errorf("%T is no ErrBadData", err)
		}
	}
	err := &TypeError{File: "t.parquet", Column: "due", Want: "a date or a timestamp", Got: "text"}
	if got, want := err.Error(), `t.parquet: column "due" is of type text, a date or a timestamp is needed`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
