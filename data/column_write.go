// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// pageRows is the number of rows of a page, so that 8-byte values fill the
	// 64 KiB over which snappy looks for repetitions. A multiple of 8.
	pageRows = 8 << 10

	// maxTextPage ends a page of long texts early. A single longer text has a
	// page of its own.
	maxTextPage = 1 << 20

	// maxTextDictionary bounds the bytes of a text column's dictionary per row
	// group. Beyond it, as for long ids of which no two are alike, pages are
	// plain.
	maxTextDictionary = 4 << 20

	maxTextBound = 64 // bytes of a least or largest text in the footer
)

// A columnWriter encodes one column: values are gathered to a page, pages to
// the column's part of a row group. Where pages end follows from the values
// alone.
type columnWriter struct {
	name string
	kind Kind
	unit int64 // of the stored timestamps, in nanoseconds

	// One codec for the whole file, as some readers expect: none where the first
	// page does not shrink by a quarter.
	codec format.CompressionCodec
	begun bool // the first page is written

	// The page being filled: rows of which filled are not null.
	rows, filled int
	levels       []byte   // per row 1, or 0 for null
	numbers      []uint64 // all kinds but Text: integers, bits of floats
	codes        []int32  // Text in a dictionary
	plain        []byte   // Text else
	full         bool     // before it has pageRows

	// The row group being filled.
	coding     bool // values may still go to the dictionary
	dictionary numberDictionary
	texts      *interner
	textBytes  int
	known      []int32 // code in texts of each code of the piece, -1 where there is none yet
	pages      []byte
	unpacked   int64 // bytes of the pages when decompressed
	count      int
	nulls      int

	// Bounds of the values in the row group's plain pages.
	bounded   bool
	low, high int64 // of numbers, by order
	least     string
	largest   string
}

func newColumnWriter(name string, kind Kind, micros bool) *columnWriter {
	c := &columnWriter{name: name, kind: kind, unit: 1, codec: format.Snappy, levels: make([]byte, pageRows)}
	if kind == Time && micros {
		c.unit = 1000
	}
	if kind == Text {
		c.codes, c.texts = make([]int32, pageRows), newInterner()
	} else {
		c.numbers = make([]uint64, pageRows)
	}
	c.reset()
	return c
}

// reset begins another row group.
func (c *columnWriter) reset() {
	c.coding = c.kind != Bool
	c.dictionary.reset()
	if c.kind == Text {
		c.texts.reset()
		c.forget()
	}
	c.textBytes, c.pages, c.unpacked, c.count, c.nulls = 0, c.pages[:0], 0, 0, 0
	c.bounded = false
	c.least, c.largest = "", ""
}

// startPiece makes ready for texts that are numbered up to distinct.
func (c *columnWriter) startPiece(distinct int) {
	c.known = resize(c.known, distinct)
	c.forget()
}

func (c *columnWriter) forget() {
	for i := range c.known {
		c.known[i] = -1
	}
}

