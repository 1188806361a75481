// SPDX-License-Identifier: Apache-2.0

package train

import (
	"iter"
	"testing"
)

// everySet makes each instruction set that this machine has the current one in
// turn, and restores the best at the end.
func everySet(t testing.TB) iter.Seq[instructionSet] {
	best := simd
	return func(yield func(instructionSet) bool) {
		defer func() { simd = best }()
		for set := portable; set <= best; set++ {
			simd = set
			if !yield(set) {
				return
			}
		}
		if best < avx512 {
			t.Logf("this machine runs %d of %d instruction sets", best+1, avx512+1)
		}
	}
}

func (s instructionSet) String() string { return []string{"portable", "AVX2", "AVX-512"}[s] }

// withoutAVX512 makes AVX2 the best set for the rest of the process.
func withoutAVX512() { simd = min(simd, avx2) }
