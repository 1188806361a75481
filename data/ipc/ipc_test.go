// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	arrowipc "github.com/apache/arrow/go/v17/arrow/ipc"
	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/data"
)

// TestReadZoo reads files of pyarrow: ../testdata/zoo.py wrote them, and
// zoo.json from the values before.
func TestReadZoo(t *testing.T) {
	b, err := os.ReadFile("../testdata/zoo.json")
	if err != nil {
		t.Fatal(err)
	}
	var zoo struct {
		Files   map[string][]string
		Columns map[string]struct {
			Kind   string
			Values []any // texts, integers as texts, floats, or nil
		}
	}
	if err := json.Unmarshal(b, &zoo); err != nil {
		t.Fatal(err)
	}
	for file, names := range zoo.Files {
		if !strings.HasSuffix(file, ".arrow") {
			continue
		}
		table, err := Read(data.Disk{}, "testdata/zoo_"+file)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(table.Names(), names) {
			t.Errorf("%s: columns %q, want %q", file, table.Names(), names)
		}
		for i := range table.Columns {
			c := &table.Columns[i]
			want := zoo.Columns[c.Name]
			if c.Kind.String() != want.Kind {
				t.Errorf("%s: column %q is of kind %v, want %s", file, c.Name, c.Kind, want.Kind)
				continue
			}
			if got := plainValues(c); !slices.Equal(got, want.Values) {
				t.Errorf("%s: column %q holds %v, want %v", file, c.Name, got, want.Values)
			}
		}
	}
}

// plainValues returns a column's values as zoo.json has them.
func plainValues(c *data.Column) []any {
	values := make([]any, c.Len())
	for i := range values {
		switch {
		case c.Missing(i):
		case c.Kind == data.Float:
			values[i] = c.Floats[i]
		case c.Kind == data.Text:
			values[i] = c.Text(i)
		default:
			values[i] = strconv.FormatInt(c.Ints[i], 10)
		}
	}
	return values
}

// anyTable draws a table of every kind, with missing values and hard texts.
func anyTable(t *rapid.T) *data.Table {
	rows := rapid.SampledFrom([]int{0, 1, 8, 9, 100}).Draw(t, "rows")
	table := &data.Table{Rows: rows}
	dict := []string{"", "a\nb", "a\x00b", "😀", "\xff", strings.Repeat("x", 10_000)}
	for k, kind := range []data.Kind{data.Float, data.Int, data.Bool, data.Date, data.Time, data.Text} {
		c := data.Column{Name: "c" + strconv.Itoa(k), Kind: kind}
		high := map[data.Kind]int64{
			data.Int: math.MaxInt64, data.Bool: 1, data.Date: 100_000, data.Time: math.MaxInt64 - 1<<60}[kind]
		low := -high
		if kind == data.Bool {
			low = 0
		}
		for range rows {
			missing := rapid.IntRange(0, 4).Draw(t, "missing") == 0
			switch {
			case kind == data.Float && missing:
				c.Floats = append(c.Floats, math.NaN())
			case kind == data.Float:
				c.Floats = append(c.Floats, rapid.Float64().Draw(t, "number"))
			case kind == data.Text:
				c.Codes = append(c.Codes, int32(rapid.IntRange(-1, len(dict)-1).Draw(t, "code")))
				c.Dict = dict
			default:
				c.Ints = append(c.Ints, rapid.Int64Range(low, high).Draw(t, "integer"))
				c.Null = append(c.Null, missing)
			}
		}
		table.Columns = append(table.Columns, c)
	}
	return table
}

// Whatever a table holds comes back from its Arrow file, and two writes give
// the same bytes.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		table := anyTable(t)
		a, b := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow")
		if err := errors.Join(Write(data.Disk{}, a, table), Write(data.Disk{}, b, table)); err != nil {
			t.Fatal(err)
		}
		got, err := Read(data.Disk{}, a)
		if err != nil {
			t.Fatal(err)
		}
		if data.Fingerprint(got) != data.Fingerprint(table) {
			t.Fatalf("got %+v, want %+v", got, table)
		}
		first, _ := os.ReadFile(a)
		second, _ := os.ReadFile(b)
		if !bytes.Equal(first, second) {
			t.Fatal("two writes of one table differ")
		}
	})
}

