// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// The functions in this file decode the values of one page into a slice. They
// have parquet-go do it, but look first whether the bytes hold as many values
// as the page header says: its decoders believe every count that they meet
// inside the data, so that six bytes can make them allocate eight gigabytes. A
// page of nulls only has no values and never comes here.

var errShortPage = errors.New("a page holds fewer values than its header declares")

func badEncoding(e format.Encoding, what any) error {
	return fmt.Errorf("%v values are encoded as %v, which is not known", what, e)
}

// checkRuns walks the headers of the hybrid run-length and bit-packed encoding
// and returns the number of bytes that hold the first n values of the given
// width. A bit-packed run may go beyond n, as it comes in groups of 8; a
// repeated value may not.
//
// Source: Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
func checkRuns(src []byte, width, n int) (end int, err error) {
	for got := 0; got < n; {
		h, k := binary.Uvarint(src[end:])
		if k <= 0 {
			return 0, errShortPage
		}
		end += k
		count, size := h>>1, uint64(width+7)/8
		if h&1 != 0 {
			if width > 0 && count > uint64(len(src)) || width == 0 && count > uint64(n) {
				return 0, errShortPage
			}
			size = count * uint64(width)
			count *= 8
		}
		if size > uint64(len(src)-end) {
			return 0, errShortPage
		}
		end += int(size)
		if left := uint64(n - got); count > left {
			if h&1 == 0 {
				return 0, fmt.Errorf("a run of %d values where %d are left", count, left)
			}
			count = left
		}
		got += int(count)
	}
	return end, nil
}

// decodeCodes decodes the dictionary codes of a page, all below size.
func decodeCodes(dst []int32, p page, size int) ([]int32, error) {
	if len(p.data) == 0 {
		return nil, errShortPage
	}
	width, src := int(p.data[0]), p.data[1:]
	if width > 32 {
		return nil, fmt.Errorf("dictionary codes are %d bits wide", width)
	}
	end, err := checkRuns(src, width, p.nonNull)
	if err != nil {
		return nil, err
	}
	dst, err = (&rle.Encoding{BitWidth: width}).DecodeInt32(dst[:0], src[:end])
	if err != nil {
		return nil, err
	}
	dst = dst[:p.nonNull]
	return dst, checkCodes(dst, size)
}

// checkCodes refuses codes that a dictionary of so many values does not have.
func checkCodes(codes []int32, size int) error {
	for _, c := range codes {
		if uint32(c) >= uint32(size) {
			return fmt.Errorf("code %d in a dictionary of %d values", uint32(c), size)
		}
	}
	return nil
}

// fixedWidth returns the first n values of a fixed number of bytes each.
func fixedWidth(data []byte, n, width int) ([]byte, error) {
	if n > len(data)/width {
		return nil, errShortPage
	}
	return data[:n*width], nil
}

// decodeBools decodes booleans as 0 and 1.
func decodeBools(dst []int64, p page) ([]int64, error) {
	dst = resize(dst, p.nonNull)
	switch p.encoding {
	case format.Plain:
		if p.nonNull > 8*len(p.data) {
			return nil, errShortPage
		}
		for i := range dst {
			dst[i] = int64(p.data[i/8] >> (i % 8) & 1)
		}
		return dst, nil
	case format.RLE:
		if len(p.data) < 4 { // the length, which the page's end makes superfluous
			return nil, errShortPage
		}
		end, err := checkRuns(p.data[4:], 1, p.nonNull)
		if err != nil {
			return nil, err
		}
		bits, err := (&rle.Encoding{BitWidth: 1}).DecodeLevels(nil, p.data[4:4+end])
		if err != nil {
			return nil, err
		}
		for i := range dst {
			dst[i] = int64(bits[i])
		}
		return dst, nil
	}
	return nil, badEncoding(p.encoding, format.Boolean)
}

