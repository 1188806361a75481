// SPDX-License-Identifier: Apache-2.0

package vector

// cpuid executes CPUID.
//
//go:noescape
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv reads XCR0, which says what registers the system saves.
//
//go:noescape
func xgetbv() (a, d uint32)

// Best returns the best set that this processor and its system can run. It asks
// CPUID for the instructions and XGETBV for the registers that the system saves.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 1, sections 14.3, 14.5 and 15.2.
func Best() Set {
	const (
		fma, osxsave, avx      = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ECX
		leaf7AVX2              = 1 << 5                    // leaf 7, EBX
		leaf7AVX512            = 1<<16 | 1<<17             // F and DQ
		savesAVX, savesAVX512  = 0x06, 0xe6                // XCR0
		basic, features, extra = 0, 1, 7
	)
	if leaves, _, _, _ := cpuid(basic, 0); leaves < extra {
		return Portable
	}
	_, _, c, _ := cpuid(features, 0)
	if c&(fma|osxsave|avx) != fma|osxsave|avx {
		return Portable
	}
	saved, _ := xgetbv()
	_, b, _, _ := cpuid(extra, 0)
	switch {
	case saved&savesAVX != savesAVX || b&leaf7AVX2 == 0:
		return Portable
	case saved&savesAVX512 != savesAVX512 || b&leaf7AVX512 != leaf7AVX512:
		return AVX2
	}
	return AVX512
}
