// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// A store holds the records of one source, divided by ranges of accounts into
// parts that are later read one at a time. Records of a part lie in blocks in
// memory, in the order in which they came, or in the scratch file.
type store struct {
	stride int // words of a record
	shift  int // account >> shift is its part
	budget *budget
	parts  []storePart
}

type storePart struct {
	mu      sync.Mutex
	blocks  [][]uint64
	spilled []extent
}

// An extent is a run of records in the scratch file.
type extent struct {
	at    int64
	words int
}

const (
	maxParts     = 256
	maxLocal     = 1 << 16 // accounts in a part, bound by the bits of a record
	blockRecords = 1024    // 16 KiB of the shortest records
	firstRecords = 32      // so that many small parts take little
	spillBytes   = 1 << 20 // written at a time
)

// partShift returns by how much account numbers are shifted to give at most
// maxParts parts, or more where a part would hold over maxLocal accounts.
func partShift(accounts int) int {
	shift := 0
	for (accounts-1)>>shift >= maxParts && 1<<(shift+1) <= maxLocal {
		shift++
	}
	return shift
}

func partCount(accounts, shift int) int { return max(1, (accounts+1<<shift-1)>>shift) }

func newStore(accounts, stride int, b *budget) *store {
	shift := partShift(accounts)
	return &store{stride: stride, shift: shift, budget: b, parts: make([]storePart, partCount(accounts, shift))}
}

// A storeWriter is one worker's way into a store: a block per part that only
// it fills.
type storeWriter struct {
	*store
	open  []openBlock
	bytes []byte
	err   error // the first of writing blocks out
}

// An openBlock is a block that is being filled: n of its words are taken. Its
// length is counted apart, since moving the end of a slice that the collector
// knows of costs more than writing a record.
type openBlock struct {
	words []uint64
	n     int
}

func (s *store) writer() *storeWriter {
	return &storeWriter{store: s, open: make([]openBlock, len(s.parts))}
}

// record returns room for one more record of a part. It is called once a row
// and small enough to cost no call; an error waits in err.
func (w *storeWriter) record(part int) []uint64 {
	b := &w.open[part]
	if b.n == len(b.words) {
		w.renew(part)
	}
	n := b.n
	b.n += w.stride
	return b.words[n:b.n]
}

// renew hands over a full block and opens another.
func (w *storeWriter) renew(part int) {
	b := &w.open[part]
	records := firstRecords
	if b.words != nil {
		records = blockRecords
		if err := w.put(part, b.words); err != nil && w.err == nil {
			w.err = err
		}
	}
	size := records * w.stride
	if pooled, ok := w.budget.pool.Get().(*[]uint64); ok && len(*pooled) == size {
		*b = openBlock{words: *pooled}
	} else {
		*b = openBlock{words: make([]uint64, size)}
	}
	w.budget.used.Add(int64(8 * size))
}

// put hands a block to its part, and writes blocks out where memory is short.
func (w *storeWriter) put(part int, b []uint64) error {
	p := &w.parts[part]
	p.mu.Lock()
	p.blocks = append(p.blocks, b)
	p.mu.Unlock()
	if w.budget.over() {
		return w.spill()
	}
	return nil
}

// flush hands over all open blocks.
func (w *storeWriter) flush() error {
	if w.err != nil {
		return w.err
	}
	for part, b := range w.open {
		if b.n > 0 {
			if err := w.put(part, b.words[:b.n]); err != nil {
				return err
			}
		}
		w.open[part] = openBlock{}
	}
	return nil
}

// spill writes all blocks of the store's parts to the scratch file.
func (w *storeWriter) spill() error {
	for i := range w.parts {
		p := &w.parts[i]
		p.mu.Lock()
		blocks := p.blocks
		p.blocks = nil
		p.mu.Unlock()
		if err := w.writeOut(p, blocks); err != nil {
			return err
		}
	}
	return nil
}

// writeOut writes blocks of one part as extents of at most spillBytes.
func (w *storeWriter) writeOut(p *storePart, blocks [][]uint64) error {
	for len(blocks) > 0 {
		w.bytes = w.bytes[:0]
		n := 0
		for n < len(blocks) && (n == 0 || len(w.bytes)+8*len(blocks[n]) <= spillBytes) {
			for _, word := range blocks[n] {
				w.bytes = binary.LittleEndian.AppendUint64(w.bytes, word)
			}
			n++
		}
		f, at, err := w.budget.reserve(len(w.bytes))
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(w.bytes, at); err != nil {
			return fmt.Errorf("writing %d bytes that do not fit in memory to disk: %w", len(w.bytes), err)
		}
		p.mu.Lock()
		p.spilled = append(p.spilled, extent{at, len(w.bytes) / 8})
		p.mu.Unlock()
		for _, b := range blocks[:n] {
			w.budget.used.Add(-int64(8 * cap(b)))
			if cap(b) == blockRecords*w.stride {
				b = b[:cap(b)]
				w.budget.pool.Put(&b)
			}
		}
		blocks = blocks[n:]
	}
	return nil
}

// readPart hands the records of a part to each in runs, in no special order.
// buffer is reused for those on disk.
func (s *store) readPart(part int, buffer []byte, each func(words []uint64)) ([]byte, error) {
	p := &s.parts[part]
	for _, b := range p.blocks {
		each(b)
	}
	var words []uint64
	for _, e := range p.spilled {
		buffer = resize(buffer, 8*e.words)
		if _, err := s.budget.file.ReadAt(buffer, e.at); err != nil {
			return buffer, fmt.Errorf("reading back what did not fit in memory: %w", err)
		}
		words = resize(words, e.words)
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(buffer[8*i:])
		}
		each(words)
	}
	return buffer, nil
}

// replace puts other records in the place of a part's. What the old ones take
// in the scratch file is lost until it is closed.
func (s *store) replace(part int, words []uint64) error {
	p := &s.parts[part]
	onDisk := len(p.spilled) > 0
	for _, b := range p.blocks {
		s.budget.used.Add(-int64(8 * cap(b)))
	}
	p.blocks, p.spilled = nil, nil
	if len(words) == 0 {
		return nil
	}
	block := append(make([]uint64, 0, len(words)), words...)
	s.budget.used.Add(int64(8 * len(block)))
	if onDisk {
		return s.writer().writeOut(p, [][]uint64{block})
	}
	p.blocks = [][]uint64{block}
	return nil
}
