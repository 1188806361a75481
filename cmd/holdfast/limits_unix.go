// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import "syscall"

// limitMemory bounds the memory that this process may write to. (A bound of its
// address space would count what the runtime reserves and never touches.) ownMemory comes on top.
func limitMemory(bytes int64) error {
	limit := syscall.Rlimit{Cur: uint64(bytes + ownMemory), Max: uint64(bytes + ownMemory)}
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
}

// memoryLimit returns the bytes of memory that this process may write to
// (ulimit -d), or of its address space (ulimit -v) where those are fewer; 0
// where it may have all.
func memoryLimit() int64 {
	var least int64
	for _, which := range []int{syscall.RLIMIT_DATA, syscall.RLIMIT_AS} {
		var limit syscall.Rlimit
		if syscall.Getrlimit(which, &limit) == nil && limit.Cur < 1<<60 && (least == 0 || int64(limit.Cur) < least) {
			least = int64(limit.Cur)
		}
	}
	return least
}
