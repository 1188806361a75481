// SPDX-License-Identifier: Apache-2.0

package features

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

const (
	// blockValues is about how many values are read of a shard at a time, 8 MB of
	// them at most.
	blockValues = 1 << 20
	// shardValues is about how many values a shard holds, between leastShards and
	// mostShards: an engine holds one in memory, and sends an answer for each.
	shardValues             = 1 << 23
	leastShards, mostShards = 64, 1024
	// openBytes is the memory of all shards' rows on their way to the file.
	openBytes = 32 << 20
)

// A Cut says how the rows of a fit fall into shards, by group, and those into
// blocks. Sums over rows are taken by block, added within a shard in its order and
// then in the order of the shards, so that every engine that cuts alike, and keeps
// the rows of a shard in the order of the frame, comes to the same bits.
type Cut struct {
	Shards int `json:"shards"`
	Block  int `json:"block"` // rows; the last block of a shard may have fewer
}

// CutOf returns the cut of about so many rows of so many features. It depends on
// these figures alone.
func CutOf(rows, features int) Cut {
	features = max(1, features)
	c := Cut{Shards: min(max(rows*features/shardValues, leastShards), mostShards)}
	open := c.open(features)
	c.Block = max(blockValues/features/open, 1) * open
	return c
}

// open returns how many rows of a shard are written to disk at once.
func (c Cut) open(features int) int {
	return min(max(openBytes/c.Shards/(8*features+24), 16), 4096)
}

// Shard returns the shard of a group: crc32(group) mod Shards, of the CRC-32 of
// IEEE 802.3, which Spark SQL and Python's zlib have too.
func (c Cut) Shard(group string) int {
	return int(crc32.ChecksumIEEE([]byte(group)) % uint32(c.Shards))
}

// A Sharder lays frames that do not fit in memory together aside in a scratch
// file, cut into shards by group: all rows of one group come into one shard. It
// keeps what a fit of weights reads: features, outcome, weight and group.
type Sharder struct {
	cut    Cut
	fsys   data.FS
	levels []bool // by column
	file   data.ScratchFile
	length int64
	shards []openShard
	most   int // rows of an open shard
	buffer []byte
}

// An openShard collects rows until they are written as one extent.
type openShard struct {
	rows    int
	group   []uint64
	y       []int8
	weight  []float64
	values  []uint64 // row by row: the bits of a number, the hash of a level or 0 where it is missing
	extents []shardExtent
}

// A shardExtent is a run of rows of one shard in the file.
type shardExtent struct {
	at          int64
	rows, bytes int
}

// NewSharder prepares for about as many rows of some features.
func NewSharder(fsys data.FS, features []Feature, rows int) *Sharder {
	s := &Sharder{fsys: fsys, levels: make([]bool, len(features)), cut: CutOf(rows, len(features))}
	for k := range features {
		s.levels[k] = features[k].Kind == LevelKind
	}
	s.shards = make([]openShard, s.cut.Shards)
	s.most = s.cut.open(len(features))
	return s
}

// Add lays the rows of one more frame aside.
func (s *Sharder) Add(f *Frame) error {
	names := make([][]uint64, len(f.Columns)) // hashes of levels, by column and code
	for k := range f.Columns {
		for _, name := range f.Columns[k].Levels {
			names[k] = append(names[k], nameHash(name))
		}
	}
	for i := range f.Rows {
		r := &f.Rows[i]
		group := nameHash(r.Group)
		x := &s.shards[s.cut.Shard(r.Group)]
		x.rows++
		x.group, x.y, x.weight = append(x.group, group), append(x.y, r.Y), append(x.weight, r.Weight)
		for k := range f.Columns {
			c, v := &f.Columns[k], uint64(0)
			if !s.levels[k] {
				v = math.Float64bits(c.Num[i])
			} else if code := c.Codes[i]; code >= 0 {
				v = names[k][code]
			}
			x.values = append(x.values, v)
		}
		if x.rows == s.most {
			if err := s.flush(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameHash is FNV-1a of 64 bits; never 0.
func nameHash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return max(h, 1)
}

// flush writes the rows that a shard has collected.
func (s *Sharder) flush(x *openShard) error {
	if x.rows == 0 {
		return nil
	}
	if s.file == nil {
		f, err := s.fsys.Scratch()
		if err != nil {
			return fmt.Errorf("making room on disk for rows that do not fit in memory: %w", err)
		}
		s.file = f
	}
	le, b := binary.LittleEndian, s.buffer[:0]
	for i := range x.rows {
		b = append(le.AppendUint64(le.AppendUint64(b, x.group[i]), math.Float64bits(x.weight[i])), byte(x.y[i]))
	}
	for k := range s.levels {
		b = appendValues(b, x.values[k:], len(s.levels), x.rows, !s.levels[k])
	}
	s.buffer = b
	if _, err := s.file.WriteAt(b, s.length); err != nil {
		return fmt.Errorf("writing %d bytes of rows that do not fit in memory to disk: %w", len(b), err)
	}
	x.extents = append(x.extents, shardExtent{s.length, x.rows, len(b)})
	s.length += int64(len(b))
	x.rows, x.group, x.y, x.weight, x.values = 0, x.group[:0], x.y[:0], x.weight[:0], x.values[:0]
	return nil
}

// appendValues appends every stride-th value, rows of them: a byte that says how
// they are written, then 4 bytes each where all are numbers that float32 holds,
// else 8.
func appendValues(b []byte, values []uint64, stride, rows int, numbers bool) []byte {
	short := numbers
	for i := 0; short && i < rows; i++ {
		x := math.Float64frombits(values[i*stride])
		short = float64(float32(x)) == x || x != x
	}
	if !short {
		b = append(b, 8)
		for i := range rows {
			b = binary.LittleEndian.AppendUint64(b, values[i*stride])
		}
		return b
	}
	b = append(b, 4)
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(math.Float64frombits(values[i*stride]))))
	}
	return b
}

