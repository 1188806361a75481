// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math/bits"
	"slices"
	"strconv"
	"sync"
)

// An accountIndex finds the number of an account by its id, whether the id is
// a text or an integer.
type accountIndex struct {
	texts func() *textIndex // made when first asked for
	ints  []intSlot         // open addressing; the length is a power of two

	// Where the ids are integers that lie close together, as numbered ones do,
	// near has a bit for each integer from first on: the number of an account
	// follows from how many bits are set before its own, in little memory.
	first  int64
	near   []bitRun
	ranked []int32 // numbers, by how many ids are less
}

// A bitRun is 64 bits, and how many are set in the runs before.
type bitRun struct {
	bits   uint64
	before int32
}

// sparse is how many bits near may have for each account.
const sparse = 64

type intSlot struct {
	id     int64
	number int32 // plus 1; 0 where the slot is free
}

// newAccountIndex numbers the ids, which are distinct, by their places.
func newAccountIndex(ids []string) *accountIndex {
	x := &accountIndex{texts: sync.OnceValue(func() *textIndex { return newTextIndex(ids) })}
	values, numbers := make([]int64, 0, len(ids)), make([]int32, 0, len(ids))
	for i, id := range ids {
		if v, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(v, 10) == id {
			values, numbers = append(values, v), append(numbers, int32(i)+1)
		}
	}
	if len(values) > 0 {
		low, high := slices.Min(values), slices.Max(values)
		if span := uint64(high) - uint64(low); span < sparse*uint64(len(values)) {
			x.indexNear(low, span, values, numbers)
			return x
		}
	}
	size := 64
	for size < 2*len(values) {
		size *= 2
	}
	x.ints = make([]intSlot, size)
	for i, v := range values {
		at := x.home(v)
		for x.ints[at].number != 0 {
			at = (at + 1) & (len(x.ints) - 1)
		}
		x.ints[at] = intSlot{v, numbers[i]}
	}
	return x
}

// indexNear fills near, from the least of the values on.
func (x *accountIndex) indexNear(low int64, span uint64, values []int64, numbers []int32) {
	x.first, x.near, x.ranked = low, make([]bitRun, span/64+1), make([]int32, len(values))
	for _, v := range values {
		at := uint64(v) - uint64(low)
		x.near[at/64].bits |= 1 << (at % 64)
	}
	before := int32(0)
	for i := range x.near {
		x.near[i].before = before
		before += int32(bits.OnesCount64(x.near[i].bits))
	}
	for i, v := range values {
		at := uint64(v) - uint64(low)
		run := &x.near[at/64]
		x.ranked[run.rank(at%64)] = numbers[i] - 1
	}
}

// rank returns how many bits are set before a bit.
func (r *bitRun) rank(bit uint64) int32 {
	return r.before + int32(bits.OnesCount64(r.bits&(1<<bit-1)))
}

// home returns the slot at which the search for an integer begins: the upper
// bits of a multiple by 2^64 / golden ratio.
func (x *accountIndex) home(v int64) int {
	return int(uint64(v)*0x9E3779B97F4A7C15>>20) & (len(x.ints) - 1)
}

// integer returns the number of an account, or -1.
func (x *accountIndex) integer(v int64) int32 {
	if x.near != nil {
		at := uint64(v) - uint64(x.first)
		if at/64 >= uint64(len(x.near)) {
			return -1
		}
		run, bit := &x.near[at/64], at%64
		if run.bits>>bit&1 == 0 {
			return -1
		}
		return x.ranked[run.rank(bit)]
	}
	for at := x.home(v); ; at = (at + 1) & (len(x.ints) - 1) {
		s := x.ints[at]
		if s.number == 0 || s.id == v {
			return s.number - 1
		}
	}
}

// text returns the number of an account, or -1.
func (x *accountIndex) text(id string) int32 {
	texts := x.texts()
	return texts.search([]byte(id), texts.hash(id))
}

// numbers appends the account number of every value of a column: -1 for a
// missing id, and what unknown says for one that no account has.
func (x *accountIndex) numbers(dst []int32, c *Column, unknown func(id string) int32) []int32 {
	for i := range c.Len() {
		if c.Missing(i) {
			dst = append(dst, -1)
			continue
		}
		var n int32
		switch c.Kind {
		case Int:
			n = x.integer(c.Ints[i])
		case Text:
			n = x.text(c.Dict[c.Codes[i]])
		default:
			n = x.text(c.format(i))
		}
		if n < 0 {
			n = unknown(c.format(i))
		}
		dst = append(dst, n)
	}
	return dst
}

// ofTexts is numbers for ids that are texts.
func (x *accountIndex) ofTexts(dst []int32, ids [][]byte, unknown func(id string) int32) []int32 {
	first := len(dst)
	dst = x.texts().find(dst, ids)
	for i, n := range dst[first:] {
		if n < 0 {
			dst[first+i] = unknown(string(ids[i]))
		}
	}
	return dst
}
