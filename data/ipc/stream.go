// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/holdfast-churn/holdfast/data"
)

// A StreamReader reads an Arrow stream batch by batch, so that a stream of any
// length is read in the memory of its longest batch.
type StreamReader struct {
	name    string
	bytes   *endWatch
	reader  *ipc.Reader
	columns []column
	row     int // of the stream, at which the next batch begins
}

// NewStreamReader reads the schema of a stream. name is what errors call it.
func NewStreamReader(r io.Reader, name string) (s *StreamReader, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, badFile(name, fmt.Errorf("is damaged: reading its schema stopped with %q", fmt.Sprint(p)))
		}
	}()
	b := bufio.NewReaderSize(r, 1<<20)
	head, err := b.Peek(8)
	if err != nil {
		return nil, badFile(name, fmt.Errorf("%d bytes, not an Arrow stream", len(head)))
	}
	// What is no stream would be taken for the length of one.
	if length := binary.LittleEndian.Uint32(head[4:]); binary.LittleEndian.Uint32(head) != continuation || length > maxSchemaBytes {
		return nil, badFile(name, fmt.Errorf("starts with %q: not an Arrow stream", head))
	}
	s = &StreamReader{name: name, bytes: &endWatch{r: b}}
	if s.reader, err = ipc.NewReader(s.bytes, ipc.WithAllocator(bounded{memory.NewGoAllocator()})); err != nil {
		return nil, badFile(name, err)
	}
	s.columns = newColumns(s.reader.Schema())
	return s, nil
}

const (
	continuation   = math.MaxUint32 // begins every message of a stream
	maxSchemaBytes = 64 << 20
	maxBatchBytes  = 1 << 31 // and of one buffer of it
)

// A bounded allocator refuses what no batch of a stream needs: the library
// allocates the length that a message declares before it looks whether it is
// there.
type bounded struct{ memory.Allocator }

// Allocate returns size bytes or panics.
func (b bounded) Allocate(size int) []byte {
	if size < 0 || size > maxBatchBytes {
		panic("a batch longer than any")
	}
	return b.Allocator.Allocate(size)
}

// Reallocate returns size bytes that begin with old or panics.
func (b bounded) Reallocate(size int, old []byte) []byte {
	if size < 0 || size > maxBatchBytes {
		panic("a batch longer than any")
	}
	return b.Allocator.Reallocate(size, old)
}

// Metadata returns what the schema says under a key, "" for nothing.
func (s *StreamReader) Metadata(key string) string {
	m := s.reader.Schema().Metadata()
	text, _ := m.GetValue(key)
	return text
}

// Next returns the next batch as a table, nil at the end of the stream. A stream
// that ends without its end mark was cut off, and is refused: the program that
// wrote it may have died.
func (s *StreamReader) Next() (t *data.Table, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, badFile(s.name, fmt.Errorf("is damaged: decoding it stopped with %q", fmt.Sprint(p)))
		}
	}()
	batch, err := s.reader.Read()
	if errors.Is(err, io.EOF) {
		if !s.bytes.ended() {
			return nil, badFile(s.name, fmt.Errorf("is cut off after %d rows: it lacks its end mark", s.row))
		}
		return nil, nil
	}
	if err != nil {
		return nil, badFile(s.name, fmt.Errorf("after %d rows: %w", s.row, err))
	}
	t = &data.Table{Name: s.name, Rows: int(batch.NumRows())}
	for k := range s.columns {
		c := &s.columns[k]
		c.begin(t.Rows)
		err := c.append(batch)
		var row *rowError
		if errors.As(err, &row) {
			return nil, &data.RowError{Table: s.name, Row: s.row + row.row + 1, Column: c.Name, Problem: row.problem}
		}
		if err != nil {
			return nil, badFile(s.name, fmt.Errorf("column %q: %w", c.Name, err))
		}
		t.Columns = append(t.Columns, c.Column)
	}
	s.row += t.Rows
	return t, nil
}

// Close frees what the reader holds. It does not close the stream.
func (s *StreamReader) Close() { s.reader.Release() }

// begin makes a column empty, with room for a batch.
func (c *column) begin(rows int) {
	c.Column = data.Column{Name: c.Name, Kind: c.Kind}
	clear(c.codes)
	switch c.Kind {
	case data.Float:
		c.Floats = make([]float64, 0, rows)
	case data.Text:
		c.Codes = make([]int32, 0, rows)
	default:
		c.Ints = make([]int64, 0, rows)
	}
}

// An endWatch keeps the last bytes that were read, to tell whether a stream
// ended or was cut off: arrow's reader takes both for the end.
type endWatch struct {
	r    io.Reader
	last [8]byte
}

func (w *endWatch) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if n >= len(w.last) {
		copy(w.last[:], b[n-len(w.last):n])
	} else {
		copy(w.last[:], w.last[n:])
		copy(w.last[len(w.last)-n:], b[:n])
	}
	return n, err
}

// ended reports whether the last bytes are the mark of the end: an empty
// message.
func (w *endWatch) ended() bool {
	return binary.LittleEndian.Uint32(w.last[:]) == continuation && binary.LittleEndian.Uint32(w.last[4:]) == 0
}

// NewStreamWriter is NewWriter for a stream whose schema says a text under a key.
func NewStreamWriter(w io.Writer, key, text string) data.TableWriter {
	m := arrow.NewMetadata([]string{key}, []string{text})
	return &writer{metadata: &m, open: func(schema *arrow.Schema) (records, error) {
		return ipc.NewWriter(w, ipc.WithSchema(schema)), nil
	}}
}
