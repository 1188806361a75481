// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shimCaller has the shim send three rows through a program in the place of
// holdfast, as an executor does, and prints how that ended.
const shimCaller = `
import sys, pyarrow as pa
sys.path.insert(0, sys.argv[1])
import shim
shim.SparkFiles.get = staticmethod(lambda name: name)
rows = pa.RecordBatch.from_pydict({"account": ["a", "b", "c"]})
try:
    out = list(shim.through("features", "{}", sys.argv[2])(iter([rows])))
    print("took", sum(b.num_rows for b in out) - 1, "rows")
except RuntimeError as e:
    print(e)
`

// shimWorker is a program that answers as a worker does, or not quite.
const shimWorker = `#!PYTHON
import os, sys, pyarrow as pa
n = sum(b.num_rows for b in pa.ipc.open_stream(sys.stdin.buffer))
schema = pa.schema([("c0", pa.string()), ("trailer", pa.string())])
def batch(c0, trailer): return pa.RecordBatch.from_pydict({"c0": c0, "trailer": trailer}, schema)
with pa.ipc.new_stream(sys.stdout.buffer, schema) as w:
    w.write_batch(batch(["x", "y"], [None, None]))
    END
`

// The shim takes no answer of a worker that ended early, that counts otherwise
// than it does, or that failed.
func TestShim(t *testing.T) {
	if *sparkEnv == "" {
		t.Skip("no -spark: make test-spark has it")
	}
	python, err := filepath.Abs(filepath.Join(*sparkEnv, "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shim.py"), shim, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, end, want string }{
		{"whole", `w.write_batch(batch([None], ['{"records": %d, "rows": 2}' % n]))`, "took 2 rows"},
		{"no trailer", `pass`, "the trailer is None"},
		{"a record too few", `w.write_batch(batch([None], ['{"records": 2, "rows": 2}']))`, "3 records in, 2 rows out"},
		{"a row too many", `w.write_batch(batch([None], ['{"records": 3, "rows": 1}']))`, "3 records in, 2 rows out"},
		{"ends early and well", `sys.stdout.flush(); os._exit(0)`, "the trailer is None"},
		{"fails", `print("holdfast: bad rows", file=sys.stderr); sys.stderr.flush(); os._exit(4)`, "ended with 4: holdfast: bad rows"},
		{"is killed", `os.kill(os.getpid(), 9)`, "ended with -9"},
	} {
		worker := filepath.Join(dir, "worker")
		text := strings.NewReplacer("PYTHON", python, "END", c.end).Replace(shimWorker)
		if err := os.WriteFile(worker, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "-c", shimCaller, dir, worker).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v: %s; want %q", c.name, err, out, c.want)
		}
	}
}