// append adds the rows from one to another of a column of this one's kind.
func (c *columnWriter) append(from *Column, start, end int, b *pageBuffers) error {
	for start < end {
		next := min(end, start+pageRows-c.rows)
		switch {
		case c.kind == Float:
			c.addFloats(from.Floats[start:next])
		case c.kind == Text && c.coding:
			next = start + c.addCodes(from.Codes[start:next], from.Dict)
		case c.kind == Text:
			next = start + c.addTexts(from.Codes[start:next], from.Dict)
		default:
			if err := c.addInts(from, start, next); err != nil {
				return err
			}
		}
		start = next
		if c.full || c.rows == pageRows {
			if err := c.endPage(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *columnWriter) addFloats(values []float64) {
	levels, n := c.levels[c.rows:][:len(values)], c.filled
	numbers := c.numbers[:pageRows]
	for i, v := range values {
		level := byte(0)
		if v == v {
			level = 1
		}
		levels[i] = level
		numbers[n&(pageRows-1)] = math.Float64bits(v) // overwritten by the next where v is missing
		n += int(level)
	}
	c.filled = n
	c.rows += len(values)
}

var errTooFine = errors.New("holds a timestamp with digits beyond the microsecond; " +
	"write the file with timestamps in nanoseconds")

func (c *columnWriter) addInts(from *Column, start, end int) error {
	values, levels, n := from.Ints[start:end], c.levels[c.rows:], c.filled
	for i, v := range values {
		if from.Null != nil && from.Null[start+i] {
			levels[i] = 0
			continue
		}
		levels[i] = 1
		switch {
		case c.unit > 1:
			if v%c.unit != 0 {
				return errTooFine
			}
			v /= c.unit
		case c.kind == Bool && v != 0:
			v = 1
		}
		c.numbers[n] = uint64(v)
		n++
	}
	c.filled = n
	c.rows += len(values)
	return nil
}

// addCodes adds texts to the page by their codes in the dictionary and returns
// how many rows it took: fewer than there are where the dictionary is full.
func (c *columnWriter) addCodes(codes []int32, dict []string) int {
	for i, piece := range codes {
		if piece < 0 {
			c.levels[c.rows] = 0
			c.rows++
			continue
		}
		code := c.known[piece]
		if code < 0 {
			if code = c.code(dict[piece]); code < 0 {
				c.coding, c.full = false, c.rows > 0
				return i
			}
			c.known[piece] = code
		}
		c.codes[c.filled] = code
		c.filled++
		c.levels[c.rows] = 1
		c.rows++
	}
	return len(codes)
}

// code returns the code of a text in the dictionary, or -1 where that is full.
func (c *columnWriter) code(text string) int32 {
	if c.textBytes+4+len(text) > maxTextDictionary {
		return -1
	}
	before := len(c.texts.dict)
	code := c.texts.codeOf(text)
	if len(c.texts.dict) > before {
		c.textBytes += 4 + len(text)
	}
	return code
}

// addTexts adds texts to the page as they are and returns how many rows it
// took: fewer than there are where they filled the page.
func (c *columnWriter) addTexts(codes []int32, dict []string) int {
	for i, piece := range codes {
		if piece < 0 {
			c.levels[c.rows] = 0
			c.rows++
			continue
		}
		text := dict[piece]
		if len(c.plain) > 0 && len(c.plain)+4+len(text) > maxTextPage {
			c.full = true
			return i
		}
		c.plain = appendText(c.plain, text)
		c.boundText(text)
		c.filled++
		c.levels[c.rows] = 1
		c.rows++
	}
	return len(codes)
}

// endPage encodes the page and begins the next.
func (c *columnWriter) endPage(b *pageBuffers) error {
	encoding := format.Plain
	b.raw = appendLevels(b.raw[:0], c.levels[:c.rows], c.filled)
	switch {
	case c.filled == 0: // neither values nor, in codes, their width
	case c.kind == Text:
		if len(c.plain) > 0 {
			b.raw = append(b.raw, c.plain...)
			break
		}
		encoding = format.RLEDictionary
		b.raw = appendCodes(b.raw, c.codes[:c.filled], len(c.texts.dict))
	case c.kind == Bool:
		b.raw = appendBits(b.raw, c.numbers[:c.filled])
		c.bound(c.numbers[:c.filled])
	case c.coding && c.code64(b):
		encoding = format.RLEDictionary
		b.raw = appendCodes(b.raw, b.codes[:c.filled], len(c.dictionary.values))
	default:
		b.raw = appendNumbers(b.raw, c.numbers[:c.filled], c.kind)
		c.bound(c.numbers[:c.filled])
	}
	var err error
	before := len(c.pages)
	header := &writtenHeader{Type: format.DataPage, Data: &writtenDataHeader{
		NumValues: int32(c.rows), Encoding: encoding, DefinitionLevels: format.RLE, RepetitionLevels: format.RLE}}
	c.pages, err = b.appendPage(c.pages, header, c.codec)
	if err == nil && !c.begun && b.packedSize > len(b.raw)-len(b.raw)/4 {
		c.codec = format.Uncompressed // not worth the reader's time either
		c.pages, err = b.appendPage(c.pages[:0], header, c.codec)
	}
	c.begun = true
	c.unpacked += int64(len(c.pages)-before-b.packedSize) + int64(len(b.raw))
	c.count += c.rows
	c.nulls += c.rows - c.filled
	if c.kind == Text && c.count == c.rows && 4*len(c.texts.dict) > 3*c.filled {
		c.coding = false // hardly two alike in the first page: ids
	}
	c.rows, c.filled, c.plain, c.full = 0, 0, c.plain[:0], false
	return err
}

// code64 looks the page's numbers up in the row group's dictionary, into
// b.codes. It gives up, for the rest of the row group, where there are too many
// distinct ones or, in the first page, too few alike.
func (c *columnWriter) code64(b *pageBuffers) bool {
	known := len(c.dictionary.values)
	b.codes = resize(b.codes, pageRows)
	ok := c.dictionary.code(b.codes, c.numbers[:c.filled])
	if !ok || known == 0 && 2*len(c.dictionary.values) > c.filled {
		c.dictionary.values = c.dictionary.values[:known]
		c.coding = false
	}
	return c.coding
}

// end returns what the footer says of the column in this row group, and its
// dictionary page, if any. Both and the pages are valid until reset.
func (c *columnWriter) end(b *pageBuffers) (m writtenMeta, dictionary []byte, err error) {
	if c.rows > 0 {
		if err := c.endPage(b); err != nil {
			return m, nil, err
		}
	}
	header := &writtenHeader{Type: format.DictionaryPage, Dictionary: &dictHeader{Encoding: format.Plain}}
	b.raw = b.raw[:0]
	if c.kind == Text {
		for _, text := range c.texts.dict {
			b.raw = appendText(b.raw, text)
			c.boundText(text)
		}
		header.Dictionary.NumValues = int32(len(c.texts.dict))
	} else {
		b.raw = appendNumbers(b.raw, c.dictionary.values, c.kind)
		c.bound(c.dictionary.values)
		header.Dictionary.NumValues = int32(len(c.dictionary.values))
	}
	m = writtenMeta{Type: c.physical(), Encodings: []format.Encoding{format.Plain, format.RLE},
		Path: []string{c.name}, Codec: c.codec, NumValues: int64(c.count)}
	if header.Dictionary.NumValues > 0 {
		if b.dictionary, err = b.appendPage(b.dictionary[:0], header, c.codec); err != nil {
			return m, nil, err
		}
		dictionary = b.dictionary
		c.unpacked += int64(len(dictionary)-b.packedSize) + int64(len(b.raw))
		m.Encodings = append(m.Encodings, format.RLEDictionary)
	}
	m.TotalUncompressedSize = c.unpacked
	m.TotalCompressedSize = int64(len(dictionary) + len(c.pages))
	m.Statistics = c.statistics()
	return m, dictionary, nil
}

// bound widens the bounds by numbers.
func (c *columnWriter) bound(numbers []uint64) {
	if len(numbers) == 0 {
		return
	}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	if c.bounded {
		low, high = c.low, c.high
	}
	if c.kind == Float {
		for _, v := range numbers {
			low, high = min(low, floatOrder(v)), max(high, floatOrder(v))
		}
	} else {
		for _, v := range numbers {
			low, high = min(low, int64(v)), max(high, int64(v))
		}
	}
	c.low, c.high, c.bounded = low, high, true
}

// boundText widens the bounds by a text.
func (c *columnWriter) boundText(text string) {
	if !c.bounded || text < c.least {
		c.least = strings.Clone(text)
	}
	if !c.bounded || text > c.largest {
		c.largest = strings.Clone(text)
	}
	c.bounded = true
}

// statistics returns the row group's nulls and bounds. Long texts and, since
// the format then leaves it out, an empty one have none. A zero bound is the
// outer one of the two floats that are zero, as the format demands.
func (c *columnWriter) statistics() writtenStatistics {
	s := writtenStatistics{NullCount: int64(c.nulls)}
	if !c.bounded {
		return s
	}
	switch c.kind {
	case Text:
		if c.least != "" && len(c.least) <= maxTextBound && len(c.largest) <= maxTextBound {
			s.Min, s.Max = []byte(c.least), []byte(c.largest)
		}
	case Float:
		low, high := floatOfOrder(c.low), floatOfOrder(c.high)
		if low == 0 {
			low = math.Copysign(0, -1)
		}
		if high == 0 {
			high = 0
		}
		s.Min = appendNumbers(nil, []uint64{math.Float64bits(low)}, Float)
		s.Max = appendNumbers(nil, []uint64{math.Float64bits(high)}, Float)
	case Bool:
		s.Min, s.Max = []byte{byte(c.low)}, []byte{byte(c.high)}
	default:
		s.Min = appendNumbers(nil, []uint64{uint64(c.low)}, c.kind)
		s.Max = appendNumbers(nil, []uint64{uint64(c.high)}, c.kind)
	}
	return s
}
