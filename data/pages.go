// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	readAhead      = 1 << 20 // bytes read from a file at a time
	maxPageHeader  = 1 << 24 // a header holds two values as statistics and little else
	maxPageSize    = 1 << 30 // bytes of a decompressed page; writers aim at 1 MiB
	usualPageBytes = 64      // what a page header is expected to fit in
)

var (
	errPageHeader = errors.New("a page has no proper header of its type")
	errPageLevels = errors.New("a page ends within its definition levels")
)

// A page is one decompressed page of a column, not yet decoded.
type page struct {
	dictionary bool
	values     int // with nulls
	encoding   format.Encoding
	present    []byte // per value 1, or 0 for null; nil where no value is null
	nonNull    int
	data       []byte // the encoded values that are not null
	lent       bool   // data lies in the reader's window
}

// A pageReader reads the pages of one column chunk in order. It checks each
// header against the bytes that are there and the count of values against the
// footer before it hands the page over. The buffers of a page are reused by
// the next one.
type pageReader struct {
	file     *parquetFile
	codec    format.CompressionCodec
	optional bool
	pos, end int64 // of the unread part of the chunk
	declared int   // values in the chunk, by the footer
	seen     int   // values in the data pages so far

	ahead    int64  // bytes read at a time; 0 means readAhead
	window   []byte // bytes of the file from windowAt on
	windowAt int64
	inflated []byte
	levels   []byte
}

// reset points the reader at another column chunk; its buffers are kept.
func (r *pageReader) reset(file *parquetFile, m *columnMeta, optional bool) {
	*r = pageReader{
		file: file, codec: m.Codec, optional: optional,
		pos: chunkStart(m), declared: int(m.NumValues),
		ahead: r.ahead, window: r.window[:0], inflated: r.inflated, levels: r.levels,
	}
	r.end = r.pos + m.TotalCompressedSize
}

// next returns the next dictionary or data page, and io.EOF after as many
// values as the footer declares.
func (r *pageReader) next() (page, error) {
	for {
		if r.seen == r.declared {
			return page{}, r.checkEnd()
		}
		h, err := r.header()
		if err != nil {
			return page{}, err
		}
		body, err := r.bytes(int64(h.CompressedPageSize))
		if err != nil {
			return page{}, err
		}
		r.pos += int64(h.CompressedPageSize)
		if h.CRC != 0 && crc32.ChecksumIEEE(body) != uint32(h.CRC) {
			return page{}, fmt.Errorf("a page before byte %s does not match its checksum", grouped(r.pos))
		}
		switch h.Type {
		case format.DictionaryPage:
			return r.dictionary(h, body)
		case format.DataPage:
			return r.version1(h, body)
		case format.DataPageV2:
			return r.version2(h, body)
		case format.IndexPage:
		default:
			return page{}, fmt.Errorf("a page before byte %s has the unknown type %d", grouped(r.pos), h.Type)
		}
	}
}

// checkEnd returns io.EOF, unless further values follow the declared ones.
func (r *pageReader) checkEnd() error {
	if r.pos < r.end {
		h, err := r.header()
		if err == nil && (h.Data != nil && h.Data.NumValues > 0 || h.DataV2 != nil && h.DataV2.NumValues > 0) {
			return fmt.Errorf("more than the %s values that the footer declares", grouped(int64(r.declared)))
		}
	}
	return io.EOF
}

// header reads the page header at pos and moves past it.
func (r *pageReader) header() (*pageHeader, error) {
	left := r.end - r.pos
	if left <= 0 {
		return nil, fmt.Errorf("%s of the %s values that the footer declares",
			grouped(int64(r.seen)), grouped(int64(r.declared)))
	}
	for room := int64(usualPageBytes); ; room *= 2 {
		b, err := r.bytes(min(room, left))
		if err != nil {
			return nil, err
		}
		n, err := structLength(b)
		if errors.Is(err, errThriftShort) && room < left && room < maxPageHeader {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the page header at byte %s %w", grouped(r.pos), err)
		}
		h := new(pageHeader)
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), b[:n], h); err != nil {
			return nil, fmt.Errorf("the page header at byte %s is damaged: %w", grouped(r.pos), err)
		}
		r.pos += int64(n)
		return h, r.checkHeader(h)
	}
}

func (r *pageReader) checkHeader(h *pageHeader) error {
	packed, size := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || packed > r.end-r.pos {
		return fmt.Errorf("the page at byte %s claims %s bytes, its column has %s left",
			grouped(r.pos), grouped(packed), grouped(r.end-r.pos))
	}
	if size < 0 || size > maxPageSize {
		return fmt.Errorf("the page at byte %s claims %s bytes when decompressed; %s are the most",
			grouped(r.pos), grouped(size), grouped(maxPageSize))
	}
	return nil
}

