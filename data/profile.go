// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"math"
	"slices"
)

// A Sample is some of the rows of a table, in stretches that are spread evenly
// over its files, from the first row to the last: early and late rows both
// appear, and rows that lie beside each other stay together.
type Sample struct {
	*Table
	Total   int      // rows of all files, by their footers
	Folders []string // columns that are names of partition folders
}

// Whole reports whether the sample holds every row.
func (s *Sample) Whole() bool { return s.Rows == s.Total }

// stretches is over how many places a sample is spread, where a table has so
// many row groups: enough to meet every season of a history in order of time.
const stretches = 8

// TakeSample reads the columns that all files of a pattern have, except nested
// ones: every row of a table of up to rows rows, and at most rows of a larger
// one. The time this takes is that of decoding a few row groups.
func TakeSample(fsys FS, pattern string, rows int) (*Sample, error) {
	columns, err := commonColumns(fsys, pattern)
	if err != nil {
		return nil, err
	}
	s, err := newScan(fsys, pattern, columns)
	if err != nil {
		return nil, err
	}
	out := &Sample{}
	for _, c := range s.folders {
		out.Folders = append(out.Folders, c.name)
	}
	groups := 0
	err = s.groups(func(f *boundFile, group int) error {
		out.Total += int(f.meta.RowGroups[group].NumRows)
		groups++
		return nil
	})
	if err != nil {
		return nil, err
	}
	chosen, most := spread(groups, groups), rows
	if out.Total > rows {
		chosen = spread(groups, max(stretches, groups*rows/out.Total))
		most = rows / len(chosen)
	}
	builders, at, read := s.builders(0), 0, 0
	err = s.groups(func(f *boundFile, group int) error {
		at++
		if !chosen[at-1] {
			return nil
		}
		n, err := s.stretch(f, group, most, at == groups, builders)
		read += n
		return err
	})
	out.Table = s.table(builders, read)
	return out, err
}

// spread chooses up to k of n places, the first and the last among them.
func spread(n, k int) map[int]bool {
	out := make(map[int]bool)
	k = min(n, k)
	for i := range k {
		out[i*(n-1)/max(1, k-1)] = true
	}
	return out
}

// stretch appends the first rows of a row group to the builders, or the last
// ones, and returns how many.
func (s *scan) stretch(f *boundFile, group, most int, last bool, builders []*builder) (int, error) {
	n := int(f.meta.RowGroups[group].NumRows)
	if n <= most {
		return n, f.read(group, builders)
	}
	whole := s.builders(0)
	if err := f.read(group, whole); err != nil {
		return 0, err
	}
	from := 0
	if last {
		from = n - most
	}
	for i, b := range builders {
		c := whole[i].column()
		b.appendRows(&c, from, from+most)
	}
	return most, nil
}

// appendRows appends rows from, up to but without to, of a column of the same
// kind.
func (b *builder) appendRows(c *Column, from, to int) {
	for i := from; i < to; i++ {
		switch {
		case c.Missing(i):
			b.appendMissing(1)
		case b.Kind == Float:
			b.appendFloats(c.Floats[i:i+1], nil)
		case b.Kind == Text:
			b.appendCodes([]int32{b.texts.code([]byte(c.Text(i)))}, nil)
		default:
			b.appendInts(c.Ints[i:i+1], nil)
		}
	}
}

// commonColumns lists the columns that can be read from every file, in the
// order of the first.
func commonColumns(fsys FS, pattern string) ([]string, error) {
	sources, err := glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	s := &scan{fsys: fsys, pattern: pattern, sources: sources}
	s.addFolders()
	common := []string{} // not nil, which would mean all
	for i, src := range sources {
		names, err := s.readable(src.name)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			common = append(common, names...)
		}
		common = slices.DeleteFunc(common, func(name string) bool { return !slices.Contains(names, name) })
	}
	return common, nil
}

func (s *scan) readable(file string) (names []string, err error) {
	p, err := openParquet(s.fsys, file)
	if err != nil {
		return nil, err
	}
	defer p.closeInto(&err)
	return slices.DeleteFunc(s.available(p), func(name string) bool {
		i, own := p.byName[name]
		return own && p.leaves[i].twice
	}), nil
}

// A ColumnProfile describes the values of one column in some rows.
type ColumnProfile struct {
	Name     string
	Kind     Kind
	Rows     int
	Missing  int
	Distinct int
	// Min and Max are of the values as Column.Number gives them: days since
	// 1970-01-01 for dates and timestamps. NaN for texts and where all are missing.
	Min, Max float64
	// Levels are the distinct values as texts with their counts, the most
	// frequent first, ties by text. Only up to MaxLevels values; else nil.
	Levels []Level
}

// A Level is one value of a column and the rows that hold it.
type Level struct {
	Text string
	Rows int
}

// MaxLevels is how many distinct values a column may have for its profile to
// list them.
const MaxLevels = 200

// Present returns the number of rows that hold a value.
func (c *ColumnProfile) Present() int { return c.Rows - c.Missing }

// Unique reports whether there are rows, every row holds a value and none
// repeats.
func (c *ColumnProfile) Unique() bool { return c.Rows > 0 && c.Distinct == c.Rows }

// Profile describes the columns of a table.
func (t *Table) Profile() []ColumnProfile {
	out := make([]ColumnProfile, len(t.Columns))
	for i := range t.Columns {
		out[i] = t.Columns[i].profile()
	}
	return out
}

func (c *Column) profile() ColumnProfile {
	p := ColumnProfile{Name: c.Name, Kind: c.Kind, Rows: c.Len(), Min: math.NaN(), Max: math.NaN()}
	example := make(map[uint64]int) // by the value's bits, a row that holds it
	count := make(map[uint64]int)
	for i := range p.Rows {
		if c.Missing(i) {
			p.Missing++
			continue
		}
		key := c.bits(i)
		if _, seen := example[key]; !seen {
			example[key] = i
		}
		count[key]++
		if c.Kind != Text {
			v := c.Number(i)
			if !(p.Min <= v) { // also where Min is NaN
				p.Min = v
			}
			if !(p.Max >= v) {
				p.Max = v
			}
		}
	}
	p.Distinct = len(example)
	if p.Distinct > MaxLevels {
		return p
	}
	for key, i := range example {
		p.Levels = append(p.Levels, Level{c.format(i), count[key]})
	}
	slices.SortFunc(p.Levels, func(a, b Level) int { return cmp.Or(b.Rows-a.Rows, cmp.Compare(a.Text, b.Text)) })
	return p
}

// bits returns a number that is the same for equal values of the column.
func (c *Column) bits(i int) uint64 {
	switch c.Kind {
	case Float:
		return math.Float64bits(c.Floats[i] + 0) // -0 + 0 is 0
	case Text:
		return uint64(c.Codes[i])
	}
	return uint64(c.Ints[i])
}
