// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
)

// A Class is what the records of one class have in common.
type Class struct {
	Type   int32  // place in Source.Types, -1 where missing
	Match  uint64 // bit i: they pass filter i of the source
	Rows   int
	Valued int // rows with a value
}

const maxClasses = 1 << 16 // by the bits of a record

// MaxFilters is how many different filters one source may have.
const MaxFilters = 64

// A classTable numbers the classes of one source as they appear. Workers share
// it; each number is asked for once per dictionary.
type classTable struct {
	mu      sync.Mutex
	numbers map[classKey]uint16
	keys    []classKey
	hashes  []uint64
}

type classKey struct {
	kind  string
	none  bool // the type is missing, or an empty text
	match uint64
}

func newClassTable() *classTable { return &classTable{numbers: map[classKey]uint16{}} }

// number returns the number of a class. ok is false where there are too many.
func (t *classTable) number(k classKey) (n uint16, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, known := t.numbers[k]
	if known {
		return n, true
	}
	if len(t.keys) == maxClasses {
		return 0, false
	}
	n = uint16(len(t.keys))
	t.numbers[k] = n
	t.keys = append(t.keys, k)
	t.hashes = append(t.hashes, k.hash())
	return n, true
}

// hash does not depend on the order in which classes appear.
func (k classKey) hash() uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%v %d %s", k.none, k.match, k.kind)
	return h.Sum64()
}

// matched returns the number of a class that also passes the given filters.
func (t *classTable) matched(class uint16, match uint64) (uint16, bool) {
	t.mu.Lock()
	k := t.keys[class]
	t.mu.Unlock()
	k.match = match
	return t.number(k)
}

// len returns how many classes have a number.
func (t *classTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.keys)
}

// hash returns the hash of a class.
func (t *classTable) hash(class uint16) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hashes[class]
}

// settle returns the sorted types that occur in any row, and the classes by
// number with their types among them.
func (t *classTable) settle(counts []classCount) (types []string, classes []Class) {
	for len(counts) < len(t.keys) {
		counts = append(counts, classCount{})
	}
	for n, k := range t.keys {
		if counts[n].rows > 0 && !k.none {
			types = append(types, k.kind)
		}
	}
	slices.Sort(types)
	types = slices.Compact(types)
	for n, k := range t.keys {
		c := Class{Type: -1, Match: k.match, Rows: counts[n].rows, Valued: counts[n].valued}
		if i, ok := slices.BinarySearch(types, k.kind); ok && !k.none {
			c.Type = int32(i)
		}
		classes = append(classes, c)
	}
	return types, classes
}

// Passes reports whether the records of a class are of a type ("" for any) and
// pass a filter ("" for none), by the filter's text.
func (s *Source) Passes(c *Class, kind, filter string) bool {
	if kind != "" && (c.Type < 0 || s.Types[c.Type] != kind) {
		return false
	}
	if filter == "" {
		return true
	}
	i := slices.Index(s.Filters, filter)
	return i >= 0 && c.Match>>i&1 != 0
}

// noID marks a record without an id.
const noID = 0

// idKeys appends a key for each id: integers keep their order, other ids
// become a 64-bit hash of their text. An empty text is no id.
func idKeys(dst []uint64, c *Column) []uint64 {
	for i := range c.Len() {
		switch {
		case c.Missing(i):
			dst = append(dst, noID)
		case c.Kind == Int:
			dst = append(dst, max(uint64(c.Ints[i])^1<<63, noID+1))
		default:
			text := c.format(i)
			if text == "" {
				dst = append(dst, noID)
				continue
			}
			h := fnv.New64a()
			h.Write([]byte(text))
			dst = append(dst, max(mix(h.Sum64(), 0), noID+1))
		}
	}
	return dst
}
