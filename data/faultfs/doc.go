// SPDX-License-Identifier: Apache-2.0

// Package faultfs holds file systems that fail, for tests of what is left
// behind:
//
//	FS     fails at the nth call that changes the disk: with an error, as a
//	       process that is killed there, by SIGKILL, or once the disk is full
//	Crash  forgets what was never synced, as a machine that loses power
//
// Every write of Holdfast goes through data.FS, so that a loop over n with FS
// tries every point at which a program can end.
//
//	for n := 1; ; n++ {
//		f := &faultfs.FS{FS: data.Disk{}, At: n}
//		err := publish(f)
//		// the old version is whole, or the new one
//		if f.Calls() < n {
//			break // all points were tried
//		}
//	}
package faultfs
