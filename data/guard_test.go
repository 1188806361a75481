// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Limits of FAULTS.md row 4.
const (
	maxBadTime   = 2 * time.Second
	maxBadMemory = 512 << 20
)

// refooted returns a Parquet file with a changed footer.
func refooted(t testing.TB, file []byte, change func(*format.FileMetaData)) []byte {
	t.Helper()
	n := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	var meta format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), file[n:len(file)-8], &meta); err != nil {
		t.Fatal(err)
	}
	change(&meta)
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		t.Fatal(err)
	}
	out := append(file[:n:n], footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

// readBounded reads a file from memory and fails the test where that takes
// longer or more memory than a bad file may.
func readBounded(t *testing.T, name string, file []byte) (*Table, error) {
	t.Helper()
	m := newMemFS()
	m.files[name] = file
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	table, err := Read(m, name, nil)
	if d := time.Since(start); d > maxBadTime {
		t.Errorf("%s: took %v, %v are allowed", name, d, maxBadTime)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > maxBadMemory {
		t.Errorf("%s: allocated %d bytes, %d are allowed", name, n, maxBadMemory)
	}
	checkBatches(t, m, name, table, err)
	return table, err
}

func TestReadRefusesWhatIsNotParquet(t *testing.T) {
	healthy := parquetBytes(t, everyKind())
	footer := func(change func(*format.FileMetaData)) []byte { return refooted(t, healthy, change) }
	group := func(change func(*format.RowGroup)) []byte {
		return footer(func(m *format.FileMetaData) { change(&m.RowGroups[0]) })
	}
	chunk := func(change func(*format.ColumnMetaData)) []byte { // the first column's
		return group(func(g *format.RowGroup) { change(&g.Columns[0].MetaData) })
	}
	rows := func(n int64) []byte { // declared everywhere but in the pages
		return footer(func(m *format.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows = n, n
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues = n
			}
		})
	}
	zeros := append([]byte("PAR1"), make([]byte, 64)...)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "x.parquet: 0 bytes, not Parquet"},
		{"only magic", []byte("PAR1PAR1"), "8 bytes, not Parquet"},
		{"csv", []byte("a,b\n1,2\n"), "starts with 'a,b', not PAR1: not a Parquet file"},
		{"two bytes", []byte("\x1f\x8b"), `starts with '\x1f\x8b', not PAR1`},
		{"cut off", healthy[:len(healthy)/2], "the footer is missing"},
		{"footer of 2 GiB", []byte("PAR1\xff\xff\xff\x7fPAR1"),
			"the footer claims 2,147,483,647 bytes, the file has 12"},
		{"encrypted head", append([]byte("PARE"), healthy[4:]...), "encrypted"},
		{"encrypted tail", append(healthy[:len(healthy)-4:len(healthy)-4], "PARE"...), "encrypted"},
		{"footer of zeros", append(zeros, "\x40\x00\x00\x00PAR1"...), "missing required field"},
		{"1e14 rows", rows(1e14), "row group 0 declares 100,000,000,000,000 rows in a file of"},
		{"6e14 rows in all", footer(func(m *format.FileMetaData) { m.NumRows = 6e14 }),
			"the footer declares 600,000,000,000,000 rows, its row groups 4"},
		{"negative rows", rows(-4), "declares -4 rows"},
		{"1e7 rows in pages of 4", rows(1e7), "4 of the 10,000,000 values that the footer declares"},
		{"1e8 rows in a few bytes", rows(1e8), "declares 100,000,000 values in"},
		{"fewer rows than pages", rows(3), "more than the 3 values that the footer declares"},
		{"values", chunk(func(c *format.ColumnMetaData) { c.NumValues = 5 }), "declares 5 values for 4 rows"},
		{"LZ4", chunk(func(c *format.ColumnMetaData) { c.Codec = format.Lz4Raw }),
			"is compressed with LZ4_RAW; write it with snappy"},
		{"another codec", chunk(func(c *format.ColumnMetaData) { c.Codec = format.Gzip }), `column "number": gzip`},
		{"offset", chunk(func(c *format.ColumnMetaData) { c.DataPageOffset = 1 << 40 }),
			"bytes at offset 1,099,511,627,776"},
		{"size", chunk(func(c *format.ColumnMetaData) { c.TotalCompressedSize = 1 << 40 }),
			"claims 1,099,511,627,776 bytes"},
		{"size of less than a page", chunk(func(c *format.ColumnMetaData) { c.TotalCompressedSize -= 10 }),
			"its column has 20 left"},
		{"type", chunk(func(c *format.ColumnMetaData) { c.Type = format.Int96 }),
			"is stored as INT96, the schema says DOUBLE"},
		{"elsewhere", group(func(g *format.RowGroup) { g.Columns[0].FilePath = "other" }),
			`its data lie in another file, "other"`},
		{"columns", group(func(g *format.RowGroup) { g.Columns = g.Columns[1:] }),
			"row group 0 has 5 columns, the schema has 6"},
		{"schema", footer(func(m *format.FileMetaData) { m.Schema[0].NumChildren = thrift.New[int32](9) }),
			"is not a tree"},
		{"values under a null type", footer(func(m *format.FileMetaData) {
			m.Schema[2].LogicalType = format.LogicalType{Value: &format.NullType{}}
		}), `column "integer": 3 values in a column declared as nothing but nulls`},
		{"two of a name", footer(func(m *format.FileMetaData) { m.Schema[1].Name = m.Schema[2].Name }),
			`has two columns named "integer"`},
	}
	for _, test := range tests {
		table, err := readBounded(t, "x.parquet", test.file)
		if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v, want an error with %q", test.name, table, err, test.want)
		}
	}
}

