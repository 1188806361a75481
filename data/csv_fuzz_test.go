// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// FuzzWriteCSV writes any text, and a column of any name, and reads them back:
// the same but for the ' that keeps a formula from being run, and line breaks
// of two bytes, which the reader makes one.
func FuzzWriteCSV(f *testing.F) {
	for _, id := range oddIDs {
		f.Add("account_id", id, "b")
	}
	f.Fuzz(func(t *testing.T, name, a, b string) {
		table := &Table{Name: "t", Rows: 2, Columns: []Column{
			{Name: name, Kind: Text, Codes: []int32{0, 1}, Dict: []string{a, b}}, {Name: "n", Kind: Int, Ints: []int64{-1, 2}}}}
		var out bytes.Buffer
		if err := WriteTo(&out, "csv", table); err != nil {
			return // a name that no table can have
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%q: %v, %d records", out.String(), err, len(records))
		}
		for i, want := range []string{name, a, b} {
			got, want := records[i][0], strings.ReplaceAll(want, "\r\n", "\n")
			if got != want && got != "'"+want {
				t.Errorf("wrote %q, read %q", want, got)
			}
			if got != "" && strings.IndexByte("=+-@\t\r", got[0]) >= 0 {
				t.Errorf("%q would be run", got)
			}
		}
		if records[1][1] != "-1" {
			t.Errorf("a negative number became %q", records[1][1])
		}
	})
}
