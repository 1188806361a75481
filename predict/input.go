// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// An Entry is one nonzero raw value of a block of columns.
type Entry struct {
	Column int32
	Value  float64
}

// An Input is one term bound to the column of a frame that feeds it. It
// evaluates the term's basis columns; both must outlive it.
type Input struct {
	term   *Term
	column *features.Column

	// Of levels, by code, code −1 (missing) first: the number of the column
	// that is 1, or −1, and whether training never met the level.
	own    []int32
	unseen []bool

	// Of numbers: the columns of each kind.
	missing   int32   // −1 where there is none
	splines   []int32 // by number of the B-spline, −1 where there is none; nil without any
	cumulated []int32 // likewise
	values    []int32 // rising by At
	midpoints []float64
	spikes    []int32
	linear    []int32
}

// NewInput binds a term to its column. It panics if one holds levels and the
// other numbers, which equal spec digests exclude.
func NewInput(t *Term, c *features.Column) Input {
	if (t.Kind == string(features.LevelKind)) != c.IsLevel() {
		panic("predict: NewInput: term and column are of different kinds")
	}
	in := Input{term: t, column: c, missing: -1}
	if c.IsLevel() {
		in.bindLevels()
	} else {
		in.bindNumber()
	}
	return in
}

func (in *Input) bindLevels() {
	c := in.column
	in.own = make([]int32, len(c.Levels)+1)
	in.unseen = make([]bool, len(c.Levels)+1)
	for code := range in.own {
		own, known := in.term.level(levelName(c, code-1))
		in.own[code], in.unseen[code] = int32(own), !known
	}
}

// levelName returns the name of a code of a column of levels.
func levelName(c *features.Column, code int) string {
	if code < 0 {
		return MissingLevel
	}
	return c.Levels[code]
}

func (in *Input) bindNumber() {
	t := in.term
	place := func(of *[]int32, index, j int) {
		if *of == nil {
			*of = slices.Repeat([]int32{-1}, SplineCount(len(t.Knots), TermDegree))
		}
		(*of)[index] = int32(j)
	}
	for j := range t.Columns {
		switch b := &t.Columns[j]; b.Kind {
		case Linear:
			in.linear = append(in.linear, int32(j))
		case Missing:
			in.missing = int32(j)
		case Spline:
			place(&in.splines, b.Index, j)
		case Cumulated:
			place(&in.cumulated, b.Index, j)
		case Spike:
			in.spikes = append(in.spikes, int32(j))
		}
	}
	values, columns := t.values()
	in.values, in.midpoints = columns, midpoints(values)
}

// level returns the number of the basis column that is 1 for the named level,
// and whether training knew the level. Pooled and unseen levels share the
// column "other"; where training had nothing to pool there is none, −1 is
// returned, and a level that is 0 in every column scores as the average level
// (the ridge penalty centres the levels' weights).
func (t *Term) level(name string) (column int, known bool) {
	other := -1
	for j := range t.Columns {
		if t.Columns[j].Level == name {
			return j, true
		}
		if t.Columns[j].Level == OtherLevel {
			other = j
		}
	}
	_, pooled := slices.BinarySearch(t.Pooled, name)
	return other, pooled
}

// Entries appends the nonzero raw values u of the term's columns in a row to
// dst and returns it, in no particular order: those of all kinds but Linear,
// which has few zeros (Term.Raw gives it).
func (in *Input) Entries(dst []Entry, row int) []Entry {
	if in.own != nil {
		if j := in.own[in.column.Codes[row]+1]; j >= 0 {
			dst = append(dst, Entry{j, 1})
		}
		return dst
	}
	x := in.column.Num[row]
	if x != x {
		if in.missing >= 0 {
			dst = append(dst, Entry{in.missing, 1})
		}
		return dst
	}
	if in.splines != nil || in.cumulated != nil {
		dst = in.splineEntries(dst, x)
	}
	if in.values != nil {
		dst = append(dst, Entry{in.values[nearest(in.midpoints, x)], 1})
	}
	for _, j := range in.spikes {
		if x == in.term.Columns[j].At {
			dst = append(dst, Entry{j, 1})
		}
	}
	return dst
}

