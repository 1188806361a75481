// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

// maxPrefixed bounds what a page of prefix-compressed values may grow to: a
// few bytes of it can repeat a long value any number of times.
const maxPrefixed = 1 << 28

// decodeByteArrays decodes the byte arrays of a page, all of the given size if
// that is not 0. The results may point into the page's data.
func decodeByteArrays(dst [][]byte, p page, size int) ([][]byte, error) {
	dst = resize(dst, p.nonNull)
	switch {
	case p.encoding == format.DeltaByteArray:
		return dst, decodePrefixed(dst, p.data, size)
	case size > 0 && (p.encoding == format.Plain || p.encoding == format.ByteStreamSplit):
		b, err := unsplit(p, size)
		if err != nil {
			return nil, err
		}
		for i := range dst {
			dst[i] = b[i*size : (i+1)*size]
		}
		return dst, nil
	case size == 0 && p.encoding == format.Plain:
		return dst, decodeDelimited(dst, p.data)
	case size == 0 && p.encoding == format.DeltaLengthByteArray:
		lengths, rest, err := decodeDelta(nil, p.data, len(dst))
		if err != nil {
			return nil, err
		}
		return dst, cut(dst, lengths, rest)
	}
	return nil, badEncoding(p.encoding, format.ByteArray)
}

// decodeDelimited decodes byte arrays that each follow their length in 4 bytes.
func decodeDelimited(dst [][]byte, b []byte) error {
	for i := range dst {
		if len(b) < 4 {
			return errShortPage
		}
		n := binary.LittleEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return errShortPage
		}
		dst[i], b = b[:n:n], b[n:]
	}
	return nil
}

// cut fills dst with successive pieces of b of the given lengths.
func cut(dst [][]byte, lengths []int64, b []byte) error {
	for i, n := range lengths {
		if n < 0 || n > int64(len(b)) {
			return errShortPage
		}
		dst[i], b = b[:n:n], b[n:]
	}
	return nil
}

// decodePrefixed decodes byte arrays that each repeat so many bytes from the
// start of the one before.
func decodePrefixed(dst [][]byte, b []byte, size int) error {
	prefixes, b, err := decodeDelta(nil, b, len(dst))
	if err != nil {
		return err
	}
	suffixes, b, err := decodeDelta(nil, b, len(dst))
	if err != nil {
		return err
	}
	if err := cut(dst, suffixes, b); err != nil {
		return err
	}
	total := 0
	for i, n := range prefixes {
		if n < 0 || n > maxPrefixed || total > maxPrefixed {
			return errors.New("the lengths of prefixed values are damaged")
		}
		total += int(n) + len(dst[i])
	}
	room := make([]byte, 0, min(total, maxPrefixed))
	var before []byte
	for i, n := range prefixes {
		if int(n) > len(before) {
			return fmt.Errorf("a value repeats %d bytes of one that has %d", n, len(before))
		}
		start := len(room)
		room = append(append(room, before[:n]...), dst[i]...)
		dst[i] = room[start:len(room):len(room)]
		before = dst[i]
		if size > 0 && len(before) != size {
			return fmt.Errorf("a value of %d bytes in a column of %d", len(before), size)
		}
	}
	return nil
}

// uuidText renders 16 bytes in the form of RFC 9562.
func uuidText(b []byte) []byte {
	s := make([]byte, 36)
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return s
}

// HalfFloat returns the value of an IEEE 754 binary16 number.
func HalfFloat(h uint16) float64 {
	sign, exponent, fraction := h>>15, int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if sign != 0 {
		v = -v
	}
	return v
}
