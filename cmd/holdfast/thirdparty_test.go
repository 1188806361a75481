// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

var updateThirdParty = flag.Bool("update-third-party", false, "write THIRD_PARTY.md again")

// linked lists the modules in the program on the platforms it is built for,
// each with its version and folder.
func linked(t *testing.T) [][3]string {
	t.Helper()
	seen := make(map[[3]string]bool)
	for _, system := range []string{"linux", "darwin", "windows"} {
		c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", ".")
		c.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); len(f) == 3 {
				seen[[3]string(f)] = true
			}
		}
	}
	var out [][3]string
	for m := range seen {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b [3]string) int { return strings.Compare(a[0], b[0]) })
	return out
}

// licences are phrases by which a licence is told; a file may hold several, of
// the parts of a module.
var licences = []struct{ words, name string }{
	{"Apache License", "Apache-2.0"},
	{"Neither the name of", "BSD-3-Clause"},
	{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
	{"Permission is hereby granted, free of charge", "MIT"},
	{"Mozilla Public License", "MPL-2.0"},
}

// licenceOf tells the licences of a module from the file it comes with.
func licenceOf(dir string) (name, holder string, err error) {
	for _, file := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			continue
		}
		one := strings.Join(strings.Fields(string(text)), " ")
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "Copyright ") && !strings.ContainsAny(line, "[{") && !strings.HasPrefix(line, "Copyright notice") && holder == "" {
				holder = strings.TrimSuffix(line, ".")
			}
		}
		var names []string
		for _, l := range licences {
			if strings.Contains(one, l.words) && !(l.name == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause")) {
				names = append(names, l.name)
			}
		}
		if names == nil {
			return "", "", fmt.Errorf("%s/%s: a licence that is not known", dir, file)
		}
		return strings.Join(names, " and "), holder, nil
	}
	return "", "", fmt.Errorf("%s: no licence", dir)
}

// THIRD_PARTY.md lists every module that is linked into the program, with its
// version and the licence it comes with; only licences that allow that.
func TestThirdParty(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What is linked into holdfast\n\nWritten by `go test ./cmd/holdfast -run ThirdParty -update-third-party` from the modules' own files; a test keeps it true. `holdfast version --sbom` says it of a binary.\n\n| module | version | licence | |\n|---|---|---|---|\n")
	for _, m := range linked(t) {
		name, holder, err := licenceOf(m[2])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m[0], m[1], name, strings.ReplaceAll(holder, "|", "/"))
	}
	if *updateThirdParty {
		if err := os.WriteFile("THIRD_PARTY.md", []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile("THIRD_PARTY.md"); err != nil || string(text) != b.String() {
		t.Errorf("THIRD_PARTY.md is not what is linked now (%v); write it again with -update-third-party", err)
	}
}

// The bill of materials names every module of this very program.
func TestSBOM(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"version", "--sbom"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d, %s", code, &errs)
	}
	var got bom
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	info, _ := debug.ReadBuildInfo()
	if got.Format != "CycloneDX" || got.Metadata.Component.Version != version || len(got.Components) != len(info.Deps)+1 {
		t.Fatalf("%+v", got)
	}
	for i, m := range info.Deps {
		if c := got.Components[i+1]; c.Name != m.Path || c.PURL != "pkg:golang/"+m.Path+"@"+m.Version || len(c.Properties) != 1 || c.Properties[0].Value != m.Sum {
			t.Errorf("%+v, want %+v", c, m)
		}
	}
	if len(got.Depends) != 1 || len(got.Depends[0].On) != len(got.Components) {
		t.Errorf("dependencies %+v", got.Depends)
	}
}
