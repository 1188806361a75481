// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/ipc"
)

func ext(name string) string { return strings.ToLower(filepath.Ext(name)) }

// tableExtensions are the forms a table can be written in.
var tableExtensions = []string{".parquet", ".csv", ".jsonl", ".arrow"}

// checkOutput refuses an output name before any work is done for it.
func checkOutput(name, format string, asJSON bool) error {
	if name == "" {
		return usageError("-o FILE is needed; its extension chooses the form: %s, or - for standard output",
			strings.Join(tableExtensions, ", "))
	}
	if format != "" && name != "-" {
		return usageError("--format goes with -o -; a file's extension chooses its form")
	}
	if name == "-" {
		if asJSON {
			return usageError("-o - and --json would both write to standard output; choose one")
		}
		if !slices.Contains([]string{"", "arrow", "csv", "jsonl"}, format) {
			return usageError("--format %q: expected arrow, csv or jsonl", format)
		}
		return nil
	}
	if !slices.Contains(tableExtensions, ext(name)) {
		return usageError("-o %s: cannot tell the form from the extension; expected one of %s",
			name, strings.Join(tableExtensions, ", "))
	}
	return nil
}

// writeTable writes a table to a file by its extension, or to standard output:
// as an Arrow stream for the next program, as CSV for a person at a terminal.
func (a *app) writeTable(name, format string, t *data.Table) error {
	a.progress.begin("writing " + name)
	if name == "-" || ext(name) == ".arrow" {
		return a.writePieces(name, format, func(w data.TableWriter) error { return w.Append(t) })
	}
	if err := a.folderOf(name); err != nil {
		return err
	}
	return data.Write(a.fsys, name, t)
}

// writePieces writes, as writeTable does, a table whose pieces each hands to
// the writer.
func (a *app) writePieces(name, format string, each func(data.TableWriter) error) error {
	if name == "-" {
		w, err := a.outputWriter(format)
		if err != nil {
			return err
		}
		if err := each(w); err != nil {
			return err
		}
		return w.Close()
	}
	if err := a.folderOf(name); err != nil {
		return err
	}
	if ext(name) == ".arrow" {
		return ipc.WriteFile(a.fsys, name, each)
	}
	return data.StreamFile(a.fsys, name, each)
}

// outputWriter returns a writer to standard output.
func (a *app) outputWriter(format string) (data.TableWriter, error) {
	if format == "" {
		format = "arrow"
		if f, ok := a.stdout.(*os.File); ok && isTerminal(f) {
			format = "csv"
		}
	}
	if format == "arrow" {
		return ipc.NewWriter(a.stdout), nil
	}
	return data.NewTableWriter(a.stdout, format)
}

// folderOf makes the folder of a file.
func (a *app) folderOf(name string) error {
	if err := a.fsys.MkdirAll(filepath.Dir(name)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
