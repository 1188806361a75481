// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

var errDisk = errors.New("input/output error")

// A failingDisk is the disk with a scratch file of which only so many reads
// succeed.
type failingDisk struct {
	data.Disk
	reads  atomic.Int64
	panics bool // in place of an error
}

func (d *failingDisk) Scratch() (data.ScratchFile, error) {
	f, err := d.Disk.Scratch()
	return failingScratch{f, d}, err
}

type failingScratch struct {
	data.ScratchFile
	disk *failingDisk
}

func (f failingScratch) ReadAt(b []byte, at int64) (int, error) {
	if f.disk.reads.Add(-1) < 0 {
		if f.disk.panics {
			panic("no such page")
		}
		return 0, errDisk
	}
	return f.ScratchFile.ReadAt(b, at)
}

// spilled is a history of 2,000 accounts, in 250 parts, whose events lie on
// disk.
func spilled(t *testing.T) (*data.History, *failingDisk) {
	t.Helper()
	dir := t.TempDir()
	const accounts, each = 2000, 10
	ids := make([]int64, accounts)
	var owner, at []int64
	for i := range ids {
		ids[i] = int64(i)
		for k := range each {
			owner, at = append(owner, int64(i)), append(at, on("2024-01-01")+int64(k*7+i%5)*day)
		}
	}
	for name, table := range map[string]*data.Table{
		"accounts": {Name: "accounts", Rows: accounts, Columns: []data.Column{{Name: "id", Kind: data.Int, Ints: ids}}},
		"events": {Name: "events", Rows: len(at), Columns: []data.Column{{Name: "account", Kind: data.Int, Ints: owner},
			{Name: "at", Kind: data.Time, Ints: at}}},
	} {
		if err := data.Write(data.Disk{}, dir+"/"+name+".parquet", table); err != nil {
			t.Fatal(err)
		}
	}
	disk := &failingDisk{}
	disk.reads.Store(1 << 40)
	h, err := data.ReadHistory(context.Background(), disk, data.Sources{Location: time.UTC,
		Accounts: data.AccountSource{Path: dir + "/accounts.parquet", Key: "id"},
		Events:   []data.EventSource{{Name: "app", Path: dir + "/events.parquet", Account: "account", Time: "at"}},
	}, data.ReadOptions{Workers: 1, MaxBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, disk
}

// A part that cannot be read, a context that is cancelled and a receiver that
// refuses a piece end a build, with any number of workers: pieces come in order
// up to there, the error is the first one's, and no goroutine waits for ever.
func TestBuildPartsStops(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	h, disk := spilled(t)
	spec := &Spec{Version: SpecVersion, Outcome: Outcome{Mode: Activity, Of: "app", HorizonDays: 30, EveryDays: 2, ActiveWithinDays: 30},
		Features: []Feature{{Name: "n", From: "app", Agg: Count, Kind: NumberKind}}}
	var whole []string
	if _, err := BuildParts(context.Background(), h, spec, Options{Workers: 1}, func(f *Frame) error {
		whole = append(whole, keysOf(f))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(whole) < 10 {
		t.Fatalf("%d pieces are too few to stop in between", len(whole))
	}
	before := runtime.NumGoroutine()
	errReceiver := errors.New("enough")
	for _, workers := range []int{1, 2, 7} {
		for _, c := range []struct {
			name   string
			reads  int64 // that succeed
			pieces int   // that are taken: then the context is cancelled, or the piece refused
			refuse bool
			want   error
			words  string
		}{
			{"no read", 0, -1, false, errDisk, "reading back what did not fit in memory: input/output error"},
			{"some reads", 40, -1, false, errDisk, "reading back what did not fit in memory: input/output error"},
			{"cancelled at once", 1 << 40, 0, false, context.Canceled, "context canceled"},
			{"cancelled", 1 << 40, 5, false, context.Canceled, "context canceled"},
			{"refused", 1 << 40, 5, true, errReceiver, "enough"},
		} {
			disk.reads.Store(c.reads)
			ctx, cancel := context.WithCancel(context.Background())
			if c.pieces == 0 {
				cancel()
			}
			var pieces []string
			_, err := BuildParts(ctx, h, spec, Options{Workers: workers}, func(f *Frame) error {
				if len(pieces) == c.pieces {
					if c.refuse {
						return errReceiver
					}
					cancel()
				}
				pieces = append(pieces, keysOf(f))
				return nil
			})
			cancel()
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s, %d workers: error %v, want %q", c.name, workers, err, c.words)
			}
			if len(pieces) == len(whole) || !slices.Equal(pieces, whole[:len(pieces)]) {
				t.Errorf("%s, %d workers: %d pieces, not the first of the %d in order", c.name, workers, len(pieces), len(whole))
			}
		}
	}
	n := runtime.NumGoroutine()
	for range 500 { // one that has said it is done may not have ended yet
		if n <= before {
			break
		}
		time.Sleep(10 * time.Millisecond)
		n = runtime.NumGoroutine()
	}
	if n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%v is left on disk", left)
	}
}

// keysOf names the rows of a piece.
func keysOf(f *Frame) string {
	if len(f.Rows) == 0 {
		return ""
	}
	return fmt.Sprint(len(f.Rows), f.Rows[0].Account, f.Rows[len(f.Rows)-1].Account, f.Columns[0].Num)
}

// A panic while a part is made, or handed over, ends a build with an error that
// says where in the data it happened; the process and its other goroutines go
// on.
func TestBuildPartsPanics(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h, disk := spilled(t)
	spec := &Spec{Version: SpecVersion, Outcome: Outcome{Mode: Activity, Of: "app", HorizonDays: 30, EveryDays: 10, ActiveWithinDays: 30},
		Features: []Feature{{Name: "n", From: "app", Agg: Count, Kind: NumberKind}}}
	refuses := func(what, want string, each func(*Frame) error) {
		t.Helper()
		for _, workers := range []int{1, 3} {
			_, err := BuildParts(context.Background(), h, spec, Options{Workers: workers}, each)
			var panicked *data.PanicError
			if !errors.As(err, &panicked) || errors.Is(err, data.ErrBadData) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s, %d workers: %v, want %q", what, workers, err, want)
			}
		}
	}
	refuses("a receiver", "no room at failing_test.go:", func(*Frame) error { panic("no room") })
	disk.panics = true
	disk.reads.Store(0)
	refuses("a part", "features of accounts 1 to 8 of 2000: no such page at failing_test.go:", func(*Frame) error { return nil })
}
