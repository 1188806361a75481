// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// A ScratchFile holds what does not fit in memory. It has no name that others
// could see and is gone when it is closed or its process ends, however it ends.
type ScratchFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// A budget bounds the memory that the records of all sources take together.
// Past it, blocks go to one scratch file.
type budget struct {
	fsys  FS
	limit int64        // bytes; 0 for no limit
	used  atomic.Int64 // bytes of all blocks, those in the pool aside
	pool  sync.Pool    // of full-size blocks

	maxOdd int // values in the table of odd ones of a source; 0 for no limit

	mu     sync.Mutex
	file   ScratchFile // stays when it is closed: reading it says so
	closed bool
	length int64
}

// over reports whether blocks must be written out.
func (b *budget) over() bool { return b.limit > 0 && b.used.Load() > b.limit }

// reserve returns a place for n bytes in the scratch file, which it opens if
// need be.
func (b *budget) reserve(n int) (ScratchFile, int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		f, err := b.fsys.Scratch()
		if err != nil {
			return nil, 0, fmt.Errorf("making room on disk for what does not fit in memory: %w", err)
		}
		b.file = f
	}
	at := b.length
	b.length += int64(n)
	return b.file, at, nil
}

// A budgetMark is what had been taken of a budget at some time.
type budgetMark struct{ used, length int64 }

func (b *budget) mark() budgetMark { return budgetMark{b.used.Load(), b.length} }

// back gives back what has been taken since the mark. Nobody may use it any
// more, nor take any meanwhile.
func (b *budget) back(m budgetMark) {
	b.used.Store(m.used)
	b.length = m.length
}

// close closes the scratch file, once.
func (b *budget) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil || b.closed {
		return nil
	}
	b.closed = true
	return b.file.Close()
}
