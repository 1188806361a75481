// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"
)

// piece returns the rows from one to another. Texts are numbered by the piece,
// in the order of the alphabet.
func piece(t *Table, start, end int) *Table {
	p := &Table{Rows: end - start}
	rows := make([]int, p.Rows)
	for i := range rows {
		rows[i] = start + i
	}
	for k := range t.Columns {
		c := t.Columns[k].Take(rows)
		p.Columns = append(p.Columns, c.Sorted())
	}
	return p
}

// inPieces writes a table cut before the given rows.
func inPieces(t *Table, micros bool, cuts ...int) ([]byte, error) {
	var b bytes.Buffer
	w := NewParquetWriter(&b)
	w.Microseconds = micros
	start := 0
	for _, end := range append(cuts, t.Rows) {
		if err := w.Append(piece(t, start, end)); err != nil {
			return nil, err
		}
		start = end
	}
	err := w.Close()
	return b.Bytes(), err
}

// longTable has more rows than a row group and columns of every kind and
// encoding: texts in a dictionary, texts too many and too long for one, numbers
// of few distinct values, of ever more and of none alike, nulls in every form.
func longTable() *Table {
	const rows = rowGroupRows + 2*pageRows + 77
	r := rand.New(rand.NewPCG(3, 3))
	pad := strings.Repeat("é", 40)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	return &Table{Name: "long", Rows: rows, Columns: []Column{
		FloatOf("rate", rows, func(int) float64 { return r.NormFloat64() }),
		FloatOf("count", rows, func(int) float64 { return float64(r.IntN(300)) / 4 }),
		FloatOf("sign", rows, func(i int) float64 { return math.Copysign(float64(i%2), float64(r.IntN(2))-0.5) }),
		FloatOf("later", rows, func(i int) float64 { // few distinct values at first
			if i < pageRows+9 {
				return float64(i % 3)
			}
			return r.Float64()
		}),
		FloatOf("late", rows, func(i int) float64 { // nothing in the first page
			if i < pageRows || i%3 == 0 {
				return math.NaN()
			}
			return float64(i)
		}),
		FloatOf("none", rows, func(int) float64 { return math.NaN() }),
		IntOf("integer", Int, rows, func(i int) (int64, bool) { return int64(r.Uint64()), i%7 > 0 }),
		IntOf("same", Int, rows, func(int) (int64, bool) { return -5, true }),
		IntOf("yes", Bool, rows, func(i int) (int64, bool) { return int64(r.IntN(2)), i%pageRows != 13 }),
		IntOf("day", Date, rows, func(i int) (int64, bool) { return int64(i%3000) - 1000, i%2 > 0 }),
		IntOf("at", Time, rows, func(i int) (int64, bool) { return start + int64(i)*1e9 + 123_456_000, i%5 > 0 }),
		TextOf("plan", rows, func(i int) string { return []string{"", "basic", "team \"x\"", "größer"}[r.IntN(4)] }),
		TextOf("id", rows, func(i int) string { return pad + fmt.Sprint(i) }),
		TextOf("note", rows, func(i int) string { return strings.Repeat(fmt.Sprint(i), 1+i%500/499*20_000) }),
	}}
}

// Where a table is cut into pieces does not show in its file.
func TestParquetWriterPieces(t *testing.T) {
	table := longTable()
	want, err := inPieces(table, true)
	if err != nil {
		t.Fatal(err)
	}
	check := func(t interface{ Fatalf(string, ...any) }, cuts ...int) {
		got, err := inPieces(table, true, cuts...)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("cut before rows %v: %d bytes, %v; %d in one piece", cuts, len(got), err, len(want))
		}
	}
	check(t, 0, 1, 2, pageRows-1, pageRows, pageRows+1, rowGroupRows, rowGroupRows, rowGroupRows+1)
	for range 5 {
		cuts := make([]int, 6)
		for i := range cuts {
			cuts[i] = rand.IntN(table.Rows + 1)
		}
		slices.Sort(cuts)
		check(t, cuts...)
	}
	rapid.Check(t, func(t *rapid.T) {
		table := anyTable(t)
		want, err := inPieces(table, false)
		if err != nil {
			t.Fatal(err)
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, table.Rows), 0, 9).Draw(t, "cuts")
		slices.Sort(cuts)
		got, err := inPieces(table, false, cuts...)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v; %d in one piece", len(got), err, len(want))
		}
		read, err := Read(&memFS{files: map[string][]byte{"t.parquet": got}}, "t.parquet", nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, read, table)
	})
}

