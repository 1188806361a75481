// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// writeJSONLines writes one JSON object a row, with the columns in order and
// missing values as null. Dates and timestamps are texts, as in CSV. Bytes of a
// text that are not UTF-8 become U+FFFD, for JSON cannot hold them.
func writeJSONLines(w *bufio.Writer, t *Table) error {
	keys := make([]string, len(t.Columns))
	texts := make([][]string, len(t.Columns)) // each text is quoted once
	for k := range t.Columns {
		keys[k] = jsonText(t.Columns[k].Name) + ":"
		if k > 0 {
			keys[k] = "," + keys[k]
		}
		texts[k] = make([]string, len(t.Columns[k].Dict))
	}
	var line []byte
	for i := range t.Rows {
		line = append(line[:0], '{')
		for k := range t.Columns {
			c := &t.Columns[k]
			line = append(line, keys[k]...)
			switch {
			case c.Missing(i):
				line = append(line, "null"...)
			case c.Kind == Text:
				code := c.Codes[i]
				if texts[k][code] == "" {
					texts[k][code] = jsonText(c.Dict[code])
				}
				line = append(line, texts[k][code]...)
			case c.Kind == Date || c.Kind == Time:
				line = append(appendValue(append(line, '"'), c, i), '"')
			case c.Kind == Float && math.IsInf(c.Floats[i], 0):
				return fmt.Errorf("row %d: column %q is infinite, which JSON cannot hold", i+1, c.Name)
			default:
				line = appendValue(line, c, i)
			}
		}
		if _, err := w.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// jsonText quotes a text, and leaves < > & as they are: this is no HTML.
func jsonText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("data: jsonText: " + err.Error()) // a string always encodes
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
