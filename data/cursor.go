// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// headerAhead is what a cursor reads to find a page's header. Pages are read as
// they are needed, since the bytes after one would have to be kept until then.
const headerAhead = 4 << 10

// A cursor decodes one column chunk some rows at a time, into the builder that
// it is handed. It holds a page and a dictionary, however long the chunk.
type cursor struct {
	chunkReader
	file   *parquetFile
	group  int
	before int64 // rows in the row groups before

	rest  page   // what is left of the current page
	width int    // bytes of each value, where the page can be cut anywhere; else 0
	runs  runs   // of a page of codes
	held  values // of other pages: all that is left of it, decoded
	own   []byte // the bytes of a page that lay in the window

	// A dictionary of 4-byte floats as it lies in its page: looked up as often as
	// there are rows, it is best small, and not worth widening where values are
	// hardly ever alike.
	narrow []byte
	wild   bool   // some entry of the dictionary may be infinite
	spare  []byte // room for the next page, while narrow lies in that of the one before
}

// open points the cursor at another column chunk.
func (c *cursor) open(p *parquetFile, group, column int, before int64) (err error) {
	defer recoverAs(&err, p.name)
	if c.narrow != nil { // the next dictionary goes where this one is
		c.pages.inflated, c.spare, c.narrow = c.spare, c.pages.inflated, nil
	}
	c.file, c.group, c.before, c.rest = p, group, before, page{}
	c.pages.ahead = headerAhead
	return c.begin(p, group, column)
}

// read appends the next n rows to b. window is room for a packed page, which no
// other cursor may use meanwhile.
func (c *cursor) read(b *builder, n int, window *[]byte) (err error) {
	defer recoverAs(&err, c.file.name)
	for n > 0 {
		first := c.before + int64(c.pages.seen-c.rest.values)
		k := min(n, c.rest.values)
		present := c.rest.present
		if k == 0 {
			err = c.turn(b, window)
		} else {
			err = c.cut(k, b)
		}
		if errors.Is(err, io.EOF) {
			err = errShortPage
		}
		if err != nil {
			return c.locate(err, c.file.name, c.group, first, present)
		}
		n -= k
	}
	return nil
}

// close checks that the chunk ends where its rows do.
func (c *cursor) close(window *[]byte) (err error) {
	defer recoverAs(&err, c.file.name)
	if _, err = c.nextPage(window); errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errors.New("more pages than its rows fill")
	}
	return c.locate(err, c.file.name, c.group, c.before, nil)
}

// nextPage reads a page with the window that cursors share.
func (c *cursor) nextPage(window *[]byte) (page, error) {
	c.pages.window, c.pages.windowAt = (*window)[:0], c.pages.pos
	p, err := c.pages.next()
	if p.lent {
		c.own = append(c.own[:0], p.data...)
		p.data, p.lent = c.own, false
	}
	*window, c.pages.window = c.pages.window, nil
	return p, err
}

// turn goes to the next page: a dictionary is kept, data are made ready to be
// cut, or decoded where they cannot be.
func (c *cursor) turn(b *builder, window *[]byte) error {
	p, err := c.nextPage(window)
	if err != nil {
		return err
	}
	if p.dictionary {
		return c.keep(p, b)
	}
	c.rest, c.width = p, 0
	switch {
	case p.nonNull == 0:
		return nil
	case c.leaf.void:
		return c.take(p, b) // refuses the page
	case p.coded() && c.dict.len < 0:
		return errNoDictionary
	case p.coded():
		return c.runs.reset(&p)
	case p.encoding == format.Plain && c.plainWidth() > 0:
		c.width = c.plainWidth()
		_, err := fixedWidth(p.data, p.nonNull, c.width)
		return err
	}
	c.page, c.held = c.held, c.page
	err = c.decode(&c.page, p)
	c.page, c.held = c.held, c.page
	return err
}

// keep keeps a dictionary.
func (c *cursor) keep(p page, b *builder) error {
	c.wild = false
	if c.leaf.physical != format.Float || p.encoding != format.Plain && p.encoding != plainDictionary || b.Kind != Float {
		err := c.take(p, b)
		for _, v := range c.dict.floats[:min(len(c.dict.floats), c.dict.len)] {
			c.wild = c.wild || math.IsInf(v, 0)
		}
		return err
	}
	var err error
	c.narrow, err = fixedWidth(p.data, p.nonNull, 4)
	c.dict.len = p.nonNull
	c.pages.inflated, c.own, c.spare = c.spare, nil, p.data[:0]
	c.wild = wild32(c.narrow)
	return err
}

