// SPDX-License-Identifier: Apache-2.0

package data

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// A Found is one table that FindTables met: one file, or many files of one
// stream.
type Found struct {
	Name    string   // of the file, or of the folder that holds the stream
	Pattern string   // what Read takes: a path, or one glob that matches Files and nothing else
	Files   []string // sorted
}

// FindTables lists the Parquet files below dir as tables. Files become one
// table, under one glob, where they are parts of one stream:
//
//   - below a partition folder (month=2026-01, or a number or date such as
//     2026/01), with names that differ only in numbers, or say nothing (part-0);
//   - in one folder, with names that differ only in numbers (usage_2025,
//     usage_2026) or say nothing, and with the same columns;
//   - in a folder of their own whose name says more than "data", all with the
//     same columns (contracts/eu, contracts/us).
//
// Folders whose name begins with a dot or an underscore, and those that skip
// says, are not entered; links to folders are not followed, as in a glob. Every
// footer is checked: the first damaged file is the error.
func FindTables(fsys FS, dir string, skip func(folder string) bool) ([]Found, error) {
	f := finder{fsys: fsys, dir: strings.TrimSuffix(filepath.ToSlash(dir), "/"), skip: skip}
	if f.dir == "" {
		f.dir = "/" // TrimSuffix took the root away
	}
	if err := f.walk(f.dir, f.dir, false); err != nil {
		return nil, err
	}
	var out []Found
	for _, group := range f.groups() {
		tables, err := f.tables(group)
		if err != nil {
			return nil, err
		}
		out = append(out, tables...)
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(a.Pattern, b.Pattern) })
	nameApart(out)
	return out, nil
}

type finder struct {
	fsys  FS
	dir   string
	skip  func(folder string) bool
	files []foundFile
}

// A foundFile is one Parquet file on its way into a table.
type foundFile struct {
	path    string
	root    string // the folder above the first partition folder, or the folder of the file
	parted  bool   // root lies above a partition folder
	stem    string // what its name says, numbers aside; "" for names such as part-0
	columns string // names, sorted and joined
}

