// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// KeptShares returns what each renewal kept of its yearly value (Row.Kept),
// 1 for all of it, of those whose outcome was mature at the instant t, in the
// order of contracts. Churned terms, and renewals of which it is not known, have
// none.
func KeptShares(h *data.History, o *Outcome, t int64) []float64 {
	var out []float64
	for k := range h.Contracts {
		l := renewalLabel(h, o, int32(k))
		if share := kept(&h.Contracts[k], l.y); l.y == 0 && l.mature <= t && !math.IsNaN(share) {
			out = append(out, share)
		}
	}
	return out
}
