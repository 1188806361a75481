// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package vector

// Best returns the best set that this processor and its system can run.
func Best() Set { return Portable }
