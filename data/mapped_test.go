// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// A fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Errorf(string, ...any)
	Fatal(...any)
}

// checkMapped reads every column of a file once as it is and once value by
// value into another form, which must come to the same: the same texts, or the
// same error.
func checkMapped(t fataler, fsys FS, name string) (rows int) {
	t.Helper()
	sc, err := newScan(fsys, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := openParquet(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	defer p.file.Close()
	f, err := sc.bind(p, sc.sources[0])
	if err != nil {
		t.Fatal(err)
	}
	const missing = "missing"
	text := func(c *Column, i int) string {
		if c.Missing(i) {
			return missing
		}
		return c.format(i)
	}
	var m mapped[string]
	m.null, m.translate = missing, func(dst []string, c *Column) ([]string, error) {
		for i := range c.Len() {
			dst = append(dst, text(c, i))
		}
		return dst, nil
	}
	for i := range sc.columns {
		f.before = 0
		for g, n := range sc.sources[0].rows {
			b := newBuilder("", sc.columns[i].kind)
			want := f.readColumn(g, i, b)
			m.reset(int(n))
			got := f.code(fileGroup{0, g, f.before, int(n)}, i, sc.columns[i].kind, &m)
			f.before += n
			if want != nil || got != nil {
				if want == nil || got == nil || want.Error() != got.Error() {
					t.Errorf("%s, column %q, row group %d: error %v, want %v", name, sc.columns[i].name, g, got, want)
				}
				continue
			}
			c := b.column()
			if len(m.out) != c.Len() || c.Len() != int(n) {
				t.Errorf("%s, column %q, row group %d: %d values, want %d", name, sc.columns[i].name, g, len(m.out), n)
				continue
			}
			for r := range m.out {
				rows++
				if want := text(&c, r); m.out[r] != want {
					t.Errorf("%s, column %q, row group %d, row %d: %q, want %q", name, sc.columns[i].name, g, r, m.out[r], want)
					break
				}
			}
		}
	}
	return rows
}

// Files of other software, with every type, encoding and kind of page.
func TestMappedReadsTheSame(t *testing.T) {
	files, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if checkMapped(t, Disk{}, name) == 0 {
			t.Errorf("%s: no row was compared", name)
		}
	}
}

func TestMappedReadsTheSameOfOurFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fsys := newMemFS()
		if err := Write(fsys, "t.parquet", anyTable(t)); err != nil {
			t.Fatal(err)
		}
		checkMapped(t, fsys, "t.parquet")
	})
}

// What an entry of a dictionary holds that cannot be represented is said of the
// row that has it, as without a dictionary.
func TestMappedRefusesTheSame(t *testing.T) {
	type row struct {
		Large *uint64 `parquet:"large,dict,optional"`
		At    int64   `parquet:"at,dict,timestamp(millisecond)"`
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file)
	small, large := uint64(7), uint64(1)<<63
	if _, err := w.Write([]row{{&small, 0}, {nil, 0}, {&small, 0}, {&large, 1 << 60}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fsys := newMemFS()
	fsys.files["t.parquet"] = file.Bytes()
	if n := checkMapped(t, fsys, "t.parquet"); n > 0 {
		t.Errorf("%d values of refused columns were read", n)
	}
	if _, err := Read(fsys, "t.parquet", []string{"large"}); err == nil || !strings.Contains(err.Error(), `row 4: column "large" holds 9223372036854775808`) {
		t.Errorf("error %v", err)
	}
}