// An annotation that contradicts the physical type must not be believed.
func TestReadContradictingAnnotation(t *testing.T) {
	file := refooted(t, parquetBytes(t, everyKind()), func(m *format.FileMetaData) {
		m.Schema[1].ConvertedType = thrift.New(deprecated.Date) // a DOUBLE
		m.Schema[2].LogicalType = format.LogicalType{Value: &format.UUIDType{}}
	})
	table, err := readBounded(t, "x.parquet", file)
	if err != nil || table.Columns[0].Kind != Float || table.Columns[1].Kind != Int {
		t.Errorf("%v, %v; want a number and an integer", table, err)
	}
}

// A failing disk is no fault of the data.
func TestReadFailingDisk(t *testing.T) {
	for _, call := range []string{"open", "read", "close"} {
		m := newMemFS()
		m.files["x.parquet"] = parquetBytes(t, everyKind())
		m.before = func(c, _ string) error {
			if c == call {
				return syscall.EIO
			}
			return nil
		}
		_, err := Read(m, "x.parquet", nil)
		if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), "x.parquet") {
			t.Errorf("%s: %v; want an I/O error that names the file and is no ErrBadData", call, err)
		}
	}
}

// Every single flipped bit outside the footer either changes nothing or is
// found: our pages carry checksums. Flips inside the footer and truncations
// give an error or a table of as many rows as the footer says.
func TestReadFlippedAndTruncated(t *testing.T) {
	table := everyKind()
	healthy := parquetBytes(t, table)
	footer := len(healthy) - 8 - int(binary.LittleEndian.Uint32(healthy[len(healthy)-8:]))
	r := rand.New(rand.NewPCG(1, 2))
	check := func(what string, file []byte, unchanged bool) {
		t.Helper()
		got, err := readBounded(t, "x.parquet", file)
		switch {
		case err != nil && !errors.Is(err, ErrBadData):
			t.Errorf("%s: %v is no ErrBadData", what, err)
		case err != nil:
		case unchanged:
			equal(t, got, table)
		default:
			for i := range got.Columns {
				if got.Columns[i].Len() != got.Rows {
					t.Errorf("%s: %d values in %d rows", what, got.Columns[i].Len(), got.Rows)
				}
			}
		}
	}
	for range 300 {
		at, bit := r.IntN(len(healthy)), r.IntN(8)
		file := append([]byte(nil), healthy...)
		file[at] ^= 1 << bit
		check(fmt.Sprintf("bit %d of byte %d", bit, at), file, at < footer)
	}
	for range 100 {
		n := r.IntN(len(healthy))
		file := healthy[:n:n]
		if _, err := readBounded(t, "x.parquet", file); !errors.Is(err, ErrBadData) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// A flipped byte in the values of a page is named as a checksum error.
func TestReadChecksum(t *testing.T) {
	m := newMemFS()
	file := parquetBytes(t, everyKind())
	m.files["x.parquet"] = file
	p, err := openParquet(m, "x.parquet")
	if err != nil {
		t.Fatal(err)
	}
	column := p.meta.RowGroups[0].Columns[0].Meta
	file[chunkStart(&column)+column.TotalCompressedSize-1] ^= 1
	_, err = readBounded(t, "x.parquet", file)
	if err == nil || !strings.Contains(err.Error(), `x.parquet: row group 0: column "number": a page before byte`) ||
		!strings.Contains(err.Error(), "does not match its checksum") {
		t.Error(err)
	}
}

// A panic inside a library, wherever in a file it strikes, is an error that
// names the file.
func TestReadPanics(t *testing.T) {
	m := newMemFS()
	m.files["x.parquet"] = parquetBytes(t, everyKind())
	for at := 1; ; at++ {
		reads := 0
		m.before = func(call, _ string) error {
			if reads++; reads == at && call == "read" {
				panic("index out of range")
			}
			return nil
		}
		_, err := Read(m, "x.parquet", nil)
		if err == nil {
			if reads >= at {
				continue // another call than a read
			}
			break
		}
		if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), `x.parquet: is damaged: decoding it stopped with "index out of range"`) {
			t.Errorf("read %d: %v", at, err)
		}
	}
}