// Our reader and parquet-go's generic one, which shares none of our code, find
// every value again, and the footer's bounds and nulls are those of the values.
func TestParquetWriterReadBack(t *testing.T) {
	for _, table := range []*Table{longTable(), everyKind()} {
		file := parquetBytes(t, table)
		got, err := Read(&memFS{files: map[string][]byte{"t.parquet": file}}, "t.parquet", nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, table)
		f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		row := 0
		for _, group := range f.RowGroups() {
			for k, chunk := range group.ColumnChunks() {
				checkChunk(t, &table.Columns[k], row, chunk)
			}
			row += int(group.NumRows())
		}
		if row != table.Rows {
			t.Errorf("%d rows in all, want %d", row, table.Rows)
		}
	}
}

// Repeated values go to dictionaries, others do not, and a column may change
// its mind.
func TestParquetWriterEncodings(t *testing.T) {
	m := &memFS{files: map[string][]byte{"t.parquet": parquetBytes(t, longTable())}}
	p, err := openParquet(m, "t.parquet")
	if err != nil {
		t.Fatal(err)
	}
	const plain, coded = format.Plain, format.RLEDictionary
	for name, want := range map[string][]format.Encoding{
		"rate": {plain}, "count": {coded}, "sign": {coded}, "later": {coded, plain}, "late": {plain},
		"none": {plain}, "integer": {plain}, "same": {coded}, "yes": {plain}, "day": {plain}, "at": {plain},
		"plan": {coded}, "id": {coded, plain}, "note": {coded, plain},
	} {
		var r pageReader
		r.reset(p, &p.meta.RowGroups[0].Columns[p.byName[name]].Meta, true)
		var got []format.Encoding
		for {
			page, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !page.dictionary && !slices.Contains(got, page.encoding) {
				got = append(got, page.encoding)
			}
			if page.dictionary && len(page.data) > maxTextDictionary {
				t.Errorf("%s: a dictionary of %d bytes", name, len(page.data))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: pages are encoded as %v, want %v", name, got, want)
		}
	}
}

// checkChunk compares a chunk, as parquet-go reads it, with the rows of a
// column from start.
func checkChunk(t *testing.T, c *Column, start int, chunk parquet.ColumnChunk) {
	t.Helper()
	pages := chunk.Pages()
	defer pages.Close()
	typ := chunk.Type()
	var low, high parquet.Value
	nulls, row := int64(0), start
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("column %q: %v", c.Name, err)
		}
		values := make([]parquet.Value, page.NumValues())
		if n, err := page.Values().ReadValues(values); n < len(values) {
			t.Fatalf("column %q: %v", c.Name, err)
		}
		for _, v := range values {
			if v.IsNull() != c.Missing(row) || !v.IsNull() && !sameValue(typ, c, row, v) {
				t.Fatalf("column %q, row %d: %v", c.Name, row, v)
			}
			switch {
			case v.IsNull():
				nulls++
			case low.IsNull():
				low, high = v.Clone(), v.Clone()
			case typ.Compare(v, low) < 0:
				low = v.Clone()
			case typ.Compare(v, high) > 0:
				high = v.Clone()
			}
			row++
		}
		parquet.Release(page)
	}
	file := chunk.(*parquet.FileColumnChunk)
	if file.NullCount() != nulls {
		t.Errorf("column %q: %d nulls declared, %d found", c.Name, file.NullCount(), nulls)
	}
	least, largest, ok := file.Bounds()
	if want := !low.IsNull() && (c.Kind != Text || low.String() != "" && len(high.String()) <= maxTextBound); ok != want {
		t.Errorf("column %q: bounds are there: %v, want %v", c.Name, ok, want)
	}
	if ok && (typ.Compare(least, low) != 0 || typ.Compare(largest, high) != 0) {
		t.Errorf("column %q: bounds %v to %v, values %v to %v", c.Name, least, largest, low, high)
	}
}

