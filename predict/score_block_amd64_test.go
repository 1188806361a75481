// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"iter"

	"github.com/holdfast-churn/holdfast/data/vector"
)

// everySet makes the definition in Go current, then the best there is.
func everySet() iter.Seq[vector.Set] {
	best := simd
	return func(yield func(vector.Set) bool) {
		defer func() { simd = best }()
		for _, simd = range []vector.Set{vector.Portable, best} {
			if !yield(simd) {
				return
			}
		}
	}
}
