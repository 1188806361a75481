// SPDX-License-Identifier: Apache-2.0

// Command holdfast learns from past renewals which accounts will stay: it
// builds point-in-time features from Parquet history, fits a calibrated weight
// model, proves it out of time, and scores accounts with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the binary runs where no time zones are installed

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{fsys: data.Disk{}, stdout: stdout, stderr: stderr, progress: new(progress)}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	a.progress.end()
	if err != nil {
		fmt.Fprintf(stderr, "holdfast: %s\n", oneLine(err))
	}
	return exitCode(ctx, err)
}

// Exit codes, as DESIGN.md section 4 names them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitBadData     = 4
	exitRefused     = 5
	exitNotFound    = 10
	exitIntegrity   = 12
	exitInterrupted = 130
)

// errUsage is wrapped by mistakes in the command line or the project file.
var errUsage = errors.New("usage")

// exitCode decides the exit code of every command.
func exitCode(ctx context.Context, err error) int {
	var spec *predict.SpecMismatchError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errUsage), errors.Is(err, features.ErrSpec):
		return exitUsage
	case errors.Is(err, registry.ErrRefused):
		return exitRefused
	case errors.Is(err, predict.ErrIntegrity), errors.As(err, &spec):
		return exitIntegrity
	case errors.Is(err, data.ErrBadData):
		return exitBadData
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	}
	return exitFailure
}

// oneLine drops the markers that only the exit code needs, and joins lines.
func oneLine(err error) string {
	s := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
	return strings.Join(strings.Fields(s), " ")
}

// usageError returns an error with exit code 2.
func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}
