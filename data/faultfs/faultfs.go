// SPDX-License-Identifier: Apache-2.0

package faultfs

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/holdfast-churn/holdfast/data"
)

// ErrKilled is the error of every change after a process has been killed.
var ErrKilled = errors.New("killed")

// An FS is another file system that fails at some change: a call that makes,
// writes, syncs, renames, exchanges or removes a file or folder. Reading never
// fails. It may be used by several goroutines.
type FS struct {
	data.FS
	// At is the change that fails, counted from 1; 0 for none.
	At int
	// Err is the error of that call alone, such as syscall.EIO. If nil, the
	// process is killed there: this change and all later ones fail with
	// ErrKilled. A write that fails has written its first half.
	Err error
	// Kill ends the process at that call by SIGKILL instead.
	Kill bool
	// Room is the number of bytes after which the disk is full; 0 for no bound.
	Room int64

	mu      sync.Mutex
	calls   int
	written int64
}

// Calls is how many changes there were.
func (f *FS) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// change counts a change and returns the error it fails with.
func (f *FS) change() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	switch {
	case f.At == 0 || f.calls < f.At:
		return nil
	case f.Err != nil && f.calls == f.At:
		return f.Err
	case f.Err != nil:
		return nil
	case f.Kill:
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			_ = p.Kill()
		}
		select {} // until the signal arrives
	}
	return ErrKilled
}

// take returns how many of n bytes the disk still has room for.
func (f *FS) take(n int) int {
	if f.Room == 0 {
		return n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n = int(min(int64(n), f.Room-f.written))
	f.written += int64(n)
	return n
}

func (f *FS) CreateTemp(name string) (data.TempFile, error) {
	if err := f.change(); err != nil {
		return nil, err
	}
	t, err := f.FS.CreateTemp(name)
	if err != nil {
		return nil, err
	}
	return temp{t, f}, nil
}

func (f *FS) Rename(a, b string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Rename(a, b)
}

func (f *FS) Exchange(a, b string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Exchange(a, b)
}

func (f *FS) Remove(name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *FS) MkdirAll(name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.MkdirAll(name)
}

func (f *FS) SyncDir(name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

type temp struct {
	data.TempFile
	fs *FS
}

func (t temp) Write(b []byte) (int, error) {
	if err := t.fs.change(); err != nil {
		n, _ := t.TempFile.Write(b[:len(b)/2])
		return n, err
	}
	if room := t.fs.take(len(b)); room < len(b) {
		n, _ := t.TempFile.Write(b[:room])
		return n, syscall.ENOSPC
	}
	return t.TempFile.Write(b)
}

func (t temp) Sync() error {
	if err := t.fs.change(); err != nil {
		return err
	}
	return t.TempFile.Sync()
}
