// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"math"
	"strconv"
	"strings"
	"time"
)

// writeCSV writes a table as RFC 4180 has it, with a header if asked, and lines
// that end in LF: numbers in the shortest form that reads back to the same value, dates
// as 2006-01-02, timestamps as RFC 3339 in UTC. A missing value is an empty
// field, an empty text is "".
func writeCSV(w *bufio.Writer, t *Table, header bool) error {
	cells := make([]func(b []byte, i int) []byte, len(t.Columns))
	for k := range t.Columns {
		c := &t.Columns[k]
		cells[k] = csvCell(c, len(t.Columns) == 1)
		if !header {
			continue
		}
		if k > 0 {
			w.WriteByte(',')
		}
		w.WriteString(csvText(c.Name))
	}
	if header {
		w.WriteByte('\n')
	}
	var line []byte
	for i := range t.Rows {
		line = line[:0]
		for k, cell := range cells {
			if k > 0 {
				line = append(line, ',')
			}
			line = cell(line, i)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// csvCell returns the function that appends a column's value in a row. In a
// table of one column a missing value is "", for many readers skip a line that
// is empty.
func csvCell(c *Column, alone bool) func(b []byte, i int) []byte {
	missing := ""
	if alone {
		missing = `""`
	}
	texts := make([]string, len(c.Dict)) // each text is quoted once
	return func(b []byte, i int) []byte {
		switch {
		case c.Missing(i):
			return append(b, missing...)
		case c.Kind == Text:
			code := c.Codes[i]
			if texts[code] == "" {
				texts[code] = csvText(c.Dict[code])
			}
			return append(b, texts[code]...)
		}
		return appendValue(b, c, i)
	}
}

// csvText quotes a text where RFC 4180 asks for it. A text that a spreadsheet
// would take for a formula gets a ' in front (OWASP ASVS 1.2.10).
func csvText(s string) string {
	if s == "" {
		return `""`
	}
	if strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		s = "'" + s
	}
	if strings.ContainsAny(s, ",\"\r\n") || s[0] == ' ' || s[len(s)-1] == ' ' {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// appendValue appends a value that is neither missing nor a text.
func appendValue(b []byte, c *Column, i int) []byte {
	switch c.Kind {
	case Float:
		return appendFloat(b, c.Floats[i])
	case Bool:
		return strconv.AppendBool(b, c.Ints[i] != 0)
	case Date:
		return time.Unix(c.Ints[i]*secondsPerDay, 0).UTC().AppendFormat(b, time.DateOnly)
	case Time:
		return time.Unix(0, c.Ints[i]).UTC().AppendFormat(b, time.RFC3339Nano)
	}
	return strconv.AppendInt(b, c.Ints[i], 10)
}

// appendFloat appends the shortest decimal that reads back to the same float:
// with an exponent below 1e-6, and from 1e16 on, where digits before the point
// would pass for those of an exact integer.
func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 0):
		if v < 0 {
			b = append(b, '-')
		}
		return append(b, "inf"...)
	case v != 0 && (math.Abs(v) < 1e-6 || math.Abs(v) >= 1e16):
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
