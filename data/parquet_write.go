// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

const (
	// rowGroupRows is what DuckDB and others write: enough for long runs, few
	// enough for one group to fit in memory many times over.
	rowGroupRows = 128 << 10

	// maxDictionary bounds the bytes of a text column's dictionary per row
	// group. Beyond it, as for ids of which no two are alike, pages are plain.
	maxDictionary = 4 << 20

	valuesAtOnce = 4096 // handed to a column writer at a time
)

// writeParquet writes a table as Parquet: snappy, dictionaries for texts, page
// checksums, every column optional. Nothing in the file but the table decides
// its bytes: no time, no path, no version of a library.
func writeParquet(w io.Writer, t *Table) error {
	root := orderedGroup{Group: parquet.Group{}}
	writers := make([]chunkWriter, len(t.Columns))
	for i := range t.Columns {
		writers[i] = newChunkWriter(&t.Columns[i], i)
		root.Group[t.Columns[i].Name] = parquet.Optional(writers[i].node())
	}
	for i := range t.Columns {
		root.fields = append(root.fields, namedField(root.Group.Fields(), t.Columns[i].Name))
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("holdfast", root),
		parquet.CreatedBy("holdfast", "1", "0"), parquet.Compression(&parquet.Snappy),
		parquet.DictionaryMaxBytes(maxDictionary))
	for start := 0; start < t.Rows; start += rowGroupRows {
		end := min(start+rowGroupRows, t.Rows)
		for i, cw := range out.ColumnWriters() {
			if err := writers[i].write(cw, start, end); err != nil {
				return fmt.Errorf("column %q: %w", t.Columns[i].Name, err)
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Close()
}

// A chunkWriter writes one column of a table. Timestamps are stored in
// microseconds, which every reader knows, unless that would lose digits.
type chunkWriter struct {
	*Column
	index int
	unit  parquet.TimeUnit
	nanos int64           // in the unit
	texts []parquet.Value // of Dict, made when first needed
}

func newChunkWriter(c *Column, index int) chunkWriter {
	w := chunkWriter{Column: c, index: index, unit: parquet.Microsecond, nanos: 1000,
		texts: make([]parquet.Value, len(c.Dict))}
	if c.Kind == Time {
		for i, v := range c.Ints {
			if v%1000 != 0 && !c.Missing(i) {
				w.unit, w.nanos = parquet.Nanosecond, 1
				break
			}
		}
	}
	return w
}

// node returns the type of the column in the file.
func (w *chunkWriter) node() parquet.Node {
	switch w.Kind {
	case Float:
		return parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
	case Bool:
		return parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.Plain)
	case Date:
		return parquet.Encoded(parquet.Date(), &parquet.Plain)
	case Time:
		return parquet.Encoded(parquet.Timestamp(w.unit), &parquet.Plain)
	case Text:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	return parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.Plain)
}

// write writes the rows from start to end.
func (w *chunkWriter) write(to *parquet.ColumnWriter, start, end int) error {
	buf := make([]parquet.Value, 0, valuesAtOnce)
	for i := start; i < end; i++ {
		v, level := parquet.NullValue(), 0
		if !w.Missing(i) {
			v, level = w.value(i), 1
		}
		buf = append(buf, v.Level(0, level, w.index))
		if len(buf) == cap(buf) || i == end-1 {
			if _, err := to.WriteRowValues(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

func (w *chunkWriter) value(i int) parquet.Value {
	switch w.Kind {
	case Float:
		return parquet.DoubleValue(w.Floats[i])
	case Bool:
		return parquet.BooleanValue(w.Ints[i] != 0)
	case Date:
		return parquet.Int32Value(int32(w.Ints[i]))
	case Time:
		return parquet.Int64Value(w.Ints[i] / w.nanos)
	case Text:
		code := w.Codes[i]
		if w.texts[code].IsNull() {
			w.texts[code] = parquet.ByteArrayValue([]byte(w.Dict[code]))
		}
		return w.texts[code]
	}
	return parquet.Int64Value(w.Ints[i])
}

// An orderedGroup is a parquet.Group, which sorts its fields by name, in the
// order of the table.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

func namedField(fields []parquet.Field, name string) parquet.Field {
	for _, f := range fields {
		if f.Name() == name {
			return f
		}
	}
	panic("data: namedField: no such field")
}
