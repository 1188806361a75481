// SPDX-License-Identifier: Apache-2.0

package data

import "strings"

// Nearest returns the candidate that a misspelt name most likely meant: the
// one with the smallest edit distance, letter case aside, the first of them on
// a tie. It returns "" when none is within a third of the name's length,
// rounded up, which allows one slip in "seq" and four in "account_id".
func Nearest(name string, candidates []string) string {
	best, at := (len(name)+2)/3, ""
	if best >= len(name) {
		best = len(name) - 1 // every letter wrong is another word
	}
	found := false
	for _, c := range candidates {
		limit := best
		if found {
			limit-- // only a strictly better one replaces the first
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d <= limit {
			best, at, found = d, c, true
		}
	}
	return at
}

// editDistance is the optimal string alignment distance of two byte strings:
// the least number of insertions, deletions, substitutions and swaps of
// neighbours that turns a into b, no part being edited twice.
//
// Source: Boytsov, Indexing methods for approximate dictionary searching,
// ACM J. Exp. Algorithmics 16 (2011), section 2.
func editDistance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
