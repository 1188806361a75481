// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var mutants = flag.String("mutants", "", "take out the guards of testdata/mutants whose names match, one by one, and see their tests fail")

// A mutant is a program with one guard taken out: the text was in a file is is
// instead. The tests of a package that run names must fail for it.
type mutant struct {
	name          string
	pkg, run      string
	file, was, is string
}

// readMutants reads a list of the form
//
//	== name
//	./package regexp of its tests
//	file
//	- line as it is
//	+ line as it becomes
func readMutants(text string) ([]mutant, error) {
	var out []mutant
	for i, block := range strings.Split("\n"+text, "\n== ")[1:] {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if len(lines) < 5 {
			return nil, fmt.Errorf("mutant %d has %d lines; expected its name, package and tests, file, and lines with - and +", i+1, len(lines))
		}
		m := mutant{name: lines[0], file: lines[2]}
		m.pkg, m.run, _ = strings.Cut(lines[1], " ")
		for _, line := range lines[3:] {
			switch {
			case strings.HasPrefix(line, "- "):
				m.was += line[2:] + "\n"
			case strings.HasPrefix(line, "+ "):
				m.is += line[2:] + "\n"
			case strings.TrimSpace(line) != "" && line[0] != '#':
				return nil, fmt.Errorf("mutant %q: %q begins with neither - nor +", m.name, line)
			}
		}
		m.was, m.is = strings.TrimSuffix(m.was, "\n"), strings.TrimSuffix(m.is, "\n")
		out = append(out, m)
	}
	return out, nil
}

// Each mutant is killed by the tests that it names. Files are replaced for the
// compiler only, so that the checkout stays as it is. Without -mutants it is
// only seen that every mutant still fits its file: one that does not would
// show nothing.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	lists, err := filepath.Glob("testdata/mutants/*.txt")
	if err != nil || len(lists) == 0 {
		t.Fatal("no list of mutants", err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		all, err := readMutants(string(text))
		if err != nil {
			t.Fatalf("%s: %v", list, err)
		}
		for _, m := range all {
			source, err := os.ReadFile(filepath.Join(root, m.file))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.was); n != 1 {
				t.Errorf("%s: %s: %s holds %d times %q", list, m.name, m.file, n, m.was)
				continue
			}
			if *mutants != "" && regexp.MustCompile(*mutants).MatchString(m.name) {
				t.Run(m.name, func(t *testing.T) { kill(t, root, &m, strings.Replace(string(source), m.was, m.is, 1)) })
			}
		}
	}
}

// kill runs the tests of a mutant and fails where they pass.
func kill(t *testing.T, root string, m *mutant, source string) {
	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): file}})
	if err == nil {
		err = os.WriteFile(file, []byte(source), 0o666)
	}
	if err == nil {
		err = os.WriteFile(overlay, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "test", "-count=1", "-timeout=10m", "-overlay", overlay, "-run", m.run, m.pkg)
	c.Dir = root
	out, err := c.CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("lives: %s of %s pass although %s has\n%s\nin place of\n%s", m.run, m.pkg, m.file, m.is, m.was)
	case strings.Contains(string(out), "[build failed]") || !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "panic: "):
		t.Errorf("no test ran: %s", out)
	}
}