// Shards ends the collecting. Levels that the sample lacks become OtherLevel,
// which to a model made from the sample they are.
func (s *Sharder) Shards(sample *Frame) (*Shards, error) {
	out := &Shards{sharder: s, features: make([]Feature, len(s.levels)), levels: make([][]string, len(s.levels)),
		codes: make([]map[uint64]int32, len(s.levels))}
	for k := range sample.Columns {
		c := &sample.Columns[k]
		out.features[k] = c.Feature
		if !s.levels[k] {
			continue
		}
		out.levels[k] = append(append([]string{}, c.Levels...), otherLevel)
		out.codes[k] = make(map[uint64]int32)
		for code, name := range c.Levels {
			out.codes[k][nameHash(name)] = int32(code)
		}
	}
	for i := range s.shards {
		if err := s.flush(&s.shards[i]); err != nil {
			return nil, err
		}
		x := &s.shards[i]
		x.group, x.y, x.weight, x.values = nil, nil, nil, nil
	}
	return out, nil
}

// otherLevel is the name under which predict knows levels that training did not.
const otherLevel = "other"

// Close frees the file.
func (s *Sharder) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Shards are rows that a Sharder laid aside. It implements train.Rows; shards may
// be read side by side.
type Shards struct {
	sharder  *Sharder
	features []Feature
	levels   [][]string         // by column, OtherLevel last
	codes    []map[uint64]int32 // by column and hash of the name
}

// Shards returns their number.
func (s *Shards) Shards() int { return len(s.sharder.shards) }

// Shard hands the rows of shard k to work, as frames whose rows know their
// group, under another name, their outcome and their weight.
func (s *Shards) Shard(k int, work func(*Frame) error) error {
	left := s.sharder.shards[k].extents
	for len(left) > 0 {
		n, rows := 0, 0
		for n < len(left) && rows < s.sharder.cut.Block { // extents have Block/k rows, but for the last one
			rows += left[n].rows
			n++
		}
		f, err := s.read(left[:n], rows)
		if err != nil {
			return err
		}
		if err := work(f); err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// read returns the rows of some extents as one frame.
func (s *Shards) read(extents []shardExtent, rows int) (*Frame, error) {
	f := &Frame{Rows: make([]Row, rows), Columns: make([]Column, len(s.features))}
	for k := range f.Columns {
		c := &f.Columns[k]
		c.Feature, c.Levels = s.features[k], s.levels[k]
		if c.IsLevel() {
			c.Codes = make([]int32, rows)
		} else {
			c.Num = make([]float64, rows)
		}
	}
	var b []byte
	from := 0
	for _, e := range extents {
		b = append(b[:0], make([]byte, e.bytes)...)
		if _, err := s.sharder.file.ReadAt(b, e.at); err != nil {
			return nil, fmt.Errorf("reading back rows that did not fit in memory: %w", err)
		}
		s.take(f, b, from, e.rows)
		from += e.rows
	}
	return f, nil
}

// take fills rows from … from+rows−1 of a frame with what flush wrote.
func (s *Shards) take(f *Frame, b []byte, from, rows int) {
	const head = 17
	le, heads := binary.LittleEndian, string(b[:head*rows])
	for i := range rows {
		h := b[head*i:]
		f.Rows[from+i] = Row{Group: heads[head*i : head*i+8], Weight: math.Float64frombits(le.Uint64(h[8:])), Y: int8(h[16]),
			Value: nan, Kept: nan, AutoRenew: Unknown}
	}
	b = b[head*rows:]
	for k := range f.Columns {
		c, size := &f.Columns[k], int(b[0])
		v := b[1 : 1+size*rows]
		b = b[1+size*rows:]
		switch {
		case c.IsLevel():
			for i := range rows {
				c.Codes[from+i] = s.code(k, le.Uint64(v[8*i:]))
			}
		case size == 4:
			for i := range rows {
				c.Num[from+i] = float64(math.Float32frombits(le.Uint32(v[4*i:])))
			}
		default:
			for i := range rows {
				c.Num[from+i] = math.Float64frombits(le.Uint64(v[8*i:]))
			}
		}
	}
}

// code returns the code of a level by the hash of its name, 0 for missing.
func (s *Shards) code(column int, hash uint64) int32 {
	if hash == 0 {
		return -1
	}
	if code, ok := s.codes[column][hash]; ok {
		return code
	}
	return int32(len(s.levels[column]) - 1)
}
