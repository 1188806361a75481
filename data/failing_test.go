// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var errDisk = errors.New("no space left on device")

// A failingScratch is a scratch file whose calls fail from the nth on.
type failingScratch struct {
	ScratchFile
	writes, reads atomic.Int64 // calls left; below 0 they fail
	closed        atomic.Int64
}

func (f *failingScratch) WriteAt(b []byte, at int64) (int, error) {
	if f.writes.Add(-1) < 0 {
		return 0, errDisk
	}
	return f.ScratchFile.WriteAt(b, at)
}

func (f *failingScratch) ReadAt(b []byte, at int64) (int, error) {
	if f.reads.Add(-1) < 0 {
		return 0, errDisk
	}
	return f.ScratchFile.ReadAt(b, at)
}

func (f *failingScratch) Close() error {
	f.closed.Add(1)
	return f.ScratchFile.Close()
}

// A failingFS is the disk, with a scratch file that fails.
type failingFS struct {
	Disk
	scratch *failingScratch
	none    bool // not even a scratch file can be made

	open atomic.Int64
}

func (f *failingFS) Scratch() (ScratchFile, error) {
	if f.none {
		return nil, errDisk
	}
	var err error
	f.scratch.ScratchFile, err = f.Disk.Scratch()
	return f.scratch, err
}

func (f *failingFS) Open(name string) (File, error) {
	file, err := f.Disk.Open(name)
	if err == nil {
		f.open.Add(1)
	}
	return countedFile{file, &f.open}, err
}

// A countedFile counts those that are open.
type countedFile struct {
	File
	open *atomic.Int64
}

func (f countedFile) Close() error {
	f.open.Add(-1)
	return f.File.Close()
}

// Where the disk fails, the error says what was being done; nothing is left of
// the scratch file, no file stays open and no goroutine runs on.
func TestReadHistoryWithoutDisk(t *testing.T) {
	const many = 1 << 40
	sources := eventFiles(t, 600, 2, 5_000)
	for _, c := range []struct {
		name          string
		none          bool
		writes, reads int64
		want          string
	}{
		{"no scratch file", true, many, many, "events use: making room on disk for what does not fit in memory: no space left on device"},
		{"the first write", false, 0, many, "bytes that do not fit in memory to disk: no space left on device"},
		{"a later write", false, 20, many, "bytes that do not fit in memory to disk: no space left on device"},
		{"the first read", false, many, 0, "events use: reading back what did not fit in memory: no space left on device"}, // for repeats
		{"a later read", false, many, 50, "events use: reading back what did not fit in memory: no space left on device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			fsys := &failingFS{scratch: &failingScratch{}, none: c.none}
			fsys.scratch.writes.Store(c.writes)
			fsys.scratch.reads.Store(c.reads)
			h, err := ReadHistory(context.Background(), fsys, sources, ReadOptions{Workers: 2, MaxBytes: 64 << 10})
			if h != nil || !errors.Is(err, errDisk) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "events use: ") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if n := fsys.scratch.closed.Load(); n != 1 && !c.none {
				t.Errorf("the scratch file was closed %d times", n)
			}
			if n := fsys.open.Load(); n != 0 {
				t.Errorf("%d files are still open", n)
			}
			if n := goroutines(before); n > before {
				t.Errorf("%d goroutines, %d before", n, before)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%v is left on disk", left)
			}
		})
	}
}

// A part that cannot be read back is an error, also once the history is closed.
func TestReadPartWithoutDisk(t *testing.T) {
	sources := eventFiles(t, 600, 2, 5_000)
	fsys := &failingFS{scratch: &failingScratch{}}
	fsys.scratch.writes.Store(1 << 40)
	fsys.scratch.reads.Store(1 << 40)
	h, err := ReadHistory(context.Background(), fsys, sources, ReadOptions{Workers: 2, MaxBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	fsys.scratch.reads.Store(0)
	const want = "reading back what did not fit in memory: "
	if err := h.ReadPart(h.NewPart(), 0); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.ReadPart(h.NewPart(), 0); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("after Close: error %v, want %q", err, want)
	}
	if err := h.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// A cancelled context ends reading between two row groups, with its error.
func TestReadHistoryCancelled(t *testing.T) {
	before := runtime.NumGoroutine()
	sources := eventFiles(t, 600, 4, 5_000)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, after := range []int{0, 1, 5000, 25_000} { // rows; those of both sources are 40,000
		fsys := &failingFS{scratch: &failingScratch{}}
		fsys.scratch.writes.Store(1 << 40)
		fsys.scratch.reads.Store(1 << 40)
		ctx, cancel := context.WithCancel(context.Background())
		if after == 0 {
			cancel()
		}
		h, err := ReadHistory(ctx, fsys, sources, ReadOptions{Workers: 2, MaxBytes: 64 << 10, Progress: func(done, total int) {
			if done >= after {
				cancel()
			}
		}})
		cancel()
		if h != nil || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "events ") {
			t.Errorf("after %d rows: error %v", after, err)
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 || fsys.open.Load() != 0 {
			t.Errorf("after %d rows: %v is left on disk, %d files are open", after, left, fsys.open.Load())
		}
		if n := goroutines(before); n > before {
			t.Errorf("after %d rows: %d goroutines, %d before", after, n, before)
		}
	}
}

// goroutines counts them, once there are no more than so many or some seconds
// later: one that has said it is done may not have ended yet.
func goroutines(most int) int {
	for range 500 {
		if n := runtime.NumGoroutine(); n <= most {
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}
