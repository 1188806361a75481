// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// eventFiles writes a small history as Parquet files: accounts, and events in
// several files with ties, repeats, odd values and unknown accounts.
func eventFiles(t *testing.T, accounts, files, rows int) Sources {
	t.Helper()
	dir := t.TempDir()
	ids := make([]int64, accounts)
	for i := range ids {
		ids[i] = int64(7*i + 3)
	}
	write := func(name string, columns ...Column) {
		table := &Table{Name: name, Rows: columns[0].Len(), Columns: columns}
		if err := Write(Disk{}, dir+"/"+name, table); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts.parquet", Column{Name: "id", Kind: Int, Ints: ids})
	values := []float64{0, 1, 2.5, -3.125, 1234567.89, 1e12, 1.0 / 3}
	for f := range files {
		var account, at, known, id []int64
		var kind []string
		var value []float64
		for i := range rows {
			k := i*files + f
			account = append(account, int64(7*(k*k%(accounts+1))+3)) // one more than there are
			at = append(at, int64(k%500)*int64(time.Hour))
			known = append(known, at[i]+int64(k%3)*int64(24*time.Hour))
			id = append(id, int64(k/2)) // every id twice
			kind = append(kind, fmt.Sprint("kind", k%4))
			value = append(value, values[k%len(values)])
		}
		write(fmt.Sprintf("events-%d.parquet", f), Column{Name: "account", Kind: Int, Ints: account}, Column{Name: "at", Kind: Time, Ints: at},
			Column{Name: "known", Kind: Time, Ints: known}, Column{Name: "id", Kind: Int, Ints: id}, TextColumn("kind", kind),
			Column{Name: "value", Kind: Float, Floats: value})
	}
	return Sources{Accounts: AccountSource{Path: dir + "/accounts.parquet", Key: "id"}, Events: []EventSource{
		{Name: "use", Path: dir + "/events-*.parquet", Account: "account", Time: "at", KnownAt: "known", Type: "kind", Value: "value", ID: "id"},
		{Name: "plain", Path: dir + "/events-*.parquet", Account: "account", Time: "at", Type: "kind", Value: "value"}}}
}

// However many workers read, and however little memory they may use, the
// history is the same, and nothing is left on disk.
func TestReadHistoryDoesNotDependOnMemory(t *testing.T) {
	sources := eventFiles(t, 3000, 4, 20_000)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	read := func(o ReadOptions) (*History, [][][]Event) {
		h, err := ReadHistory(context.Background(), Disk{}, sources, o)
		if err != nil {
			t.Fatal(err)
		}
		if spilled := h.budget.file != nil; spilled != (o.MaxBytes > 0) {
			t.Errorf("%+v: on disk: %v", o, spilled)
		}
		var all [][][]Event
		p := h.NewPart()
		for i := range h.Parts() {
			if err := h.ReadPart(p, i); err != nil {
				t.Fatal(err)
			}
			for a := p.First; a < p.End; a++ {
				var of [][]Event
				for s := range h.Sources {
					of = append(of, append([]Event(nil), p.Events(s, a)...))
				}
				all = append(all, of)
			}
		}
		return h, all
	}
	want, wantEvents := read(ReadOptions{Workers: 1})
	same := []cmp.Option{cmpopts.IgnoreUnexported(History{}, Source{}, Event{}), cmpopts.IgnoreFields(Source{}, "Classes"),
		cmpopts.IgnoreFields(Event{}, "Class"), cmpopts.EquateNaNs(), cmp.Comparer(func(a, b *time.Location) bool { return a == b })}
	for _, o := range []ReadOptions{{Workers: 3}, {Workers: 1, MaxBytes: 64 << 10}, {Workers: 2, MaxBytes: 1 << 20}} {
		got, events := read(o)
		if diff := cmp.Diff(want, got, same...); diff != "" {
			t.Errorf("%+v: %s", o, diff)
		}
		for a := range wantEvents {
			for s := range wantEvents[a] {
				if !slices.EqualFunc(wantEvents[a][s], events[a][s], sameEvent) {
					t.Fatalf("%+v: account %d, source %d: %+v, want %+v", o, a, s, events[a][s], wantEvents[a][s])
				}
			}
		}
		if want.Fingerprint() != got.Fingerprint() {
			t.Errorf("%+v: another fingerprint", o)
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%+v: %v is left on disk", o, left)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
	}
}

// sameEvent compares all of two events but their classes, which are numbered
// as they are met.
func sameEvent(a, b Event) bool {
	sameValue := a.Value == b.Value || a.Value != a.Value && b.Value != b.Value
	return a.Time == b.Time && a.Known == b.Known && sameValue && a.Type == b.Type && a.Day == b.Day && a.id == b.id
}

// Values come back as they were, decimals in whole millionths.
func TestPack(t *testing.T) {
	for _, c := range []struct {
		v      float64
		packed bool
		m      int64 // millionths; -1 for a value that is none
	}{
		{0, true, 0}, {-0.5, true, -500_000}, {19.99, true, 19_990_000}, {0.000001, true, 1}, {123456.789, true, 123_456_789_000},
		{134217727, true, 134_217_727_000_000}, // 2^27 - 1, the largest mantissa
		{134217728, false, 134_217_728_000_000},
		{1234567.89, true, 1_234_567_890_000}, {12345678.91, false, 12_345_678_910_000},
		{999999999.999999, false, 999_999_999_999_999}, {1e9, false, -1}, // 15 digits and one more
		{1.0 / 3, false, -1}, {1e-7, false, -1}, {1e300, false, -1},
	} {
		for hint := range powers {
			p, _, ok := pack(c.v, hint)
			if ok != c.packed || ok && p.number(nil) != c.v {
				t.Errorf("%v with hint %d: packed %v, back %v", c.v, hint, ok, p.number(nil))
			}
		}
		m, ok := ToMillionths(c.v)
		if !ok {
			m = -1
		}
		if m != c.m {
			t.Errorf("%v is %d millionths, want %d", c.v, m, c.m)
		}
	}
}
