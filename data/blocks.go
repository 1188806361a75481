// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ScanBlocks scans like Scan, in tables of at most rows rows, however large the
// row groups are. Of a larger row group one column at a time is decoded and laid
// aside in a scratch file, from which tables are put together: what is in memory
// at once is a column of a row group, and a table.
func ScanBlocks(fsys FS, pattern string, columns []string, rows int, each func(*Table) error) (err error) {
	s, err := newScan(fsys, pattern, columns)
	if err != nil {
		return err
	}
	aside := blockFile{fsys: fsys, rows: rows}
	defer func() { err = errors.Join(err, aside.close()) }()
	empty := true
	err = s.groups(func(f *boundFile, group int) error {
		empty = false
		n := int(f.meta.RowGroups[group].NumRows)
		if n > rows {
			return s.blocks(f, group, n, &aside, each)
		}
		builders := s.builders(n)
		if err := f.read(group, builders); err != nil {
			return err
		}
		return each(s.table(builders, n))
	})
	if err == nil && empty {
		err = each(s.table(s.builders(0), 0))
	}
	return err
}

// Columns returns a table without rows that has the columns of a pattern, with
// the kinds that Read would give them, and the number of rows that it would read.
func Columns(fsys FS, pattern string) (*Table, int, error) {
	s, err := newScan(fsys, pattern, nil)
	if err != nil {
		return nil, 0, err
	}
	rows := int64(0)
	for _, src := range s.sources {
		for _, n := range src.rows {
			rows += n
		}
	}
	return s.table(s.builders(0), 0), int(rows), nil
}

// blocks hands over a row group of n rows in blocks.
func (s *scan) blocks(f *boundFile, group, n int, aside *blockFile, each func(*Table) error) error {
	aside.restart()
	for i, c := range s.columns {
		b := newBuilder(c.name, c.kind)
		b.grow(n)
		if err := f.readColumn(group, i, b); err != nil {
			return err
		}
		column := b.column()
		if err := aside.add(&column, n); err != nil {
			return err
		}
	}
	for k := range (n + aside.rows - 1) / aside.rows {
		t := &Table{Name: s.pattern, Rows: min(aside.rows, n-k*aside.rows), Columns: make([]Column, len(s.columns))}
		for i, c := range s.columns {
			t.Columns[i] = Column{Name: c.name, Kind: c.kind}
			if err := aside.read(&t.Columns[i], i, k, t.Rows); err != nil {
				return err
			}
		}
		if err := each(t); err != nil {
			return err
		}
	}
	return nil
}

// A blockFile holds the columns of one row group in a scratch file, cut into
// blocks of rows.
type blockFile struct {
	fsys   FS
	rows   int
	file   ScratchFile
	length int64
	places [][]extent // by column and block; words counts bytes
	buffer []byte
}

// restart forgets what is in the file, so that its room is used again.
func (a *blockFile) restart() { a.length, a.places = 0, a.places[:0] }

// close closes the file, if there is one.
func (a *blockFile) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// add writes the n rows of one more column.
func (a *blockFile) add(c *Column, n int) error {
	if a.file == nil {
		f, err := a.fsys.Scratch()
		if err != nil {
			return fmt.Errorf("making room on disk for a large row group: %w", err)
		}
		a.file = f
	}
	var places []extent
	for from := 0; from < n; from += a.rows {
		a.buffer = appendBlock(a.buffer[:0], c, from, min(from+a.rows, n))
		if _, err := a.file.WriteAt(a.buffer, a.length); err != nil {
			return fmt.Errorf("writing %d bytes of a large row group to disk: %w", len(a.buffer), err)
		}
		places = append(places, extent{a.length, len(a.buffer)})
		a.length += int64(len(a.buffer))
	}
	a.places = append(a.places, places)
	return nil
}

// read fills c, which knows its kind, with a block of n rows of a column.
func (a *blockFile) read(c *Column, column, block, n int) error {
	at := a.places[column][block]
	a.buffer = resize(a.buffer, at.words)
	if _, err := a.file.ReadAt(a.buffer, at.at); err != nil {
		return fmt.Errorf("reading back a large row group: %w", err)
	}
	c.takeBlock(a.buffer, n)
	return nil
}

// appendBlock appends the rows from … to−1 of a column: floats, integers with a
// byte a row where some are null, or codes into texts of the block's own, which
// come first.
func appendBlock(dst []byte, c *Column, from, to int) []byte {
	le := binary.LittleEndian
	switch c.Kind {
	case Float:
		for _, v := range c.Floats[from:to] {
			dst = le.AppendUint64(dst, math.Float64bits(v))
		}
	case Text:
		number := make(map[int32]uint32)
		var texts []string
		codes := make([]uint32, 0, to-from)
		for _, code := range c.Codes[from:to] {
			if code < 0 {
				codes = append(codes, math.MaxUint32)
				continue
			}
			k, ok := number[code]
			if !ok {
				k = uint32(len(texts))
				number[code], texts = k, append(texts, c.Dict[code])
			}
			codes = append(codes, k)
		}
		dst = le.AppendUint32(dst, uint32(len(texts)))
		for _, text := range texts {
			dst = append(le.AppendUint32(dst, uint32(len(text))), text...)
		}
		for _, k := range codes {
			dst = le.AppendUint32(dst, k)
		}
	default:
		for _, v := range c.Ints[from:to] {
			dst = le.AppendUint64(dst, uint64(v))
		}
		if c.Null != nil {
			for _, null := range c.Null[from:to] {
				b := byte(0)
				if null {
					b = 1
				}
				dst = append(dst, b)
			}
		}
	}
	return dst
}

// takeBlock fills the column from what appendBlock wrote of n rows.
func (c *Column) takeBlock(b []byte, n int) {
	le := binary.LittleEndian
	switch c.Kind {
	case Float:
		c.Floats = make([]float64, n)
		for i := range c.Floats {
			c.Floats[i] = math.Float64frombits(le.Uint64(b[8*i:]))
		}
	case Text:
		c.Dict = make([]string, le.Uint32(b))
		b = b[4:]
		for k := range c.Dict {
			size := le.Uint32(b)
			c.Dict[k] = string(b[4 : 4+size])
			b = b[4+size:]
		}
		c.Codes = make([]int32, n)
		for i := range c.Codes {
			c.Codes[i] = int32(le.Uint32(b[4*i:]))
		}
	default:
		c.Ints = make([]int64, n)
		for i := range c.Ints {
			c.Ints[i] = int64(le.Uint64(b[8*i:]))
		}
		if len(b) == 9*n {
			c.Null = make([]bool, n)
			for i := range c.Null {
				c.Null[i] = b[8*n+i] == 1
			}
		}
	}
}
