// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

type panickingFS struct{ data.Disk }

func (panickingFS) Open(string) (data.File, error) { panic("index out of range [7]") }

// A panic ends a command with one line, its place and exit code 1.
func TestPanicIsOneLine(t *testing.T) {
	var out, errs bytes.Buffer
	code := runOn(context.Background(), panickingFS{}, []string{"-C", t.TempDir(), "check", "--max-memory", "1GB"}, &out, &errs)
	text := errs.String()
	if code != exitFailure || strings.Count(text, "\n") != 1 || strings.Contains(text, "goroutine") ||
		!strings.Contains(text, "an internal error, which is no fault of yours: index out of range [7]") || !strings.Contains(text, "panic_test.go:") {
		t.Errorf("exit %d, %s", code, text)
	}
}
