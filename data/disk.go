// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Disk is the file system of the operating system.
type Disk struct{}

var _ FS = Disk{}

// Open opens a file for reading.
func (Disk) Open(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err // not f: a nil *os.File would be a File that is not nil
	}
	return f, nil
}

// CreateTemp creates ".base.tmp-pid-n" in the folder of name, with the
// permissions that a new file gets. A leading dot and the lack of the final
// extension keep it out of every glob. The name needs no randomness: O_EXCL
// makes a second process or a leftover step on to the next n.
func (Disk) CreateTemp(name string) (TempFile, error) {
	dir, base := filepath.Split(name)
	for n := 0; ; n++ {
		temp := filepath.Join(dir, fmt.Sprintf(".%s.tmp-%d-%d", base, os.Getpid(), n))
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return f, nil
	}
}

// Rename replaces newName by oldName.
func (Disk) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove deletes a file or an empty folder.
func (Disk) Remove(name string) error { return os.Remove(name) }

// MkdirAll creates a folder and its parents.
func (Disk) MkdirAll(name string) error { return os.MkdirAll(name, 0o777) }

// SyncDir flushes a folder, so that a rename inside it survives a crash. Where
// the system cannot flush a folder, as Windows and some network file systems
// cannot, there is nothing to wait for.
func (Disk) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	if name == "" {
		name = "."
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// ReadDir lists a folder, sorted by name.
func (Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "" {
		name = "."
	}
	return os.ReadDir(name)
}

// Stat describes a file or folder.
func (Disk) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Scratch creates a file without a name in the system's folder for temporary
// files: it is unlinked while it is open, so that the system frees it when the
// process ends, even by a kill. Where an open file cannot be unlinked, closing
// it does so.
func (Disk) Scratch() (ScratchFile, error) {
	f, err := os.CreateTemp("", "holdfast-scratch-*")
	if err != nil {
		return nil, err
	}
	if os.Remove(f.Name()) == nil {
		return f, nil
	}
	return namedScratch{f}, nil
}

// A namedScratch is removed when it is closed.
type namedScratch struct{ *os.File }

func (f namedScratch) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }
