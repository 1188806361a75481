// SPDX-License-Identifier: Apache-2.0

package data

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a table holds comes back from its Parquet file, and the same table
// gives the same bytes, however its texts are numbered.
func TestParquetRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		table := anyTable(rt)
		m := newMemFS()
		if err := errors.Join(Write(m, "a.parquet", table), Write(m, "b.parquet", renumbered(table))); err != nil {
			rt.Fatal(err)
		}
		got, err := Read(m, "a.parquet", nil)
		if err != nil {
			rt.Fatal(err)
		}
		equal(rt, got, table)
		if !bytes.Equal(m.files["a.parquet"], m.files["b.parquet"]) {
			rt.Fatal("two writes of one table differ")
		}
	})
}

// Columns longer than a row group, with more distinct texts than a dictionary
// may hold, so that pages of both sorts stand in one column.
func TestParquetRoundTripLong(t *testing.T) {
	const rows = rowGroupRows + 1000
	table := &Table{Rows: rows, Columns: []Column{{Name: "id", Kind: Text}, {Name: "x", Kind: Int}, {Name: "y", Kind: Float}}}
	pad := strings.Repeat("p", 40)
	for i := range rows {
		table.Columns[0].Codes = append(table.Columns[0].Codes, int32(i))
		table.Columns[0].Dict = append(table.Columns[0].Dict, pad+strconv.Itoa(i))
		table.Columns[1].Ints = append(table.Columns[1].Ints, int64(i%7))
		table.Columns[1].Null = append(table.Columns[1].Null, i%5 == 0)
		table.Columns[2].Floats = append(table.Columns[2].Floats, float64(i))
	}
	got, err := Read(stored(t, map[string]*Table{"t.parquet": table}), "t.parquet", nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, table)
}

// renumbered returns the same table with the texts numbered backwards, and one
// that does not occur.
func renumbered(t *Table) *Table {
	out := &Table{Name: "elsewhere", Rows: t.Rows, Columns: slices.Clone(t.Columns)}
	for k := range out.Columns {
		c := &out.Columns[k]
		if c.Kind != Text {
			continue
		}
		n := int32(len(c.Dict))
		c.Dict, c.Codes = append(slices.Clone(c.Dict), "unused\x00"), slices.Clone(c.Codes)
		slices.Reverse(c.Dict)
		for i, code := range c.Codes {
			if code >= 0 {
				c.Codes[i] = n - code
			}
		}
	}
	return out
}

func TestWriteCSV(t *testing.T) {
	table := everyKind()
	table.Columns = append(table.Columns, TextColumn("=name", []string{"=1+1", "-2", "@x", "'"}),
		TextColumn("more", []string{"\tx", "\rx", " x", "+"}))
	var b strings.Builder
	if err := WriteTo(&b, "csv", table); err != nil {
		t.Fatal(err)
	}
	// Numbers keep their sign; a missing text is empty, an empty one "".
	want := "number,integer,yes,day,at,id,'=name,more\n" +
		"1.5,9223372036854775807,true,1970-01-01,1970-01-01T00:00:00Z,\"a,\"\"b\"\"\n\",'=1+1,'\tx\n" +
		",-9223372036854775808,false,2026-01-01,2026-01-01T00:00:00.123456789Z,\"\",'-2,\"'\rx\"\n" +
		"-0.1,,,1678-01-01,1969-12-31T23:59:59.999999999Z,,'@x,\" x\"\n" +
		"1e+300,7,true,2261-12-31,,\"a,\"\"b\"\"\n\",','+\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Go's reader of CSV finds every row and every text again.
func TestCSVReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := anyTable(t)
		var b bytes.Buffer
		if err := WriteTo(&b, "csv", table); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != table.Rows+1 {
			t.Fatalf("%d rows, %v; want %d and the header", len(rows), err, table.Rows)
		}
		for i, row := range rows[1:] {
			for k, cell := range row {
				c := &table.Columns[k]
				switch {
				case c.Missing(i):
				case c.Kind == Text:
					want := strings.ReplaceAll(c.Text(i), "\r\n", "\n") // the reader's doing
					if cell != want && cell != "'"+want {
						t.Fatalf("row %d: %q, want %q", i, cell, want)
					}
				case c.Kind == Float:
					if v, _ := strconv.ParseFloat(cell, 64); v != c.Floats[i] {
						t.Fatalf("row %d: %s, want %v", i, cell, c.Floats[i])
					}
				}
			}
		}
	})
}

