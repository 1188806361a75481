// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
)

// number returns the number of an account in the whole history, of which h may hold
// a few accounts.
func (h *History) number(account int32) uint64 {
	if h.numbers == nil {
		return uint64(account)
	}
	return h.numbers[account]
}

// An EventDigest identifies the events of a source: how many were kept, and the sum of the
// digests of rows.
type EventDigest struct {
	Rows int       `json:"rows"`
	Sum  [2]uint64 `json:"sum"`
}

// Digests returns those of the sources. Digests of histories that hold some accounts
// each of a larger one add up to those of the larger one; see Union.
func (h *History) Digests() []EventDigest {
	d := make([]EventDigest, len(h.Sources))
	for i := range h.Sources {
		d[i] = EventDigest{h.Sources[i].Rows, h.Sources[i].digest}
	}
	return d
}

// Add adds the digest of events of other accounts.
func (d *EventDigest) Add(more EventDigest) {
	d.Rows += more.Rows
	d.Sum[0] += more.Sum[0] // modulo 2^64
	d.Sum[1] += more.Sum[1]
}

// SetDigests makes the fingerprint of a history that holds no events that of one
// whose events have these digests.
func (h *History) SetDigests(d []EventDigest) error {
	if len(d) != len(h.Sources) {
		return fmt.Errorf("the digests of %d sources for a history of %d", len(d), len(h.Sources))
	}
	for i := range d {
		h.Sources[i].Rows, h.Sources[i].digest = d[i].Rows, d[i].Sum
	}
	return nil
}

// numbersOf returns for each id its number among all ids, distinct and sorted.
func numbersOf(ids *Column) []uint64 {
	all := make([]string, ids.Len())
	for i := range all {
		all[i] = ids.Text(i)
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	numbers := make([]uint64, len(all))
	for i, id := range all {
		at, _ := slices.BinarySearch(sorted, id)
		numbers[i] = uint64(at)
	}
	return numbers
}
