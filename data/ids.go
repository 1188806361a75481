// SPDX-License-Identifier: Apache-2.0

package data

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Marks round an id in a message: invisible, and, by what Unicode means them
// for, a frame that keeps right-to-left text from moving what follows it. No
// quoted id holds them, for strconv.Quote writes both as escapes.
const (
	idBegin = "\u2068" // first strong isolate
	idEnd   = "\u2069" // pop directional isolate
)

// Marked quotes an id of a customer for a message, between marks, so that what
// prints the message can withhold the id; see ShowIDs.
func Marked(id string) string { return idBegin + strconv.Quote(id) + idEnd }

// markedAll quotes several ids.
func markedAll(ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = Marked(id)
	}
	return strings.Join(out, ", ")
}

// ShowIDs replaces every marked id of a message by what show makes of it, and
// says how many there were.
func ShowIDs(message string, show func(id string) string) (text string, n int) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(message, idBegin)
		b.WriteString(before)
		if !found {
			return b.String(), n
		}
		quoted, after, _ := strings.Cut(rest, idEnd)
		id, err := strconv.Unquote(quoted)
		if err != nil { // a message that was cut: withheld rather than shown
			id = quoted
		}
		b.WriteString(show(id))
		message = after
		n++
	}
}

// HashID returns the digest by which an id can be told again without being
// written: the sha256, in hex, of a prefix and the id. Who can guess an id can
// check the guess, so it is a pseudonym and not anonymous.
func HashID(id string) string {
	sum := sha256.Sum256([]byte("holdfast-id/1\n" + id))
	return hex.EncodeToString(sum[:])
}
