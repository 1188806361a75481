// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// Fingerprint identifies the content of tables: the first 16 hex digits of a
// sha256 over their column names, kinds and values in row order. It does not
// depend on where the tables came from, how their files were split, compressed
// or encoded, or how the texts of a column are numbered.
func Fingerprint(tables ...*Table) string {
	h := sha256.New()
	w := digest{bufio.NewWriterSize(h, 64<<10)}
	w.number(uint64(len(tables)))
	for _, t := range tables {
		w.number(uint64(t.Rows))
		w.number(uint64(len(t.Columns)))
		for i := range t.Columns {
			w.column(&t.Columns[i])
		}
	}
	w.Flush() // a hash never fails to write
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// digest writes values in a form in which different contents never look alike:
// numbers of 8 bytes, texts after their length, missing values apart.
type digest struct{ *bufio.Writer }

func (w digest) number(v uint64) {
	w.Write(binary.LittleEndian.AppendUint64(w.AvailableBuffer(), v))
}

func (w digest) text(s string) {
	w.number(uint64(len(s)))
	w.WriteString(s)
}

func (w digest) column(c *Column) {
	w.text(c.Name)
	w.number(uint64(c.Kind))
	switch c.Kind {
	case Float:
		for _, v := range c.Floats {
			if v != v {
				v = math.NaN() // one NaN for all
			}
			w.number(math.Float64bits(v))
		}
	case Text:
		w.texts(c)
	default:
		for i, v := range c.Ints {
			if c.Missing(i) {
				v = 0
			}
			w.number(uint64(v))
		}
		for i := range c.Null { // which zeros are missing: row numbers, so that nil and all-false agree
			if c.Null[i] {
				w.number(uint64(i))
			}
		}
		w.number(math.MaxUint64)
	}
}

// texts numbers the texts by first appearance, and writes each where it first
// appears.
func (w digest) texts(c *Column) {
	number := make([]uint64, len(c.Dict))
	var distinct uint64
	for _, code := range c.Codes {
		switch {
		case code < 0:
			w.number(0)
		case number[code] > 0:
			w.number(number[code])
		default:
			distinct++
			number[code] = distinct
			w.number(distinct)
			w.text(c.Dict[code])
		}
	}
}

// A BlockDigest fingerprints a table that arrives in blocks of rows. It sees the
// same content as Fingerprint, however the rows are cut, but since each column has
// a hash of its own and texts are written out, the digits are others.
type BlockDigest struct {
	rows    int
	names   []string
	kinds   []Kind
	columns []hash.Hash
	buffer  []byte
}

// Add adds the next rows. All blocks have the same columns.
func (d *BlockDigest) Add(t *Table) {
	if d.columns == nil {
		for i := range t.Columns {
			d.names, d.kinds = append(d.names, t.Columns[i].Name), append(d.kinds, t.Columns[i].Kind)
			d.columns = append(d.columns, sha256.New())
		}
	}
	d.rows += t.Rows
	for i := range t.Columns {
		c := &t.Columns[i]
		b := d.buffer[:0]
		for r := range t.Rows {
			switch {
			case c.Missing(r):
				b = append(b, 0)
			case c.Kind == Text:
				text := c.Text(r)
				b = append(binary.LittleEndian.AppendUint64(append(b, 1), uint64(len(text))), text...)
			case c.Kind == Float:
				b = binary.LittleEndian.AppendUint64(append(b, 1), math.Float64bits(c.Floats[r]))
			default:
				b = binary.LittleEndian.AppendUint64(append(b, 1), uint64(c.Ints[r]))
			}
			if len(b) > 32<<10 {
				d.columns[i].Write(b)
				b = b[:0]
			}
		}
		d.columns[i].Write(b)
		d.buffer = b
	}
}

// Sum returns the fingerprint, 16 hex digits.
func (d *BlockDigest) Sum() string {
	h := sha256.New()
	w := digest{bufio.NewWriterSize(h, 4<<10)}
	w.number(uint64(d.rows))
	w.number(uint64(len(d.columns)))
	for i, c := range d.columns {
		w.text(d.names[i])
		w.number(uint64(d.kinds[i]))
		w.Write(c.Sum(nil))
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))[:16]
}
