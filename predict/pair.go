// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// Columns returns the number of columns of a side.
func (s *Side) Columns() int {
	n := s.known()
	if s.Missing {
		n++
	}
	return n
}

// known returns the number of a side's columns without that of missing values.
func (s *Side) known() int {
	switch s.Kind {
	case Spline:
		return SplineCount(len(s.Knots), SideDegree)
	case Cumulated: // all sums but that of all B-splines, which is 1
		return SplineCount(len(s.Knots), SideDegree) - 1
	case Value:
		return len(s.Values)
	case Level:
		return len(s.Levels) + 1
	case Linear:
		return 1
	}
	panic(fmt.Sprintf("predict: basis kind %q is none of a side", s.Kind))
}

// linear returns the one standardised column of a linear side for a known x,
//
//	v = clip((T(clip(x, Low, High)) − Mean)/SD, −5, 5).
func (s *Side) linear(x float64) float64 {
	return standardise(s.Transform.apply(min(max(x, s.Low), s.High)), s.Mean, s.SD)
}

// A SideInput is a side of a pair bound to the column of a frame that feeds
// it. Both must outlive it.
type SideInput struct {
	side      *Side
	column    *features.Column
	own       []int32   // of levels: the side's column of each code, code −1 (missing) first
	midpoints []float64 // of values
	missing   int32     // the column that is 1 where the value is missing, or −1
}

// NewSideInput binds a side to its column. It panics if one holds levels and
// the other numbers, which Model.Validate excludes.
func NewSideInput(s *Side, c *features.Column) SideInput {
	if (s.Kind == Level) != c.IsLevel() {
		panic("predict: NewSideInput: side and column are of different kinds")
	}
	in := SideInput{side: s, column: c, missing: -1}
	if s.Missing {
		in.missing = int32(s.known())
	}
	switch s.Kind {
	case Value:
		in.midpoints = midpoints(s.Values)
	case Level:
		in.own = make([]int32, len(c.Levels)+1)
		for code := range in.own {
			in.own[code] = int32(len(s.Levels))
			if k := slices.Index(s.Levels, levelName(c, code-1)); k >= 0 {
				in.own[code] = int32(k)
			}
		}
	}
	return in
}

// Entries appends the nonzero columns of the side in a row to dst and returns
// it. A level the side does not name, training saw it or not, is in the last
// column. The linear kind gives its one standardised value.
func (in *SideInput) Entries(dst []Entry, row int) []Entry {
	s := in.side
	if s.Kind == Level {
		return append(dst, Entry{in.own[in.column.Codes[row]+1], 1})
	}
	x := in.column.Num[row]
	if x != x {
		if in.missing >= 0 {
			dst = append(dst, Entry{in.missing, 1})
		}
		return dst
	}
	switch s.Kind {
	case Spline:
		var b [SideDegree + 1]float64
		first := BSplines(b[:], s.Knots, SideDegree, x)
		for r, v := range b {
			if v != 0 {
				dst = append(dst, Entry{int32(first + r), v})
			}
		}
	case Cumulated: // column k is the sum from number k+1 on
		var b [SideDegree + 1]float64
		first := BSplines(b[:], s.Knots, SideDegree, x)
		cumulate(b[:])
		for k := range first {
			dst = append(dst, Entry{int32(k), 1})
		}
		for r := 1; r <= SideDegree && b[r] != 0; r++ {
			dst = append(dst, Entry{int32(first + r - 1), b[r]})
		}
	case Value:
		dst = append(dst, Entry{int32(nearest(in.midpoints, x)), 1})
	case Linear:
		if v := s.linear(x); v != 0 {
			dst = append(dst, Entry{0, v})
		}
	}
	return dst
}
