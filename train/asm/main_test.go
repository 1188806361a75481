// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"
)

// The generated files of the package are those that this generator writes.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	assembly, declarations := generate()
	for name, want := range map[string]string{"kernels_amd64.s": assembly, "kernels_asm_amd64.go": declarations} {
		got, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s differs from what train/asm writes: run go generate ./train", name)
		}
	}
}
