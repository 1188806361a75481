// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go/format"
)

// A chunkReader decodes one column of one row group at a time into a builder.
// Its buffers are reused from one to the next.
type chunkReader struct {
	leaf  *leaf
	pages pageReader
	page  values // of the current page, without nulls
	dict  values // of the current dictionary
	names []int32
	codes []int32

	builders   [Text + 1]*builder
	staged     *builder         // one of them: what a coder is handed next
	translated bool             // the coder has the current dictionary
	unfit      map[int32]string // entries of it that cannot be represented, and why; nil where all can
}

// values are decoded values: numbers for columns of kind Float, byte arrays
// for Text, integers for all others.
type values struct {
	ints   []int64
	floats []float64
	texts  [][]byte
	len    int
	long   []bool // marks decimals that floats does not hold; nil where it holds all
}

// read appends one column chunk to b. before is the number of rows in the row
// groups before, for messages.
func (c *chunkReader) read(p *parquetFile, group, column int, before int64, b *builder) error {
	return c.pagesOf(p, group, column, before, func(page page) error { return c.take(page, b) })
}

// pagesOf hands the pages of one column chunk to take, in order.
func (c *chunkReader) pagesOf(p *parquetFile, group, column int, before int64, take func(page) error) (err error) {
	defer recoverAs(&err, p.name)
	if p.meta.RowGroups[group].NumRows == 0 {
		return nil
	}
	if err := c.begin(p, group, column); err != nil {
		return err
	}
	for {
		first := before + int64(c.pages.seen)
		page, err := c.pages.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = take(page)
		}
		if err != nil {
			return c.locate(err, p.name, group, first, page.present)
		}
	}
}

// begin points the reader at one column chunk.
func (c *chunkReader) begin(p *parquetFile, group, column int) error {
	m, err := p.chunk(group, column)
	if err != nil {
		return err
	}
	c.leaf = &p.leaves[column]
	c.dict.len, c.names = -1, nil
	c.pages.reset(p, m, c.leaf.optional)
	return nil
}

// plainDictionary is what old writers call the encoding of a dictionary, now
// plain, and of the codes into it, now RLE_DICTIONARY.
const plainDictionary format.Encoding = 2

var errNoDictionary = errors.New("dictionary codes without a dictionary")

// coded reports whether the page holds codes into the dictionary.
func (p *page) coded() bool {
	return !p.dictionary && (p.encoding == format.RLEDictionary || p.encoding == plainDictionary)
}

// A valueError is one value of a page that cannot be represented.
type valueError struct {
	index   int // among the values that are not null
	problem string
}

func (e *valueError) Error() string { return e.problem }

// locate adds the place to an error: file, row and column for a single value,
// file, row group and column for damage. Errors of the disk stay as they are.
func (c *chunkReader) locate(err error, file string, group int, first int64, present []byte) error {
	var disk *diskError
	if errors.As(err, &disk) || errors.Is(err, ErrBadData) {
		return err
	}
	var v *valueError
	if !errors.As(err, &v) {
		return badFile(file, "row group %d: column %q: %w", group, c.leaf.name, err)
	}
	row := v.index
	if present != nil {
		for i, left := 0, v.index+1; left > 0; i++ {
			left -= int(present[i])
			row = i
		}
	}
	return &RowError{Table: file, Row: int(first) + row + 1, Column: c.leaf.name, Problem: v.problem}
}

// take decodes one page: a dictionary is kept, values are appended to b.
func (c *chunkReader) take(p page, b *builder) error {
	switch {
	case p.dictionary:
		if p.encoding == plainDictionary {
			p.encoding = format.Plain
		}
		if b.Kind == Text || c.leaf.as == asDecimal {
			p.data = slices.Clone(p.data) // the texts point into it
		}
		return c.decode(&c.dict, p)
	case p.nonNull == 0:
		b.appendMissing(p.values)
		return nil
	case c.leaf.void:
		return fmt.Errorf("%d values in a column declared as nothing but nulls", p.nonNull)
	case p.coded():
		return c.takeCoded(p, b)
	}
	if err := c.decode(&c.page, p); err != nil {
		return err
	}
	return c.takeValues(p, b)
}

// takeValues appends the decoded values of a page.
func (c *chunkReader) takeValues(p page, b *builder) error {
	if b.Kind == Text {
		c.codes = resize(c.codes, len(c.page.texts))
		for i, text := range c.page.texts {
			c.codes[i] = b.texts.code(text)
		}
		b.appendCodes(c.codes, p.present)
		return nil
	}
	if i := slices.Index(c.page.long, true); i >= 0 {
		return &valueError{i, c.longDecimal(&c.page, i)}
	}
	return c.appendNumbers(p, b)
}

// takeCoded looks the codes of a page up in the dictionary.
func (c *chunkReader) takeCoded(p page, b *builder) (err error) {
	if c.dict.len < 0 {
		return errNoDictionary
	}
	if c.codes, err = decodeCodes(c.codes, p, c.dict.len); err != nil {
		return err
	}
	return c.takeCodes(p, b)
}

// takeCodes looks decoded codes up in the dictionary. A text gets its number in
// the column when it first appears, once per dictionary.
func (c *chunkReader) takeCodes(p page, b *builder) error {
	switch {
	case b.Kind == Text:
		if c.names == nil {
			c.names = slices.Repeat([]int32{-1}, c.dict.len)
		}
		for i, code := range c.codes {
			if c.names[code] < 0 {
				c.names[code] = b.texts.code(c.dict.texts[code])
			}
			c.codes[i] = c.names[code]
		}
		b.appendCodes(c.codes, p.present)
		return nil
	case c.leaf.kind == Float:
		c.page.floats = resize(c.page.floats, len(c.codes))
		for i, code := range c.codes {
			if c.dict.long != nil && c.dict.long[code] {
				return &valueError{i, c.longDecimal(&c.dict, int(code))}
			}
			c.page.floats[i] = c.dict.floats[code]
		}
	default:
		c.page.ints = resize(c.page.ints, len(c.codes))
		for i, code := range c.codes {
			c.page.ints[i] = c.dict.ints[code]
		}
	}
	return c.appendNumbers(p, b)
}

