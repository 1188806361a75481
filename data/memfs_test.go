// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing/fstest"
	"time"
)

// memFS is a file system in memory. before runs ahead of each call, with its
// name and file; an error of it is that of the call.
type memFS struct {
	files  map[string][]byte
	before func(call, name string) error
}

func newMemFS() *memFS { return &memFS{files: map[string][]byte{}} }

func (m *memFS) fail(call, name string) error {
	if m.before == nil {
		return nil
	}
	if err := m.before(call, name); err != nil {
		return &fs.PathError{Op: call, Path: name, Err: err}
	}
	return nil
}

func (m *memFS) Open(name string) (File, error) {
	if err := m.fail("open", name); err != nil {
		return nil, err
	}
	b, ok := m.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{Reader: bytes.NewReader(b), fs: m, name: name}, nil
}

func (m *memFS) CreateTemp(name string) (TempFile, error) {
	if err := m.fail("create", name); err != nil {
		return nil, err
	}
	temp := fmt.Sprintf("%s.tmp-%d", name, len(m.files))
	m.files[temp] = nil
	return &memTemp{fs: m, name: temp}, nil
}

func (m *memFS) Rename(oldName, newName string) error {
	if err := m.fail("rename", newName); err != nil {
		return err
	}
	m.files[newName] = m.files[oldName]
	delete(m.files, oldName)
	return nil
}

func (m *memFS) Remove(name string) error {
	delete(m.files, name)
	return m.fail("remove", name)
}

func (m *memFS) MkdirAll(name string) error { return m.fail("mkdir", name) }

func (m *memFS) SyncDir(name string) error { return m.fail("syncdir", name) }

func (m *memFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := m.fail("readdir", name); err != nil {
		return nil, err
	}
	return fs.ReadDir(m.mapFS(), cmp.Or(strings.TrimSuffix(name, "/"), "."))
}

func (m *memFS) Stat(name string) (fs.FileInfo, error) {
	if err := m.fail("stat", name); err != nil {
		return nil, err
	}
	return fs.Stat(m.mapFS(), strings.TrimSuffix(name, "/"))
}

func (m *memFS) mapFS() fstest.MapFS {
	out := fstest.MapFS{}
	for name, b := range m.files {
		out[name] = &fstest.MapFile{Data: b, Mode: 0o644}
	}
	return out
}

// names lists the files, sorted.
func (m *memFS) names() []string {
	var out []string
	for name := range m.files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

type memFile struct {
	*bytes.Reader
	fs   *memFS
	name string
}

func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	if err := f.fs.fail("read", f.name); err != nil {
		return 0, err
	}
	return f.Reader.ReadAt(b, at)
}

func (f *memFile) Close() error { return f.fs.fail("close", f.name) }

func (f *memFile) Stat() (fs.FileInfo, error) { return memInfo{f.name, f.Reader.Size()}, nil }

type memInfo struct {
	name string
	size int64
}

func (i memInfo) Name() string     { return i.name }
func (i memInfo) Size() int64      { return i.size }
func (memInfo) Mode() fs.FileMode  { return 0o644 }
func (memInfo) ModTime() time.Time { return time.Time{} }
func (memInfo) IsDir() bool        { return false }
func (memInfo) Sys() any           { return nil }

type memTemp struct {
	fs   *memFS
	name string
}

func (t *memTemp) Write(b []byte) (int, error) {
	if err := t.fs.fail("write", t.name); err != nil {
		return 0, err
	}
	t.fs.files[t.name] = append(t.fs.files[t.name], b...)
	return len(b), nil
}

func (t *memTemp) Close() error { return t.fs.fail("close", t.name) }
func (t *memTemp) Name() string { return t.name }
func (t *memTemp) Sync() error  { return t.fs.fail("sync", t.name) }

// Scratch gives a file of the disk: nothing of it is ever seen in the file
// system.
func (m *memFS) Scratch() (ScratchFile, error) {
	if err := m.fail("scratch", ""); err != nil {
		return nil, err
	}
	return Disk{}.Scratch()
}

// Lock gives a lock that nobody else can have: nothing here runs twice.
func (m *memFS) Lock(name string) (LockFile, error) {
	return nil, m.fail("lock", name)
}

// Exchange says that it cannot: there are no folders here.
func (m *memFS) Exchange(a, b string) error {
	return cmp.Or(m.fail("exchange", b), errors.ErrUnsupported)
}
