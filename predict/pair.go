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
	return standardise(s.Transform.apply(within(x, s.Low, s.High)), s.Mean, s.SD)
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

// A pairPart is a pair prepared for scoring.
type pairPart struct {
	sides    [2]SideInput
	constant float64   // −Σ of Weight Mean/SD over the cells
	products []float64 // coefficient of column i of the first side times column j of the second, row-major
	columns  int       // of the second side
}

// newPairPart binds a pair to its columns. Cumulated sides become plain
// splines whose coefficients are sums of the cells', as in a term.
func newPairPart(p *Pair, a, b *features.Column) *pairPart {
	sides := p.Sides
	var plain [2]Side
	for k := range sides {
		plain[k] = sides[k]
		if sides[k].Kind == Cumulated {
			plain[k].Kind = Spline
		}
	}
	out := &pairPart{columns: plain[1].Columns()}
	out.products = make([]float64, plain[0].Columns()*out.columns)
	for _, c := range p.Cells {
		coefficient := c.Weight / c.SD
		out.constant -= float64(coefficient * c.Mean)
		firstI, lastI := sides[0].splinesOf(c.I)
		firstJ, lastJ := sides[1].splinesOf(c.J)
		for i := firstI; i <= lastI; i++ {
			for j := firstJ; j <= lastJ; j++ {
				out.products[i*out.columns+j] += coefficient
			}
		}
	}
	out.sides = [2]SideInput{NewSideInput(&plain[0], a), NewSideInput(&plain[1], b)}
	return out
}

// splinesOf returns the first and the last column that make up column k of a
// side once cumulated splines are replaced by plain ones: B-splines k+1 and
// all after it; the column itself for the other kinds.
func (s *Side) splinesOf(k int) (first, last int) {
	switch {
	case s.Kind != Cumulated:
		return k, k
	case k == s.known(): // that of missing values
		return k + 1, k + 1
	}
	return k + 1, s.known()
}

// add adds f_jk to dst for the rows from … from+len(dst)−1.
func (p *pairPart) add(dst []float64, from int) {
	a, b := make([]Entry, 0, SideDegree+1), make([]Entry, 0, SideDegree+1)
	for i := range dst {
		a, b = p.sides[0].Entries(a[:0], from+i), p.sides[1].Entries(b[:0], from+i)
		f := p.constant
		for _, u := range a {
			products := p.products[int(u.Column)*p.columns:]
			sum := 0.0
			for _, v := range b {
				sum += float64(products[v.Column] * v.Value)
			}
			f += float64(u.Value * sum)
		}
		dst[i] += f
	}
}
