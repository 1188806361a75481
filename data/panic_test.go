// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A panic is an error with its place, also where it was raised again.
func TestCaught(t *testing.T) {
	ended := errors.New("ended")
	if err := Caught(func() error { return ended }); err != ended {
		t.Errorf("an error: %v", err)
	}
	inner := func() { panic("index out of\nrange [7]") }
	for name, f := range map[string]func() error{
		"once":  func() error { inner(); return nil },
		"again": func() error { Together(3, func(int) { inner() }); return nil },
	} {
		err := Caught(f)
		var p *PanicError
		if !errors.As(err, &p) || errors.Is(err, ErrBadData) || !strings.HasPrefix(err.Error(), "index out of range [7] at panic_test.go:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// All workers end before the caller sees the panic of one.
func TestTogether(t *testing.T) {
	for _, n := range []int{1, 4} {
		var ended atomic.Int64
		err := Caught(func() error {
			Together(n, func(worker int) {
				defer ended.Add(1)
				if worker == n-1 {
					panic(worker)
				}
			})
			return nil
		})
		if err == nil || ended.Load() != int64(n) {
			t.Errorf("%d workers: %v, %d ended", n, err, ended.Load())
		}
	}
}

// A panic in a goroutine of a reader ends what was read with an error.
func TestPanicsOfReaders(t *testing.T) {
	if err := inOrder(3, 5, func(_, i int) error { panic(i) }); err == nil || !strings.HasPrefix(err.Error(), "0 at panic_test.go:") {
		t.Errorf("reading in order: %v", err)
	}
	dir := t.TempDir()
	if err := Write(Disk{}, dir+"/a.parquet", &Table{Name: "a", Rows: 1, Columns: []Column{TextColumn("id", []string{"x"})}}); err != nil {
		t.Fatal(err)
	}
	_, _, err := Screen(context.Background(), Disk{}, Sources{Accounts: AccountSource{Path: dir + "/a.parquet", Key: "id"}}, 2,
		func(context.Context, int, ScreenedFile) error { panic("screen") })
	if err == nil || !strings.HasPrefix(err.Error(), "accounts: screen at panic_test.go:") {
		t.Errorf("screening: %v", err)
	}
	h, _ := surveyed(t, time.UTC)
	h.Contracts = h.Contracts[:7] // accounts point past the end of it
	if _, err := NewSurvey(h, 3); err == nil || !strings.Contains(err.Error(), "out of range") || !strings.Contains(err.Error(), " at survey.go:") {
		t.Errorf("surveying: %v", err)
	}
}
