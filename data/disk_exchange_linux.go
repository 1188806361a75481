// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// renameat2 is the number of the system call that the syscall package has no
// function for; 0 where it is not known here.
var renameat2 = map[string]uintptr{"amd64": 316, "arm64": 276}[runtime.GOARCH]

// Exchange swaps two folders in one step.
func (Disk) Exchange(a, b string) error {
	if renameat2 == 0 {
		return errors.ErrUnsupported
	}
	const (
		inWorkingFolder = ^uintptr(99) // AT_FDCWD, -100
		exchange        = 2            // RENAME_EXCHANGE
	)
	p, err := syscall.BytePtrFromString(a)
	if err != nil {
		return err
	}
	q, err := syscall.BytePtrFromString(b)
	if err != nil {
		return err
	}
	_, _, errno := syscall.Syscall6(renameat2, inWorkingFolder, uintptr(unsafe.Pointer(p)), inWorkingFolder, uintptr(unsafe.Pointer(q)), exchange, 0)
	switch errno {
	case 0:
		return nil
	case syscall.ENOSYS, syscall.EINVAL, syscall.ENOTSUP:
		return errors.ErrUnsupported // an old kernel, or a file system that cannot
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: errno}
}