// Files that broke other readers: from the fuzzing of Arrow and Parquet.
func TestReadBadFiles(t *testing.T) {
	const folder = "../../shared/data/parquet-bad"
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no " + folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		table, err := readBounded(t, e.Name(), b)
		switch {
		case err == nil:
			read++
			for i := range table.Columns {
				if table.Columns[i].Len() != table.Rows {
					t.Errorf("%s: column %d has %d values in %d rows", e.Name(), i, table.Columns[i].Len(), table.Rows)
				}
			}
		case !errors.Is(err, ErrBadData):
			t.Errorf("%s: %v is no ErrBadData", e.Name(), err)
		}
	}
	t.Logf("%d of %d files were read, the rest refused", read, len(entries))
}

// FuzzRead feeds the reader any bytes: an error or a table, never a panic.
func FuzzRead(f *testing.F) {
	healthy := parquetBytes(f, everyKind())
	f.Add(healthy)
	f.Add(healthy[:len(healthy)/2])
	f.Add([]byte("PAR1\xff\xff\xff\x7fPAR1"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m := newMemFS()
		m.files["x"] = file
		if _, err := Read(m, "x", nil); err != nil && !errors.Is(err, ErrBadData) {
			t.Error(err)
		}
	})
}

// A page that says to repeat one byte is not believed beyond what its own bytes
// and a bound allow, whatever the codec.
func TestDecompressBombs(t *testing.T) {
	zeros := make([]byte, 512<<20)
	for _, codec := range []format.CompressionCodec{format.Zstd, format.Brotli, format.Gzip, format.Snappy} {
		src, err := parquet.LookupCompressionCodec(codec).Encode(nil, zeros[:1<<20])
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = decompress(nil, codec, src, len(zeros))
		runtime.ReadMemStats(&after)
		if err == nil || after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Errorf("%v: %v, %d bytes allocated", codec, err, after.TotalAlloc-before.TotalAlloc)
		}
	}
	bomb, err := parquet.LookupCompressionCodec(format.Zstd).Encode(nil, zeros)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decompress(nil, format.Zstd, bomb, len(zeros)); err == nil || !strings.Contains(err.Error(), "claims to hold 536,870,912: made to cost memory") {
		t.Errorf("a true bomb of %d bytes: %v", len(bomb), err)
	}
}
