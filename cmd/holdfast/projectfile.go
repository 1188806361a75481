// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A fileWriter writes a commented YAML file: the comments of lines that follow
// each other stand in one column.
type fileWriter struct {
	b     strings.Builder
	block []fileLine
}

type fileLine struct{ text, comment string }

const (
	fileWidth     = 130 // of a line with its comment
	commentColumn = 46  // at most: longer lines have their comment further right
)

// line adds a line with a comment beside it, or above it where there is no
// room.
func (f *fileWriter) line(indent int, text, comment string) {
	comment = oneLineText(comment)
	text = strings.Repeat(" ", indent) + text
	room := max(commentColumn, utf8.RuneCountInString(text)+2) + 2 + utf8.RuneCountInString(comment)
	if comment != "" && room > fileWidth {
		f.comment(indent, comment)
		comment = ""
	}
	f.block = append(f.block, fileLine{text, comment})
}

// comment adds a comment of its own, wrapped; leading spaces indent all of it.
func (f *fileWriter) comment(indent int, text string) {
	f.flush()
	text = oneLineText(text)
	lead := strings.Repeat(" ", indent) + "#"
	words := strings.Fields(text)
	inner := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := lead
	for i, w := range words {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > fileWidth {
			f.b.WriteString(line + "\n")
			line = lead + inner
			if inner != "" {
				line += "  "
			}
		}
		if i == 0 {
			line += inner
		}
		line += " " + w
	}
	f.b.WriteString(line + "\n")
}

func (f *fileWriter) blank() {
	f.flush()
	f.b.WriteByte('\n')
}

// flush writes the lines collected so far, their comments aligned.
func (f *fileWriter) flush() {
	column := 0
	for _, l := range f.block {
		if n := utf8.RuneCountInString(l.text) + 2; l.comment != "" && n <= commentColumn {
			column = max(column, n)
		}
	}
	for _, l := range f.block {
		f.b.WriteString(l.text)
		if l.comment != "" {
			n := utf8.RuneCountInString(l.text)
			f.b.WriteString(strings.Repeat(" ", max(2, column-n)) + "# " + l.comment)
		}
		f.b.WriteByte('\n')
	}
	f.block = nil
}

// String returns the file.
func (f *fileWriter) String() string {
	f.flush()
	return f.b.String()
}

// oneLineText takes line breaks and other controls out of a comment: names of
// columns and values may hold any character.
func oneLineText(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// plainScalar matches texts that YAML takes as they are, in a list too.
var plainScalar = regexp.MustCompile(`^((\.\./)+|\./|/)?[A-Za-z_][A-Za-z0-9_./*=-]*$`)

// scalar writes a text as a YAML value.
func scalar(s string) string {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return quoted(s)
	}
	if plainScalar.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted writes a text between double quotes. The escapes of Go are those of
// YAML, but for bytes that are not UTF-8, which YAML cannot hold.
func quoted(s string) string { return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD")) }
