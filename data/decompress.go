// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// readableCodec reports whether pages of a codec can be read. LZ4 is refused
// because parquet-go decodes its framed variants to garbage without an error.
func readableCodec(c format.CompressionCodec) bool {
	switch c {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd:
		return true
	}
	return false
}

var errPageSize = errors.New("a page does not decompress to the size in its header")

// decompress returns the size bytes that src holds, in dst where there is room.
// What it allocates is bounded by what src can really hold: every stream is
// asked for its size before a decoder may believe the page header, or, as
// gzip and Brotli do not say, is decoded no further than size.
func decompress(dst []byte, codec format.CompressionCodec, src []byte, size int) ([]byte, error) {
	if len(src) == 0 && size == 0 {
		return src, nil // a page of nulls only, from writers that compress nothing to nothing
	}
	if size > pageSlack+maxGzipRatio*len(src) {
		return nil, fmt.Errorf("a page of %s bytes claims to hold %s: made to cost memory", grouped(int64(len(src))), grouped(int64(size)))
	}
	switch codec {
	case format.Uncompressed:
		if len(src) != size {
			return nil, errPageSize
		}
		return src, nil
	case format.Snappy:
		if n, _ := binary.Uvarint(src); n != uint64(size) || size > maxSnappyRatio*len(src) {
			return nil, errPageSize
		}
	case format.Zstd:
		if err := checkZstd(src, size); err != nil {
			return nil, err
		}
	case format.Gzip:
		return gunzip(dst, src, size)
	case format.Brotli:
		return unbrotli(dst, src, size)
	}
	dst, err := parquet.LookupCompressionCodec(codec).Decode(dst[:0:cap(dst)], src)
	if err == nil && len(dst) != size {
		err = errPageSize
	}
	return dst, err
}

const (
	// Snappy's best is a copy of 64 bytes written in 3.
	maxSnappyRatio = 22
	// Deflate's best is 258 bytes written in 2 bits.
	maxGzipRatio = 1032
)

func gunzip(dst, src []byte, size int) ([]byte, error) {
	if size > maxGzipRatio*len(src) {
		return nil, errPageSize
	}
	z, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		return nil, err
	}
	if cap(dst) < size {
		dst = make([]byte, size)
	}
	dst = dst[:size]
	if _, err := io.ReadFull(z, dst); err != nil {
		return nil, errPageSize
	}
	var more [1]byte
	if n, err := z.Read(more[:]); n != 0 || !errors.Is(err, io.EOF) { // also checks the CRC
		return nil, errPageSize
	}
	return dst, nil
}

const (
	// Brotli and zstd have no best: a few bytes say to repeat one byte as often
	// as you like. A page may hold this much however short its stream, and beyond
	// it no more than gzip could have made of as many bytes.
	pageSlack = 64 << 20

	// The room that is made before anything has come out.
	firstRoom = 64 << 10
)

// brotliReaders keeps decoders between pages: each has a window of up to 16
// MiB, which is all that a stream can make it allocate.
var brotliReaders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}

// unbrotli decodes a stream that does not say how much it holds. The room for
// it doubles as it fills up, so that it is never more than twice what came out.
func unbrotli(dst, src []byte, size int) ([]byte, error) {
	z := brotliReaders.Get().(*brotli.Reader)
	z.Reset(bytes.NewReader(src))
	dst = dst[:0]
	for len(dst) < size {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(max(len(dst), firstRoom), size-len(dst)))
		}
		n, err := z.Read(dst[len(dst):min(cap(dst), size)])
		dst = dst[:len(dst)+n]
		if err != nil && len(dst) < size {
			return nil, fmt.Errorf("%w: %w after %d of %d bytes", errPageSize, err, len(dst), size)
		}
	}
	var more [1]byte
	if _, err := io.ReadFull(z, more[:]); !errors.Is(err, io.EOF) {
		return nil, errPageSize
	}
	z.Reset(nil) // let go of src
	// Only now: Reset leaves behind input that a damaged stream did not use up.
	brotliReaders.Put(z)
	return dst, nil
}

const (
	zstdMagic    = 0xFD2FB528
	maxZstdBlock = 128 << 10 // no block holds more

	// Blocks are nearly always full but for the last; this much may be missing
	// from a stream that does not state its size.
	zstdSlack = 64 << 20
)

var errZstd = errors.New("a page is not a zstd stream")

// checkZstd walks the frames and block headers of a zstd stream, without
// decoding, and refuses one that could hold much more than the expected size.
//
// Source: RFC 8878, section 3.1.1.
func checkZstd(src []byte, size int) error {
	most := uint64(0)
	for len(src) > 0 {
		length, content, err := zstdFrame(src)
		if err != nil {
			return err
		}
		if most += content; most > uint64(size)+zstdSlack {
			return errPageSize
		}
		src = src[length:]
	}
	return nil
}

// zstdFrame returns the length of the frame at the start of a stream and the
// size of its content: as the frame states it, else the most its blocks hold.
func zstdFrame(src []byte) (length int, content uint64, err error) {
	if len(src) < 6 || binary.LittleEndian.Uint32(src) != zstdMagic {
		return 0, 0, errZstd
	}
	d := src[4]
	single := d&0x20 != 0
	pos := 5 + [4]int{0, 1, 2, 4}[d&3] // past the dictionary's number
	if !single {
		pos++ // past the window's size
	}
	width := [4]int{0, 2, 4, 8}[d>>6]
	if single && width == 0 {
		width = 1
	}
	if pos+width > len(src) {
		return 0, 0, errZstd
	}
	var stated [8]byte
	copy(stated[:], src[pos:pos+width])
	length, most, err := zstdBlocks(src, pos+width)
	if err != nil {
		return 0, 0, err
	}
	if d&4 != 0 {
		length += 4 // the checksum
	}
	if content = binary.LittleEndian.Uint64(stated[:]); width == 2 {
		content += 256
	}
	// The decoder makes room for all that is stated before it looks further.
	if length > len(src) || content > most {
		return 0, 0, errZstd
	}
	if width == 0 {
		content = most
	}
	return length, content, nil
}

// zstdBlocks walks the blocks from pos and returns where they end and the most
// they can hold.
func zstdBlocks(src []byte, pos int) (end int, bound uint64, err error) {
	for last := false; !last; {
		if pos+3 > len(src) {
			return 0, 0, errZstd
		}
		h := uint(src[pos]) | uint(src[pos+1])<<8 | uint(src[pos+2])<<16
		last = h&1 != 0
		n := int(h >> 3)
		pos += 3
		if n > maxZstdBlock {
			return 0, 0, errZstd
		}
		switch h >> 1 & 3 {
		case 0: // stored
			pos += n
			bound += uint64(n)
		case 1: // one byte, repeated
			pos++
			bound += uint64(n)
		case 2: // compressed
			pos += n
			bound += maxZstdBlock
		default:
			return 0, 0, errZstd
		}
		if pos > len(src) {
			return 0, 0, fmt.Errorf("%w: a block is cut off", errZstd)
		}
	}
	return pos, bound, nil
}