// decodeInt32s decodes 32-bit integers, widened to 64 bits.
func decodeInt32s(dst []int64, p page) ([]int64, error) {
	switch p.encoding {
	case format.Plain, format.ByteStreamSplit:
		b, err := unsplit(p, 4)
		if err != nil {
			return nil, err
		}
		dst = resize(dst, p.nonNull)
		for i := range dst {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
		return dst, nil
	case format.DeltaBinaryPacked:
		dst, _, err := decodeDelta(dst, p.data, p.nonNull)
		for i, v := range dst {
			dst[i] = int64(int32(v))
		}
		return dst, err
	}
	return nil, badEncoding(p.encoding, format.Int32)
}

// decodeInt64s decodes 64-bit integers.
func decodeInt64s(dst []int64, p page) ([]int64, error) {
	switch p.encoding {
	case format.Plain, format.ByteStreamSplit:
		b, err := unsplit(p, 8)
		if err != nil {
			return nil, err
		}
		dst = resize(dst, p.nonNull)
		for i := range dst {
			dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		return dst, nil
	case format.DeltaBinaryPacked:
		dst, _, err := decodeDelta(dst, p.data, p.nonNull)
		return dst, err
	}
	return nil, badEncoding(p.encoding, format.Int64)
}

// decodeFloats decodes floats of 4 or 8 bytes, widened to 8.
func decodeFloats(dst []float64, p page, width int) ([]float64, error) {
	if p.encoding != format.Plain && p.encoding != format.ByteStreamSplit {
		return nil, badEncoding(p.encoding, format.Double)
	}
	b, err := unsplit(p, width)
	if err != nil {
		return nil, err
	}
	dst = resize(dst, p.nonNull)
	for i := range dst {
		if width == 4 {
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return dst, nil
}

// unsplit returns the plain form of values of one width that are plain, or
// split into one stream per byte.
func unsplit(p page, width int) ([]byte, error) {
	b, err := fixedWidth(p.data, p.nonNull, width)
	if err != nil || p.encoding != format.ByteStreamSplit {
		return b, err
	}
	plain := make([]byte, len(b))
	for k := range width {
		stream := b[k*p.nonNull : (k+1)*p.nonNull]
		for i, v := range stream {
			plain[i*width+k] = v
		}
	}
	return plain, nil
}

// decodeDelta decodes n delta-packed integers from the start of src, and
// returns the rest of src. Integers of 32 bits are the low halves of the
// results: deltas may wrap round at 32 bits or, as DuckDB writes them, be 33
// bits wide, which comes to the same modulo 2^32.
func decodeDelta(dst []int64, src []byte, n int) (values []int64, rest []byte, err error) {
	end, err := checkDelta(src, n)
	if err != nil {
		return nil, nil, err
	}
	values, err = new(delta.BinaryPackedEncoding).DecodeInt64(dst[:0], src[:end])
	return values, src[end:], err
}

// checkDelta walks the blocks of n delta-packed integers and returns the number
// of bytes that they take up.
//
// Source: Parquet format, Encodings.md, "Delta Encoding".
func checkDelta(src []byte, n int) (end int, err error) {
	var header [4]uint64 // values per block, miniblocks per block, values, the first value
	for i := range header {
		v, k := binary.Uvarint(src[end:])
		if k <= 0 {
			return 0, errShortPage
		}
		header[i] = v
		end += k
	}
	block, minis := header[0], header[1]
	if header[2] != uint64(n) {
		return 0, fmt.Errorf("%d delta-packed values where the page header declares %d", header[2], n)
	}
	if block == 0 || block > 1<<16 || minis == 0 || block%minis != 0 || block/minis%32 != 0 {
		return 0, fmt.Errorf("delta blocks of %d values in %d parts", block, minis)
	}
	perMini := int(block / minis)
	for left := n - 1; left > 0; {
		_, k := binary.Uvarint(src[end:]) // the least delta
		if k <= 0 || int(minis) > len(src)-end-k {
			return 0, errShortPage
		}
		widths := src[end+k : end+k+int(minis)]
		end += k + int(minis)
		for _, w := range widths {
			if left <= 0 {
				break
			}
			if w > 64 {
				return 0, fmt.Errorf("deltas of %d bits", w)
			}
			end += perMini * int(w) / 8
			left -= perMini
		}
		if end > len(src) {
			return 0, errShortPage
		}
	}
	return end, nil
}
