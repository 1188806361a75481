// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"strings"
	"testing"
)

// oddIDs are ids that real tables hold and careless programs break on.
var oddIDs = []string{
	"a\nb", `a,b "c"`, "\x00zero\x00", "\u202eright to left \u05d0\u05d1", "\U0001f600", "=HYPERLINK(\"http://x\")", "+1", "-2+3", "@x",
	"\tab", "\rcr", "c\r\nd", "c\nd", " padded ", "<script>alert(1)</script>", "\u2068marked\u2069", "..", "CON", strings.Repeat("x", 10_000),
}

// A marked id comes back exactly, and nothing else of a message changes.
func TestShowIDs(t *testing.T) {
	for _, id := range oddIDs {
		message := fmt.Sprintf("rows of %s and %s", Marked(id), Marked("b"))
		var got []string
		text, n := ShowIDs(message, func(id string) string {
			got = append(got, id)
			return "*"
		})
		if text != "rows of * and *" || n != 2 || got[0] != id || got[1] != "b" {
			t.Errorf("%.40q: %q, %d, %.40q", id, text, n, got)
		}
	}
	if text, n := ShowIDs("no id", nil); text != "no id" || n != 0 {
		t.Errorf("%q, %d", text, n)
	}
	cut := Marked("secret")[:8]
	if text, _ := ShowIDs(cut, func(string) string { return "*" }); text != "*" {
		t.Errorf("a message that was cut shows %q", text)
	}
}
