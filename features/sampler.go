// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
)

// A Sampler keeps a random sample of rows that come by: those of the groups
// whose seeded hash is lowest, so that a group is in the sample whole or not at
// all, wherever its rows stand. It does not depend on the order or the cutting of
// what comes by.
type Sampler struct {
	seed  uint64
	most  int
	below uint64 // hashes of the groups that are in
	collected
}

// A collected frame takes in rows of other frames of its spec, whatever their
// dictionaries of levels.
type collected struct {
	frame Frame
	codes []map[string]int32 // of the levels of each column
}

// NewSampler keeps at most most of about so many rows.
func NewSampler(seed uint64, most, rows int) *Sampler {
	s := &Sampler{seed: seed, most: most, below: math.MaxUint64}
	if share := float64(most) / float64(max(1, rows)); share < 1 {
		// A little less, since groups come out unevenly: a sample that grows too
		// large is halved.
		s.below = uint64(0.97 * share * math.MaxUint64)
	}
	return s
}

// Add lets the rows of a frame come by.
func (s *Sampler) Add(f *Frame) {
	s.append(f, s.Sift(f))
	for len(s.frame.Rows) > s.most && s.below > 1 {
		s.below /= 2
		kept := s.frame.Select(s.frame.Where(s.in))
		s.frame = *kept
	}
}

// Sift returns the rows of a frame that may be in the sample, so that of rows which
// come from elsewhere few need travel.
func (s *Sampler) Sift(f *Frame) []int { return f.Where(s.in) }

func (s *Sampler) in(r *Row) bool { return scrambled(nameHash(r.Group)^s.seed) <= s.below }

// scrambled spreads the bits of x, one to one.
//
// Source: Steele, Lea and Flood (2014), SplitMix64.
func scrambled(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// append takes in some rows of a frame.
func (s *collected) append(f *Frame, rows []int) {
	if s.frame.Columns == nil {
		s.frame.SpecDigest, s.frame.Columns = f.SpecDigest, make([]Column, len(f.Columns))
		s.codes = make([]map[string]int32, len(f.Columns))
		for k := range f.Columns {
			s.frame.Columns[k].Feature, s.codes[k] = f.Columns[k].Feature, make(map[string]int32)
		}
	}
	for _, r := range rows {
		s.frame.Rows = append(s.frame.Rows, f.Rows[r])
	}
	for k := range f.Columns {
		from, to := &f.Columns[k], &s.frame.Columns[k]
		for _, r := range rows {
			switch {
			case !from.IsLevel():
				to.Num = append(to.Num, from.Num[r])
			case from.Codes[r] < 0:
				to.Codes = append(to.Codes, -1)
			default:
				to.Codes = append(to.Codes, s.code(k, from.Levels[from.Codes[r]]))
			}
		}
	}
}

func (s *collected) code(column int, name string) int32 {
	c := &s.frame.Columns[column]
	code, ok := s.codes[column][name]
	if !ok {
		code = int32(len(c.Levels))
		s.codes[column][name] = code
		c.Levels = append(c.Levels, name)
	}
	return code
}

// Frame returns the sample, in the order in which rows came, with the levels of
// each column that are in it, sorted.
func (s *Sampler) Frame() *Frame {
	for k := range s.frame.Columns {
		c := &s.frame.Columns[k]
		if !c.IsLevel() {
			continue
		}
		used := make(map[string]bool)
		for _, code := range c.Codes {
			if code >= 0 {
				used[c.Levels[code]] = true
			}
		}
		var levels []string
		for name := range used {
			levels = append(levels, name)
		}
		slices.Sort(levels)
		for i, code := range c.Codes {
			if code >= 0 {
				at, _ := slices.BinarySearch(levels, c.Levels[code])
				c.Codes[i] = int32(at)
			}
		}
		c.Levels = levels
	}
	return &s.frame
}
