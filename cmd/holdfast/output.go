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
	if name != "-" {
		if err := a.fsys.MkdirAll(filepath.Dir(name)); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	switch {
	case name == "-":
		if format == "" {
			format = "arrow"
			if f, ok := a.stdout.(*os.File); ok && isTerminal(f) {
				format = "csv"
			}
		}
		if format == "arrow" {
			return ipc.WriteTo(a.stdout, t)
		}
		return data.WriteTo(a.stdout, format, t)
	case ext(name) == ".arrow":
		return ipc.Write(a.fsys, name, t)
	}
	return data.Write(a.fsys, name, t)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
