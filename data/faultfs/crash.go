// SPDX-License-Identifier: Apache-2.0

package faultfs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// A Crash is a file system in memory that knows what would survive a loss of
// power: of a file the bytes at its last sync, of a folder the names at its
// last SyncDir. Lost gives what is there after one. It may be used by several
// goroutines; scratch files lie on the real disk.
type Crash struct {
	mu    sync.Mutex
	root  *node
	temps int
	locks map[string]bool
}

// A node is a file or a folder: as programs see it, and as it would be found.
type node struct {
	folder         bool
	bytes, synced  []byte
	names, durable map[string]*node
}

func newFolder() *node {
	return &node{folder: true, names: map[string]*node{}, durable: map[string]*node{}}
}

// NewCrash returns an empty file system.
func NewCrash() *Crash { return &Crash{root: newFolder(), locks: map[string]bool{}} }

// Survival says which of the changes that were never synced a loss of power
// leaves.
type Survival int

const (
	// Nothing: names and bytes are those of the last sync.
	Nothing Survival = iota
	// Names: renames reached the disk and the bytes of their files did not, as
	// on file systems that write names first.
	Names
	// Some and all above: each name that was never synced is as before or as
	// after by chance, Some+k being the kth draw. Not for exchanges, of which
	// either both names change or none.
	Some
)

// Lost returns a new file system with what is left once the power is lost now.
func (c *Crash) Lost(s Survival) *Crash {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Crash{root: c.root.lost(s), temps: c.temps, locks: map[string]bool{}}
}

func (n *node) lost(s Survival) *node {
	if !n.folder {
		b := bytes.Clone(n.synced)
		return &node{bytes: b, synced: b}
	}
	out := newFolder()
	for name := range n.durable {
		if child := n.survivor(s, name); child != nil {
			out.names[name] = child.lost(s)
		}
	}
	for name := range n.names {
		if child := n.survivor(s, name); child != nil && out.names[name] == nil {
			out.names[name] = child.lost(s)
		}
	}
	maps.Copy(out.durable, out.names)
	return out
}

// survivor returns what a name of a folder means after a loss of power.
func (n *node) survivor(s Survival, name string) *node {
	after := s == Names
	if s >= Some {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", s, name)
		after = h.Sum64()>>40&1 == 1
	}
	if after {
		return n.names[name]
	}
	return n.durable[name]
}

// Import copies a folder of the real disk, as if it had been synced.
func (c *Crash) Import(dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return errors.Join(err, c.MkdirAll(name), c.syncAll(name))
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parent, base, err := c.parent("import", name)
		if err != nil {
			return err
		}
		f := &node{bytes: b, synced: b}
		parent.names[base], parent.durable[base] = f, f
		return nil
	})
}

// syncAll makes a folder and those above it durable.
func (c *Crash) syncAll(name string) error {
	for ; ; name = filepath.Dir(name) {
		if err := c.SyncDir(name); err != nil || name == filepath.Dir(name) {
			return err
		}
	}
}

func parts(name string) []string {
	return slices.DeleteFunc(strings.Split(filepath.ToSlash(filepath.Clean(name)), "/"), func(s string) bool { return s == "" || s == "." })
}

// find returns the node of a path. The lock must be held.
func (c *Crash) find(op, name string) (*node, error) {
	n := c.root
	for _, part := range parts(name) {
		next := n.names[part]
		if next == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		n = next
	}
	return n, nil
}

