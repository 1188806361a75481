// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// A TableWriter writes a table piece by piece, so that it need not be held
// whole. Pieces have the same columns. The same rows give the same bytes, in
// however many pieces they come.
type TableWriter interface {
	Append(piece *Table) error
	// Close writes what follows the last row. It does not close the file.
	Close() error
}

// NewTableWriter returns a writer in the given format: "parquet", "csv" or
// "jsonl".
func NewTableWriter(w io.Writer, format string) (TableWriter, error) {
	b := bufio.NewWriterSize(w, 256<<10)
	switch format {
	case "parquet":
		return NewParquetWriter(w), nil
	case "csv":
		return &lineWriter{w: b, write: writeCSV}, nil
	case "jsonl":
		return &lineWriter{w: b, write: func(w *bufio.Writer, t *Table, _ bool) error { return writeJSONLines(w, t) }}, nil
	}
	return nil, fmt.Errorf("unknown format %q; use parquet, csv or jsonl", format)
}

// StreamFile writes a table in the format of path's extension, as WriteFile
// does, from the pieces that each hands to the writer.
func StreamFile(fsys FS, path string, each func(w TableWriter) error) error {
	if _, err := formatOf(path); err != nil {
		return err
	}
	return WriteFile(fsys, path, func(w io.Writer) error {
		t, err := NewTableWriter(w, strings.ToLower(filepath.Ext(path))[1:])
		if err != nil {
			return err
		}
		if err := each(t); err != nil {
			return err
		}
		return t.Close()
	})
}

// A lineWriter writes rows as lines; first asks for a header.
type lineWriter struct {
	w     *bufio.Writer
	write func(w *bufio.Writer, t *Table, first bool) error
	begun bool
}

func (l *lineWriter) Append(piece *Table) error {
	if err := piece.CheckNames(); err != nil {
		return err
	}
	first := !l.begun
	l.begun = true
	return l.write(l.w, piece, first)
}

func (l *lineWriter) Close() error { return l.w.Flush() }
