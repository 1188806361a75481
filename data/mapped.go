// SPDX-License-Identifier: Apache-2.0

package data

import "slices"

// A mapped column is read straight into another form: each value becomes a T.
// The values of a dictionary are translated once, however many rows have them.
type mapped[T any] struct {
	kind Kind
	null T
	// translate appends the T of every value of a column to dst.
	translate func(dst []T, c *Column) ([]T, error)

	out  []T
	dict []T // of the current dictionary
	page []T
}

// A coder takes the pages of one column that is read in another form.
type coder interface {
	of(kind Kind)
	kindOf() Kind
	dictionary(c *Column) error
	codes(codes []int32, present []byte)
	values(c *Column, present []byte) error
	missing(n int)
}

func (m *mapped[T]) of(kind Kind) { m.kind = kind }

func (m *mapped[T]) kindOf() Kind { return m.kind }

func (m *mapped[T]) reset(rows int) {
	if cap(m.out) < rows {
		m.out = make([]T, 0, rows)
	}
	m.out = m.out[:0]
}

func (m *mapped[T]) dictionary(c *Column) (err error) {
	m.dict, err = m.translate(m.dict[:0], c)
	return err
}

func (m *mapped[T]) codes(codes []int32, present []byte) {
	if present == nil {
		n := len(m.out)
		m.out = slices.Grow(m.out, len(codes))[:n+len(codes)]
		for i, k := range codes {
			m.out[n+i] = m.dict[k]
		}
		return
	}
	for _, p := range present {
		x := m.null
		if p != 0 {
			x, codes = m.dict[codes[0]], codes[1:]
		}
		m.out = append(m.out, x)
	}
}

func (m *mapped[T]) values(c *Column, present []byte) (err error) {
	if present == nil {
		m.out, err = m.translate(m.out, c)
		return err
	}
	if m.page, err = m.translate(m.page[:0], c); err != nil {
		return err
	}
	v := m.page
	for _, p := range present {
		x := m.null
		if p != 0 {
			x, v = v[0], v[1:]
		}
		m.out = append(m.out, x)
	}
	return nil
}

func (m *mapped[T]) missing(n int) {
	for range n {
		m.out = append(m.out, m.null)
	}
}

// readInto decodes one column chunk page by page into a coder.
func (c *chunkReader) readInto(p *parquetFile, group, column int, before int64, k coder) error {
	if c.staged == nil || c.staged.Kind != k.kindOf() {
		c.staged = newBuilder("", k.kindOf())
	}
	c.translated = false
	return c.pagesOf(p, group, column, before, func(page page) error { return c.code(page, k) })
}

// code hands one page to a coder: its dictionary, codes into it, or values.
func (c *chunkReader) code(p page, k coder) (err error) {
	c.staged.reset()
	present := p.present
	switch {
	case p.dictionary:
		c.translated = false
		return c.take(p, c.staged)
	case p.nonNull == 0:
		k.missing(p.values)
		return nil
	case c.leaf.void:
		return c.take(p, c.staged) // refuses the page
	case !p.coded():
		p.present = nil
		if err := c.stagePage(p); err != nil {
			return err
		}
		col := c.staged.column()
		return k.values(&col, present)
	case c.dict.len < 0:
		return errNoDictionary
	}
	if !c.translated {
		if err := c.stageDictionary(p); err != nil {
			return err
		}
		col := c.staged.column()
		if err := k.dictionary(&col); err != nil {
			return err
		}
		c.translated = true
	}
	if c.codes, err = decodeCodes(c.codes, p, c.dict.len); err != nil {
		return err
	}
	if c.unfit != nil {
		for i, code := range c.codes {
			if problem, ok := c.unfit[code]; ok {
				return &valueError{i, problem}
			}
		}
	}
	k.codes(c.codes, present)
	return nil
}

// stagePage puts the values of a page without codes into the staged builder.
func (c *chunkReader) stagePage(p page) error {
	if c.staged.Kind != Text {
		return c.take(p, c.staged)
	}
	if err := c.decode(&c.page, p); err != nil {
		return err
	}
	c.staged.setTexts(c.page.texts[:p.nonNull])
	return nil
}

// stageDictionary puts the dictionary's values into the staged builder, in the
// kind of the column. Those that cannot be represented are missing there and
// noted in unfit: what is wrong with them matters once a row has one.
func (c *chunkReader) stageDictionary(p page) error {
	n := c.dict.len
	c.unfit = nil
	if c.staged.Kind == Text {
		c.staged.setTexts(c.dict.texts[:n])
		return nil
	}
	p.present = nil
	if c.dict.long == nil {
		if err := c.stageEntries(p, 0, n); err == nil {
			return nil
		}
		c.staged.reset()
	}
	c.unfit = make(map[int32]string)
	for i := range n {
		var problem string
		if c.dict.long != nil && c.dict.long[i] {
			problem = c.longDecimal(&c.dict, i)
		} else if err := c.stageEntries(p, i, i+1); err == nil {
			continue
		} else {
			problem = err.Error()
		}
		c.unfit[int32(i)] = problem
		c.staged.appendMissing(1)
	}
	return nil
}

// stageEntries appends entries of a dictionary of numbers to the staged builder.
func (c *chunkReader) stageEntries(p page, from, to int) error {
	if c.leaf.kind == Float {
		c.page.floats = append(c.page.floats[:0], c.dict.floats[from:to]...)
	} else {
		c.page.ints = append(c.page.ints[:0], c.dict.ints[from:to]...)
	}
	return c.appendNumbers(p, c.staged)
}
