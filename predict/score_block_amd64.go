// SPDX-License-Identifier: Apache-2.0

package predict

import "github.com/holdfast-churn/holdfast/data/vector"

// simd is what this processor and its system can do. Tests set it to less.
var simd = vector.Best()

//go:noescape
func linesAVX2(rows, terms int, x **float64, lines *wideLine, b *scoreBlock, slope, least, most float64)

// addLines is addLinesGo.
func (b *scoreBlock) addLines(l *lines, from, n int) {
	whole := 0
	if simd != vector.Portable && n >= 4 {
		whole = min(n, blockRows) &^ 3
		b.x = b.x[:0]
		for _, c := range l.columns {
			b.x = append(b.x, &c.Num[from : from+n][0])
		}
		linesAVX2(whole, len(l.wide), &b.x[0], &l.wide[0], b, l.slope, -MaxSD, MaxSD)
	}
	b.addLinesGo(l, from, whole, n)
}
