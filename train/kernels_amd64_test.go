// SPDX-License-Identifier: Apache-2.0

package train

import (
	"iter"
	"testing"

	"github.com/holdfast-churn/holdfast/data/vector"
)

// everySet makes each instruction set that this machine has the current one in
// turn, and restores the best at the end.
func everySet(t testing.TB) iter.Seq[vector.Set] {
	best := simd
	return func(yield func(vector.Set) bool) {
		defer func() { simd = best }()
		for set := vector.Portable; set <= best; set++ {
			simd = set
			if !yield(set) {
				return
			}
		}
		if best < vector.AVX512 {
			t.Logf("this machine runs %d of %d instruction sets", best+1, vector.AVX512+1)
		}
	}
}

// withoutAVX512 makes AVX2 the best set for the rest of the process.
func withoutAVX512() { simd = min(simd, vector.AVX2) }
