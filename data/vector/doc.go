// SPDX-License-Identifier: Apache-2.0

// Package vector says which vector instructions there are, for the packages
// that have kernels in assembly. It stands where all of them may import it.
package vector

// A Set is an instruction set, each one including those before.
type Set int

// The sets for which there are kernels.
const (
	Portable Set = iota // none: the definitions in Go run
	AVX2                // AVX2 and FMA
	AVX512              // AVX-512 F and DQ
)

// String names the set.
func (s Set) String() string { return [...]string{"portable", "AVX2", "AVX-512"}[s] }
