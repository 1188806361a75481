// SPDX-License-Identifier: Apache-2.0

package data

import (
	"flag"
	"path/filepath"
	"testing"
)

// written is where TestWriteForOthers leaves its files.
var written = flag.String("written", "", "folder for files that testdata/written.py checks")

// TestWriteForOthers writes files for testdata/written.py, which reads them
// with other software.
func TestWriteForOthers(t *testing.T) {
	if *written == "" {
		t.Skip("no -written")
	}
	for name, table := range map[string]*Table{"long": longTable(), "every": everyKind(), "events": benchEvents(100_000)} {
		for _, extension := range []string{".parquet", ".jsonl"} {
			if err := Write(Disk{}, filepath.Join(*written, name+extension), table); err != nil {
				t.Fatal(err)
			}
		}
	}
}
