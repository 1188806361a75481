// SPDX-License-Identifier: Apache-2.0

package data

import "strconv"

// Read reads Parquet files into one table: the named columns in the order
// given, or with columns nil every column that is not nested.
//
// pattern is a path, or a pattern in which * stands for any part of a name, ?
// for one character and ** for any number of folders. Its files are read in
// the order of their paths. Folders named key=value below the first wildcard
// add a column, of integers if all its values are, else of texts; a column in
// the files goes before a folder of the same name.
//
// A file that is not what it claims to be gives an error that satisfies
// errors.Is(err, ErrBadData), a pattern that matches nothing one that satisfies
// errors.Is(err, fs.ErrNotExist).
func Read(fsys FS, pattern string, columns []string) (*Table, error) {
	s, err := newScan(fsys, pattern, columns)
	if err != nil {
		return nil, err
	}
	builders := s.builders(s.room)
	rows := 0
	err = s.groups(func(f *boundFile, group int) error {
		rows += int(f.meta.RowGroups[group].NumRows)
		return f.read(group, builders)
	})
	if err != nil {
		return nil, err
	}
	return s.table(builders, rows), nil
}

// Scan reads like Read, and hands over one table per row group, in order, so
// that data larger than memory can be worked through. Each table stands by
// itself: the codes of a text differ from one to the next. Of files without a
// row it hands over one empty table, so that the columns are known. An error
// of each ends the scan and is returned as it is.
func Scan(fsys FS, pattern string, columns []string, each func(*Table) error) error {
	s, err := newScan(fsys, pattern, columns)
	if err != nil {
		return err
	}
	empty := true
	err = s.groups(func(f *boundFile, group int) error {
		builders := s.builders(f.room(group))
		if err := f.read(group, builders); err != nil {
			return err
		}
		empty = false
		return each(s.table(builders, int(f.meta.RowGroups[group].NumRows)))
	})
	if err == nil && empty {
		err = each(s.table(s.builders(0), 0))
	}
	return err
}

// Columns returns a table without rows that has the columns of a pattern, with
// the kinds that Read would give them, and the number of rows that it would read.
func Columns(fsys FS, pattern string) (*Table, int, error) {
	s, err := newScan(fsys, pattern, nil)
	if err != nil {
		return nil, 0, err
	}
	rows := int64(0)
	for _, src := range s.sources {
		for _, n := range src.rows {
			rows += n
		}
	}
	return s.table(s.builders(0), 0), int(rows), nil
}

// groups calls each for every row group of every file, in order.
func (s *scan) groups(each func(f *boundFile, group int) error) error {
	for _, src := range s.sources {
		if err := s.fileGroups(src, each); err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) fileGroups(src source, each func(f *boundFile, group int) error) (err error) {
	p, err := openParquet(s.fsys, src.name)
	if err != nil {
		return err
	}
	defer p.closeInto(&err)
	f, err := s.bind(p, src)
	if err != nil {
		return err
	}
	if err := s.unchanged(f, src); err != nil {
		return err
	}
	for g := range p.meta.RowGroups {
		if err := each(f, g); err != nil {
			return err
		}
		f.before += p.meta.RowGroups[g].NumRows
	}
	return nil
}

// unchanged refuses a file whose columns are no longer those that the scan
// settled on.
func (s *scan) unchanged(f *boundFile, src source) error {
	for i, b := range f.bindings {
		c := s.columns[i]
		if c.widen(b, src.name) != nil || c.kind != s.columns[i].kind {
			return badFile(src.name, "changed while it was being read")
		}
	}
	return nil
}

// read appends one row group to the builders.
func (f *boundFile) read(group int, builders []*builder) error {
	for i := range f.bindings {
		if err := f.readColumn(group, i, builders[i]); err != nil {
			return err
		}
	}
	return nil
}

// readColumn appends one column of a row group to b.
func (f *boundFile) readColumn(group, column int, b *builder) error {
	bound := &f.bindings[column]
	if bound.leaf >= 0 {
		return f.reader.read(f.parquetFile, group, bound.leaf, f.before, b)
	}
	bound.fill(b, int(f.meta.RowGroups[group].NumRows))
	return nil
}

// fill appends so many rows of what the name of a folder says.
func (bound *binding) fill(b *builder, rows int) {
	switch {
	case bound.void:
		b.appendMissing(rows)
	case b.Kind == Text:
		b.appendText(bound.text, rows)
	default:
		v, _ := strconv.ParseInt(bound.text, 10, 64) // folder has seen that it parses
		b.appendInt(v, rows)
	}
}