// walk collects the files below folder, which belongs to root.
func (f *finder) walk(folder, root string, parted bool) error {
	entries, err := f.fsys.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		full := path.Join(folder, name)
		switch {
		case strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		case e.IsDir():
			if f.skip != nil && f.skip(full) {
				continue
			}
			inner, below := full, false
			if parted || isPartition(name) {
				inner, below = root, true
			}
			if err := f.walk(full, inner, below); err != nil {
				return err
			}
		case strings.EqualFold(path.Ext(name), ".parquet"):
			if err := f.add(foundFile{path: full, root: root, parted: parted, stem: stem(name)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *finder) add(file foundFile) (err error) {
	info, err := f.fsys.Stat(file.path)
	if err != nil || info.IsDir() { // a link to a folder
		return err
	}
	p, err := openParquet(f.fsys, file.path)
	if err != nil {
		return err
	}
	defer p.closeInto(&err)
	var names []string
	for name := range p.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	file.columns = strings.Join(names, "\x00")
	f.files = append(f.files, file)
	return nil
}

// groups puts files together that may be parts of one stream, by root, then
// by stem.
func (f *finder) groups() [][]foundFile {
	byRoot := make(map[string][]foundFile)
	var roots []string
	for _, file := range f.files {
		key := file.root
		if file.parted {
			key += "\x00"
		}
		if byRoot[key] == nil {
			roots = append(roots, key)
		}
		byRoot[key] = append(byRoot[key], file)
	}
	slices.Sort(roots)
	var out [][]foundFile
	for _, key := range roots {
		files := byRoot[key]
		if !files[0].parted && key != f.dir && !saysNothing(path.Base(key)) && sameColumns(files) {
			out = append(out, files)
			continue
		}
		slices.SortStableFunc(files, func(a, b foundFile) int { return strings.Compare(a.stem, b.stem) })
		for i := 0; i < len(files); {
			n := slices.IndexFunc(files[i:], func(o foundFile) bool { return o.stem != files[i].stem })
			if n < 0 {
				n = len(files) - i
			}
			out = append(out, files[i:i+n])
			i += n
		}
	}
	return out
}

func sameColumns(files []foundFile) bool {
	return !slices.ContainsFunc(files, func(o foundFile) bool { return o.columns != files[0].columns })
}

// tables returns the one table of a group under its glob, or each file by
// itself where columns differ outside partitions or no glob tells them from
// other files.
func (f *finder) tables(group []foundFile) ([]Found, error) {
	first := group[0]
	all := make([]string, len(group))
	for i, file := range group {
		all[i] = file.path
	}
	slices.Sort(all)
	if len(group) > 1 && (first.parted || sameColumns(group)) {
		for _, pattern := range patterns(first) {
			sources, err := glob(f.fsys, pattern)
			if err != nil {
				continue // it matches nothing
			}
			if slices.EqualFunc(sources, all, func(s source, name string) bool { return s.name == name }) {
				name := first.stem
				if name == "" || !first.parted && pattern == path.Join(first.root, "*"+path.Ext(first.path)) {
					name = path.Base(first.root)
				}
				return []Found{{Name: name, Pattern: pattern, Files: all}}, nil
			}
		}
	}
	out := make([]Found, len(all))
	for i, name := range all {
		base := path.Base(name)
		out[i] = Found{Name: strings.TrimSuffix(base, path.Ext(base)), Pattern: name, Files: []string{name}}
		if len(all) == 1 && first.parted {
			out[i].Name = path.Base(first.root)
			if g := path.Join(first.root, "**", "*"+path.Ext(base)); f.only(g, name) {
				out[i].Pattern = g // more partitions will follow
			}
		}
	}
	return out, nil
}

func (f *finder) only(pattern, name string) bool {
	sources, err := glob(f.fsys, pattern)
	return err == nil && len(sources) == 1 && sources[0].name == name
}

// patterns lists the globs that may stand for a group, the plainest first.
func patterns(file foundFile) []string {
	ext := path.Ext(file.path)
	if !file.parted {
		return []string{
			path.Join(file.root, "*"+ext), path.Join(file.root, file.stem+"*"+ext),
			path.Join(file.root, file.stem+"_*"+ext), path.Join(file.root, file.stem+"-*"+ext)}
	}
	folder, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(file.path, file.root), "/"), "/")
	key, _, hive := strings.Cut(folder, "=")
	out := []string{path.Join(file.root, "**", "*"+ext), path.Join(file.root, "**", file.stem+"*"+ext)}
	if hive {
		out = append(out, path.Join(file.root, key+"=*", "**", "*"+ext),
			path.Join(file.root, key+"=*", "**", file.stem+"*"+ext))
	}
	return out
}

// nameApart gives tables of one name their folder's before it.
func nameApart(tables []Found) {
	count := make(map[string]int)
	for _, t := range tables {
		count[t.Name]++
	}
	for i := range tables {
		if t := &tables[i]; count[t.Name] > 1 {
			t.Name = path.Base(path.Dir(t.Files[0])) + "_" + t.Name
		}
	}
}

// isPartition reports whether a folder's name is a part of a stream: key=value,
// or nothing but digits and separators.
func isPartition(name string) bool {
	return strings.Contains(name, "=") || strings.Trim(name, "0123456789-_.") == ""
}

// saysNothing reports whether a name fits any table.
func saysNothing(name string) bool {
	return slices.Contains([]string{"", "data", "parquet", "table", "tables", "part", "parts", "file", "files",
		"chunk", "input", "raw", "export", "exports", "events", "sources", "bronze", "silver", "gold"},
		strings.ToLower(name))
}

// stem returns the part of a file's name before its first number: "usage" of
// usage_2026-01.parquet, "" of part-00000-9c1f.snappy.parquet.
func stem(name string) string {
	name, _, _ = strings.Cut(name, ".")
	if i := strings.IndexFunc(name, unicode.IsDigit); i >= 0 {
		name = name[:i]
	}
	name = strings.TrimRight(name, "-_ ")
	if saysNothing(name) {
		return ""
	}
	return name
}
