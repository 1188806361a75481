// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

// limitMemory does nothing where the system has no bound of one process; its
// memory limit is then the collector's alone.
func limitMemory(int64) error { return nil }

// memoryLimit knows of none.
func memoryLimit() int64 { return 0 }
