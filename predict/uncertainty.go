// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/holdfast-churn/holdfast/features"
)

// An Uncertainty says how well the raw log-odds of an account are known: the
// variance matrix V of all weights (METHODS 3), as a few directions f_k in which
// they may be wrong together,
//
//	Var(z) = x'Vx ≈ Rest + Σ_k (f_k·x)²
//
// with x = (1, v) the intercept and the standardised columns of an account. A
// direction is laid out as the weights are, so that f_k·x is the log-odds of the
// model that has f_k in their place.
type Uncertainty struct {
	Rank int `json:"rank"` // number of directions
	// Rest is the mean over the training rows of what the directions leave out:
	// they are those that matter most there.
	Rest float64 `json:"rest"`
	// Factor holds f_k in column k of a matrix with Rank columns, row-major: one
	// row for the intercept, one for each column of each term, one for the
	// scorecard, one for each cell of each pair, one for each rule of each table.
	Factor Packed `json:"factor"`
}

// Packed numbers have 8 binary digits: the upper half of a float32. They are
// written as the base64 text of two bytes each, the lower byte first.
type Packed []float32

// Pack returns the packed number nearest to v.
func Pack(v float64) float32 {
	b := math.Float32bits(float32(v))
	return math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff)
}

// MarshalText implements encoding.TextMarshaler.
func (p Packed) MarshalText() ([]byte, error) {
	b := make([]byte, 0, 2*len(p))
	for _, v := range p {
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
	}
	return []byte(base64.StdEncoding.EncodeToString(b)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Packed) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(b)%2 != 0 {
		return fmt.Errorf("packed numbers: %d bytes of text are not the base64 of pairs of bytes", len(text))
	}
	*p = make(Packed, len(b)/2)
	for i := range *p {
		(*p)[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
	}
	return nil
}

// Columns returns the number of weights: the intercept, and the columns of all
// terms, of the scorecard, and of all pairs and tables.
func (l *Logit) Columns() int {
	n := 1
	for j := range l.Terms {
		n += len(l.Terms[j].Columns)
	}
	if l.Scorecard != nil {
		n++
	}
	for k := range l.Pairs {
		n += len(l.Pairs[k].Cells)
	}
	for t := range l.Tables {
		n += len(l.Tables[t].Rules)
	}
	return n
}

// uncertainty checks that the directions fit the weights.
func (v *validator) uncertainty(m *Model) {
	u := m.Uncertainty
	v.check(u.Rank >= 0 && u.Rank*m.Columns() == len(u.Factor),
		"uncertainty: %d numbers; expected %d for each of %d weights", len(u.Factor), u.Rank, m.Columns())
	v.check(u.Rest >= 0, "uncertainty: a rest of %v", u.Rest)
	v.finite("uncertainty", u.Rest)
	for _, f := range u.Factor {
		if !v.check(math.Abs(float64(f)) < 1e12, "uncertainty: %v is not a usable number", f) {
			return
		}
	}
}

// A spread is an Uncertainty bound to a frame. It splits f_k·x by pillar, as
// Scorer.Contributions splits z.
type spread struct {
	rank, pillars int
	rest          float64
	base          []float64 // by pillar, the intercept's part last: what does not depend on the row
	parts         []spreadPart
	sums          []float64 // of the row at hand, as base
}

// A spreadPart adds to sums what depends on the row.
type spreadPart interface{ add(s *spread, row int) }

// directions are the rows of the factor that belong to one part.
type directions [][]float64

// at adds direction f times a number to a pillar's sums.
func (s *spread) at(sums []float64, pillar int, f []float64, by float64) {
	floats.AddScaled(sums[pillar*s.rank:(pillar+1)*s.rank], by, f)
}

// newSpread binds a model's uncertainty; sc is the model's scorer of f, and
// pillars are those of its terms, sorted.
func newSpread(m *Model, sc *Scorer, f *features.Frame, pillars []string) *spread {
	u := m.Uncertainty
	s := &spread{rank: u.Rank, pillars: len(pillars), rest: u.Rest}
	s.base, s.sums = make([]float64, (len(pillars)+1)*u.Rank), make([]float64, (len(pillars)+1)*u.Rank)
	from := 0
	next := func(columns int) directions {
		d := make(directions, columns)
		for i := range d {
			d[i] = make([]float64, u.Rank)
			for k, v := range u.Factor[(from+i)*u.Rank:][:u.Rank] {
				d[i][k] = float64(v)
			}
		}
		from += columns
		return d
	}
	pillarOf := func(feature string) int { return slices.Index(pillars, m.Terms[sc.place[feature]].Pillar) }
	s.at(s.base, s.pillars, next(1)[0], 1)
	for j := range m.Terms {
		t := &m.Terms[j]
		p := &termSpread{f: next(len(t.Columns)), pillar: pillarOf(t.Feature), term: t, input: &sc.inputs[j]}
		for k := range t.Columns {
			if b := &t.Columns[k]; b.Kind != Linear {
				zero, _ := b.Affine()
				s.at(s.base, p.pillar, p.f[k], zero)
			}
		}
		s.parts = append(s.parts, p)
	}
	if c := m.Scorecard; c != nil {
		p := &cardSpread{f: next(1)[0], card: sc.card}
		for _, name := range c.Items() {
			p.pillars = append(p.pillars, pillarOf(name))
		}
		s.at(s.base, s.pillars, p.f, (c.refScore()-c.Mean)/c.SD)
		s.parts = append(s.parts, p)
	}
	for k := range m.Pairs {
		p := newPairSpread(&m.Pairs[k], next(len(m.Pairs[k].Cells)), f)
		for side := range p.pillars {
			p.pillars[side] = pillarOf(m.Pairs[k].Sides[side].Feature)
			for i, c := range p.cells {
				s.at(s.base, p.pillars[side], p.f[i], -c.Mean/c.SD/2)
			}
		}
		s.parts = append(s.parts, p)
	}
	for t := range m.Tables {
		p := &tableSpread{table: sc.tables[t], f: m.Tables[t].directions(next(len(m.Tables[t].Rules)), u.Rank)}
		for i := range m.Tables[t].Rules {
			var of []int
			for _, name := range m.Tables[t].Rules[i].Features() {
				of = append(of, pillarOf(name))
			}
			p.pillars = append(p.pillars, of)
		}
		s.parts = append(s.parts, p)
	}
	return s
}

// row sums up a row; variance and ahead are then about it.
func (s *spread) row(row int) {
	copy(s.sums, s.base)
	for _, p := range s.parts {
		p.add(s, row)
	}
}

// variance returns Var(z).
func (s *spread) variance() float64 {
	sum := s.rest
	for k := range s.rank {
		f := 0.0
		for p := k; p < len(s.sums); p += s.rank {
			f += s.sums[p]
		}
		sum += float64(f * f)
	}
	return sum
}

// ahead returns the standard deviation of the contribution to the raw log-odds
// of pillar a less that of pillar b.
func (s *spread) ahead(a, b int) float64 {
	return floats.Distance(s.sums[a*s.rank:(a+1)*s.rank], s.sums[b*s.rank:(b+1)*s.rank], 2)
}

type termSpread struct {
	f       directions
	pillar  int
	term    *Term
	input   *Input
	entries []Entry
}

func (p *termSpread) add(s *spread, row int) {
	for _, k := range p.input.linear {
		b := &p.term.Columns[k]
		s.at(s.sums, p.pillar, p.f[k], b.Standardise(p.term.Raw(int(k), p.input.column.Num[row])))
	}
	p.entries = p.input.Entries(p.entries[:0], row)
	for _, e := range p.entries {
		_, scale := p.term.Columns[e.Column].Affine()
		s.at(s.sums, p.pillar, p.f[e.Column], scale*e.Value)
	}
}

type cardSpread struct {
	f       []float64
	pillars []int // of each item
	card    *CardInput
}

func (p *cardSpread) add(s *spread, row int) {
	c, parts := p.card.card, make([]float64, len(p.pillars))
	p.card.Score(parts, row)
	for k, points := range parts {
		s.at(s.sums, p.pillars[k], p.f, (points-c.ItemMeans[k])/c.SD)
	}
}

type pairSpread struct {
	f       directions
	pillars [2]int
	sides   [2]SideInput
	cell    []int // of column i of the first side times column j of the second, row-major; −1 for none
	cells   []Cell
	a, b    []Entry
}

func newPairSpread(p *Pair, d directions, f *features.Frame) *pairSpread {
	out := &pairSpread{f: d, cells: p.Cells}
	for k := range p.Sides {
		out.sides[k] = NewSideInput(&p.Sides[k], f.Column(p.Sides[k].Feature))
	}
	columns := p.Sides[1].Columns()
	out.cell = slices.Repeat([]int{-1}, p.Sides[0].Columns()*columns)
	for i, c := range p.Cells {
		out.cell[c.I*columns+c.J] = i
	}
	return out
}

func (p *pairSpread) add(s *spread, row int) {
	p.a, p.b = p.sides[0].Entries(p.a[:0], row), p.sides[1].Entries(p.b[:0], row)
	columns := p.sides[1].side.Columns()
	for _, u := range p.a {
		for _, v := range p.b {
			i := p.cell[int(u.Column)*columns+int(v.Column)]
			if i < 0 {
				continue
			}
			for _, pillar := range p.pillars {
				s.at(s.sums, pillar, p.f[i], u.Value*v.Value/p.cells[i].SD/2)
			}
		}
	}
}

type tableSpread struct {
	f       directions // of what the whole table adds, by the rule the row is in
	pillars [][]int    // of the features of each rule
	table   *tablePart
}

// directions returns, for each rule, those of the whole table where that rule
// holds: as Table.at with directions in place of weights.
func (t *Table) directions(d directions, rank int) directions {
	out, mean := make(directions, len(d)), make([]float64, rank)
	for i := range t.Rules {
		floats.AddScaled(mean, t.Rules[i].Mean/t.Rules[i].SD, d[i])
	}
	for i := range t.Rules {
		out[i] = make([]float64, rank)
		floats.AddScaled(out[i], 1/t.Rules[i].SD, d[i])
		floats.Sub(out[i], mean)
	}
	return out
}

func (p *tableSpread) add(s *spread, row int) {
	k := p.table.rule(row)
	for _, pillar := range p.pillars[k] {
		s.at(s.sums, pillar, p.f[k], 1/float64(len(p.pillars[k])))
	}
}
