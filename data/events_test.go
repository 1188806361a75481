// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// fewEvents are the tables of one account, 7, with events of the given columns.
func fewEvents(columns ...Column) *Tables {
	return &Tables{
		Accounts: &Table{Name: "accounts", Rows: 1, Columns: []Column{{Name: "id", Kind: Int, Ints: []int64{7}}}},
		Events:   []*Table{{Name: "events", Rows: columns[0].Len(), Columns: columns}},
	}
}

// fewSources declares them, with the columns account and at.
func fewSources(s EventSource) Sources {
	s.Name, s.Path, s.Account, s.Time = "app", "events*.parquet", "account", "at"
	return Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"}, Events: []EventSource{s}}
}

// readFew reads the tables from files with row groups of their own.
func readFew(t *testing.T, s Sources, accounts *Table, events ...*Table) (*History, error) {
	t.Helper()
	fsys := newMemFS()
	write := func(name string, table *Table) {
		if err := Write(fsys, name, table); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts.parquet", accounts)
	for i, e := range events {
		write(fmt.Sprintf("events%d.parquet", i), e)
	}
	return ReadHistory(context.Background(), fsys, s, ReadOptions{Workers: 2})
}

// Dates at both ends of the range are events in every time zone.
func TestEventsAtTheEndsOfTime(t *testing.T) {
	first, last := int64(minSecond/secondsPerDay), int64(maxSecond/secondsPerDay)
	for _, hours := range []int{-12, 0, 14} {
		tables := fewEvents(Column{Name: "account", Kind: Int, Ints: []int64{7, 7}}, Column{Name: "at", Kind: Date, Ints: []int64{last, first}})
		s := fewSources(EventSource{})
		s.Location = time.FixedZone("", hours*60*60)
		h, err := readFew(t, s, tables.Accounts, tables.Events[0])
		if err != nil {
			t.Fatal(err)
		}
		events := allEvents(t, h, 0)[0]
		if len(events) != 2 || int64(events[0].Day) != first || int64(events[1].Day) != last || h.Newest != events[1].Time {
			t.Errorf("UTC%+d: %+v, newest %d", hours, events, h.Newest)
		}
	}
}

// The same rows have the same fingerprint in one file or two, also where only
// the rows of one of them are decimals.
func TestFingerprintDoesNotDependOnFiles(t *testing.T) {
	var at []int64
	var value []float64
	for i := range 400 {
		at = append(at, int64(i)*hour)
		if value = append(value, float64(i)); i >= 200 {
			value[i] /= 7
		}
	}
	whole := fewEvents(Column{Name: "account", Kind: Int, Ints: slices.Repeat([]int64{7}, 400)}, Column{Name: "at", Kind: Time, Ints: at},
		Column{Name: "value", Kind: Float, Floats: value})
	part := func(from, to int) *Table {
		var rows []int
		for r := from; r < to; r++ {
			rows = append(rows, r)
		}
		return whole.Events[0].Take(rows)
	}
	s := fewSources(EventSource{Value: "value"})
	prints := map[string]bool{}
	for _, files := range [][]*Table{{part(0, 400)}, {part(0, 200), part(200, 400)}, {part(200, 400), part(0, 200)}} {
		h, err := readFew(t, s, whole.Accounts, files...)
		if err != nil {
			t.Fatal(err)
		}
		prints[h.Fingerprint()] = true
	}
	if len(prints) != 1 {
		t.Errorf("%d fingerprints of the same rows: %v", len(prints), prints)
	}
}

// A column of nothing but nulls fits every role, whatever type the writer gave
// it: pandas gives it none.
func TestColumnsOfNulls(t *testing.T) {
	fsys := newMemFS()
	if err := Write(fsys, "accounts.parquet", fewEvents(Column{Kind: Int}).Accounts); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Account int64  `parquet:"account"`
		At      int64  `parquet:"at,timestamp(nanosecond)"`
		Empty   *int32 `parquet:"empty,optional"`
	}
	var file strings.Builder
	w := parquet.NewGenericWriter[row](&file)
	if _, err := w.Write([]row{{7, 1, nil}, {7, 2, nil}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fsys.files["events.parquet"] = refooted(t, []byte(file.String()), func(m *format.FileMetaData) {
		m.Schema[3].LogicalType = format.LogicalType{Value: &format.NullType{}}
	})
	for name, s := range map[string]EventSource{
		"known_at": {KnownAt: "empty"}, "dates": {Dates: Dates{"at", "empty"}}, "value": {Value: "empty"}, "type": {Type: "empty"}, "id": {ID: "empty"},
	} {
		h, err := ReadHistory(context.Background(), fsys, fewSources(s), ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := 2
		if name == "known_at" {
			want = 0 // never seen
		}
		if n := len(allEvents(t, h, 0)[0]); n != want {
			t.Errorf("%s: %d events, want %d", name, n, want)
		}
	}
}

// An empty text is no id and no type, as it is no key.
func TestEmptyTexts(t *testing.T) {
	text := func(name string) Column {
		return Column{Name: name, Kind: Text, Codes: []int32{0, 0, 1}, Dict: []string{"", "x"}}
	}
	tables := fewEvents(Column{Name: "account", Kind: Int, Ints: []int64{7, 7, 7}}, Column{Name: "at", Kind: Time, Ints: []int64{1, 2, 3}},
		text("kind"), text("id"))
	s := fewSources(EventSource{Type: "kind", ID: "id"})
	inMemory, err := NewHistory(context.Background(), tables, s)
	if err != nil {
		t.Fatal(err)
	}
	inFile, err := readFew(t, s, tables.Accounts, tables.Events[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]*History{"memory": inMemory, "file": inFile} {
		events := allEvents(t, h, 0)[0]
		if len(events) != 3 || events[0].Type != -1 || events[1].Type != -1 || !slices.Equal(h.Sources[0].Types, []string{"x"}) {
			t.Errorf("%s: %+v of types %q; want three, two without a type", name, events, h.Sources[0].Types)
		}
	}
}

// Examples of unknown accounts are those of rows, not of entries that a
// dictionary has and no row.
func TestOrphansAreOfRows(t *testing.T) {
	account := Column{Name: "account", Kind: Text, Codes: []int32{2, 1}, Dict: []string{"0 unused", "7", "9 unknown"}}
	tables := fewEvents(account, Column{Name: "at", Kind: Time, Ints: []int64{1, 2}})
	h := &History{Location: time.UTC, Accounts: []Account{{ID: "7"}}}
	j := newJoin(h, &fewSources(EventSource{}).Events[0], "events", newAccountIndex([]string{"7"}), &budget{}, nil, newLayout(&fewSources(EventSource{}).Events[0], false))
	w := j.worker()
	w.begin("events", 0, 2, 2)
	ids := Column{Kind: Text, Codes: []int32{0, 1, 2}, Dict: account.Dict}
	if err := w.rows.account.dictionary(entries{column: &ids}); err != nil {
		t.Fatal(err)
	}
	w.rows.account.codes(account.Codes, nil)
	w.rows.at = tables.Events[0].Columns[1].Ints
	if err := w.add(); err != nil {
		t.Fatal(err)
	}
	if o := w.counts.orphans; o.n != 1 || !slices.Equal(o.examples, []string{"9 unknown"}) {
		t.Errorf("%d orphans, for example %q; want one, 9 unknown", o.n, o.examples)
	}
}

// Where the first row group has none of the values that are no short decimals
// and later ones have more than a table may hold, the source is read again; the
// history is that of reading it so at once.
func TestManyOddValues(t *testing.T) {
	var at []int64
	var value []float64
	for i := range 3000 {
		at, value = append(at, int64(i)*hour), append(value, float64(i))
	}
	rows := func(from, to int) *Table {
		v := slices.Clone(value[from:to])
		for i := range v {
			v[i] /= float64(1 + 6*min(from, 1)) // the first file has integers
		}
		return &Table{Name: "events", Rows: to - from, Columns: []Column{{Name: "account", Kind: Int, Ints: slices.Repeat([]int64{7}, to-from)},
			{Name: "at", Kind: Time, Ints: at[from:to]}, {Name: "value", Kind: Float, Floats: v}}}
	}
	fsys := newMemFS()
	for name, table := range map[string]*Table{"accounts.parquet": fewEvents(Column{Kind: Int}).Accounts,
		"events0.parquet": rows(0, 1000), "events1.parquet": rows(1000, 2000), "events2.parquet": rows(2000, 3000)} {
		if err := Write(fsys, name, table); err != nil {
			t.Fatal(err)
		}
	}
	s := fewSources(EventSource{Value: "value"})
	s.Events = append(s.Events, s.Events[0])
	var want []Event
	for _, o := range []ReadOptions{{Workers: 1}, {Workers: 1, maxOdd: 100}, {Workers: 2, maxOdd: 100, MaxBytes: 16 << 10}, {Workers: 2, MaxBytes: 16 << 10}} {
		done := 0
		o.Progress = func(n, _ int) { done = n }
		h, err := ReadHistory(context.Background(), fsys, s, o)
		if err != nil {
			t.Fatal(err)
		}
		if wide := h.Sources[0].layout.wide > 0; wide != (o.maxOdd > 0) {
			t.Errorf("at most %d: wide records: %v", o.maxOdd, wide)
		}
		if done != 6000 {
			t.Errorf("at most %d: %d of 6000 rows at last", o.maxOdd, done)
		}
		for source := range h.Sources {
			events := allEvents(t, h, source)[0]
			if want == nil {
				want = events
			}
			if !slices.EqualFunc(want, events, sameEvent) {
				t.Errorf("at most %d: other events", o.maxOdd)
			}
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A small file that claims the most rows that a few bytes may have is refused
// before there is room for them all.
func TestEventsOfFewBytes(t *testing.T) {
	tables := fewEvents(Column{Name: "account", Kind: Int, Ints: []int64{7, 7}}, Column{Name: "at", Kind: Time, Ints: []int64{1, 2}},
		TextColumn("kind", []string{"a", "b"}), Column{Name: "value", Kind: Float, Floats: []float64{1, 2}})
	fsys := newMemFS()
	if err := Write(fsys, "accounts.parquet", tables.Accounts); err != nil {
		t.Fatal(err)
	}
	fsys.files["events.parquet"] = refooted(t, parquetBytes(t, tables.Events[0]), func(m *format.FileMetaData) {
		m.NumRows, m.RowGroups[0].NumRows = freeValues, freeValues
		for i := range m.RowGroups[0].Columns {
			m.RowGroups[0].Columns[i].MetaData.NumValues = freeValues
		}
	})
	s := fewSources(EventSource{Type: "kind"})
	s.Events[0].Filters = filters(t, "value > 1")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadHistory(context.Background(), fsys, s, ReadOptions{Workers: 1})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), "2 of the 33,554,432 values that the footer declares") {
		t.Errorf("error %v", err)
	}
	const most = 64 << 20 // buffers of one worker, and room for the rows that bytes make likely
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%d MiB were allocated", n>>20)
	}
}

// A source may have 65,535 types beside a missing one, which 16 bits tell
// apart, and is refused with one more.
func TestMostClasses(t *testing.T) {
	for _, types := range []int{maxClasses - 1, maxClasses} { // one class is kept for a missing type
		var kind []string
		var at []int64
		for i := range types {
			kind, at = append(kind, fmt.Sprint(i)), append(at, int64(i))
		}
		tables := fewEvents(Column{Name: "account", Kind: Int, Ints: slices.Repeat([]int64{7}, types)}, Column{Name: "at", Kind: Time, Ints: at},
			TextColumn("kind", kind))
		s := fewSources(EventSource{Type: "kind"})
		h, err := readFew(t, s, tables.Accounts, tables.Events[0])
		if types == maxClasses {
			if !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), `column "kind": more than 65535 different types; name a column with few`) {
				t.Errorf("%d types: error %v", types, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		events := allEvents(t, h, 0)[0]
		for i, e := range events {
			if got := h.Sources[0].Types[e.Type]; got != kind[i] {
				t.Fatalf("event %d is of type %q, want %q", i, got, kind[i])
			}
		}
		if len(events) != types {
			t.Errorf("%d events of %d types", len(events), types)
		}
	}
}

// Parts hold at most as many accounts as a record can tell apart, and all
// accounts lie in one.
func TestPartsOfManyAccounts(t *testing.T) {
	for _, accounts := range []int{0, 1, 255, 256, 257, 65_536, 65_537, 1 << 24, 1<<24 + 1, 1<<31 - 1} {
		shift := partShift(accounts)
		parts := partCount(accounts, shift)
		if 1<<shift > maxLocal || parts > maxParts && 1<<shift < maxLocal {
			t.Errorf("%d accounts: %d parts of %d", accounts, parts, 1<<shift)
		}
		if parts<<shift < accounts || accounts > 0 && (parts-1)<<shift >= accounts {
			t.Errorf("%d accounts do not fill %d parts of %d", accounts, parts, 1<<shift)
		}
	}
}

// Where several row groups are bad, however many workers read, the error is
// that of the first.
func TestFirstErrorOfWorkers(t *testing.T) {
	var tables []*Table
	for i := range 6 {
		value := []float64{1, 2, 3}
		if i > 1 {
			value[i%3] = math.Inf(1)
		}
		tables = append(tables, fewEvents(Column{Name: "account", Kind: Int, Ints: []int64{7, 7, 7}},
			Column{Name: "at", Kind: Time, Ints: []int64{1, 2, 3}}, Column{Name: "value", Kind: Float, Floats: value}).Events[0])
	}
	fsys := &failingFS{scratch: &failingScratch{}}
	dir := t.TempDir()
	if err := Write(Disk{}, dir+"/accounts.parquet", fewEvents(Column{Kind: Int}).Accounts); err != nil {
		t.Fatal(err)
	}
	for i, table := range tables {
		if err := Write(Disk{}, fmt.Sprintf("%s/events%d.parquet", dir, i), table); err != nil {
			t.Fatal(err)
		}
	}
	s := fewSources(EventSource{Value: "value"})
	s.Accounts.Path, s.Events[0].Path = dir+"/accounts.parquet", dir+"/events*.parquet"
	for workers := range 7 {
		_, err := ReadHistory(context.Background(), fsys, s, ReadOptions{Workers: workers})
		if want := `events2.parquet: row 3: column "value" is infinite`; !errors.Is(err, ErrBadData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d workers: error %v, want %q", workers, err, want)
		}
		if n := fsys.open.Load(); n != 0 {
			t.Errorf("%d workers: %d files are still open", workers, n)
		}
	}
}

// Accounts, types, values and ids may be the names of folders, missing ones
// among them; dates begin where the project's time zone has them begin.
func TestEventsInFolders(t *testing.T) {
	newYork := time.FixedZone("", -5*60*60)
	fsys := newMemFS()
	write := func(name string, c ...Column) {
		if err := Write(fsys, name, &Table{Rows: c[0].Len(), Columns: c}); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts.parquet", TextColumn("id", []string{"7", "8", "9"}))
	dates := Column{Name: "at", Kind: Date, Ints: []int64{3, 1}}
	for _, folder := range []string{
		"account=7/kind=b/value=200000001/id=1", // more than a short decimal
		"account=7/kind=__HIVE_DEFAULT_PARTITION__/value=-5/id=__HIVE_DEFAULT_PARTITION__",
		"account=8/kind=b/value=__HIVE_DEFAULT_PARTITION__/id=2",
		"account=__HIVE_DEFAULT_PARTITION__/kind=a/value=1/id=3",
	} {
		write("events/"+folder+"/x.parquet", dates)
	}
	for workers := range 4 {
		h, err := ReadHistory(context.Background(), fsys, Sources{Location: newYork, Accounts: AccountSource{Path: "accounts.parquet", Key: "id"},
			Events: []EventSource{{Name: "app", Path: "events/**/*.parquet", Account: "account", Time: "at", Type: "kind", Value: "value", ID: "id"}}},
			ReadOptions{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for a, events := range allEvents(t, h, 0) {
			for _, e := range events {
				got = append(got, fmt.Sprint(h.Accounts[a].ID, " ", e.Type, " ", e.Value, " day ", e.Day, " hour ", e.Time/hour))
			}
		}
		want := []string{"7 -1 -5 day 1 hour 29", "7 0 2.00000001e+08 day 1 hour 29", "7 -1 -5 day 3 hour 77",
			"8 0 NaN day 1 hour 29"} // of two with one id the earlier
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if !slices.Equal(h.Sources[0].Types, []string{"b"}) {
			t.Errorf("types %q", h.Sources[0].Types)
		}
	}
}