// splineEntries appends the nonzero values of the splines and the cumulated
// splines at x.
func (in *Input) splineEntries(dst []Entry, x float64) []Entry {
	var b [TermDegree + 1]float64
	first := BSplines(b[:], in.term.Knots, TermDegree, x)
	if in.splines != nil {
		for r, j := range in.splines[first : first+TermDegree+1] {
			if j >= 0 && b[r] != 0 {
				dst = append(dst, Entry{j, b[r]})
			}
		}
	}
	if in.cumulated != nil {
		cumulate(b[:])
		for i, j := range in.cumulated[:first+TermDegree+1] {
			if u := b[max(i-first, 0)]; j >= 0 && u != 0 {
				dst = append(dst, Entry{j, u})
			}
		}
	}
	return dst
}

// Weighed stores the columns that a fit weighs in rows from … to−1 in dst, which
// holds zeros, one row every stride values: raw values u (Term.Raw), but of a
// linear column its standardised one.
func (in *Input) Weighed(dst []float64, stride, from, to int) {
	if in.own != nil {
		for r, code := range in.column.Codes[from:to] {
			if j := in.own[code+1]; j >= 0 {
				dst[r*stride+int(j)] = 1
			}
		}
		return
	}
	x := in.column.Num[from:to]
	for _, j := range in.linear {
		in.term.linear(dst[j:], stride, x, int(j))
	}
	if in.splines != nil || in.cumulated != nil {
		in.weighedSplines(dst, stride, x)
	}
	if in.missing < 0 && in.values == nil && in.spikes == nil {
		return
	}
	for r, v := range x {
		out := dst[r*stride:]
		if v != v {
			if in.missing >= 0 {
				out[in.missing] = 1
			}
			continue
		}
		if in.values != nil {
			out[in.values[nearest(in.midpoints, v)]] = 1
		}
		for _, j := range in.spikes {
			if v == in.term.Columns[j].At {
				out[j] = 1
			}
		}
	}
}

// linear stores the standardised values of linear column k at the first of each
// stride values of dst.
func (t *Term) linear(dst []float64, stride int, x []float64, k int) {
	b := &t.Columns[k]
	for r, v := range x {
		if v != v {
			v = t.Median
		}
		dst[r*stride] = standardise(b.Transform.apply(within(v, t.Low, t.High)), b.Mean, b.SD)
	}
}

// weighedSplines stores the splines and the cumulated splines at every x.
func (in *Input) weighedSplines(dst []float64, stride int, x []float64) {
	var b [TermDegree + 1]float64
	for r, v := range x {
		if v != v {
			continue
		}
		out := dst[r*stride:]
		first := BSplines(b[:], in.term.Knots, TermDegree, v)
		if in.splines != nil {
			for q, j := range in.splines[first : first+TermDegree+1] {
				if j >= 0 {
					out[j] = b[q]
				}
			}
		}
		if in.cumulated != nil {
			cumulate(b[:])
			for i, j := range in.cumulated[:first+TermDegree+1] {
				if j >= 0 {
					out[j] = b[max(i-first, 0)]
				}
			}
		}
	}
}

// Basis stores the K standardised basis columns of rows from … to−1 in dst,
// one row every stride values: column k of row i goes to
// dst[(i−from)·stride + k].
func (in *Input) Basis(dst []float64, stride, from, to int) {
	columns := in.term.Columns
	zeros := make([]float64, len(columns))
	for j := range columns {
		if columns[j].Kind != Linear {
			zeros[j] = columns[j].Standardise(0)
		}
	}
	entries := make([]Entry, 0, 16)
	for i := from; i < to; i++ {
		out := dst[(i-from)*stride:][:len(columns)]
		copy(out, zeros)
		for _, j := range in.linear {
			out[j] = columns[j].Standardise(in.term.Raw(int(j), in.column.Num[i]))
		}
		entries = in.Entries(entries[:0], i)
		for _, e := range entries {
			out[e.Column] = columns[e.Column].Standardise(e.Value)
		}
	}
}

// Unseen counts the rows whose level training never met, a missing one
// included. Numbers have none.
func (in *Input) Unseen() int {
	n := 0
	if in.column.IsLevel() {
		for _, code := range in.column.Codes {
			if in.unseen[code+1] {
				n++
			}
		}
	}
	return n
}
