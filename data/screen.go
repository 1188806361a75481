// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// A Reject is a file of a table that cannot be read.
type Reject struct {
	Table   string `json:"table"` // accounts, contracts or the name of an event source
	Path    string `json:"path"`
	Problem string `json:"problem"`
	err     error
}

// ErrorOf returns the error that a file was rejected for.
func (r *Reject) ErrorOf() error { return r.err }

// A ScreenedFile is a file that a project reads, and what of it.
type ScreenedFile struct {
	Table, Path string
	Columns     []string // nil for all that are not nested
}

// ReadWhole decodes the columns of a Parquet file, one column of one row group
// at a time, and keeps nothing: an error says why the file cannot be read.
func ReadWhole(ctx context.Context, fsys FS, path string, columns []string) error {
	s, err := newScan(fsys, path, columns)
	if err != nil {
		return err
	}
	return s.groups(func(f *boundFile, group int) error {
		for i := range f.bindings {
			if err := ctx.Err(); err != nil {
				return err
			}
			b := newBuilder(s.columns[i].name, s.columns[i].kind)
			if err := f.readColumn(group, i, b); err != nil {
				return err
			}
		}
		return nil
	})
}

// Screen reads every file of the declared tables with check, by several workers
// (zero means one), and returns those that it finds bad, in order. How many
// there are in all comes with them. An error that is no fault of the data, and
// a table of which no file can be read, end it.
func Screen(ctx context.Context, fsys FS, s Sources, workers int, check func(ctx context.Context, worker int, f ScreenedFile) error) (bad []Reject, of int, err error) {
	files, err := s.screened(fsys)
	if err != nil {
		return nil, 0, err
	}
	found := make([]error, len(files))
	var next atomic.Int64
	var wg sync.WaitGroup
	for worker := range max(1, min(workers, len(files))) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				found[i] = Caught(func() error { return check(ctx, worker, files[i]) })
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	left := make(map[string]int) // files that can be read, by table
	for i, f := range files {
		switch {
		case found[i] == nil:
			left[f.Table]++
		case !errors.Is(found[i], ErrBadData):
			return nil, 0, fmt.Errorf("%s: %w", f.Table, found[i])
		default:
			bad = append(bad, Reject{f.Table, f.Path, found[i].Error(), found[i]})
		}
	}
	for i := range bad {
		if left[bad[i].Table] == 0 {
			return nil, 0, fmt.Errorf("%s: %w", bad[i].Table, bad[i].err)
		}
	}
	return bad, len(files), nil
}

// screened lists the files of all tables, each once with all columns that are
// read of it.
func (s *Sources) screened(fsys FS) ([]ScreenedFile, error) {
	tables := []ScreenedFile{{"accounts", s.Accounts.Path, s.Accounts.columns()}}
	if s.Contracts != nil {
		tables = append(tables, ScreenedFile{"contracts", s.Contracts.Path, s.Contracts.columns()})
	}
	for i := range s.Events {
		e := &s.Events[i]
		if k := slices.IndexFunc(tables, func(t ScreenedFile) bool { return t.Path == e.Path }); k >= 0 {
			tables[k].Columns = named(append(tables[k].Columns, e.columns()...))
			continue
		}
		tables = append(tables, ScreenedFile{e.Name, e.Path, e.columns()})
	}
	var out []ScreenedFile
	for _, t := range tables {
		files, err := Files(fsys, t.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Table, err)
		}
		for _, name := range files {
			out = append(out, ScreenedFile{t.Table, name, t.Columns})
		}
	}
	return out, nil
}

// Without returns a file system whose folders do not list some files.
func Without(fsys FS, bad []Reject) FS {
	h := hiding{fsys, make(map[string]bool, len(bad))}
	for i := range bad {
		h.files[filepath.Clean(bad[i].Path)] = true
	}
	return h
}

type hiding struct {
	FS
	files map[string]bool
}

func (h hiding) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := h.FS.ReadDir(name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return h.files[filepath.Join(name, e.Name())] }), err
}
