// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// rowGroupRows is the number of rows that are encoded before any of them is
// written: the encoded bytes of so many rows are what a writer holds, 10 to
// 35 MB of a frame of 76 columns. Fewer rows would repeat dictionaries and
// lengthen the footer.
const rowGroupRows = 64 << 10

// anyNanos reports whether a timestamp of the table has digits beyond the
// microsecond.
func anyNanos(t *Table) bool {
	for k := range t.Columns {
		c := &t.Columns[k]
		if c.Kind != Time {
			continue
		}
		for i, v := range c.Ints {
			if v%1000 != 0 && !c.Missing(i) {
				return true
			}
		}
	}
	return false
}

// A ParquetWriter writes one table as Parquet, piece by piece: snappy,
// dictionaries for texts and for numbers of few distinct values, page
// checksums, every column optional; a NaN is a null. Nothing in the file but
// the rows and the fields below decides its bytes: no time, no path, no version
// of a library, nor where one piece ends and the next begins.
//
// It holds the encoded bytes of one row group, however many rows are written,
// and of those already written what the footer says of them, some 100 bytes a
// column and row group. The first error ends the writing: each later call
// returns it again.
type ParquetWriter struct {
	// Microseconds stores timestamps in microseconds, which every reader knows.
	// A timestamp with further digits is then refused. Otherwise they are
	// stored in nanoseconds, which lose nothing and which Spark refuses. The
	// unit stands for the whole file and cannot follow from rows still to come,
	// so it is set before the first piece or left.
	Microseconds bool

	w       io.Writer
	at      int64 // bytes written
	started bool
	columns []*columnWriter
	scratch pageBuffers
	rows    int // in the row group being filled
	footer  writtenFooter
	err     error
}

// NewParquetWriter returns a writer of one Parquet file to w. It writes whole
// columns of a row group at a time, so that w needs no buffer.
func NewParquetWriter(w io.Writer) *ParquetWriter {
	return &ParquetWriter{w: w, footer: writtenFooter{
		Version: 1, Schema: rootSchema(0), CreatedBy: "holdfast version 1(build 0)"}}
}

// Append adds the rows of a piece. The first piece fixes the names and kinds of
// the columns; later ones must have the same. The texts of a column may be
// numbered differently in each. The piece is not kept.
func (p *ParquetWriter) Append(t *Table) error {
	if p.err == nil {
		p.err = p.append(t)
	}
	return p.err
}

func (p *ParquetWriter) append(t *Table) error {
	if err := p.accept(t); err != nil {
		return err
	}
	for from := 0; from < t.Rows; {
		to := min(t.Rows, from+rowGroupRows-p.rows)
		for i, c := range p.columns {
			if err := c.append(&t.Columns[i], from, to, &p.scratch); err != nil {
				return fmt.Errorf("column %q: %w", c.name, err)
			}
		}
		p.rows += to - from
		from = to
		if p.rows == rowGroupRows {
			if err := p.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

// accept takes the columns of the first piece, and compares those of a later
// one with them.
func (p *ParquetWriter) accept(t *Table) error {
	if !p.started {
		if err := p.start(t); err != nil {
			return err
		}
	}
	if len(t.Columns) != len(p.columns) {
		return fmt.Errorf("a piece has %d columns, the first piece has %d", len(t.Columns), len(p.columns))
	}
	for i, w := range p.columns {
		c := &t.Columns[i]
		if c.Name != w.name || c.Kind != w.kind {
			return fmt.Errorf("column %d of a piece is %q, %v; in the first piece it is %q, %v",
				i+1, c.Name, c.Kind, w.name, w.kind)
		}
		if c.Len() != t.Rows {
			return fmt.Errorf("column %q has %d values in a piece of %d rows", c.Name, c.Len(), t.Rows)
		}
		w.startPiece(len(c.Dict))
	}
	return nil
}

func (p *ParquetWriter) start(t *Table) error {
	if err := t.CheckNames(); err != nil {
		return err
	}
	p.started = true
	p.footer.Schema = rootSchema(len(t.Columns))
	for i := range t.Columns {
		c := newColumnWriter(t.Columns[i].Name, t.Columns[i].Kind, p.Microseconds)
		p.columns = append(p.columns, c)
		p.footer.Schema = append(p.footer.Schema, c.schema())
		p.footer.ColumnOrders = append(p.footer.ColumnOrders, byType)
	}
	return p.write([]byte(parquetMagic))
}

// endGroup writes the columns of the rows since the last row group.
func (p *ParquetWriter) endGroup() error {
	group := writtenGroup{NumRows: int64(p.rows), FileOffset: p.at}
	for _, c := range p.columns {
		m, dictionary, err := c.end(&p.scratch)
		if err != nil {
			return fmt.Errorf("column %q: %w", c.name, err)
		}
		m.DataPageOffset = p.at + int64(len(dictionary))
		if len(dictionary) > 0 {
			m.DictionaryPageOffset = p.at
		}
		if err := p.write(dictionary); err != nil {
			return err
		}
		if err := p.write(c.pages); err != nil {
			return err
		}
		group.Columns = append(group.Columns, writtenChunk{Meta: m})
		group.TotalByteSize += m.TotalUncompressedSize
		group.TotalCompressedSize += m.TotalCompressedSize
		c.reset()
	}
	p.footer.NumRows += group.NumRows
	p.footer.RowGroups = append(p.footer.RowGroups, group)
	p.rows = 0
	return nil
}

var errParquetClosed = errors.New("data: the Parquet file is closed")

// Close writes the rows still held and the footer; it does not close the
// writer underneath. Without a row the file is empty and valid, with the
// columns of the first piece if there was one. Further calls are errors.
func (p *ParquetWriter) Close() error {
	if p.err == nil {
		if p.err = p.close(); p.err == nil {
			p.err = errParquetClosed
			return nil
		}
	}
	return p.err
}

func (p *ParquetWriter) close() error {
	if !p.started {
		if err := p.start(&Table{}); err != nil {
			return err
		}
	}
	if p.rows > 0 {
		if err := p.endGroup(); err != nil {
			return err
		}
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &p.footer)
	if err != nil {
		return err
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return p.write(append(b, parquetMagic...))
}

func (p *ParquetWriter) write(b []byte) error {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return err
}