// decode decodes a page that holds values themselves, not codes.
func (c *chunkReader) decode(v *values, p page) (err error) {
	v.len, v.long = p.nonNull, nil
	switch c.leaf.physical {
	case format.Boolean:
		v.ints, err = decodeBools(v.ints, p)
	case format.Int32:
		v.ints, err = decodeInt32s(v.ints, p)
	case format.Int64:
		v.ints, err = decodeInt64s(v.ints, p)
	case format.Int96:
		v.ints, err = decodeInt96s(v.ints, p)
	case format.Float:
		v.floats, err = decodeFloats(v.floats, p, 4)
	case format.Double:
		v.floats, err = decodeFloats(v.floats, p, 8)
	default:
		v.texts, err = decodeByteArrays(v.texts, p, c.leaf.size)
	}
	if err != nil {
		return err
	}
	c.interpret(v)
	return nil
}

// interpret gives those values their form that are not stored in it: decimals,
// half floats and UUIDs.
func (c *chunkReader) interpret(v *values) {
	switch c.leaf.as {
	case asDecimal:
		c.decimals(v)
	case asHalf:
		v.floats = resize(v.floats, v.len)
		for i := range v.floats {
			v.floats[i] = HalfFloat(binary.LittleEndian.Uint16(v.texts[i]))
		}
	case asUUID:
		for i, b := range v.texts {
			v.texts[i] = uuidText(b)
		}
	}
}

// decimals gives v its numbers, and marks the decimals that they do not hold.
func (c *chunkReader) decimals(v *values) {
	v.floats = resize(v.floats, v.len)
	for i := range v.floats {
		var held bool
		if c.leaf.physical == format.Int32 || c.leaf.physical == format.Int64 {
			v.floats[i], held = decimalFloat(v.ints[i], c.leaf.scale)
		} else {
			v.floats[i], held = wideDecimalFloat(v.texts[i], c.leaf.scale)
		}
		if !held {
			if v.long == nil {
				v.long = make([]bool, v.len)
			}
			v.long[i] = true
		}
	}
}

// longDecimal describes value i of v, which is marked as long.
func (c *chunkReader) longDecimal(v *values, i int) string {
	if c.leaf.physical == format.Int32 || c.leaf.physical == format.Int64 {
		return longDecimal(strconv.FormatInt(v.ints[i], 10), c.leaf.scale)
	}
	b := shortest(v.texts[i])
	if len(b) > maxDecimalBytes {
		return fmt.Sprintf("holds a decimal of %d bytes; %d are the most", len(b), maxDecimalBytes)
	}
	return longDecimal(wide(b).String(), c.leaf.scale)
}

// appendNumbers converts the numbers of the page to the column's kind and
// appends them.
func (c *chunkReader) appendNumbers(p page, b *builder) error {
	if c.leaf.kind == Float {
		b.appendFloats(c.page.floats, p.present)
		return nil
	}
	ints := c.page.ints
	if err := c.convert(ints); err != nil {
		return err
	}
	switch {
	case b.Kind == Float: // integers in this file, numbers in another
		c.page.floats = resize(c.page.floats, len(ints))
		for i, v := range ints {
			if c.page.floats[i] = float64(v); int64(c.page.floats[i]) != v || v > 1<<53 || v < -1<<53 {
				return &valueError{i, fmt.Sprintf(
					"holds %d, too large for the numbers of another file (2^53); write both files with integers", v)}
			}
		}
		b.appendFloats(c.page.floats, p.present)
	case b.Kind == Time && c.leaf.kind == Date: // dates in this file, timestamps in another
		daysToNanos(ints)
		fallthrough
	default:
		b.appendInts(ints, p.present)
	}
	return nil
}

// convert turns stored integers into those that the kind means, in place.
func (c *chunkReader) convert(ints []int64) error {
	bad := -1
	switch c.leaf.as {
	case asUint32:
		for i, v := range ints {
			ints[i] = int64(uint32(v))
		}
	case asUint64:
		for i, v := range ints {
			if v < 0 {
				return &valueError{i, fmt.Sprintf("holds %d; integers must not exceed %d", uint64(v), int64(math.MaxInt64))}
			}
		}
	case asDays:
		bad = checkDays(ints)
	case asMillis:
		bad = toNanos(ints, 1e6)
	case asMicros:
		bad = toNanos(ints, 1e3)
	case asNanos, asInt96:
		bad = toNanos(ints, 1)
	}
	if bad >= 0 {
		return &valueError{bad, outOfRange(ints[bad], c.leaf.as)}
	}
	return nil
}

// decodeInt96s decodes legacy timestamps to nanoseconds.
func decodeInt96s(dst []int64, p page) ([]int64, error) {
	if p.encoding != format.Plain {
		return nil, badEncoding(p.encoding, format.Int96)
	}
	b, err := fixedWidth(p.data, p.nonNull, 12)
	if err != nil {
		return nil, err
	}
	dst = resize(dst, p.nonNull)
	for i := range dst {
		dst[i] = int96Nanos(binary.LittleEndian.Uint64(b[12*i:]), binary.LittleEndian.Uint32(b[12*i+8:]))
	}
	return dst, nil
}
