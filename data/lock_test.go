// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHold(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	start := time.Date(2026, 1, 31, 4, 0, 0, 0, time.UTC)
	me := Holder{PID: 71, Host: "here", Command: "holdfast train", Since: start}
	l, err := Hold(Disk{}, name, me, false)
	if err != nil || l.After != nil {
		t.Fatalf("a new lock: after %v, %v", l.After, err)
	}
	second := Holder{PID: 72, Host: "here", Command: "holdfast run", Since: start.Add(90 * time.Second)}
	// Not even --break-lock takes a lock from a process that runs.
	for _, breakLeft := range []bool{false, true} {
		_, err = Hold(Disk{}, name, second, breakLeft)
		if want := "locked by process 71 on host here (holdfast train), 1m30s ago, which is still running"; !errors.Is(err, ErrLocked) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("a held lock: %v, want %s", err, want)
		}
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	l, err = Hold(Disk{}, name, second, false)
	if err != nil || l.After != nil {
		t.Fatalf("a released lock: %+v, %v", l, err)
	}
	l.file.Close() // as a kill does: the name stays in the file

	third := Holder{PID: 73, Host: "here", Since: start.Add(time.Hour)}
	if l, err = Hold(Disk{}, name, third, false); err != nil || l.After == nil || l.After.PID != 72 {
		t.Fatalf("a lock whose holder died: %+v, %v", l, err)
	}
	l.file.Close()

	other := Holder{PID: 1, Host: "there", Since: start.Add(2 * time.Hour)}
	_, err = Hold(Disk{}, name, other, false)
	if want := "process 73 on host here (), 1h0m0s ago, on another machine; if it no longer runs there, go on with --break-lock"; err == nil ||
		!errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("a lock left on another host: %v, want %s", err, want)
	}
	if l, err = Hold(Disk{}, name, other, true); err != nil || l.After == nil || l.After.Host != "here" {
		t.Fatalf("breaking it: %+v, %v", l, err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	// What is no holder's name stops nobody.
	if err := os.WriteFile(name, []byte("{\"pid\":"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = Hold(Disk{}, name, me, false); err != nil {
		t.Errorf("a half-written name: %v", err)
	}
}

// A file system without locks, or one that may only be read, is named.
func TestHoldWhereItCannot(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.ENOTSUP, "locking m/.lock: this file system has no locks"},
		{syscall.ENOLCK, "locking m/.lock: this file system has no locks"},
		{syscall.EROFS, "locking m/.lock: no permission to write in the folder m"},
		{syscall.EACCES, "locking m/.lock: no permission to write in the folder m"},
		{syscall.EIO, "locking m/.lock: "},
	} {
		fsys := newMemFS()
		fsys.before = func(call, _ string) error {
			if call == "lock" {
				return c.err
			}
			return nil
		}
		if _, err := Hold(fsys, "m/.lock", Holder{}, false); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.err, err, c.want)
		}
		if can := CanLock(fsys, "m/.lock"); can == strings.Contains(c.want, "has no locks") {
			t.Errorf("%v: the file system has locks: %v", c.err, can)
		}
	}
}

// A file keeps its bytes when it is asked whether it can be locked, also while
// somebody has its lock.
func TestCanLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "holdfast.yaml")
	if err := os.WriteFile(name, []byte("version: 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if !CanLock(Disk{}, name) {
		t.Fatal("no locks")
	}
	f, err := Disk{}.Lock(name) // given back, so that it can be had
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !CanLock(Disk{}, name) {
		t.Error("a lock that somebody has is none")
	}
	if b, _ := os.ReadFile(name); string(b) != "version: 1\n" {
		t.Errorf("the file is %q now", b)
	}
}
