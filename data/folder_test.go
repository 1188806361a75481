// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A stepFS is the disk, on which all calls fail from the nth change on, as for
// a process that is killed there.
type stepFS struct {
	Disk
	at, calls  int
	noExchange bool
}

var errKilled = errors.New("killed")

func (f *stepFS) killed() error {
	if f.calls++; f.calls >= f.at {
		return errKilled
	}
	return nil
}

func (f *stepFS) Rename(a, b string) error {
	if err := f.killed(); err != nil {
		return err
	}
	return f.Disk.Rename(a, b)
}

func (f *stepFS) Remove(name string) error {
	if err := f.killed(); err != nil {
		return err
	}
	return f.Disk.Remove(name)
}

func (f *stepFS) SyncDir(name string) error {
	if err := f.killed(); err != nil {
		return err
	}
	return f.Disk.SyncDir(name)
}

func (f *stepFS) Exchange(a, b string) error {
	if f.noExchange {
		return errors.ErrUnsupported
	}
	if err := f.killed(); err != nil {
		return err
	}
	return f.Disk.Exchange(a, b)
}

// A folder is replaced by a whole one, or stays, wherever the process is
// killed. Without an exchange it may be away until it is restored.
func TestReplaceFolder(t *testing.T) {
	for _, noExchange := range []bool{false, true} {
		for at := 1; ; at++ {
			dir := t.TempDir()
			final, written := filepath.Join(dir, "2026-01-31"), filepath.Join(dir, ".2026-01-31.tmp")
			fill(t, final, "old")
			fill(t, written, "new")
			f := &stepFS{at: at, noExchange: noExchange}
			err := ReplaceFolder(f, written, final)
			if !noExchange {
				whole(t, final)
			}
			if done := f.calls < at; done != (err == nil) {
				t.Fatalf("killed at %d: %v", at, err)
			}
			if err := RestoreFolder(Disk{}, written, final); err != nil {
				t.Fatal(err)
			}
			got := whole(t, final)
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("killed at %d: left behind %v", at, entries)
			}
			if f.calls < at {
				if got != "new" {
					t.Errorf("not replaced: %s", got)
				}
				break
			}
		}
	}
}

func fill(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// whole returns the text of both files of a folder, which must agree.
func whole(t *testing.T, dir string) string {
	t.Helper()
	a, err := os.ReadFile(filepath.Join(dir, "a"))
	b, err2 := os.ReadFile(filepath.Join(dir, "b"))
	if err != nil || err2 != nil || string(a) != string(b) {
		t.Fatalf("not whole: %q, %q, %v, %v", a, b, err, err2)
	}
	return string(a)
}

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	table := &Table{Rows: 2, Columns: []Column{TextColumn("id", []string{"a", "b"})}}
	for _, name := range []string{"accounts.parquet", "use-1.parquet", "use-2.parquet"} {
		if err := Write(Disk{}, filepath.Join(dir, name), table); err != nil {
			t.Fatal(err)
		}
	}
	s := Sources{Accounts: AccountSource{Path: filepath.Join(dir, "accounts.parquet")},
		Events: []EventSource{{Name: "use", Path: filepath.Join(dir, "use-*.parquet")}, {Name: "use", Path: filepath.Join(dir, "use-*.parquet"), Derived: true}}}
	in, err := Inputs(context.Background(), Disk{}, s)
	if err != nil || len(in) != 3 || in[0].Table != "accounts" || in[2].Table != "use" || filepath.Base(in[2].Path) != "use-2.parquet" {
		t.Fatalf("%+v, %v", in, err)
	}
	sum, size, err := Digest(context.Background(), Disk{}, in[1].Path)
	if err != nil || in[1].Rows != 2 || in[1].Bytes != size || in[1].SHA256 != sum || len(sum) != 64 {
		t.Errorf("%+v; digest %s of %d bytes, %v", in[1], sum, size, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Inputs(ctx, Disk{}, s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
