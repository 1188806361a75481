// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// The functions in this file encode the values of one page, as encodings.go
// decodes them.
//
// Source: Parquet format, Encodings.md.

// appendLevels appends definition levels, 1 for a value and 0 for a null, after
// their length: as one run where all are alike, else bit-packed. The levels'
// array must reach to the next multiple of 8.
func appendLevels(dst, levels []byte, ones int) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if ones == len(levels) || ones == 0 {
		dst = binary.AppendUvarint(dst, uint64(len(levels))<<1)
		dst = append(dst, byte(min(ones, 1)))
	} else {
		groups := (len(levels) + 7) / 8
		clear(levels[len(levels) : 8*groups])
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		for i := range groups {
			// The product moves the byte k, which is 0 or 1, to bit 56+k.
			dst = append(dst, byte(binary.LittleEndian.Uint64(levels[8*i:8*i+8])*0x0102040810204080>>56))
		}
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// appendCodes appends codes below size, which are not none: the width, then one
// run where all are alike, else bit-packed.
func appendCodes(dst []byte, codes []int32, size int) []byte {
	width := max(bits.Len(uint(size-1)), 1)
	dst = append(dst, byte(width))
	if !slices.ContainsFunc(codes, func(c int32) bool { return c != codes[0] }) {
		dst = binary.AppendUvarint(dst, uint64(len(codes))<<1)
		for shift := 0; shift < width; shift += 8 {
			dst = append(dst, byte(codes[0]>>shift))
		}
		return dst
	}
	groups := (len(codes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var held uint64 // bits not yet appended, least first
	n := 0
	for _, c := range codes {
		held |= uint64(c) << n
		if n += width; n >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(held))
			held >>= 32
			n -= 32
		}
	}
	for len(dst) < end { // the last group is filled up with zeros
		dst = append(dst, byte(held))
		held >>= 8
	}
	return dst
}

// appendBits appends booleans, 0 and 1, as bits.
func appendBits(dst []byte, values []uint64) []byte {
	for ; len(values) >= 8; values = values[8:] {
		v := values[:8]
		dst = append(dst, byte(v[0]|v[1]<<1|v[2]<<2|v[3]<<3|v[4]<<4|v[5]<<5|v[6]<<6|v[7]<<7))
	}
	if len(values) > 0 {
		last := byte(0)
		for i, v := range values {
			last |= byte(v) << i
		}
		dst = append(dst, last)
	}
	return dst
}

// appendNumbers appends numbers of a kind in plain encoding: dates in 4 bytes,
// all else in 8.
func appendNumbers(dst []byte, values []uint64, kind Kind) []byte {
	if kind == Date {
		for _, v := range values {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
		}
		return dst
	}
	start := len(dst)
	dst = slices.Grow(dst, 8*len(values))[:start+8*len(values)]
	for i, to := 0, dst[start:]; i < len(values) && len(to) >= 8; i, to = i+1, to[8:] {
		binary.LittleEndian.PutUint64(to, values[i])
	}
	return dst
}

// appendText appends a text in plain encoding: its length, then its bytes.
func appendText(dst []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(text))), text...)
}

// floatOrder maps the bits of a float to an integer such that integers are
// ordered as floats are, -0 before 0.
func floatOrder(bits uint64) int64 {
	v := int64(bits)
	return v ^ int64(uint64(v>>63)>>1)
}

// floatOfOrder is the inverse of floatOrder.
func floatOfOrder(order int64) float64 {
	return math.Float64frombits(uint64(order ^ int64(uint64(order>>63)>>1)))
}

const (
	// maxNumbers bounds the distinct numbers of a dictionary: counts, flags,
	// dates of a few years. Codes and table then stay in the fastest cache.
	maxNumbers = 1 << 10

	numberSlotBits = 12 // four slots a number
	numberSlots    = 1 << numberSlotBits
)

// A numberDictionary numbers distinct 64-bit values in order of first
// appearance: an open-addressing hash table of codes.
type numberDictionary struct {
	values []uint64
	slots  []uint16 // code plus 1; 0 where the slot is free
}

func (d *numberDictionary) reset() {
	d.values = d.values[:0]
	clear(d.slots)
}

// code stores the codes of the values in dst, unless they would bring the
// dictionary beyond maxNumbers: it then returns false and must not be asked
// again until reset.
func (d *numberDictionary) code(dst []int32, values []uint64) bool {
	if d.slots == nil {
		d.slots = make([]uint16, numberSlots)
	}
	slots := (*[numberSlots]uint16)(d.slots)
	dst = dst[:len(values)]
	for i, v := range values {
		// Fibonacci hashing: the upper bits of a product with 2^64 over the
		// golden ratio. Folding first brings a float's exponent into all of it.
		at := (v ^ v>>32) * 0x9e3779b97f4a7c15 >> (64 - numberSlotBits)
		for {
			code := slots[at%numberSlots]
			if code != 0 && d.values[code-1] == v {
				dst[i] = int32(code) - 1
				break
			}
			if code == 0 {
				if len(d.values) == maxNumbers {
					return false
				}
				d.values = append(d.values, v)
				slots[at%numberSlots] = uint16(len(d.values))
				dst[i] = int32(len(d.values)) - 1
				break
			}
			at++
		}
	}
	return true
}
