// SPDX-License-Identifier: Apache-2.0

package data

import "fmt"

// An End says how far the events of a history reach, for those who hold only
// the rows of some of its accounts.
type End struct {
	Newest  int64   `json:"newest"`  // History.Newest
	Sources []int64 `json:"sources"` // Source.Newest, in order
}

// End returns how far a history reaches.
func (h *History) End() End {
	e := End{Newest: h.Newest}
	for i := range h.Sources {
		e.Sources = append(e.Sources, h.Sources[i].Newest)
	}
	return e
}

// SetEnd makes a history that holds some accounts of a larger one end where
// that one does. Outcomes and snapshots then are those of the larger one.
func (h *History) SetEnd(e End) error {
	if len(e.Sources) != len(h.Sources) {
		return fmt.Errorf("the ends of %d sources for a history of %d", len(e.Sources), len(h.Sources))
	}
	h.Newest = e.Newest
	for i := range h.Sources {
		h.Sources[i].Newest = e.Sources[i]
	}
	return nil
}
