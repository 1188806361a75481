// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"bytes"
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

// FuzzStream does the same to the reader of streams.
func FuzzStream(f *testing.F) {
	var b bytes.Buffer
	table := &data.Table{Rows: 2, Columns: []data.Column{data.TextColumn("id", []string{"a", "b"}), {Name: "n", Kind: data.Float, Floats: []float64{1, 2}}}}
	w := NewStreamWriter(&b, "task", "{}")
	if err := errors.Join(w.Append(table), w.Append(table), w.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, stream []byte) {
		if err := readAll(stream); err != nil && !errors.Is(err, data.ErrBadData) {
			t.Error(err)
		}
	})
}
