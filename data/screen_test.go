// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// screenFiles are 1 file of accounts and n of events.
func screenFiles(t *testing.T, n int) (*memFS, Sources) {
	t.Helper()
	m := newMemFS()
	write := func(name string, table *Table) {
		if err := Write(m, name, table); err != nil {
			t.Fatal(err)
		}
	}
	id := Column{Name: "id", Kind: Int, Ints: []int64{1, 2}}
	write("accounts.parquet", &Table{Rows: 2, Columns: []Column{id}})
	for i := range n {
		write(fmt.Sprintf("use/%03d.parquet", i), &Table{Rows: 2, Columns: []Column{id,
			{Name: "at", Kind: Date, Ints: []int64{int64(i), 7}}, {Name: "other", Kind: Float, Floats: []float64{1, 2}}}})
	}
	return m, Sources{Accounts: AccountSource{Path: "accounts.parquet", Key: "id"},
		Events: []EventSource{{Name: "use", Path: "use/*.parquet", Account: "id", Time: "at"}}}
}

func screen(m *memFS, s Sources, workers int) ([]Reject, int, error) {
	return Screen(context.Background(), m, s, workers, func(ctx context.Context, _ int, f ScreenedFile) error {
		return ReadWhole(ctx, m, f.Path, f.Columns)
	})
}

// Each kind of bad file is found by itself, named, and hidden from what is read
// then; with any number of workers.
func TestScreen(t *testing.T) {
	m, s := screenFiles(t, 200)
	sound := m.files["use/000.parquet"]
	flipped := slices.Clone(m.files["use/150.parquet"])
	p, err := openParquet(m, "use/150.parquet")
	if err != nil {
		t.Fatal(err)
	}
	at := p.meta.RowGroups[0].Columns[1].Meta
	flipped[chunkStart(&at)+at.TotalCompressedSize-1] ^= 1
	m.files["use/003.parquet"] = nil
	m.files["use/050.parquet"] = sound[:len(sound)-9]
	m.files["use/100.parquet"] = []byte("a,b\n1,2\n")
	m.files["use/150.parquet"] = flipped
	for _, workers := range []int{1, 3} {
		bad, of, err := screen(m, s, workers)
		if err != nil || of != 201 || len(bad) != 4 {
			t.Fatalf("%d of %d, %v", len(bad), of, err)
		}
		for i, want := range []string{"use/003.parquet: 0 bytes, not Parquet", "use/050.parquet: the footer is missing", "use/100.parquet: starts with 'a,b', not PAR1", "does not match its checksum"} {
			if bad[i].Table != "use" || !strings.Contains(bad[i].Problem, want) {
				t.Errorf("%+v, want %q", bad[i], want)
			}
		}
		h, err := ReadHistory(context.Background(), Without(m, bad), s, ReadOptions{})
		if err != nil || h.Sources[0].Rows != 2*196 {
			t.Errorf("%v, %v", h, err)
		}
	}
	if _, err := ReadHistory(context.Background(), m, s, ReadOptions{}); !errors.Is(err, ErrBadData) {
		t.Errorf("without screening: %v", err)
	}
}

// Where a table has no file left, or the disk fails, there is nothing to go on
// with. A damaged column that nobody reads is no reason to reject a file.
func TestScreenEnds(t *testing.T) {
	m, s := screenFiles(t, 2)
	m.files["accounts.parquet"] = []byte("a,b\n")
	if _, _, err := screen(m, s, 1); !errors.Is(err, ErrBadData) || !strings.HasPrefix(err.Error(), "accounts: accounts.parquet: starts with") {
		t.Error(err)
	}
	m, s = screenFiles(t, 2)
	eio := errors.New("input/output error")
	m.before = func(call, name string) error {
		if call == "read" && name == "use/001.parquet" {
			return eio
		}
		return nil
	}
	if _, _, err := screen(m, s, 1); !errors.Is(err, eio) || errors.Is(err, ErrBadData) {
		t.Error(err)
	}
	m, s = screenFiles(t, 1)
	p, err := openParquet(m, "use/000.parquet")
	if err != nil {
		t.Fatal(err)
	}
	other := p.meta.RowGroups[0].Columns[2].Meta
	m.files["use/000.parquet"][chunkStart(&other)+other.TotalCompressedSize-1] ^= 1
	if bad, _, err := screen(m, s, 1); len(bad) != 0 || err != nil {
		t.Error(bad, err)
	}
	if err := ReadWhole(context.Background(), m, "use/000.parquet", nil); !errors.Is(err, ErrBadData) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ReadWhole(ctx, m, "use/000.parquet", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
