// SPDX-License-Identifier: Apache-2.0

package data

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// A source is one file that a pattern matched, and the hive partition folders
// (key=value) between the first wildcard and the file.
type source struct {
	name string
	keys []partition
	rows []int64 // of each row group, once the file has been looked at
}

// A partition is one folder named key=value.
type partition struct{ key, value string }

// nullPartition is what Hive and Spark write for a missing partition value.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// glob returns the files that a pattern names, sorted by path. In a pattern *
// stands for any part of a name, ? for one character and ** for any number of
// folders; without them it is a plain path. As in a shell, a wildcard matches
// no name that begins with a dot; and ** enters no folder that begins with an
// underscore, where Spark and Delta keep what is not yet or no longer data.
func glob(fsys FS, pattern string) ([]source, error) {
	pattern = filepath.ToSlash(pattern)
	if !hasWildcard(pattern) {
		info, err := fsys.Stat(pattern)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &noFileError{pattern}
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, badFile(pattern, `is a folder; to read the files in it, write "%s/**/*.parquet"`,
				strings.TrimSuffix(pattern, "/"))
		}
		return []source{{name: pattern}}, nil
	}
	parts := strings.Split(pattern, "/")
	first := slices.IndexFunc(parts, hasWildcard)
	root := strings.Join(parts[:first], "/")
	if first > 0 {
		root += "/"
	}
	if info, err := fsys.Stat(cmp.Or(root, ".")); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, &noFileError{pattern}
	}
	w := walker{fsys: fsys}
	if err := w.walk(root, parts[first:]); err != nil {
		return nil, err
	}
	if len(w.found) == 0 {
		return nil, &noFileError{pattern}
	}
	slices.Sort(w.found)
	w.found = slices.Compact(w.found) // two ** find a file on several ways
	sources := make([]source, len(w.found))
	for i, name := range w.found {
		sources[i] = source{name: name, keys: partitions(strings.TrimPrefix(name, root))}
	}
	return sources, nil
}

type walker struct {
	fsys  FS
	found []string
}

// walk matches the rest of a pattern below dir, which is "" or ends in a slash.
func (w *walker) walk(dir string, parts []string) error {
	part, rest := parts[0], parts[1:]
	if part == "**" {
		if len(rest) == 0 {
			rest = []string{"*"}
		}
		if err := w.walk(dir, rest); err != nil {
			return err
		}
	}
	if !hasWildcard(part) {
		return w.enter(dir+part, rest)
	}
	entries, err := w.fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if part == "**" {
			// Links to folders are not followed here: they may form a ring.
			if e.IsDir() && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_") {
				err = w.walk(dir+name+"/", parts)
			}
		} else if matchName(part, name) {
			err = w.enter(dir+name, rest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter takes one matched name: a file at the end of the pattern, a folder
// before it. A file where a folder is wanted, or the reverse, is no match.
func (w *walker) enter(name string, rest []string) error {
	info, err := w.fsys.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir() && len(rest) > 0:
		return w.walk(name+"/", rest)
	case !info.IsDir() && len(rest) == 0:
		w.found = append(w.found, name)
	}
	return nil
}

// matchName reports whether a name matches one part of a pattern. On a
// mismatch it goes back to the last *, which suffices: an earlier * could only
// match what the last one can.
func matchName(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	star, again := -1, 0
	p, n := 0, 0
	for n < len(name) {
		_, size := utf8.DecodeRuneInString(name[n:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, again = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			n += size
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			_, size := utf8.DecodeRuneInString(name[again:])
			again += size
			p, n = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// partitions returns the key=value folders of a path, without its file name.
func partitions(path string) []partition {
	folders := strings.Split(path, "/")
	var keys []partition
	for _, folder := range folders[:len(folders)-1] {
		key, value, ok := strings.Cut(folder, "=")
		if !ok || key == "" {
			continue
		}
		keys = append(keys, partition{unescape(key), unescape(value)})
	}
	return keys
}

// unescape undoes the %XX that Hive writes for characters a path cannot hold.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
