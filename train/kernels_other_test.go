// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package train

import (
	"iter"
	"testing"
)

// everySet names the one there is.
func everySet(testing.TB) iter.Seq[string] {
	return func(yield func(string) bool) { yield("portable") }
}

func withoutAVX512() {}
