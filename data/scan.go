// SPDX-License-Identifier: Apache-2.0

package data

import (
	"slices"
	"strconv"
)

// A scan knows the files of a pattern and the columns to read from them.
type scan struct {
	fsys    FS
	pattern string
	sources []source
	folders []scanColumn // the keys of partition folders, in order of appearance
	columns []scanColumn
	index   map[string]int // of columns, by name
	room    int            // rows to make room for at once
}

// A scanColumn is one column to read, and the kind that holds it in all files.
type scanColumn struct {
	name string
	kind Kind
	void bool   // nothing but nulls so far
	file string // the first file that has it with this kind
}

// newScan opens every file once, checks its footer, and settles the kind of
// each column. With columns nil the first file decides which there are.
func newScan(fsys FS, pattern string, columns []string) (*scan, error) {
	sources, err := glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	s := &scan{fsys: fsys, pattern: pattern, sources: sources, index: map[string]int{}}
	s.addFolders()
	for _, name := range columns {
		s.want(name)
	}
	all := columns == nil
	for i := range sources {
		if err := s.addFile(&sources[i], all, i == 0); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// want adds a column, once.
func (s *scan) want(name string) {
	if _, known := s.index[name]; !known {
		s.index[name] = len(s.columns)
		s.columns = append(s.columns, scanColumn{name: name, void: true})
	}
}

// addFolders collects the partition folders: a key is of integers if all its
// values are.
func (s *scan) addFolders() {
	for _, src := range s.sources {
		for _, k := range src.keys {
			i := slices.IndexFunc(s.folders, func(c scanColumn) bool { return c.name == k.key })
			if i < 0 {
				i = len(s.folders)
				s.folders = append(s.folders, scanColumn{name: k.key, kind: Int})
			}
			if _, err := strconv.ParseInt(k.value, 10, 64); err != nil && k.value != nullPartition {
				s.folders[i].kind = Text
			}
		}
	}
}

// addFile settles the columns with one more file.
func (s *scan) addFile(src *source, all, first bool) (err error) {
	p, err := openParquet(s.fsys, src.name)
	if err != nil {
		return err
	}
	defer p.closeInto(&err)
	switch {
	case all && first:
		for _, name := range s.available(p) {
			s.want(name)
		}
	case all:
		if err := s.checkSame(p); err != nil {
			return err
		}
	}
	f, err := s.bind(p, *src)
	if err != nil {
		return err
	}
	for i := range f.bindings {
		if err := s.columns[i].widen(f.bindings[i], src.name); err != nil {
			return err
		}
	}
	for g := range p.meta.RowGroups {
		src.rows = append(src.rows, p.meta.RowGroups[g].NumRows)
		s.room += p.room(g)
	}
	return nil
}

// checkSame refuses a file that has not the very columns of the first one,
// where all are to be read.
func (s *scan) checkSame(p *parquetFile) error {
	const advice = "; name the columns to read, or write both files alike"
	for _, name := range s.available(p) {
		if _, known := s.index[name]; !known {
			return badFile(p.name, "has a column %q, which %s has not"+advice, name, s.sources[0].name)
		}
	}
	for _, c := range s.columns {
		_, own := p.byName[c.name]
		if _, folder := s.folder(c.name, source{}); !own && !folder {
			return badFile(p.name, "has no column %q, which %s has"+advice, c.name, s.sources[0].name)
		}
	}
	return nil
}

// available lists the columns that can be read from a file: its own that are
// not nested, then the keys of partition folders.
func (s *scan) available(p *parquetFile) []string {
	var names []string
	for i := range p.leaves {
		if p.leaves[i].unfit == "" {
			names = append(names, p.leaves[i].name)
		}
	}
	for _, c := range s.folders {
		if _, own := p.byName[c.name]; !own {
			names = append(names, c.name)
		}
	}
	return names
}

// widen takes in the kind that one more file has the column in.
func (c *scanColumn) widen(b binding, file string) error {
	switch {
	case b.void:
	case c.void:
		c.kind, c.void, c.file = b.kind, false, file
	case b.kind == c.kind, c.kind == Float && b.kind == Int, c.kind == Time && b.kind == Date:
	case c.kind == Int && b.kind == Float, c.kind == Date && b.kind == Time:
		c.kind, c.file = b.kind, file
	default:
		return &DriftError{Column: c.name, File: c.file, Kind: c.kind.String(), Other: file, Others: b.kind.String()}
	}
	return nil
}

// A boundFile is an open file with the place of every column of a scan in it.
type boundFile struct {
	*parquetFile
	bindings []binding
	reader   chunkReader
	before   int64 // rows in the row groups read so far
}

// A binding says where a file has a column: in a leaf, or in the name of a
// partition folder.
type binding struct {
	leaf int // -1 for a folder
	text string
	kind Kind
	void bool
}

// bind finds the columns of the scan in one file.
func (s *scan) bind(p *parquetFile, src source) (*boundFile, error) {
	f := &boundFile{parquetFile: p}
	var missing []string
	for _, c := range s.columns {
		i, own := p.byName[c.name]
		switch {
		case own && p.leaves[i].unfit != "":
			return nil, &TypeError{File: p.name, Column: c.name, Want: "one value per row", Got: p.leaves[i].unfit}
		case own && p.leaves[i].twice:
			return nil, badFile(p.name, "has two columns named %q", c.name)
		case own:
			f.bindings = append(f.bindings, binding{leaf: i, kind: p.leaves[i].kind, void: p.leaves[i].void})
		default:
			b, ok := s.folder(c.name, src)
			if !ok {
				missing = append(missing, c.name)
			}
			f.bindings = append(f.bindings, b)
		}
	}
	if len(missing) > 0 {
		return nil, newColumnError(p.name, missing, s.available(p))
	}
	return f, nil
}

// folder finds a column among the partition folders. It is missing from a file
// that lies in no such folder.
func (s *scan) folder(name string, src source) (binding, bool) {
	for _, c := range s.folders {
		if c.name != name {
			continue
		}
		b := binding{leaf: -1, kind: c.kind, void: true}
		for _, k := range src.keys {
			if k.key == name && k.value != nullPartition {
				b.text, b.void = k.value, false
			}
		}
		return b, true
	}
	return binding{}, false
}

// builders returns one empty builder per column with room for some rows.
func (s *scan) builders(room int) []*builder {
	out := make([]*builder, len(s.columns))
	for i, c := range s.columns {
		out[i] = newBuilder(c.name, c.kind)
		out[i].grow(room)
	}
	return out
}

func (s *scan) table(builders []*builder, rows int) *Table {
	t := &Table{Name: s.pattern, Rows: rows, Columns: make([]Column, len(builders))}
	for i, b := range builders {
		t.Columns[i] = b.column()
	}
	return t
}
