// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal ends a run within five seconds, with its exit code, one sentence
// and no temporary file.
func TestSignalStopsARun(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		after  time.Duration
		code   int
	}{{syscall.SIGTERM, 0, 143}, {syscall.SIGTERM, 500 * time.Millisecond, 143}, {syscall.SIGINT, 1500 * time.Millisecond, 130}} {
		dir := filepath.Join(t.TempDir(), "demo")
		ctx, cancel := context.WithCancelCause(context.Background())
		var sent time.Time
		timer := time.AfterFunc(c.after, func() {
			sent = time.Now()
			cancel(&interruptError{c.signal})
		})
		var out, errs bytes.Buffer
		code := run(ctx, []string{"demo", "--accounts", "1500", dir}, &out, &errs)
		took := time.Since(sent)
		timer.Stop()
		if code != c.code || !strings.HasSuffix(errs.String(), "nothing is left half-written\n") {
			t.Errorf("%v after %v: exit code %d, want %d: %s", c.signal, c.after, code, c.code, &errs)
		}
		if took > 5*time.Second {
			t.Errorf("%v after %v: took %v to stop", c.signal, c.after, took)
		}
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			if strings.Contains(path, ".tmp") {
				t.Errorf("left behind: %s", path)
			}
			return nil
		})
	}
}
