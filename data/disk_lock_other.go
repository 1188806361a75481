// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package data

import (
	"errors"
	"os"
)

// Lock says that this system has no locks that end with their process, so that
// nothing can be published on it yet. Models can be read and applied.
func (Disk) Lock(name string) (LockFile, error) {
	return nil, &os.PathError{Op: "lock", Path: name, Err: errors.ErrUnsupported}
}
