// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/holdfast-churn/holdfast/"

// flow is the one-way order of the packages: each may import only what stands
// to its left.
var flow = []string{"data", "features", "predict", "train", "evaluate", "cmd/holdfast"}

// owners says which packages alone may import an outside library. gonum's
// floats, mat and stat are open to predict, train and evaluate; test files may
// import any library.
var owners = map[string][]string{
	"github.com/parquet-go/parquet-go": {"data"},
	"github.com/klauspost/compress":    {"data"},
	"github.com/andybalholm/brotli":    {"data"}, // parquet-go's own, which it offers only unbounded
	"github.com/apache/arrow/go/v17":   {"data/ipc"},
	"github.com/sjwhitworth/golearn":   {"evaluate/baseline"},
	"gonum.org/v1/gonum/optimize":      {"train"},
	"gonum.org/v1/gonum/floats":        {"predict", "train", "evaluate"},
	"gonum.org/v1/gonum/mat":           {"predict", "train", "evaluate"},
	"gonum.org/v1/gonum/stat":          {"predict", "train", "evaluate"},
	"github.com/spf13/cobra":           {"cmd/holdfast"},
	"github.com/goccy/go-yaml":         {"cmd/holdfast"},
}

// The files are parsed here, not listed by a child process: the test cache
// knows which files a test opened, and not what a child read.
func TestImportTable(t *testing.T) {
	for _, p := range sourceFiles(t) {
		for _, imported := range imports(t, p.file) {
			if problem := allowed(p.pkg, imported, p.test); problem != "" {
				t.Errorf("%s imports %s: %s", p.file, imported, problem)
			}
		}
	}
}

// The rule itself must refuse what it is there for.
func TestImportRuleRefuses(t *testing.T) {
	for _, c := range []struct{ pkg, imported string }{
		{"data", module + "features"},                     // an arrow that turns back
		{"predict", module + "train"},                     // a scorer that links the optimiser
		{"evaluate/report", module + "evaluate/baseline"}, // a sibling
		{"data", module + "data/ipc"},                     // a parent that imports its sub-folder
		{"features", "github.com/parquet-go/parquet-go"},
		{"data/demo", "github.com/apache/arrow/go/v17/arrow/ipc"},
		{"train", "github.com/some/other"},
	} {
		if allowed(c.pkg, c.imported, false) == "" {
			t.Errorf("%s may import %s, expected a refusal", c.pkg, c.imported)
		}
	}
	for _, c := range []struct{ pkg, imported string }{
		{"data/ipc", module + "data"},
		{"evaluate/report", module + "evaluate"},
		{"predict/registry", module + "features"},
		{"train", "gonum.org/v1/gonum/mat"},
		{"features", "slices"},
	} {
		if problem := allowed(c.pkg, c.imported, false); problem != "" {
			t.Errorf("%s may not import %s: %s", c.pkg, c.imported, problem)
		}
	}
}

// allowed returns why a package may not import a path, or "".
func allowed(pkg, imported string, test bool) string {
	if !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		return "" // standard library
	}
	if own, ok := strings.CutPrefix(imported, module); ok {
		from, to := place(pkg), place(own)
		switch {
		case from < 0 || to < 0:
			return "the package is not in the table"
		case pkg == own: // an external test of the package itself
			return ""
		case from == to && strings.HasPrefix(pkg, own+"/"):
			return "" // a sub-folder may import its parent
		case from == to && test && strings.HasPrefix(own, pkg+"/"):
			return "" // a test may use what its package may not
		case from == to:
			return "siblings do not know each other, and a parent does not know its sub-folders"
		case to > from && !test:
			return "arrows go one way"
		}
		return ""
	}
	if test {
		return ""
	}
	for library, who := range owners {
		if imported == library || strings.HasPrefix(imported, library+"/") {
			if slices.Contains(who, pkg) || slices.ContainsFunc(who, func(w string) bool {
				return strings.HasPrefix(library, "gonum.org/") && strings.HasPrefix(pkg, w+"/")
			}) {
				return ""
			}
			return "only " + strings.Join(who, ", ") + " may"
		}
	}
	return "the library is not in the table"
}

// place returns where a package, or the parent it counts as, stands in the flow.
func place(pkg string) int {
	return slices.IndexFunc(flow, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

type sourceFile struct {
	file, pkg string
	test      bool
}

// sourceFiles lists the Go files of the repository.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	const root = "../.."
	var out []sourceFile
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			rel, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			out = append(out, sourceFile{path, filepath.ToSlash(rel), strings.HasSuffix(path, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 30 {
		t.Fatalf("found only %d Go files", len(out))
	}
	return out
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range f.Imports {
		path, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	return out
}
