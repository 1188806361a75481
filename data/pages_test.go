// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// onePage returns a reader of a column chunk of one uncompressed page.
func onePage(t *testing.T, h *format.PageHeader, values int, body ...byte) *pageReader {
	t.Helper()
	h.CompressedPageSize, h.UncompressedPageSize = int32(len(body)), int32(len(body))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), h)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemFS()
	m.files["x"] = slices.Concat([]byte("PAR1"), header, body)
	f, err := m.Open("x")
	if err != nil {
		t.Fatal(err)
	}
	r := new(pageReader)
	size := int64(len(header) + len(body))
	r.reset(&parquetFile{name: "x", file: f, footer: 4 + size},
		&columnMeta{NumValues: int64(values), DataPageOffset: 4, TotalCompressedSize: size}, true)
	return r
}

func version1(values int32, levels format.Encoding) *format.PageHeader {
	return &format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: values, DefinitionLevelEncoding: levels, RepetitionLevelEncoding: format.RLE})}
}

func version2(values, nulls, levels int32) *format.PageHeader {
	return &format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
		NumValues: values, NumNulls: nulls, NumRows: values, DefinitionLevelsByteLength: levels})}
}

func TestPageLevels(t *testing.T) {
	tests := []struct {
		name   string
		header *format.PageHeader
		body   []byte
		want   string // one digit per value, or the error
	}{
		{"runs", version1(5, format.RLE), []byte{4, 0, 0, 0, 3 << 1, 1, 2 << 1, 0, 'x'}, "11100"},
		{"one run", version1(5, format.RLE), []byte{2, 0, 0, 0, 5 << 1, 1, 'x'}, "11111"},
		{"bit-packed run", version1(5, format.RLE), []byte{2, 0, 0, 0, 1<<1 | 1, 0b01101, 'x'}, "10110"},
		{"the old bit-packed levels", version1(9, format.BitPacked), []byte{0b10110000, 0b10000000, 'x'}, "101100001"},
		{"version 2", version2(5, 2, 4), []byte{3 << 1, 1, 2 << 1, 0, 'x'}, "11100"},
		{"length beyond the page", version1(5, format.RLE), []byte{4, 0, 0, 0, 3 << 1, 1}, "ends within its"},
		{"no room for a length", version1(5, format.RLE), []byte{4}, "ends within its definition levels"},
		{"too few old levels", version1(9, format.BitPacked), []byte{0b10110000}, "ends within its definition levels"},
		{"too few levels", version1(5, format.RLE), []byte{2, 0, 0, 0, 4 << 1, 1, 'x'}, "fewer values than"},
		{"levels of plain bytes", version1(1, format.Plain), []byte{1, 'x'}, "definition levels are encoded as PLAIN"},
		{"version 2, beyond the page", version2(5, 2, 9), []byte{3 << 1, 1, 2 << 1, 0, 'x'}, "ends within its"},
		{"version 2, other nulls", version2(5, 1, 4), []byte{3 << 1, 1, 2 << 1, 0, 'x'}, "declares 1 nulls and has 2"},
		{"no header of the type", &format.PageHeader{Type: format.DataPageV2}, []byte{'x'}, "no proper header"},
	}
	for _, test := range tests {
		values := test.header.DataPageHeader.V.NumValues + test.header.DataPageHeaderV2.V.NumValues
		r := onePage(t, test.header, max(1, int(values)), test.body...)
		p, err := r.next()
		if err != nil {
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %s", test.name, err, test.want)
			}
			continue
		}
		got := strings.Repeat("1", p.values)
		if p.present != nil {
			got = strings.NewReplacer("\x00", "0", "\x01", "1").Replace(string(p.present))
		}
		if got != test.want || p.nonNull != strings.Count(got, "1") || string(p.data) != "x" {
			t.Errorf("%s: levels %s, data %q, want %s and x", test.name, got, p.data, test.want)
		}
		if _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v after the last page", test.name, err)
		}
	}
}

// A footer that declares only the values of the first of several pages is
// found out, though those are all there.
func TestPagesBeyondTheDeclared(t *testing.T) {
	file := parquetBytes(t, ints("x", make([]int64, 60_000)...))
	m := newMemFS()
	m.files["x"] = file
	p, err := openParquet(m, "x")
	if err != nil {
		t.Fatal(err)
	}
	var r pageReader
	r.reset(p, &p.meta.RowGroups[0].Columns[0].Meta, true)
	first, err := r.next()
	if err != nil || first.values == 60_000 {
		t.Fatal(first.values, err)
	}
	n := int64(first.values)
	_, err = readBounded(t, "x", refooted(t, file, func(m *format.FileMetaData) {
		m.NumRows, m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = n, n, n
	}))
	if err == nil || !strings.Contains(err.Error(), "more than the "+grouped(n)+" values") {
		t.Error(err)
	}
}

// A page header longer than the bytes first looked at is read whole.
func TestLongPageHeader(t *testing.T) {
	h := version1(1, format.RLE)
	h.DataPageHeader.V.Statistics.MinValue = make([]byte, 3*usualPageBytes)
	p, err := onePage(t, h, 1, binary.LittleEndian.AppendUint16([]byte{2, 0, 0, 0}, 1<<1|1<<8)...).next()
	if err != nil || p.values != 1 {
		t.Error(p, err)
	}
}
