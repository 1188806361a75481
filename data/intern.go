// SPDX-License-Identifier: Apache-2.0

package data

import (
	"hash/maphash"
	"strings"
)

// An interner numbers distinct texts in order of first appearance. It is an
// open-addressing hash table of codes; the texts themselves are kept once, in
// blocks, so that millions of distinct ids cost neither an allocation nor a map
// entry each.
type interner struct {
	seed  maphash.Seed
	dict  []string
	slots []slot // by hash; the length is a power of two
	block strings.Builder
	asked []byte // the text that codeOf was asked for
}

// A slot holds a code and the hash of its text, so that growing and most
// comparisons do not touch the texts.
type slot struct {
	hash uint32
	code int32 // plus 1; 0 where the slot is free
}

const internBlock = 64 << 10 // bytes; longer texts get a block of their own

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), slots: make([]slot, 64)}
}

// code returns the number of a text.
func (in *interner) code(text []byte) int32 {
	hash := uint32(maphash.Bytes(in.seed, text))
	mask := uint32(len(in.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := in.slots[at]
		if s.code == 0 {
			return in.add(text, hash, at)
		}
		if s.hash == hash && in.dict[s.code-1] == string(text) {
			return s.code - 1
		}
	}
}

// codeOf returns the number of a text that is a string.
func (in *interner) codeOf(text string) int32 {
	in.asked = append(in.asked[:0], text...)
	return in.code(in.asked)
}

// reset forgets all texts. Those handed out stay as they are.
func (in *interner) reset() {
	in.dict = in.dict[:0]
	clear(in.slots)
}

func (in *interner) add(text []byte, hash, at uint32) int32 {
	in.dict = append(in.dict, in.keep(text))
	in.slots[at] = slot{hash, int32(len(in.dict))}
	if len(in.dict) > len(in.slots)/2 {
		in.grow()
	}
	return int32(len(in.dict) - 1)
}

// keep copies a text into the current block.
func (in *interner) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if in.block.Cap()-in.block.Len() < len(text) {
		in.block = strings.Builder{} // texts kept so far hold on to the old block
		in.block.Grow(max(internBlock, len(text)))
	}
	start := in.block.Len()
	in.block.Write(text)
	return in.block.String()[start:]
}

func (in *interner) grow() {
	old := in.slots
	in.slots = make([]slot, 4*len(old))
	mask := uint32(len(in.slots) - 1)
	for _, s := range old {
		if s.code == 0 {
			continue
		}
		at := s.hash & mask
		for in.slots[at].code != 0 {
			at = (at + 1) & mask
		}
		in.slots[at] = s
	}
}
