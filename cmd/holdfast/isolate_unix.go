// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import "syscall"

// limitMemory bounds the memory that this process may write to. (A bound of its
// address space would count what the runtime reserves and never touches.) The
// program itself, its threads and the granularity of the heap, which grows by
// 64 MB, come on top.
func limitMemory(bytes int64) error {
	const own = 192 << 20
	limit := syscall.Rlimit{Cur: uint64(bytes + own), Max: uint64(bytes + own)}
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
}
