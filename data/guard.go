// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

const (
	parquetMagic   = "PAR1"
	encryptedMagic = "PARE"

	// The magic at both ends and the length of the footer.
	minParquetSize = 12

	// maxGroupRows bounds the rows of one row group, which is decoded as a
	// whole. The largest default of a common writer was 64 Mi (pyarrow before
	// version 10); more is either damage or cannot be held in memory anyway.
	maxGroupRows = 1 << 27

	// Where a column repeats one value, or is all missing, any number of rows
	// takes a few bytes. Up to freeValues (256 MiB decoded) that is nobody's
	// harm; beyond, a column may hold so many for each of its bytes.
	freeValues    = 1 << 25
	valuesPerByte = 1 << 12
)

// A parquetFile is an open file whose footer has been checked.
type parquetFile struct {
	name   string
	file   File
	footer int64 // where the footer begins, and so the room for pages ends
	meta   fileFooter
	leaves []leaf
	byName map[string]int // the first leaf of each top-level field
}

// openParquet opens a file and checks it before anything of it is trusted:
// size and magic at both ends, length of the footer against the size of the
// file, structure of the footer, and its counts of rows. Nothing is allocated
// on a length that the file itself cannot back.
func openParquet(fsys FS, name string) (*parquetFile, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	p := &parquetFile{name: name, file: f}
	if err := p.readFooter(); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// closeInto closes the file at the end of a function that returns *err.
func (p *parquetFile) closeInto(err *error) {
	if e := p.file.Close(); *err == nil {
		*err = e
	}
}

func (p *parquetFile) readFooter() (err error) {
	defer recoverAs(&err, p.name)
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if err := p.checkHead(size); err != nil {
		return err
	}
	var tail [8]byte
	if err := p.readAt(tail[:], size-8); err != nil {
		return err
	}
	switch string(tail[4:]) {
	case parquetMagic:
	case encryptedMagic:
		return badFile(p.name, "is encrypted (PARE); Holdfast reads unencrypted Parquet")
	default:
		return badFile(p.name,
			"the footer is missing: the file does not end in PAR1; it is cut off or still being written")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:4]))
	if length > size-minParquetSize {
		return badFile(p.name, "the footer claims %s bytes, the file has %s", grouped(length), grouped(size))
	}
	p.footer = size - 8 - length
	b := make([]byte, length)
	if err := p.readAt(b, p.footer); err != nil {
		return err
	}
	return p.parseFooter(b)
}

// checkHead looks at the size and the first bytes.
func (p *parquetFile) checkHead(size int64) error {
	if size == 0 {
		return badFile(p.name, "0 bytes, not Parquet")
	}
	head := make([]byte, min(size, int64(len(parquetMagic))))
	if err := p.readAt(head, 0); err != nil {
		return err
	}
	switch {
	case string(head) == encryptedMagic:
		return badFile(p.name, "is encrypted (PARE); Holdfast reads unencrypted Parquet")
	case string(head) != parquetMagic:
		return badFile(p.name, "starts with %s, not PAR1: not a Parquet file", shown(head))
	case size < minParquetSize:
		return badFile(p.name, "%d bytes, not Parquet: the least is %d", size, minParquetSize)
	}
	return nil
}

// parseFooter decodes the footer and checks that it agrees with itself.
func (p *parquetFile) parseFooter(b []byte) error {
	n, err := structLength(b)
	if err != nil {
		return badFile(p.name, "the footer of %s bytes %w", grouped(int64(len(b))), err)
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), b[:n], &p.meta); err != nil {
		return badFile(p.name, "the footer is damaged: %w", err)
	}
	// A file with encrypted columns signs its footer; else nothing may follow it.
	if n != len(b) && p.meta.Encryption.Value == nil {
		return badFile(p.name, "the footer claims %s bytes and uses %s", grouped(int64(len(b))), grouped(int64(n)))
	}
	if p.leaves, err = leaves(p.meta.Schema); err != nil {
		return &FileError{p.name, err}
	}
	p.byName = make(map[string]int, len(p.leaves))
	for i := range p.leaves {
		if first, ok := p.byName[p.leaves[i].name]; ok {
			p.leaves[first].twice = true
		} else {
			p.byName[p.leaves[i].name] = i
		}
	}
	return p.checkRows()
}

