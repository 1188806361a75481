// SPDX-License-Identifier: Apache-2.0

package data

import (
	"io"
	"io/fs"
)

// FS is the file system that everything Holdfast reads and writes goes
// through. Disk is the real one; tests put an error-injecting one in its place.
type FS interface {
	// Open opens a file for reading at any offset.
	Open(name string) (File, error)
	// CreateTemp creates a new file beside name, to be renamed onto it.
	CreateTemp(name string) (TempFile, error)
	// Rename replaces newName by oldName in one step.
	Rename(oldName, newName string) error
	// Exchange swaps two folders in one step. The error is errors.ErrUnsupported
	// where the system cannot.
	Exchange(a, b string) error
	// Remove deletes a file or an empty folder.
	Remove(name string) error
	// MkdirAll creates a folder and its parents.
	MkdirAll(name string) error
	// SyncDir makes a rename inside the folder durable.
	SyncDir(name string) error
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Scratch creates a file for what does not fit in memory, in the system's
	// folder for temporary files.
	Scratch() (ScratchFile, error)
	// Lock takes the lock of a file, which it makes where it is missing. The
	// error is ErrLocked where another has it.
	Lock(name string) (LockFile, error)
	// Stat describes a file or folder.
	Stat(name string) (fs.FileInfo, error)
}

// A File is open for reading.
type File interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// A TempFile is being written and not yet visible under its final name.
type TempFile interface {
	io.Writer
	io.Closer
	Name() string
	Sync() error
}
