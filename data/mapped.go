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
	// ofTexts, where it is set, does so for texts that are handed over as they
	// lie in their page.
	ofTexts func(dst []T, texts [][]byte) []T

	out  []T
	dict []T // of the current dictionary
	page []T
}

// entries are values handed to a coder: a column, or texts to one that takes them.
type entries struct {
	column *Column
	texts  [][]byte // if column is nil
}

// A coder takes the pages of one column that is read in another form.
type coder interface {
	of(kind Kind)
	kindOf() Kind
	takesTexts() bool
	dictionary(v entries) error
	codes(codes []int32, present []byte)
	values(v entries, present []byte) error
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

func (m *mapped[T]) takesTexts() bool { return m.ofTexts != nil }

func (m *mapped[T]) read(dst []T, v entries) ([]T, error) {
	if v.column == nil {
		return m.ofTexts(dst, v.texts), nil
	}
	return m.translate(dst, v.column)
}

func (m *mapped[T]) dictionary(v entries) (err error) {
	m.dict, err = m.read(m.dict[:0], v)
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

func (m *mapped[T]) values(v entries, present []byte) (err error) {
	if present == nil {
		m.out, err = m.read(m.out, v)
		return err
	}
	if m.page, err = m.read(m.page[:0], v); err != nil {
		return err
	}
	page := m.page
	for _, p := range present {
		x := m.null
		if p != 0 {
			x, page = page[0], page[1:]
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
	staged := &c.builders[k.kindOf()]
	if *staged == nil {
		*staged = newBuilder("", k.kindOf())
	}
	c.staged = *staged
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
		v, err := c.stagePage(p, k)
		if err != nil {
			return err
		}
		return k.values(v, present)
	case c.dict.len < 0:
		return errNoDictionary
	}
	if !c.translated {
		v, err := c.stageDictionary(p, k)
		if err != nil {
			return err
		}
		if err := k.dictionary(v); err != nil {
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

// stagePage decodes the values of a page without codes.
func (c *chunkReader) stagePage(p page, k coder) (entries, error) {
	if c.staged.Kind != Text {
		err := c.take(p, c.staged)
		return c.stagedEntries(), err
	}
	if err := c.decode(&c.page, p); err != nil {
		return entries{}, err
	}
	return c.stageTexts(c.page.texts[:p.nonNull], k), nil
}

// stageTexts hands texts over as they are, or else in the staged builder.
func (c *chunkReader) stageTexts(texts [][]byte, k coder) entries {
	if k.takesTexts() {
		return entries{texts: texts}
	}
	c.staged.setTexts(texts)
	return c.stagedEntries()
}

func (c *chunkReader) stagedEntries() entries {
	col := c.staged.column()
	return entries{column: &col}
}

// stageDictionary returns the dictionary's values, in the kind of the column.
// Those that cannot be represented are missing there and noted in unfit: what is
// wrong with them matters once a row has one.
func (c *chunkReader) stageDictionary(p page, k coder) (entries, error) {
	n := c.dict.len
	c.unfit = nil
	if c.staged.Kind == Text {
		return c.stageTexts(c.dict.texts[:n], k), nil
	}
	p.present = nil
	if c.dict.long == nil {
		if err := c.stageEntries(p, 0, n); err == nil {
			return c.stagedEntries(), nil
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
	return c.stagedEntries(), nil
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
