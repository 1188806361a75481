// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/rle"
)

// runs hands out the dictionary codes of a page some at a time, so that a page
// of a million codes of one bit each need not become four megabytes.
type runs struct {
	width int
	src   []byte // the runs not begun; checkRuns has walked them
	left  int    // codes of the page not handed out

	// The run that has been begun: how many of its values are left, and either
	// the one value or the bits of whole groups of 8.
	begun   int
	literal bool
	code    int32
	packed  []byte

	group [8]int32
	spare []int32 // what is left of a group that was cut
	room  []byte
}

// reset points r at the codes of another page.
func (r *runs) reset(p *page) error {
	if len(p.data) == 0 {
		return errShortPage
	}
	width, src := int(p.data[0]), p.data[1:]
	if width > 32 {
		return fmt.Errorf("dictionary codes are %d bits wide", width)
	}
	end, err := checkRuns(src, width, p.nonNull)
	*r = runs{width: width, src: src[:end], left: p.nonNull, room: r.room}
	return err
}

// next stores the next codes in dst, of which there must be as many.
func (r *runs) next(dst []int32) error {
	r.left -= len(dst)
	for len(dst) > 0 {
		n, err := r.some(dst)
		if err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// some stores at least one of the next codes in dst, or begins a run, and
// returns how many it stored.
func (r *runs) some(dst []int32) (n int, err error) {
	switch {
	case len(r.spare) > 0:
		n = copy(dst, r.spare)
		r.spare = r.spare[n:]
		return n, nil
	case r.begun == 0:
		end, n := r.whole(len(dst))
		if n == 0 {
			return 0, r.begin()
		}
		src := r.src[:end]
		r.src = r.src[end:]
		return n, r.unpack(dst[:n], src)
	case !r.literal:
		n = min(r.begun, len(dst))
		for i := range n {
			dst[i] = r.code
		}
		r.begun -= n
		return n, nil
	case len(dst) >= 8:
		n = min(len(dst), r.begun) &^ 7
		return n, r.unpackGroups(dst[:n])
	}
	r.spare = r.group[:]
	return 0, r.unpackGroups(r.spare)
}

// whole returns how many bytes of the runs not begun hold whole runs of n
// values at most, and the number of their values.
func (r *runs) whole(n int) (end, values int) {
	for end < len(r.src) {
		count, size, k := r.header(end)
		if values+count > n {
			break
		}
		end += k + size
		values += count
	}
	return end, values
}

// header returns the number of values of the run at a place, of its bytes and
// of those of its header.
func (r *runs) header(at int) (count, size, k int) {
	h, k := binary.Uvarint(r.src[at:])
	if h&1 != 0 {
		return int(h>>1) * 8, int(h>>1) * r.width, k
	}
	return int(h >> 1), (r.width + 7) / 8, k
}

// begin takes up the next run, which is longer than what is asked for.
func (r *runs) begin() error {
	if len(r.src) == 0 {
		return errShortPage
	}
	count, size, k := r.header(0)
	r.begun, r.literal, r.packed = count, r.src[0]&1 != 0, r.src[k:k+size]
	r.code = 0
	if !r.literal {
		for i, b := range r.packed {
			r.code |= int32(b) << (8 * i)
		}
	}
	r.src = r.src[k+size:]
	return nil
}

// unpackGroups unpacks groups of 8 of the literal run that has been begun.
func (r *runs) unpackGroups(dst []int32) error {
	size := len(dst) / 8 * r.width
	r.room = binary.AppendUvarint(r.room[:0], uint64(len(dst)/8)<<1|1)
	r.room = append(r.room, r.packed[:size]...)
	r.packed = r.packed[size:]
	r.begun -= len(dst)
	return r.unpack(dst, r.room)
}

// unpack decodes whole runs of len(dst) values.
func (r *runs) unpack(dst []int32, src []byte) error {
	out, err := (&rle.Encoding{BitWidth: r.width}).DecodeInt32(dst[:0:len(dst)], src)
	if err == nil && &out[0] != &dst[0] {
		copy(dst, out)
	}
	return err
}
