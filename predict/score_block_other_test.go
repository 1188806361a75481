// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package predict

import "iter"

// everySet names the one there is.
func everySet() iter.Seq[string] { return func(yield func(string) bool) { yield("portable") } }
