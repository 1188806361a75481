// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"errors"
)

// Faults of a thrift structure found by structLength.
var (
	errThriftShort = errors.New("ends in the middle of a structure")
	errThriftBad   = errors.New("is not a thrift structure")
)

// structLength returns the number of bytes that the thrift structure at the
// start of b takes up, or errThriftShort where b ends too early.
//
// It runs before parquet-go's decoder and is what makes that one safe: the
// decoder allocates a list before reading it, and recurses into fields that it
// does not know. Here every element must be there, in at least one byte, and
// structures may not nest deeper than Parquet's ever do.
//
// Source: Thrift compact protocol encoding, Apache Thrift specification.
func structLength(b []byte) (int, error) {
	s := skimmer{b: b}
	if err := s.fields(0); err != nil {
		return 0, err
	}
	return s.pos, nil
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

const (
	// Parquet's metadata nests to depth 8 (footer, row group, column,
	// statistics, their bounds); the rest is room for its next versions.
	maxThriftDepth = 24

	// The smallest structure that Parquet keeps in lists is a ColumnOrder of
	// three bytes. The bound keeps a list of empty ones from growing two
	// hundred-fold in memory.
	minListedStruct = 3
)

type skimmer struct {
	b   []byte
	pos int
}

func (s *skimmer) fields(depth int) error {
	for {
		head, err := s.byte()
		if err != nil {
			return err
		}
		if head == 0 {
			return nil
		}
		if head>>4 == 0 { // no delta to the previous field: the field's number follows
			if _, err := s.uvarint(); err != nil {
				return err
			}
		}
		if kind := head & 0xf; kind != thriftTrue && kind != thriftFalse { // those are their own value
			if err := s.value(kind, depth); err != nil {
				return err
			}
		}
	}
}

func (s *skimmer) value(kind byte, depth int) error {
	if depth > maxThriftDepth {
		return errThriftBad
	}
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := s.uvarint()
		return err
	case thriftDouble:
		return s.skip(8)
	case thriftUUID:
		return s.skip(16)
	case thriftBinary:
		n, err := s.uvarint()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thriftList, thriftSet:
		return s.list(depth)
	case thriftMap:
		return s.pairs(depth)
	case thriftStruct:
		return s.fields(depth + 1)
	}
	return errThriftBad
}

func (s *skimmer) list(depth int) error {
	head, err := s.byte()
	if err != nil {
		return err
	}
	n, kind := uint64(head>>4), head&0xf
	if n == 15 {
		if n, err = s.uvarint(); err != nil {
			return err
		}
	}
	start := s.pos
	for range n {
		if err := s.value(kind, depth+1); err != nil {
			return err
		}
	}
	if kind == thriftStruct && uint64(s.pos-start) < n*minListedStruct {
		return errThriftBad
	}
	return nil
}

func (s *skimmer) pairs(depth int) error {
	n, err := s.uvarint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := s.byte()
	if err != nil {
		return err
	}
	for range n {
		if err := s.value(kinds>>4, depth+1); err != nil {
			return err
		}
		if err := s.value(kinds&0xf, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *skimmer) byte() (byte, error) {
	if s.pos >= len(s.b) {
		return 0, errThriftShort
	}
	s.pos++
	return s.b[s.pos-1], nil
}

func (s *skimmer) uvarint() (uint64, error) {
	v, n := binary.Uvarint(s.b[s.pos:])
	switch {
	case n == 0:
		return 0, errThriftShort
	case n < 0:
		return 0, errThriftBad
	}
	s.pos += n
	return v, nil
}

func (s *skimmer) skip(n uint64) error {
	if n > uint64(len(s.b)-s.pos) {
		return errThriftShort
	}
	s.pos += int(n)
	return nil
}
