// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"slices"
	"strings"
)

// A builder grows one Column page by page. present marks the values that are
// not null, as in page; nil stands for all.
type builder struct {
	Column
	texts *interner
	wild  bool // of floats that a cursor reads: some may be infinite
}

func newBuilder(name string, kind Kind) *builder {
	b := &builder{Column: Column{Name: name, Kind: kind}}
	if kind == Text {
		b.texts = newInterner()
	}
	return b
}

// column returns what has been built.
func (b *builder) column() Column {
	c := b.Column
	if b.texts != nil {
		c.Dict = b.texts.dict
	}
	return c
}

// reset empties the builder and keeps its memory.
func (b *builder) reset() {
	b.Floats, b.Ints, b.Codes, b.Null = b.Floats[:0], b.Ints[:0], b.Codes[:0], nil
}

// setTexts makes the column hold the given texts, one per row, each with a code
// of its own: for texts that are looked up once and not kept.
func (b *builder) setTexts(texts [][]byte) {
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	var all strings.Builder
	all.Grow(size)
	for _, text := range texts {
		all.Write(text)
	}
	s := all.String()
	b.Codes, b.texts.dict = resize(b.Codes, len(texts)), b.texts.dict[:0]
	for i, text := range texts {
		b.Codes[i] = int32(i)
		b.texts.dict = append(b.texts.dict, s[:len(text)])
		s = s[len(text):]
	}
}

// grow makes room for n more rows.
func (b *builder) grow(n int) {
	switch b.Kind {
	case Float:
		b.Floats = slices.Grow(b.Floats, n)
	case Text:
		b.Codes = slices.Grow(b.Codes, n)
	default:
		b.Ints = slices.Grow(b.Ints, n)
	}
}

// more appends n floats, for the caller to set, and returns them.
func (b *builder) more(n int) []float64 {
	from := len(b.Floats)
	b.Floats = slices.Grow(b.Floats, n)[:from+n]
	return b.Floats[from:]
}

func (b *builder) appendFloats(v []float64, present []byte) {
	if present == nil {
		b.Floats = append(b.Floats, v...)
		return
	}
	for _, p := range present {
		x := math.NaN()
		if p != 0 {
			x, v = v[0], v[1:]
		}
		b.Floats = append(b.Floats, x)
	}
}

func (b *builder) appendCodes(v []int32, present []byte) {
	if present == nil {
		b.Codes = append(b.Codes, v...)
		return
	}
	for _, p := range present {
		x := int32(-1)
		if p != 0 {
			x, v = v[0], v[1:]
		}
		b.Codes = append(b.Codes, x)
	}
}

func (b *builder) appendInts(v []int64, present []byte) {
	if present == nil {
		b.Ints = append(b.Ints, v...)
		if b.Null != nil {
			b.Null = append(b.Null, make([]bool, len(v))...)
		}
		return
	}
	if b.Null == nil {
		b.Null = make([]bool, len(b.Ints), max(cap(b.Ints), len(b.Ints)+len(present)))
	}
	for _, p := range present {
		x := int64(0)
		if p != 0 {
			x, v = v[0], v[1:]
		}
		b.Ints = append(b.Ints, x)
		b.Null = append(b.Null, p == 0)
	}
}

// appendMissing appends n missing values.
func (b *builder) appendMissing(n int) {
	switch present := make([]byte, n); b.Kind {
	case Float:
		b.appendFloats(nil, present)
	case Text:
		b.appendCodes(nil, present)
	default:
		b.appendInts(nil, present)
	}
}

// appendText appends one text n times.
func (b *builder) appendText(text string, n int) {
	code := b.texts.code([]byte(text))
	for range n {
		b.Codes = append(b.Codes, code)
	}
}

// appendInt appends one integer n times.
func (b *builder) appendInt(v int64, n int) {
	if b.Kind == Float {
		b.appendFloats(slices.Repeat([]float64{float64(v)}, n), nil)
		return
	}
	b.appendInts(slices.Repeat([]int64{v}, n), nil)
}
