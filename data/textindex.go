// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"hash/maphash"
)

// A textIndex finds the places of texts in a list that does not change. The
// texts lie in one array of bytes, behind an open-addressing hash table.
type textIndex struct {
	seed   maphash.Seed
	slots  []slot // the length is a power of two
	all    []byte
	starts []int // text i is all[starts[i]:starts[i+1]]
}

// newTextIndex indexes texts, which are distinct.
func newTextIndex(texts []string) *textIndex {
	x := &textIndex{seed: maphash.MakeSeed(), starts: make([]int, 1, len(texts)+1)}
	size := 64
	for size < 2*len(texts) {
		size *= 2
	}
	x.slots = make([]slot, size)
	for i, text := range texts {
		x.all = append(x.all, text...)
		x.starts = append(x.starts, len(x.all))
		hash := x.hash(text)
		at := x.next(hash, hash)
		for x.slots[at].code != 0 { // of another text with this hash
			at = x.next(hash, at+1)
		}
		x.slots[at] = slot{hash, int32(i) + 1}
	}
	return x
}

func (x *textIndex) hash(text string) uint32 { return uint32(maphash.String(x.seed, text)) }

// next returns the first slot from one on that has the hash or is free.
func (x *textIndex) next(hash, from uint32) uint32 {
	mask := uint32(len(x.slots) - 1)
	at := from & mask
	for x.slots[at].code != 0 && x.slots[at].hash != hash {
		at = (at + 1) & mask
	}
	return at
}

// text returns text i.
func (x *textIndex) text(i int32) []byte { return x.all[x.starts[i]:x.starts[i+1]] }

// together is how many texts are looked up at once.
const together = 64

// find appends the place of each text, -1 for one that is not in the list. In a
// long list each look, at the table and then at the text found, waits for
// memory; it is taken for many texts in turn, so that they wait together.
func (x *textIndex) find(dst []int32, texts [][]byte) []int32 {
	var hashes [together]uint32
	for len(texts) > 0 {
		n := min(together, len(texts))
		for i, text := range texts[:n] {
			hashes[i] = uint32(maphash.Bytes(x.seed, text))
		}
		first := len(dst)
		for _, hash := range hashes[:n] {
			dst = append(dst, x.slots[x.next(hash, hash)].code-1)
		}
		for i, text := range texts[:n] {
			if place := dst[first+i]; place >= 0 && !bytes.Equal(x.text(place), text) {
				dst[first+i] = x.search(text, hashes[i])
			}
		}
		texts = texts[n:]
	}
	return dst
}

// search looks at every text with the hash.
func (x *textIndex) search(text []byte, hash uint32) int32 {
	for at := x.next(hash, hash); ; at = x.next(hash, at+1) {
		place := x.slots[at].code - 1
		if place < 0 || bytes.Equal(x.text(place), text) {
			return place
		}
	}
}
