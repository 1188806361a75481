// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// inBatches reads a file some rows at a time, and puts them together again.
func inBatches(fsys FS, name string, rows, workers int) (*Table, error) {
	var whole *Table
	err := ScanBatches(fsys, name, nil, rows, workers, func(t *Table) error {
		if whole == nil {
			whole = &Table{Name: t.Name, Columns: make([]Column, len(t.Columns))}
		}
		if t.Rows > rows {
			return fmt.Errorf("a batch of %d rows, %d were asked for", t.Rows, rows)
		}
		whole.Rows += t.Rows
		for i := range t.Columns {
			appendBatch(&whole.Columns[i], &t.Columns[i])
		}
		return nil
	})
	return whole, err
}

// appendBatch appends a column whose texts are numbered in their own way.
func appendBatch(to, from *Column) {
	if to.Name == "" {
		*to = Column{Name: from.Name, Kind: from.Kind}
	}
	piece := *from
	if from.Kind == Text {
		piece.Codes = slices.Clone(from.Codes)
		for i, code := range piece.Codes {
			if code >= 0 {
				piece.Codes[i] += int32(len(to.Dict))
			}
		}
		to.Dict = append(to.Dict, from.Dict...)
	}
	to.Append(&piece)
}

// checkBatches compares a table that Read returned, or its error, with what
// batches make of the same file. The first of two errors may be another.
func checkBatches(t fataler, fsys FS, name string, want *Table, failed error) {
	t.Helper()
	wild := want != nil && slices.ContainsFunc(want.Columns, func(c Column) bool {
		return slices.ContainsFunc(c.Floats, func(v float64) bool { return math.IsInf(v, 0) })
	})
	for _, rows := range []int{1, 3, 8, 100} {
		got, err := inBatches(fsys, name, rows, 2)
		switch {
		case wild:
			if err == nil || !strings.Contains(err.Error(), "is infinite") {
				t.Errorf("%s: error %v, want one of an infinite number", name, err)
			}
		case failed != nil || err != nil:
			if failed == nil || err == nil || errors.Is(failed, ErrBadData) != errors.Is(err, ErrBadData) {
				t.Errorf("%s, %d rows at a time: error %v, want %v", name, rows, err, failed)
			}
		default:
			equal(tester{t}, got, want)
		}
	}
}

// tester has the methods that equal asks for.
type tester struct{ fataler }

func (t tester) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }

// Files of other software, with every type, encoding and kind of page. What
// guard_test.go reads is read in batches too.
func TestBatchesReadTheSame(t *testing.T) {
	files, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		table, err := Read(Disk{}, name, nil)
		checkBatches(t, Disk{}, name, table, err)
	}
}

func TestBatchesReadTheSameOfOurFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fsys := newMemFS()
		if err := Write(fsys, "t.parquet", anyTable(t)); err != nil {
			t.Fatal(err)
		}
		table, err := Read(fsys, "t.parquet", nil)
		checkBatches(t, fsys, "t.parquet", table, err)
	})
}

// Pages of codes, plain ones and both in a column, of row groups that end
// between batches; folders that are columns; files without a row.
func TestBatchesAcrossPages(t *testing.T) {
	type row struct {
		Few    *float32 `parquet:"few,dict,optional"`
		Float  float32  `parquet:"float"`
		Many   float64  `parquet:"many,dict"`
		Plan   string   `parquet:"plan,dict"`
		Name   string   `parquet:"name"`
		Number int64    `parquet:"number,delta"`
		Yes    bool     `parquet:"yes"`
	}
	r := rand.New(rand.NewPCG(1, 2))
	fsys := newMemFS()
	for k, rows := range []int{0, 3000, 1} {
		var file bytes.Buffer
		w := parquet.NewGenericWriter[row](&file, parquet.MaxRowsPerRowGroup(700), parquet.PageBufferSize(900), parquet.Compression(&parquet.Snappy))
		for i := range rows {
			few := float32(r.IntN(3))
			x := row{&few, r.Float32(), r.NormFloat64(), fmt.Sprint("plan ", i/90), fmt.Sprint(i), int64(i * i), i%3 == 0}
			if r.IntN(4) == 0 {
				x.Few = nil
			}
			if i > 2000 {
				x.Plan = "last" // long runs
			}
			if _, err := w.Write([]row{x}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		fsys.files[fmt.Sprintf("d/day=%d/t.parquet", k)] = file.Bytes()
	}
	for _, name := range []string{"d/*/t.parquet", "d/day=0/t.parquet"} {
		table, err := Read(fsys, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkBatches(t, fsys, name, table, nil)
	}
}

// An error of the reader of batches ends the scan as it is, and the row of an
// infinite number is counted from the first file on.
func TestBatchesFail(t *testing.T) {
	fsys := newMemFS()
	for k, x := range []float64{1, math.Inf(1)} {
		table := &Table{Rows: 2, Columns: []Column{{Name: "x", Kind: Float, Floats: []float64{2, x}}}}
		if err := Write(fsys, fmt.Sprint("t", k, ".parquet"), table); err != nil {
			t.Fatal(err)
		}
	}
	mine := errors.New("mine")
	if err := ScanBatches(fsys, "t*.parquet", nil, 1, 1, func(*Table) error { return mine }); err != mine {
		t.Errorf("error %v, want %v", err, mine)
	}
	_, err := inBatches(fsys, "t*.parquet", 100, 1)
	if err == nil || !strings.Contains(err.Error(), `t*.parquet: row 4: column "x" is infinite`) {
		t.Errorf("error %v", err)
	}
}
