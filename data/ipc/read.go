// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/holdfast-churn/holdfast/data"
)

// The least bytes of an Arrow file: its magic at both ends, and the length of
// the footer.
const minFileSize = 8 + 4 + 6

// Read reads an Arrow file into a table. Damage gives an error that satisfies
// errors.Is(err, data.ErrBadData).
func Read(fsys data.FS, path string) (t *data.Table, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size < minFileSize {
		return nil, badFile(path, fmt.Errorf("%d bytes, not an Arrow file: the least is %d", size, minFileSize))
	}
	r := io.NewSectionReader(f, 0, size)
	if err := checkFile(r, path, size); err != nil {
		return nil, err
	}
	return readBatches(r, path, size)
}

// checkFile looks at both ends of a file and at its footer.
func checkFile(r io.ReaderAt, path string, size int64) error {
	var head [6]byte
	var tail [10]byte // the length of the footer, then the magic again
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if _, err := r.ReadAt(tail[:], size-10); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	switch {
	case string(head[:]) != string(ipc.Magic):
		return badFile(path, fmt.Errorf("starts with %q, not ARROW1: not an Arrow file", head[:]))
	case string(tail[4:]) != string(ipc.Magic):
		return badFile(path, errors.New(
			"the footer is missing: the file does not end in ARROW1; it is cut off or still being written"))
	}
	length := int64(binary.LittleEndian.Uint32(tail[:4]))
	if length > size-minFileSize {
		return badFile(path, fmt.Errorf("the footer claims %d bytes, the file has %d", length, size))
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-10-length); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if err := checkFooter(footer); err != nil {
		return badFile(path, err)
	}
	return nil
}

func badFile(path string, err error) error { return &data.FileError{File: path, Err: err} }

// readBatches reads all record batches. The library checks little and panics
// on much, always in this goroutine.
func readBatches(f *io.SectionReader, path string, size int64) (t *data.Table, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, badFile(path, fmt.Errorf("is damaged: decoding it stopped with %q", fmt.Sprint(r)))
		}
	}()
	r, err := ipc.NewFileReader(f, ipc.WithAllocator(newBudget(size)))
	if err != nil {
		return nil, badFile(path, err)
	}
	defer r.Close()
	columns := newColumns(r.Schema())
	rows := 0
	for i := range r.NumRecords() {
		batch, err := r.RecordAt(i)
		if err != nil {
			return nil, badFile(path, err)
		}
		for k := range columns {
			err := columns[k].append(batch)
			var row *rowError
			if errors.As(err, &row) {
				return nil, &data.RowError{
					Table: path, Row: rows + row.row + 1, Column: columns[k].Name, Problem: row.problem}
			}
			if err != nil {
				return nil, badFile(path, fmt.Errorf("column %q: %w", columns[k].Name, err))
			}
		}
		rows += int(batch.NumRows())
		batch.Release()
	}
	t = &data.Table{Name: path, Rows: rows}
	for k := range columns {
		t.Columns = append(t.Columns, columns[k].Column)
	}
	return t, nil
}

// A budget is an allocator that refuses what a file of its size cannot need:
// the library allocates the lengths that a file declares before it looks
// whether they are there. Compressed buffers may grow 64-fold.
type budget struct {
	memory.Allocator
	left int64
}

func newBudget(size int64) *budget {
	const fixed, growth = 64 << 20, 64
	return &budget{memory.NewGoAllocator(), fixed + growth*size}
}

func (b *budget) take(size int) {
	if b.left -= int64(size); size < 0 || b.left < 0 {
		panic("lengths that the file cannot hold")
	}
}

// Allocate returns size bytes or panics.
func (b *budget) Allocate(size int) []byte {
	b.take(size)
	return b.Allocator.Allocate(size)
}

// Reallocate returns size bytes that begin with old or panics.
func (b *budget) Reallocate(size int, old []byte) []byte {
	b.take(size - min(size, len(old)))
	return b.Allocator.Reallocate(size, old)
}