func TestWriteCSVOfOneColumn(t *testing.T) {
	var b strings.Builder
	if err := WriteTo(&b, "csv", floats("x", 1, math.NaN(), math.Inf(-1), 123456, 1e16, 1e-6, 1e-7)); err != nil ||
		b.String() != "x\n1\n\"\"\n-inf\n123456\n1e+16\n0.000001\n1e-07\n" {
		t.Errorf("%q, %v; a missing value must not leave an empty line", b.String(), err)
	}
}

func TestWriteJSONLines(t *testing.T) {
	var b strings.Builder
	table := everyKind()
	table.Columns[5].Dict[1] = "<\xff\u2028é"
	if err := WriteTo(&b, "jsonl", table); err != nil {
		t.Fatal(err)
	}
	want := `{"number":1.5,"integer":9223372036854775807,"yes":true,"day":"1970-01-01","at":"1970-01-01T00:00:00Z","id":"a,\"b\"\n"}
{"number":null,"integer":-9223372036854775808,"yes":false,"day":"2026-01-01","at":"2026-01-01T00:00:00.123456789Z","id":"<\ufffd\u2028é"}
{"number":-0.1,"integer":null,"yes":null,"day":"1678-01-01","at":"1969-12-31T23:59:59.999999999Z","id":null}
{"number":1e+300,"integer":7,"yes":true,"day":"2261-12-31","at":null,"id":"a,\"b\"\n"}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	err := WriteTo(&b, "jsonl", floats("x", 0, math.Inf(1)))
	if err == nil || !strings.Contains(err.Error(), `row 2: column "x" is infinite`) {
		t.Errorf("infinity: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	m := newMemFS()
	for path, want := range map[string]string{
		"t.xlsx": `unknown extension ".xlsx"; use .parquet, .csv, .jsonl or .arrow`,
		"t":      `unknown extension ""`,
	} {
		if err := Write(m, path, everyKind()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	twice := &Table{Rows: 1, Columns: []Column{ints("x", 1).Columns[0], ints("x", 2).Columns[0]}}
	if err := Write(m, "t.csv", twice); err == nil || !strings.Contains(err.Error(), `two columns are named "x"`) {
		t.Errorf("two columns of one name: %v", err)
	}
	if len(m.files) > 0 {
		t.Errorf("left behind: %q", m.names())
	}
}

// Whichever call fails, the old file stays as it was and nothing is left
// beside it; only a failing sync of the folder comes too late.
func TestWriteFileFails(t *testing.T) {
	for _, call := range []string{"create", "write", "sync", "close", "rename", "syncdir"} {
		for _, cause := range []error{syscall.EIO, syscall.ENOSPC, fs.ErrPermission} {
			m := newMemFS()
			m.files["d/t.csv"] = []byte("old")
			m.before = func(c, _ string) error {
				if c == call {
					return cause
				}
				return nil
			}
			err := Write(m, "d/t.csv", everyKind())
			if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "writing d/t.csv: ") {
				t.Errorf("%s: %v, want %v and the path", call, err, cause)
			}
			if cause == syscall.ENOSPC && !strings.Contains(err.Error(), "the disk is full after ") {
				t.Errorf("%s: %v", call, err)
			}
			if !slices.Equal(m.names(), []string{"d/t.csv"}) {
				t.Errorf("%s: files %q", call, m.names())
			}
			if old := string(m.files["d/t.csv"]) == "old"; old != (call != "syncdir") {
				t.Errorf("%s: old file there: %v", call, old)
			}
		}
	}
	m := newMemFS()
	stop := errors.New("stop")
	if err := WriteFile(m, "t", func(io.Writer) error { return stop }); !errors.Is(err, stop) || len(m.files) > 0 {
		t.Errorf("%v, files %q", err, m.names())
	}
	func() {
		defer func() { recover() }()
		WriteFile(m, "t", func(io.Writer) error { panic("stop") })
	}()
	if len(m.files) > 0 {
		t.Errorf("after a panic: files %q", m.names())
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	for range 2 { // the second replaces the first
		if err := Write(Disk{}, path, everyKind()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(Disk{}, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, everyKind())
	if entries, err := (Disk{}).ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v; want the one file", entries, err)
	}
	if got, err = Read(Disk{}, dir+"/**/*.parquet", nil); err != nil || got.Rows != 4 {
		t.Errorf("%v, %v", got, err)
	}
	missing := filepath.Join(dir, "none", "t.csv")
	err = Write(Disk{}, missing, everyKind())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("%v", err)
	}
	if runtime.GOOS != "windows" && os.Getuid() != 0 { // root may write anywhere
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700)
		err := Write(Disk{}, path, everyKind())
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "no permission to write in") {
			t.Errorf("%v", err)
		}
	}
}

// The fingerprint sees every change of content and nothing else.
func TestFingerprint(t *testing.T) {
	t.Run("whole", func(t *testing.T) { checkFingerprint(t, func(x *Table) string { return Fingerprint(x) }) })
	t.Run("blocks", func(t *testing.T) { checkFingerprint(t, blockFingerprint) })
	if Fingerprint(everyKind(), everyKind()) == Fingerprint(everyKind()) || Fingerprint() == Fingerprint(everyKind()) {
		t.Error("the number of tables does not count")
	}
}

func checkFingerprint(t *testing.T, fingerprint func(*Table) string) {
	base := fingerprint(everyKind())
	if len(base) != 16 || base != fingerprint(renumbered(everyKind())) {
		t.Errorf("%q and %q", base, fingerprint(renumbered(everyKind())))
	}
	changes := map[string]func(*Table){
		"name":     func(t *Table) { t.Columns[0].Name = "n" },
		"kind":     func(t *Table) { t.Columns[3].Kind = Int },
		"number":   func(t *Table) { t.Columns[0].Floats[0] = 1.25 },
		"to NaN":   func(t *Table) { t.Columns[0].Floats[0] = math.NaN() },
		"integer":  func(t *Table) { t.Columns[1].Ints[0]-- },
		"not null": func(t *Table) { t.Columns[1].Null[2] = false },
		"null":     func(t *Table) { t.Columns[1].Null = []bool{false, false, true, true} },
		"text":     func(t *Table) { t.Columns[5].Dict[0] = "b" },
		"code":     func(t *Table) { t.Columns[5].Codes[3] = 1 },
		"no text":  func(t *Table) { t.Columns[5].Codes[3] = -1 },
		"row order": func(t *Table) {
			t.Columns[3].Ints[0], t.Columns[3].Ints[1] = t.Columns[3].Ints[1], t.Columns[3].Ints[0]
		},
		"columns": func(t *Table) { t.Columns = t.Columns[1:] },
	}
	seen := map[string]string{base: "nothing"}
	for what, change := range changes {
		table := everyKind()
		change(table)
		f := fingerprint(table)
		if other, ok := seen[f]; ok {
			t.Errorf("changing %s looks like changing %s", what, other)
		}
		seen[f] = what
	}
	same := everyKind()
	same.Name = "elsewhere"
	same.Columns[1].Ints[2] = 99 // under a null
	same.Columns[0].Floats[1] = math.Float64frombits(0xfff8000000000001)
	same.Columns[3].Null = make([]bool, 4)
	if f := fingerprint(same); f != base {
		t.Errorf("%q, want %q: nothing has changed that counts", f, base)
	}
}

func blockFingerprint(t *Table) string {
	var d BlockDigest
	d.Add(t)
	return d.Sum()
}

// A table in blocks fingerprints alike however it is cut.
func TestBlockFingerprintOfBatches(t *testing.T) {
	whole := benchEvents(1000)
	m := stored(t, map[string]*Table{"t.parquet": whole})
	for _, rows := range []int{7, 400, 5000} {
		var d BlockDigest
		if err := ScanBatches(m, "t.parquet", nil, rows, 2, func(part *Table) error { d.Add(part); return nil }); err != nil {
			t.Fatal(err)
		}
		if d.Sum() != blockFingerprint(whole) {
			t.Errorf("%d rows at a time have another fingerprint", rows)
		}
	}
	head, rows, err := Columns(m, "t.parquet")
	if err != nil || rows != 1000 || head.Rows != 0 || !slices.Equal(head.Names(), whole.Names()) || head.Columns[0].Kind != whole.Columns[0].Kind {
		t.Errorf("the columns of %d rows are %+v, %v", rows, head, err)
	}
}

// How a table is split over files does not change its fingerprint.
func TestFingerprintOfSplitFiles(t *testing.T) {
	whole := benchEvents(1000)
	part := func(from, to int) *Table {
		p := &Table{Rows: to - from, Columns: slices.Clone(whole.Columns)}
		for k := range p.Columns {
			c := &p.Columns[k]
			switch c.Kind {
			case Float:
				c.Floats = c.Floats[from:to]
			case Text:
				c.Codes = c.Codes[from:to]
			default:
				c.Ints = c.Ints[from:to]
			}
		}
		return p
	}
	m := stored(t, map[string]*Table{"d/a.parquet": part(0, 10), "d/b.parquet": part(10, 10), "d/c.parquet": part(10, 1000)})
	split, err := Read(m, "d/*", nil)
	if err != nil {
		t.Fatal(err)
	}
	if Fingerprint(split) != Fingerprint(whole) {
		t.Error("the fingerprint depends on the split")
	}
}