// bytes returns the n bytes at pos, which must lie inside the chunk. They are
// valid until the next call.
func (r *pageReader) bytes(n int64) ([]byte, error) {
	at := r.pos - r.windowAt
	if at < 0 || at+n > int64(len(r.window)) {
		ahead := r.ahead
		if ahead == 0 {
			ahead = readAhead
		}
		size := min(max(n, ahead), r.end-r.pos)
		if int64(cap(r.window)) < size {
			r.window = make([]byte, size)
		}
		r.window, r.windowAt, at = r.window[:size], r.pos, 0
		if err := r.file.readAt(r.window, r.pos); err != nil {
			return nil, err
		}
	}
	return r.window[at : at+n], nil
}

func (r *pageReader) dictionary(h *pageHeader, body []byte) (page, error) {
	d := h.Dictionary
	if d == nil || d.NumValues < 0 {
		return page{}, errPageHeader
	}
	data, err := r.inflate(body, int(h.UncompressedPageSize))
	n := int(d.NumValues)
	return page{dictionary: true, values: n, nonNull: n, encoding: d.Encoding, data: data, lent: r.codec == format.Uncompressed}, err
}

// version1 opens a data page of the first version: levels and values are
// compressed together.
func (r *pageReader) version1(h *pageHeader, body []byte) (page, error) {
	d := h.Data
	if d == nil {
		return page{}, errPageHeader
	}
	if err := r.count(d.NumValues); err != nil {
		return page{}, err
	}
	p := page{values: int(d.NumValues), nonNull: int(d.NumValues), encoding: d.Encoding,
		lent: r.codec == format.Uncompressed}
	data, err := r.inflate(body, int(h.UncompressedPageSize))
	if err != nil || !r.optional {
		p.data = data
		return p, err
	}
	levels := data
	switch d.Levels {
	case format.RLE:
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
			return p, errPageLevels
		}
		n := 4 + int(binary.LittleEndian.Uint32(data))
		levels, p.data = data[4:n], data[n:]
		err = r.decodeLevels(&p, levels)
	case format.BitPacked: // the first format's: most significant bit first, no length
		n := (p.values + 7) / 8
		if len(data) < n {
			return p, errPageLevels
		}
		r.levels = resize(r.levels, p.values)
		for i := range r.levels {
			r.levels[i] = data[i/8] >> (7 - i%8) & 1
		}
		p.data = data[n:]
		p.setPresent(r.levels)
	default:
		err = fmt.Errorf("definition levels are encoded as %v", d.Levels)
	}
	return p, err
}

// version2 opens a data page of the second version: the levels stand before
// the compressed values.
func (r *pageReader) version2(h *pageHeader, body []byte) (page, error) {
	d := h.DataV2
	if d == nil {
		return page{}, errPageHeader
	}
	if err := r.count(d.NumValues); err != nil {
		return page{}, err
	}
	p := page{values: int(d.NumValues), nonNull: int(d.NumValues), encoding: d.Encoding}
	rep, def := int64(d.RepetitionLevelsByteLength), int64(d.DefinitionLevelsByteLength)
	size := int64(h.UncompressedPageSize) - rep - def
	if rep < 0 || def < 0 || rep+def > int64(len(body)) || size < 0 {
		return p, errPageLevels
	}
	if r.optional {
		if err := r.decodeLevels(&p, body[rep:rep+def]); err != nil {
			return p, err
		}
	}
	if nulls := p.values - p.nonNull; nulls != int(d.NumNulls) {
		return p, fmt.Errorf("a page declares %d nulls and has %d", d.NumNulls, nulls)
	}
	var err error
	p.data, p.lent = body[rep+def:], true
	if d.IsCompressed == nil || *d.IsCompressed {
		p.data, err = r.inflate(p.data, int(size))
		p.lent = r.codec == format.Uncompressed
	}
	return p, err
}

// count adds a data page's values to those seen.
func (r *pageReader) count(values int32) error {
	if values < 0 {
		return errPageHeader
	}
	if int(values) > r.declared-r.seen {
		return fmt.Errorf("more than the %s values that the footer declares", grouped(int64(r.declared)))
	}
	r.seen += int(values)
	return nil
}

func (r *pageReader) inflate(body []byte, size int) ([]byte, error) {
	data, err := decompress(r.inflated, r.codec, body, size)
	if err == nil && r.codec != format.Uncompressed {
		r.inflated = data
	}
	return data, err
}

// decodeLevels decodes definition levels, which for a flat optional column are
// 1 for a value and 0 for a null.
func (r *pageReader) decodeLevels(p *page, src []byte) error {
	if h, k := binary.Uvarint(src); k > 0 && h == uint64(p.values)<<1 && len(src) > k && src[k] == 1 {
		return nil // one run of 1, the usual case: no value is null
	}
	end, err := checkRuns(src, 1, p.values)
	if err != nil {
		return fmt.Errorf("definition levels: %w", err)
	}
	levels, err := (&rle.Encoding{BitWidth: 1}).DecodeLevels(r.levels[:0], src[:end])
	if err != nil {
		return err
	}
	r.levels = levels
	p.setPresent(levels[:p.values])
	return nil
}

// setPresent counts the values that are not null.
func (p *page) setPresent(levels []byte) {
	p.nonNull = 0
	for _, l := range levels {
		p.nonNull += int(l)
	}
	if p.nonNull < p.values {
		p.present = levels
	}
}

// resize returns a slice of length n, in s where there is room. Its content is
// undefined.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
