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

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
	"github.com/holdfast-churn/holdfast/train"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(&interruptError{<-signals})
		signal.Stop(signals) // a second one ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// An interruptError is the signal that ended a run.
type interruptError struct{ signal os.Signal }

func (e *interruptError) Error() string {
	return fmt.Sprintf("stopped by signal (%v); nothing is left half-written", e.signal)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runOn(ctx, data.Disk{}, args, stdout, stderr)
}

// runOn is run on any file system.
func runOn(ctx context.Context, fsys data.FS, args []string, stdout, stderr io.Writer) int {
	a := &app{fsys: fsys, stdout: stdout, stderr: stderr, progress: new(progress)}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	var command *cobra.Command
	err := data.Caught(func() (err error) { // no panic reaches a user
		command, err = root.ExecuteContextC(ctx)
		return err
	})
	a.progress.end()
	var stopped *interruptError
	var panicked *data.PanicError
	switch {
	case err == nil:
	case errors.As(err, &panicked):
		err = fmt.Errorf("an internal error, which is no fault of yours: %w; nothing is left half-written; please report it with what you ran", err)
	case errors.As(context.Cause(ctx), &stopped):
		err = stopped
	case !a.started:
		// The command line itself was not understood.
		text := strings.ReplaceAll(err.Error(), "\n\nDid you mean this?\n", "; did you mean ")
		err = usageError("%s; see %s --help", strings.TrimSpace(text), command.CommandPath())
	}
	if err == nil {
		err = a.partly(command)
	}
	if err != nil {
		fmt.Fprintf(stderr, "holdfast: %s\n", a.logged(oneLine(err)))
	}
	return exitCode(err)
}

// Exit codes, as DESIGN.md section 4 names them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitPartial     = 3
	exitBadData     = 4
	exitRefused     = 5
	exitNotFound    = 10
	exitLocked      = 11
	exitIntegrity   = 12
	exitInterrupted = 130
	exitTerminated  = 143
)

// errUsage is wrapped by mistakes in the command line or the project file.
var errUsage = errors.New("usage")

// exitCode decides the exit code of every command.
func exitCode(err error) int {
	var mismatch *predict.SpecMismatchError
	var untested *evaluate.NoOriginsError
	var row *train.RowError
	var stopped *interruptError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &stopped):
		if stopped.signal == syscall.SIGTERM {
			return exitTerminated
		}
		return exitInterrupted
	case errors.Is(err, errPartial):
		return exitPartial
	case errors.Is(err, errUsage), errors.Is(err, features.ErrSpec), errors.Is(err, registry.ErrReference):
		return exitUsage
	case errors.Is(err, registry.ErrRefused), errors.Is(err, errDrift):
		return exitRefused
	case errors.Is(err, data.ErrLocked):
		return exitLocked
	case errors.Is(err, predict.ErrIntegrity), errors.Is(err, train.ErrAnswer), errors.As(err, &mismatch):
		return exitIntegrity
	case errors.Is(err, data.ErrBadData), errors.Is(err, train.ErrOneClass), errors.As(err, &untested), errors.As(err, &row):
		return exitBadData
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	}
	return exitFailure
}

// oneLine joins the lines of a message.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// A codedError is a message whose exit code another error decides.
type codedError struct {
	code error
	text string
}

func (e *codedError) Error() string { return e.text }
func (e *codedError) Unwrap() error { return e.code }

// usageError returns an error with exit code 2.
func usageError(format string, args ...any) error {
	return &codedError{errUsage, fmt.Sprintf(format, args...)}
}

// integrityError returns an error with exit code 12.
func integrityError(format string, args ...any) error {
	return &codedError{predict.ErrIntegrity, fmt.Sprintf(format, args...)}
}

// dataError returns an error with exit code 4.
func dataError(format string, args ...any) error {
	return &codedError{data.ErrBadData, fmt.Sprintf(format, args...)}
}
