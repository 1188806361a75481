// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package predict

// addLines is addLinesGo: other processors run the definition.
func (b *scoreBlock) addLines(l *lines, from, n int) { b.addLinesGo(l, from, 0, n) }
