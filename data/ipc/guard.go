// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errFooter = errors.New("the footer is damaged")

const (
	// Types numbered from here on in Schema.fbs are run-end encoded ones and
	// views, whose buffers the library allocates by a count it does not check.
	firstNewType = 22
	unionType    = 14

	// maxFields bounds the nodes of a schema. Damaged offsets may make one node
	// the child of many, and so a few bytes a tree of billions.
	maxFields = 1 << 16

	blockSize = 24 // bytes of a Block in the footer
)

// checkFooter looks whether the lists in the footer of an Arrow file lie inside
// it. The library allocates them by the lengths that they claim.
//
// Source: File.fbs and Schema.fbs of Apache Arrow; FlatBuffers Internals.
func checkFooter(b []byte) (err error) {
	defer func() {
		if recover() != nil { // an offset out of the buffer
			err = errFooter
		}
	}()
	f := flat(b)
	root := f.at(0)
	for slot := 2; slot <= 3; slot++ { // dictionaries and record batches
		if _, _, err := f.list(root, slot, blockSize); err != nil {
			return err
		}
	}
	schema, ok := f.slot(root, 1)
	if !ok {
		return errFooter
	}
	schema = f.at(schema)
	left := maxFields
	return errors.Join(f.checkFields(schema, 1, &left), f.checkList(schema, 2))
}

// flat is a FlatBuffer. Its methods panic where an offset leaves the buffer.
type flat []byte

// at follows the offset at pos.
func (f flat) at(pos int) int { return pos + int(binary.LittleEndian.Uint32(f[pos:])) }

// slot returns where a table keeps one of its fields.
func (f flat) slot(table, slot int) (pos int, ok bool) {
	vtable := table - int(int32(binary.LittleEndian.Uint32(f[table:])))
	entry := 4 + 2*slot
	if entry >= int(binary.LittleEndian.Uint16(f[vtable:])) {
		return 0, false
	}
	offset := int(binary.LittleEndian.Uint16(f[vtable+entry:]))
	return table + offset, offset != 0
}

// list returns where the elements of a list field begin, and their number,
// once it is clear that they lie inside the buffer.
func (f flat) list(table, slot, size int) (start, n int, err error) {
	pos, ok := f.slot(table, slot)
	if !ok {
		return 0, 0, nil
	}
	start = f.at(pos) + 4
	n = int(binary.LittleEndian.Uint32(f[start-4:]))
	if n > (len(f)-start)/size {
		return 0, 0, fmt.Errorf("%w: a list of %d elements in %d bytes", errFooter, n, len(f))
	}
	return start, n, nil
}

func (f flat) checkList(table, slot int) error {
	_, _, err := f.list(table, slot, 4)
	return err
}

// checkFields checks a list of Field tables and all below them.
func (f flat) checkFields(table, slot int, left *int) error {
	start, n, err := f.list(table, slot, 4)
	if err != nil {
		return err
	}
	if *left -= n; *left < 0 {
		return fmt.Errorf("%w: more than %d columns", errFooter, maxFields)
	}
	for i := range n {
		field := f.at(start + 4*i)
		pos, _ := f.slot(field, 2)
		kind := f[pos]
		if kind >= firstNewType {
			return errors.New("has a column that is run-end encoded or a view; write it in the plain form of its type")
		}
		if inner, ok := f.slot(field, 3); ok && kind == unionType {
			err = f.checkList(f.at(inner), 1)
		}
		if err = errors.Join(err, f.checkList(field, 6), f.checkFields(field, 5, left)); err != nil {
			return err
		}
	}
	return nil
}
