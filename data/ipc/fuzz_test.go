// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// FuzzRead feeds the reader any bytes: an error or a table, never a panic.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.arrow")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		name := filepath.Join(t.TempDir(), "x.arrow")
		if err := os.WriteFile(name, file, 0o666); err != nil {
			t.Fatal(err)
		}
		table, err := Read(data.Disk{}, name)
		if err != nil && !errors.Is(err, data.ErrBadData) {
			t.Error(err)
		}
		if err == nil {
			for i := range table.Columns {
				if table.Columns[i].Len() != table.Rows {
					t.Errorf("column %d has %d values in %d rows", i, table.Columns[i].Len(), table.Rows)
				}
			}
		}
	})
}
