// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ErrBadData marks every error that the data themselves cause: a damaged file,
// a missing column, a wrong type, a value out of range. Faults of the disk or
// of permissions are never marked. Ask with errors.Is.
var ErrBadData = errors.New("bad data")

// A FileError is a file that cannot be read as what it claims to be.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string { return e.File + ": " + e.Err.Error() }

// Unwrap returns what was wrong with the file.
func (e *FileError) Unwrap() error { return e.Err }

// Is makes every FileError an ErrBadData.
func (e *FileError) Is(target error) bool { return target == ErrBadData }

// badFile returns a FileError from a format and its arguments.
func badFile(file, format string, args ...any) error {
	return &FileError{File: file, Err: fmt.Errorf(format, args...)}
}

// A ColumnError lists columns that were asked for and are not there.
type ColumnError struct {
	File    string
	Missing []string
	Near    []string // per missing name the nearest existing one, "" where none is near
	Have    []string // the names that exist
}

// newColumnError looks up the nearest existing name of each missing one.
func newColumnError(file string, missing, have []string) *ColumnError {
	near := make([]string, len(missing))
	for i, name := range missing {
		near[i] = Nearest(name, have)
	}
	return &ColumnError{File: file, Missing: missing, Near: near, Have: have}
}

func (e *ColumnError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no column ", e.File)
	for i, name := range e.Missing {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", name)
		if e.Near[i] != "" {
			fmt.Fprintf(&b, " (did you mean %q?)", e.Near[i])
		}
	}
	const shown = 30 // enough for any table that people write by hand
	fmt.Fprintf(&b, "; there are: %s", strings.Join(e.Have[:min(shown, len(e.Have))], ", "))
	if more := len(e.Have) - shown; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// Is makes every ColumnError an ErrBadData.
func (e *ColumnError) Is(target error) bool { return target == ErrBadData }

// A TypeError is a column of another type than the one that is needed.
type TypeError struct {
	File, Column string
	Want, Got    string
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("%s: column %q is of type %s, %s is needed", e.File, e.Column, e.Got, e.Want)
}

// Is makes every TypeError an ErrBadData.
func (e *TypeError) Is(target error) bool { return target == ErrBadData }

// A DriftError is a column that changes its type from one file of a pattern to
// another in a way that widening (integer to number, date to timestamp) does
// not mend.
type DriftError struct {
	Column       string
	File, Other  string
	Kind, Others string // the type in each of the two files
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("column %q is of type %s in %s and of type %s in %s; write both files with one type",
		e.Column, e.Kind, e.File, e.Others, e.Other)
}

// Is makes every DriftError an ErrBadData.
func (e *DriftError) Is(target error) bool { return target == ErrBadData }

// noFileError is a pattern that matches nothing.
type noFileError struct{ pattern string }

func (e *noFileError) Error() string {
	if hasWildcard(e.pattern) {
		return e.pattern + ": no file matches this pattern"
	}
	return e.pattern + ": no such file"
}

// Is makes it a fs.ErrNotExist.
func (e *noFileError) Is(target error) bool { return target == fs.ErrNotExist }
