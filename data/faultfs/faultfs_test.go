// SPDX-License-Identifier: Apache-2.0

package faultfs

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

var (
	_ data.FS = &FS{}
	_ data.FS = &Crash{}
)

func read(t *testing.T, fsys data.FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "(none)"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// At each of its five changes data.WriteBytes can fail or be killed: the file
// is the old one or the new one, also once the power is lost.
func TestWriteBytes(t *testing.T) {
	for _, err := range []error{nil, syscall.EIO} {
		points := 0
		for at := 1; ; at++ {
			c := NewCrash()
			if err := errors.Join(c.MkdirAll("d"), c.syncAll("d"), data.WriteBytes(c, "d/f", []byte("old"))); err != nil {
				t.Fatal(err)
			}
			f := &FS{FS: c, At: at, Err: err}
			got := data.WriteBytes(f, "d/f", []byte("new"))
			for _, s := range []Survival{Nothing, Names} {
				after := read(t, c.Lost(s), "d/f")
				if after != "old" && after != "new" || got == nil && after != "new" {
					t.Errorf("change %d, %v: %v, then %q", at, err, got, after)
				}
			}
			if f.Calls() < at {
				points = at - 1
				break
			}
			if got == nil || err != nil && !errors.Is(got, err) || err == nil && !errors.Is(got, ErrKilled) {
				t.Errorf("change %d, %v: %v", at, err, got)
			}
		}
		if points != 5 && points != 6 { // create, write, sync, rename, sync of the folder; and a removal after an error
			t.Errorf("%d points", points)
		}
	}
}

// What was never synced is lost, and that is seen.
func TestLost(t *testing.T) {
	c := NewCrash()
	if err := errors.Join(c.MkdirAll("d"), c.syncAll("d"), data.WriteBytes(c, "d/f", []byte("old"))); err != nil {
		t.Fatal(err)
	}
	temp, err := c.CreateTemp("d/f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := temp.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := c.Rename(temp.Name(), "d/f"); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[Survival]string{Nothing: "old", Names: ""} {
		if got := read(t, c.Lost(s), "d/f"); got != want || read(t, c, "d/f") != "new" {
			t.Errorf("survival %d: %q, want %q", s, got, want)
		}
	}
	if err := errors.Join(temp.Sync(), c.SyncDir("d")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c.Lost(Nothing), "d/f"); got != "new" {
		t.Errorf("synced: %q", got)
	}
}

// A full disk says so, with the bytes that fitted, and the old file stays.
func TestFull(t *testing.T) {
	c := NewCrash()
	if err := errors.Join(c.MkdirAll("d"), data.WriteBytes(c, "d/f", []byte("old"))); err != nil {
		t.Fatal(err)
	}
	err := data.WriteBytes(&FS{FS: c, Room: 1000}, "d/f", make([]byte, 5000))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "d/f: the disk is full after 1,000 bytes; make room in d") {
		t.Error(err)
	}
	if names, _ := c.ReadDir("d"); len(names) != 1 || read(t, c, "d/f") != "old" {
		t.Errorf("left: %v", names)
	}
}
