// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/holdfast-churn/holdfast/data"
)

const (
	batchRows = 64 << 10

	// A utf8 array counts its bytes in 31 bits; half of that is left unused.
	batchBytes = 1 << 30
)

// Write writes a table to an Arrow file. A reader of the path sees either the
// old file or the whole new one.
func Write(fsys data.FS, path string, t *data.Table) error {
	return WriteFile(fsys, path, func(w data.TableWriter) error { return w.Append(t) })
}

// WriteFile writes an Arrow file, as Write does, from the pieces of a table that
// each hands to the writer.
func WriteFile(fsys data.FS, path string, each func(w data.TableWriter) error) error {
	return data.WriteFile(fsys, path, func(w io.Writer) error {
		out := &writer{open: func(schema *arrow.Schema) (records, error) {
			return ipc.NewFileWriter(&positioned{w: w}, ipc.WithSchema(schema))
		}}
		if err := each(out); err != nil {
			return err
		}
		return out.Close()
	})
}

// WriteTo writes a table as an Arrow stream.
func WriteTo(w io.Writer, t *data.Table) error {
	out := NewWriter(w)
	if err := out.Append(t); err != nil {
		return err
	}
	return out.Close()
}

// NewWriter returns a writer of an Arrow stream that takes a table in pieces,
// of which each begins a record batch.
func NewWriter(w io.Writer) data.TableWriter {
	return &writer{open: func(schema *arrow.Schema) (records, error) {
		return ipc.NewWriter(w, ipc.WithSchema(schema)), nil
	}}
}

// records takes record batches: a file or a stream.
type records interface {
	Write(arrow.Record) error
	Close() error
}

// A writer opens its records once it knows the columns.
type writer struct {
	open   func(*arrow.Schema) (records, error)
	schema *arrow.Schema
	out    records

	metadata *arrow.Metadata // of the schema; nil for none
}

func (w *writer) Append(t *data.Table) (err error) {
	if w.out == nil {
		if err := t.CheckNames(); err != nil {
			return err
		}
		w.schema = schemaOf(t, w.metadata)
		if w.out, err = w.open(w.schema); err != nil {
			return err
		}
	}
	return writeBatches(t, w.schema, w.out.Write)
}

func (w *writer) Close() (err error) {
	if w.out == nil { // no piece: no columns
		if w.out, err = w.open(arrow.NewSchema(nil, w.metadata)); err != nil {
			return err
		}
	}
	return w.out.Close()
}

// positioned lets arrow's file writer, which asks a Seeker where it is, write
// to a stream.
type positioned struct {
	w   io.Writer
	pos int64
}

func (p *positioned) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.pos += int64(n)
	return n, err
}

func (p *positioned) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, fmt.Errorf("seek to %d in a stream", offset)
	}
	return p.pos, nil
}

// utc is the type of a data.Time column.
var utc = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}

var arrowTypes = map[data.Kind]arrow.DataType{
	data.Float: arrow.PrimitiveTypes.Float64,
	data.Int:   arrow.PrimitiveTypes.Int64,
	data.Bool:  arrow.FixedWidthTypes.Boolean,
	data.Date:  arrow.FixedWidthTypes.Date32,
	data.Time:  utc,
	data.Text:  arrow.BinaryTypes.String,
}

func schemaOf(t *data.Table, metadata *arrow.Metadata) *arrow.Schema {
	fields := make([]arrow.Field, len(t.Columns))
	for i := range t.Columns {
		fields[i] = arrow.Field{Name: t.Columns[i].Name, Type: arrowTypes[t.Columns[i].Kind], Nullable: true}
	}
	return arrow.NewSchema(fields, metadata)
}

// writeBatches hands the rows over in record batches, in order.
func writeBatches(t *data.Table, schema *arrow.Schema, write func(arrow.Record) error) error {
	for start := 0; start < t.Rows; {
		end := batchEnd(t, start)
		columns := make([]arrow.Array, len(t.Columns))
		for i := range t.Columns {
			columns[i] = arrayOf(&t.Columns[i], start, end)
		}
		batch := array.NewRecord(schema, columns, int64(end-start))
		err := write(batch)
		batch.Release()
		for _, c := range columns {
			c.Release()
		}
		if err != nil {
			return err
		}
		start = end
	}
	return nil
}

// batchEnd returns the end of the batch that begins at start: as many rows as
// keep the texts of every column within batchBytes, and at least one.
func batchEnd(t *data.Table, start int) int {
	end := min(start+batchRows, t.Rows)
	for k := range t.Columns {
		c := &t.Columns[k]
		if c.Kind != data.Text {
			continue
		}
		for i, size := start, 0; i < end; i++ {
			if size += len(c.Text(i)); size > batchBytes && i > start {
				end = i
			}
		}
	}
	return end
}

// arrayOf returns the rows from start to end of a column.
func arrayOf(c *data.Column, start, end int) arrow.Array {
	n := end - start
	valid := make([]bool, n)
	for i := range valid {
		valid[i] = !c.Missing(start + i)
	}
	b := array.NewBuilder(memory.DefaultAllocator, arrowTypes[c.Kind])
	defer b.Release()
	b.Reserve(n)
	switch b := b.(type) {
	case *array.Float64Builder:
		b.AppendValues(c.Floats[start:end], valid)
	case *array.Int64Builder:
		b.AppendValues(c.Ints[start:end], valid)
	case *array.BooleanBuilder:
		for i, v := range c.Ints[start:end] {
			b.AppendValues([]bool{v != 0}, valid[i:i+1])
		}
	case *array.Date32Builder:
		for i, v := range c.Ints[start:end] {
			b.AppendValues([]arrow.Date32{arrow.Date32(v)}, valid[i:i+1])
		}
	case *array.TimestampBuilder:
		for i, v := range c.Ints[start:end] {
			b.AppendValues([]arrow.Timestamp{arrow.Timestamp(v)}, valid[i:i+1])
		}
	case *array.StringBuilder:
		for i := range valid {
			if valid[i] {
				b.Append(c.Text(start + i))
			} else {
				b.AppendNull()
			}
		}
	}
	return b.NewArray()
}