// A stream holds what the file does.
func TestWriteTo(t *testing.T) {
	table := &data.Table{Rows: batchRows + 1, Columns: []data.Column{
		{Name: "x", Kind: data.Int, Ints: make([]int64, batchRows+1)}}}
	for i := range table.Columns[0].Ints {
		table.Columns[0].Ints[i] = int64(i)
	}
	var b bytes.Buffer
	if err := WriteTo(&b, table); err != nil {
		t.Fatal(err)
	}
	r, err := arrowipc.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	columns := newColumns(r.Schema())
	for r.Next() {
		if err := columns[0].append(r.Record()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(columns[0].Ints, table.Columns[0].Ints) {
		t.Errorf("%d values came back, want %d", len(columns[0].Ints), table.Rows)
	}
}

// Texts of many bytes end a batch early.
func TestBatchEnd(t *testing.T) {
	big := &data.Table{Rows: 10, Columns: []data.Column{{Name: "x", Kind: data.Text,
		Codes: []int32{0, 0, 0, 1, 0, 0, 0, 0, -1, 0}, Dict: []string{strings.Repeat("x", batchBytes/4), "y"}}}}
	var ends []int
	for start := 0; start < big.Rows; start = ends[len(ends)-1] {
		ends = append(ends, batchEnd(big, start))
	}
	// Four of the long texts fill a batch; the one byte beside three makes them too many.
	if want := []int{4, 9, 10}; !slices.Equal(ends, want) {
		t.Errorf("batches end at %v, want %v", ends, want)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	late := &data.Table{Rows: 2, Columns: []data.Column{
		{Name: "at", Kind: data.Time, Ints: []int64{0, math.MaxInt64}}}}
	path := filepath.Join(dir, "late.arrow")
	if err := Write(data.Disk{}, path, late); err != nil {
		t.Fatal(err)
	}
	_, err := Read(data.Disk{}, path)
	const want = `late.arrow: row 2: column "at" holds 2262-04-11`
	if !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want the row refused", err)
	}
	for content, want := range map[string]string{
		"":                                     "0 bytes, not an Arrow file",
		"a,b\n1,2\n1,2\n1,2\n1,2\n1,2\n":       "not ARROW1: not an Arrow file",
		"ARROW1\x00\x00\xff\xff\xff\x7fARROW1": "bad.arrow: ",
	} {
		path := filepath.Join(dir, "bad.arrow")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(data.Disk{}, path); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
}

// Views are refused by name.
func TestReadView(t *testing.T) {
	_, err := Read(data.Disk{}, "testdata/view.arrow")
	const want = "view.arrow: has a column that is run-end encoded or a view"
	if !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}

// A schema of 40 nodes, each the parent of the next one twice over, is a tree
// of 10^12 nodes: it is refused before it is walked.
func TestCheckFooterOfSharedNodes(t *testing.T) {
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	// table appends a vtable with the offsets of the slots, and the table.
	table := func(b []byte, slots ...uint16) []byte {
		size := 4 + 2*len(slots)
		b = u16(u16(b, uint16(size)), 12)
		for _, s := range slots {
			b = u16(b, s)
		}
		return u32(b, uint32(size))
	}
	b := u32(nil, 12)                             // to the footer's table
	b = u32(table(b, 0, 4), 12)                   // which refers to the schema, 12 bytes on
	b = u32(u32(u32(table(b, 0, 4), 4), 1), 4+16) // with one field: its table is past a vtable of 16 bytes
	for range 40 {
		b = append(table(b, 0, 0, 4, 0, 0, 8), 2, 0, 0, 0) // kind 2, an integer
		b = u32(b, 4)                                      // to the children
		b = u32(u32(u32(b, 2), 8+16), 4+16)                // two, both the next node
	}
	b = append(table(b, 0, 0, 4, 0, 0, 0), 2, 0, 0, 0) // the last has no children
	if err := checkFooter(b); err == nil || !strings.Contains(err.Error(), "more than 65536 columns") {
		t.Error(err)
	}
}

// Whichever word of the footer is huge, reading stays within memory.
func TestReadHugeLengths(t *testing.T) {
	healthy, err := os.ReadFile("testdata/zoo_plain.arrow")
	if err != nil {
		t.Fatal(err)
	}
	length := int(binary.LittleEndian.Uint32(healthy[len(healthy)-10:]))
	path := filepath.Join(t.TempDir(), "x.arrow")
	for at := len(healthy) - 10 - length; at < len(healthy)-10; at += 4 {
		file := slices.Clone(healthy)
		binary.LittleEndian.PutUint32(file[at:], 1<<26)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		readBounded(t, path)
	}
}

// readBounded reads a file, and fails the test where that takes more memory
// than a bad file may, or gives an error that is no ErrBadData.
func readBounded(t *testing.T, path string) *data.Table {
	t.Helper()
	const most = 512 << 20 // FAULTS.md row 4
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	table, err := Read(data.Disk{}, path)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("allocated %d bytes, %v", n, err)
	}
	if err != nil && !errors.Is(err, data.ErrBadData) {
		t.Errorf("%v is no ErrBadData", err)
	}
	return table
}

// Flipped bits and cut files give an error or a table, within memory, and
// never a panic. Arrow has no checksums: a flipped value cannot be noticed.
func TestReadFlippedAndTruncated(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.arrow")
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"plain", "zstd", "lz4"} {
		healthy, err := os.ReadFile("testdata/zoo_" + name + ".arrow")
		if err != nil {
			t.Fatal(err)
		}
		for k := range 300 {
			file := slices.Clone(healthy)
			if k%4 == 0 {
				file = file[:r.IntN(len(file))]
			} else {
				file[r.IntN(len(file))] ^= 1 << r.IntN(8)
			}
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			table := readBounded(t, path)
			if table == nil {
				continue
			}
			for i := range table.Columns {
				if table.Columns[i].Len() != table.Rows {
					t.Errorf("%s, change %d: %d values in %d rows", name, k, table.Columns[i].Len(), table.Rows)
				}
			}
		}
	}
}
