// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/data/demo"
)

// Every command that the README shows works, in the order shown, on the tables
// of a demo project (a smaller one, to be quick).
func TestReadmeCommands(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	a := &app{fsys: data.Disk{}}
	if err := a.writeDemo(context.Background(), "demo-project", demo.Make(demo.Options{Seed: 1, Accounts: 1000})); err != nil {
		t.Fatal(err)
	}
	straighten(t, "demo-project", "3mo")
	commands := shellLines(string(text))
	if len(commands) < 8 {
		t.Fatalf("the README shows only %d commands", len(commands))
	}
	for _, line := range commands {
		var out, errs bytes.Buffer
		args := strings.Fields(line)[1:]
		if args[0] == "demo" {
			args = append(args, "--accounts", "400")
		}
		if code := run(context.Background(), args, &out, &errs); code != 0 {
			t.Fatalf("%s\nexit %d\n%s%s", line, code, &out, &errs)
		}
	}
	for _, name := range []string{"scores.parquet", "table-scores.parquet", "support.csv", "reviews.csv", "account.svg"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// shellLines returns the holdfast commands in the sh blocks of a page.
func shellLines(page string) []string {
	var out []string
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && strings.HasPrefix(line, "holdfast "):
			out = append(out, line)
		}
	}
	return out
}