// parent returns the folder that a path lies in, and its name there.
func (c *Crash) parent(op, name string) (*node, string, error) {
	p := parts(name)
	if len(p) == 0 {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := c.find(op, strings.Join(p[:len(p)-1], "/"))
	if err == nil && !n.folder {
		err = &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
	}
	return n, p[len(p)-1], err
}

func (c *Crash) Open(name string) (data.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find("open", name)
	if err != nil {
		return nil, err
	}
	return openFile{bytes.NewReader(n.bytes), info{filepath.Base(name), n}}, nil
}

type openFile struct {
	*bytes.Reader
	info info
}

func (openFile) Close() error                 { return nil }
func (f openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type info struct {
	name string
	node *node
}

func (i info) Name() string { return i.name }
func (i info) Size() int64  { return int64(len(i.node.bytes)) }
func (i info) IsDir() bool  { return i.node.folder }
func (info) ModTime() time.Time {
	return time.Time{}
}
func (info) Sys() any { return nil }
func (i info) Mode() fs.FileMode {
	if i.node.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

func (c *Crash) CreateTemp(name string) (data.TempFile, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	parent, base, err := c.parent("create", name)
	if err != nil {
		return nil, err
	}
	c.temps++
	base = fmt.Sprintf(".%s.tmp-%d", base, c.temps)
	parent.names[base] = &node{}
	return &tempFile{c, filepath.Join(filepath.Dir(name), base), parent.names[base]}, nil
}

type tempFile struct {
	fs   *Crash
	name string
	node *node
}

func (t *tempFile) Name() string { return t.name }
func (t *tempFile) Close() error { return nil }

func (t *tempFile) Write(b []byte) (int, error) {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	t.node.bytes = append(slices.Clip(t.node.bytes), b...)
	return len(b), nil
}

func (t *tempFile) Sync() error {
	t.fs.mu.Lock()
	defer t.fs.mu.Unlock()
	t.node.synced = t.node.bytes
	return nil
}

func (c *Crash) Rename(oldName, newName string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, a, err := c.parent("rename", oldName)
	if err != nil {
		return err
	}
	to, b, err := c.parent("rename", newName)
	if err != nil {
		return err
	}
	n := from.names[a]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	if there := to.names[b]; there != nil && there.folder && len(there.names) > 0 {
		return &fs.PathError{Op: "rename", Path: newName, Err: syscall.ENOTEMPTY}
	}
	delete(from.names, a)
	to.names[b] = n
	return nil
}

func (c *Crash) Exchange(a, b string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, nameX, err := c.parent("exchange", a)
	if err != nil {
		return err
	}
	y, nameY, err := c.parent("exchange", b)
	if err != nil {
		return err
	}
	if x.names[nameX] == nil || y.names[nameY] == nil {
		return &fs.PathError{Op: "exchange", Path: a + ", " + b, Err: fs.ErrNotExist}
	}
	x.names[nameX], y.names[nameY] = y.names[nameY], x.names[nameX]
	return nil
}

func (c *Crash) Remove(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	parent, base, err := c.parent("remove", name)
	if err != nil {
		return err
	}
	n := parent.names[base]
	switch {
	case n == nil:
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	case len(n.names) > 0:
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	delete(parent.names, base)
	return nil
}

func (c *Crash) MkdirAll(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.root
	for _, part := range parts(name) {
		next := n.names[part]
		switch {
		case next == nil:
			next = newFolder()
			n.names[part] = next
		case !next.folder:
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
		n = next
	}
	return nil
}

func (c *Crash) SyncDir(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find("sync", name)
	if err != nil {
		return err
	}
	n.durable = maps.Clone(n.names)
	return nil
}

func (c *Crash) ReadDir(name string) ([]fs.DirEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find("readdir", name)
	if err != nil {
		return nil, err
	}
	out := []fs.DirEntry{}
	for base, child := range n.names {
		out = append(out, fs.FileInfoToDirEntry(info{base, child}))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (c *Crash) Stat(name string) (fs.FileInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{filepath.Base(name), n}, nil
}

func (c *Crash) Scratch() (data.ScratchFile, error) { return data.Disk{}.Scratch() }

// Lock takes a lock that ends with the file system: no process outlives it.
func (c *Crash) Lock(name string) (data.LockFile, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	parent, base, err := c.parent("lock", name)
	if err != nil {
		return nil, err
	}
	if c.locks[name] {
		return nil, data.ErrLocked
	}
	if parent.names[base] == nil {
		parent.names[base] = &node{}
	}
	c.locks[name] = true
	return &lockFile{c, name, parent.names[base]}, nil
}

type lockFile struct {
	fs   *Crash
	name string
	node *node
}

func (l *lockFile) ReadAt(b []byte, at int64) (int, error) {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	return bytes.NewReader(l.node.bytes).ReadAt(b, at)
}

func (l *lockFile) WriteAt(b []byte, at int64) (int, error) {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if at != int64(len(l.node.bytes)) {
		return 0, io.ErrShortWrite
	}
	l.node.bytes = append(slices.Clip(l.node.bytes), b...)
	return len(b), nil
}

func (l *lockFile) Truncate(size int64) error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	l.node.bytes = slices.Clip(l.node.bytes[:size])
	return nil
}

func (l *lockFile) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locks, l.name)
	return nil
}