func sameValue(typ parquet.Type, c *Column, row int, v parquet.Value) bool {
	switch c.Kind {
	case Float:
		return math.Float64bits(v.Double()) == math.Float64bits(c.Floats[row])
	case Bool:
		return v.Boolean() == (c.Ints[row] != 0)
	case Date:
		return int64(v.Int32()) == c.Ints[row]
	case Text:
		return string(v.ByteArray()) == c.Text(row)
	case Time:
		unit := typ.LogicalType().Value.(interface{ String() string }).String()
		if strings.Contains(unit, "MICROS") {
			return 1000*v.Int64() == c.Ints[row]
		}
	}
	return v.Int64() == c.Ints[row]
}

// A zero bound includes both zeros.
func TestParquetWriterZeroBounds(t *testing.T) {
	for _, zero := range []float64{0, math.Copysign(0, -1)} {
		file := parquetBytes(t, floats("x", zero, zero))
		f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		s := f.Metadata().RowGroups[0].Columns[0].MetaData.Statistics
		if !bytes.Equal(s.MinValue, []byte{7: 0x80}) || !bytes.Equal(s.MaxValue, make([]byte, 8)) {
			t.Errorf("bounds %x to %x of %v, want -0 to 0", s.MinValue, s.MaxValue, zero)
		}
	}
}

// Without rows the file is valid and has the columns that are known.
func TestParquetWriterEmpty(t *testing.T) {
	for _, test := range []struct {
		name   string
		pieces []*Table
		want   []string
	}{
		{"no piece", nil, nil},
		{"no column", []*Table{{}}, nil},
		{"no rows", []*Table{benchEvents(0), benchEvents(0)}, benchEvents(0).Names()},
	} {
		var b bytes.Buffer
		w := NewParquetWriter(&b)
		for _, p := range test.pieces {
			if err := w.Append(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := Read(&memFS{files: map[string][]byte{"t.parquet": b.Bytes()}}, "t.parquet", nil)
		if err != nil || got.Rows != 0 || !slices.Equal(got.Names(), test.want) {
			t.Errorf("%s: %v, %v; want no rows of %q", test.name, got, err, test.want)
		}
		if _, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestParquetWriterRefuses(t *testing.T) {
	stamp := ints("x", 1000, 1001)
	stamp.Columns[0].Kind = Time
	short := ints("x", 1)
	short.Rows = 2
	twice := &Table{Columns: []Column{{Name: "x"}, {Name: "x"}}}
	for _, test := range []struct {
		pieces []*Table
		want   string
	}{
		{[]*Table{ints("x", 1), ints("y", 1)}, `column 1 of a piece is "y", integer; in the first piece it is "x", integer`},
		{[]*Table{ints("x", 1), floats("x", 1)}, `column 1 of a piece is "x", number; in the first piece it is "x", integer`},
		{[]*Table{ints("x", 1), {}}, `a piece has 0 columns, the first piece has 1`},
		{[]*Table{twice}, `two columns are named "x"; give each its own name`},
		{[]*Table{short}, `column "x" has 1 values in a piece of 2 rows`},
		{[]*Table{stamp}, `column "x": holds a timestamp with digits beyond the microsecond; ` +
			`write the file with timestamps in nanoseconds`},
	} {
		w := NewParquetWriter(io.Discard)
		w.Microseconds = true
		var err error
		for _, p := range test.pieces {
			err = w.Append(p)
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
		if again := w.Close(); again != err {
			t.Errorf("Close after %v: %v", err, again)
		}
	}
	w := NewParquetWriter(io.Discard)
	if err := errors.Join(w.Append(ints("x", 1)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(ints("x", 1)); !errors.Is(err, errParquetClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errParquetClosed) {
		t.Errorf("Close after Close: %v", err)
	}
}

// A disk that is full at any byte is reported, and nothing is written after.
func TestParquetWriterDiskFull(t *testing.T) {
	whole := len(parquetBytes(t, everyKind()))
	for room := 0; room < whole; room += 7 {
		full := &fullDisk{room: room}
		if err := WriteTo(full, "parquet", everyKind()); !errors.Is(err, errFull) || full.after {
			t.Errorf("room for %d bytes: %v, written after: %v", room, err, full.after)
		}
	}
}

var errFull = errors.New("full")

type fullDisk struct {
	room  int
	after bool // something was written after an error
}

func (d *fullDisk) Write(b []byte) (int, error) {
	d.after = d.after || d.room < 0
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}