// wild32 reports whether plain 4-byte floats, two at a time, may be infinite: an
// exponent of ones carries into the place of the sign.
func wild32(b []byte) bool {
	const exponents, least = 0x7f800000_7f800000, 0x00800000_00800000
	const signs = 0x80000000_80000000
	var carried uint64
	for ; len(b) >= 8; b = b[8:] {
		carried |= binary.LittleEndian.Uint64(b)&exponents + least
	}
	if len(b) >= 4 {
		carried |= uint64(binary.LittleEndian.Uint32(b))&exponents + least
	}
	return carried&signs != 0
}

// plainWidth returns the bytes that each value of a plain page takes up, 0
// where they are not the same for all.
func (c *cursor) plainWidth() int {
	switch c.leaf.physical {
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	}
	return 0
}

// cut appends the first k rows of the page to b and leaves the others.
func (c *cursor) cut(k int, b *builder) error {
	p := c.rest
	p.values, p.nonNull = k, k
	if p.present != nil {
		p.present, c.rest.present = p.present[:k], p.present[k:]
		p.nonNull = 0
		for _, level := range p.present {
			p.nonNull += int(level)
		}
	}
	c.rest.values -= k
	c.rest.nonNull -= p.nonNull
	switch {
	case p.nonNull == 0:
		b.appendMissing(k)
		return nil
	case p.coded():
		return c.cutCodes(p, b)
	case c.width > 0:
		n := p.nonNull * c.width
		p.data, c.rest.data = c.rest.data[:n], c.rest.data[n:]
		return c.cutPlain(p, b)
	}
	b.wild = true // for all that is known of it
	c.page.cutFrom(&c.held, p.nonNull)
	return c.takeValues(p, b)
}

// cutFrom takes the first n values of others.
func (v *values) cutFrom(held *values, n int) {
	v.len, v.long = n, nil
	v.ints, held.ints = shift(held.ints, n)
	v.floats, held.floats = shift(held.floats, n)
	v.texts, held.texts = shift(held.texts, n)
	v.long, held.long = shift(held.long, n)
	if !slices.Contains(v.long, true) {
		v.long = nil
	}
}

// shift cuts off the first n values of a slice, if it has as many.
func shift[T any](s []T, n int) (first, rest []T) {
	if len(s) < n {
		return nil, s
	}
	return s[:n:n], s[n:]
}

// cutPlain decodes values of a fixed width, floats straight into their place.
func (c *cursor) cutPlain(p page, b *builder) error {
	if c.leaf.kind != Float || b.Kind != Float || c.leaf.as == asDecimal || p.present != nil {
		b.wild = true
		if err := c.decode(&c.page, p); err != nil {
			return err
		}
		return c.takeValues(p, b)
	}
	dst := b.more(p.values)
	largest := uint64(0)
	if c.width == 4 {
		for i := range dst {
			bits := binary.LittleEndian.Uint32(p.data[4*i:])
			largest = max(largest, uint64(bits&^(1<<31)))
			dst[i] = float64(math.Float32frombits(bits))
		}
		b.wild = b.wild || largest >= infinity32
		return nil
	}
	for i := range dst {
		bits := binary.LittleEndian.Uint64(p.data[8*i:])
		largest = max(largest, bits&^(1<<63))
		dst[i] = math.Float64frombits(bits)
	}
	b.wild = b.wild || largest >= infinity64
	return nil
}

// The bits of infinity: those of NaN are larger, those of all else smaller.
const (
	infinity32 = 0xff << 23
	infinity64 = 0x7ff << 52
)

// cutCodes decodes codes and looks them up, floats straight into their place.
func (c *cursor) cutCodes(p page, b *builder) error {
	c.codes = resize(c.codes, p.nonNull)
	if err := c.runs.next(c.codes); err != nil {
		return err
	}
	b.wild = b.wild || c.wild
	if c.narrow != nil {
		return c.widen(p, b)
	}
	if err := checkCodes(c.codes, c.dict.len); err != nil {
		return err
	}
	return c.takeCodes(p, b)
}

// widen looks codes up in a dictionary of 4-byte floats.
func (c *cursor) widen(p page, b *builder) error {
	dst, dict := []float64(nil), c.narrow
	if p.present == nil {
		dst = b.more(p.values)
	} else {
		c.page.floats = resize(c.page.floats, len(c.codes))
		dst = c.page.floats
	}
	for i, code := range c.codes[:len(dst)] {
		at := 4 * int(uint32(code))
		if at+4 > len(dict) {
			return checkCodes(c.codes, c.dict.len)
		}
		dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(dict[at : at+4])))
	}
	if p.present != nil {
		b.appendFloats(dst, p.present)
	}
	return nil
}