// checkRows compares the counts of rows in the footer with each other and with
// what a row group can hold.
func (p *parquetFile) checkRows() error {
	var sum int64
	for i := range p.meta.RowGroups {
		g := &p.meta.RowGroups[i]
		if g.NumRows < 0 || g.NumRows > maxGroupRows {
			return badFile(p.name,
				"row group %d declares %s rows in a file of %s bytes; a row group may hold 0 to %s",
				i, grouped(g.NumRows), grouped(p.footer), grouped(maxGroupRows))
		}
		if len(g.Columns) != len(p.leaves) {
			return badFile(p.name, "row group %d has %d columns, the schema has %d",
				i, len(g.Columns), len(p.leaves))
		}
		sum += g.NumRows // at most 2^31 groups (a thrift list) of 2^27 rows: no overflow
	}
	if sum != p.meta.NumRows {
		return badFile(p.name, "the footer declares %s rows, its row groups %s",
			grouped(p.meta.NumRows), grouped(sum))
	}
	return nil
}

// chunk returns the metadata of one column in one row group after checking
// that its pages lie inside the file and can be read at all.
func (p *parquetFile) chunk(group, column int) (*columnMeta, error) {
	g := &p.meta.RowGroups[group]
	c := &g.Columns[column]
	m := &c.Meta
	fail := func(format string, args ...any) (*columnMeta, error) {
		return nil, badFile(p.name, "row group %d: column %q: %w",
			group, p.leaves[column].name, fmt.Errorf(format, args...))
	}
	switch {
	case c.Crypto.Value != nil || len(c.Encrypted) > 0:
		return fail("is encrypted; Holdfast reads unencrypted Parquet")
	case c.FilePath != "":
		return fail("its data lie in another file, %q; read that one", c.FilePath)
	case m.NumValues != g.NumRows:
		return fail("declares %s values for %s rows", grouped(m.NumValues), grouped(g.NumRows))
	case !readableCodec(m.Codec):
		return fail("is compressed with %v; write it with snappy, zstd, gzip, brotli or uncompressed", m.Codec)
	case m.Type != p.leaves[column].physical:
		return fail("is stored as %v, the schema says %v", m.Type, p.leaves[column].physical)
	}
	if m.NumValues > freeValues && m.NumValues/valuesPerByte > m.TotalCompressedSize {
		return fail("declares %s values in %s bytes: made to cost memory; write it in smaller row groups",
			grouped(m.NumValues), grouped(m.TotalCompressedSize))
	}
	start, size := chunkStart(m), m.TotalCompressedSize
	if start < int64(len(parquetMagic)) || size < 0 || size > p.footer-start {
		return fail("claims %s bytes at offset %s, the file has %s bytes of pages",
			grouped(size), grouped(start), grouped(p.footer))
	}
	return m, nil
}

// chunkStart returns the offset of a column's first page: that of the
// dictionary where there is one. Some writers leave a zero or stale offset
// behind where there is none.
func chunkStart(m *columnMeta) int64 {
	if d := m.DictionaryPageOffset; d > 0 && d < m.DataPageOffset {
		return d
	}
	return m.DataPageOffset
}

// room returns the number of rows of a group to make room for before it is
// read: those it declares, but no more than its bytes make likely. Only a
// column that hardly ever changes packs more than 64 values into a byte; there
// the room grows with what has been read.
func (p *parquetFile) room(group int) int {
	g := &p.meta.RowGroups[group]
	var largest int64
	for i := range g.Columns {
		largest = max(largest, min(g.Columns[i].Meta.TotalCompressedSize, p.footer))
	}
	return int(min(g.NumRows, 64*largest))
}

// readAt fills b. A file that ends early has been cut since it was opened.
func (p *parquetFile) readAt(b []byte, at int64) error {
	n, err := p.file.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return badFile(p.name, "ends at byte %s; %s more were expected",
			grouped(at+int64(n)), grouped(int64(len(b)-n)))
	}
	return &diskError{p.name, err}
}

// A diskError is a failure to read bytes that are there. It says nothing about
// the data, and so is no ErrBadData.
type diskError struct {
	file string
	err  error
}

func (e *diskError) Error() string { return "reading " + e.file + ": " + e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

// recoverAs turns a panic, which damaged input can still cause inside a
// library, into an error that names the file.
func recoverAs(err *error, name string) {
	if r := recover(); r != nil {
		*err = badFile(name, "is damaged: decoding it stopped with %q", fmt.Sprint(r))
	}
}

// shown renders the first bytes of a file for a message, up to its first line
// break: 'a,b'.
func shown(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\n")
	s = strconv.Quote(strings.TrimSuffix(s, "\r"))
	return "'" + s[1:len(s)-1] + "'"
}

// grouped renders an integer with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
