// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// RemoveAccount rewrites a table file (.parquet, .csv or .jsonl) without the
// rows whose column has the given id, and says how many there were. The other
// rows keep their order and values, those of CSV and JSON lines their bytes. A
// file without the column, or without such a row, is left as it is; a reader
// sees the old file or the whole new one.
func RemoveAccount(fsys FS, path, column, id string) (rows int, err error) {
	switch extension := strings.ToLower(filepath.Ext(path)); {
	case hasWildcard(path):
		return 0, fmt.Errorf("%s: a pattern; name one file", path)
	case extension == ".parquet":
		return removeFromParquet(fsys, path, column, id)
	case extension == ".csv", extension == ".jsonl":
		kept, rows, err := textWithout(fsys, path, column, id)
		if err != nil || rows == 0 {
			return 0, err
		}
		return rows, WriteBytes(fsys, path, kept)
	}
	return 0, fmt.Errorf("%s: unknown extension; expected .parquet, .csv or .jsonl", path)
}

// Files lists the files that a path or a pattern names, sorted.
func Files(fsys FS, pattern string) ([]string, error) {
	sources, err := glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(sources))
	for i := range sources {
		out[i] = sources[i].name
	}
	return out, nil
}

// ColumnsOf returns the names of the columns of a table file (.parquet, .csv or
// .jsonl) without reading its rows.
func ColumnsOf(fsys FS, path string) (names []string, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := io.NewSectionReader(f, 0, 1<<40)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return csv.NewReader(text).Read()
	case ".jsonl":
		var values map[string]any
		err := json.NewDecoder(text).Decode(&values)
		return slices.Sorted(maps.Keys(values)), err
	}
	p, err := openParquet(fsys, path)
	if err != nil {
		return nil, err
	}
	defer p.closeInto(&err)
	for i := range p.leaves {
		names = append(names, p.leaves[i].name)
	}
	return names, nil
}

// CountAccount says how many rows of a table file RemoveAccount would remove.
func CountAccount(fsys FS, path, column, id string) (rows int, err error) {
	columns, err := ColumnsOf(fsys, path)
	if err != nil || !slices.Contains(columns, column) {
		return 0, err
	}
	if strings.ToLower(filepath.Ext(path)) == ".parquet" {
		t, err := Read(fsys, path, []string{column})
		if err != nil {
			return 0, err
		}
		return t.Rows - t.Without(column, id).Rows, nil
	}
	_, rows, err = textWithout(fsys, path, column, id)
	return rows, err
}

// textWithout reads a CSV or JSON lines file without the rows of an account.
func textWithout(fsys FS, path, column, id string) (kept []byte, rows int, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
	if err != nil {
		return nil, 0, fmt.Errorf("reading %s: %w", path, err)
	}
	if strings.ToLower(filepath.Ext(path)) == ".jsonl" {
		kept, rows = withoutLines(text, column, id)
	} else {
		kept, rows = withoutRecords(text, column, id)
	}
	return kept, rows, nil
}

// CopyFile copies a file, as WriteFile writes one.
func CopyFile(fsys FS, from, to string) error {
	f, err := fsys.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return WriteFile(fsys, to, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, 0, 1<<62))
		return err
	})
}

func removeFromParquet(fsys FS, path, column, id string) (rows int, err error) {
	t, err := Read(fsys, path, nil)
	if err != nil {
		return 0, err
	}
	kept := t.Without(column, id)
	if kept.Rows == t.Rows {
		return 0, nil
	}
	return t.Rows - kept.Rows, Write(fsys, path, kept)
}

// Without returns the table without the rows in which a column, read as text,
// has the given value; the very table where there are none.
func (t *Table) Without(column, value string) *Table {
	c := t.Column(column)
	if c == nil {
		return t
	}
	var rows []int
	for i := range t.Rows {
		if c.Missing(i) || c.format(i) != value {
			rows = append(rows, i)
		}
	}
	if len(rows) == t.Rows {
		return t
	}
	return t.Take(rows)
}

// withoutRecords drops the records of a CSV text whose field is the id, as
// writeCSV writes it; all others keep their bytes. Carriage returns, which the
// reader would make line feeds, are read as a byte that no text has.
func withoutRecords(text []byte, column, id string) (kept []byte, rows int) {
	const cr = "\xff"
	r := csv.NewReader(bytes.NewReader(bytes.ReplaceAll(text, []byte("\r"), []byte(cr))))
	r.FieldsPerRecord = -1
	wanted := strings.ReplaceAll(id, "\r", cr)
	same := func(field, id string) bool { return field == id || strings.TrimSuffix(field, cr) == id } // lines may end in CRLF
	at := -1
	for first := true; ; first = false {
		from := r.InputOffset()
		fields, err := r.Read()
		to := r.InputOffset()
		switch {
		case errors.Is(err, io.EOF):
			return kept, rows
		case err != nil:
			return append(kept, text[from:]...), rows
		case first:
			at = slices.IndexFunc(fields, func(name string) bool { return same(name, column) })
		case at >= 0 && at < len(fields) && (same(fields[at], wanted) || same(fields[at], "'"+wanted)):
			rows++
			continue
		}
		kept = append(kept, text[from:to]...)
	}
}

// withoutLines does the same for JSON lines.
func withoutLines(text []byte, column, id string) (kept []byte, rows int) {
	for line := range bytes.Lines(text) {
		var values map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if d.Decode(&values) == nil && fmt.Sprint(values[column]) == id {
			rows++
			continue
		}
		kept = append(kept, line...)
	}
	return kept, rows
}
