// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
)

// Write writes a table to a file in the format of its extension: .parquet,
// .csv or .jsonl. The same table always gives the same bytes. A reader of the
// path sees either the old file or the whole new one. (.arrow files are
// written by data/ipc.)
func Write(fsys FS, path string, t *Table) error {
	format, err := formatOf(path)
	if err != nil {
		return err
	}
	return WriteFile(fsys, path, func(w io.Writer) error { return WriteTo(w, format, t) })
}

// WriteTo writes a table in the given format: "parquet", "csv" or "jsonl".
func WriteTo(w io.Writer, format string, t *Table) error {
	out, err := NewTableWriter(w, format)
	if err != nil {
		return err
	}
	if p, ok := out.(*ParquetWriter); ok {
		p.Microseconds = !anyNanos(t)
	}
	if err := out.Append(t); err != nil {
		return err
	}
	return out.Close()
}

// formatOf returns the format that a path's extension names.
func formatOf(path string) (string, error) {
	switch extension := strings.ToLower(filepath.Ext(path)); extension {
	case ".parquet", ".csv", ".jsonl":
		return extension[1:], nil
	default:
		return "", fmt.Errorf("%s: unknown extension %q; use .parquet, .csv, .jsonl or .arrow", path, extension)
	}
}

// WriteBytes replaces the file at path by the given bytes, as WriteFile does.
func WriteBytes(fsys FS, path string, b []byte) error {
	return WriteFile(fsys, path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// WriteFile replaces the file at path by what write writes: into a temporary
// file in the same folder, which is synced, renamed onto path and made durable
// by syncing the folder. A reader sees either the old file or the whole new
// one. On an error the temporary file is removed and the old file is untouched,
// unless only the last sync failed, when the new one is in place but a power
// cut may still undo the rename.
func WriteFile(fsys FS, path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	count := &counter{}
	defer func() {
		if err != nil {
			err = explainWrite(err, path, folder, count.n)
		}
	}()
	temp, err := fsys.CreateTemp(path)
	if err != nil {
		return err
	}
	done := false
	defer func() { // also when write panics
		if !done {
			temp.Close() // a second Close only repeats an error
			fsys.Remove(temp.Name())
		}
	}()
	count.w = temp
	b := bufio.NewWriterSize(count, 256<<10)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := fsys.Rename(temp.Name(), path); err != nil {
		return err
	}
	done = true
	return fsys.SyncDir(folder)
}

// counter counts the bytes that reached w.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// explainWrite adds to an error of WriteFile what was being written and, where
// the user can mend it, how.
func explainWrite(err error, path, folder string, written int64) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("writing %s: the disk is full after %s bytes; make room in %s: %w",
			path, grouped(written), folder, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("writing %s: no permission to write in the folder %s: %w", path, folder, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("writing %s: the folder %s does not exist: %w", path, folder, err)
	}
	return fmt.Errorf("writing %s: %w", path, err)
}
