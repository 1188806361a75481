// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// A Suspect is a feature that by itself tells churned from renewed rows better
// than honest features do: it may have been filled in after the outcome.
type Suspect struct {
	Feature string  `json:"feature"`
	AUC     float64 `json:"auc"`    // of the feature alone; of a number, in the direction that ranks better
	Copies  bool    `json:"copies"` // so good that it must hold the outcome itself
}

// The AUC of one feature alone from which it is named, and from which it is
// taken for the outcome itself (FAULTS.md, row 72), and the rows of each class
// below which chance could reach them.
const (
	suspectAUC = 0.90
	copyAUC    = 0.99
	suspectMin = 20
)

// Suspects looks at each feature alone over the rows with a known outcome. A
// number is ranked as it is, a missing one below all others; a level by the
// churn rate of the other rows that have it, shrunk to the mean by 10 rows, so
// that rare levels prove nothing. (Leaving a row out lowers the rate of churned
// rows a little within their level: an honest level may rank below .5, never
// above it by construction.) With fewer than 20 rows of either class
// there are no suspects.
func Suspects(f *features.Frame) []Suspect {
	rows := f.Where(func(r *features.Row) bool { return r.Y != features.Unknown })
	y, w := make([]float64, len(rows)), make([]float64, len(rows))
	churned := 0
	for i, r := range rows {
		y[i], w[i] = float64(f.Rows[r].Y), f.Rows[r].Weight
		churned += int(f.Rows[r].Y)
	}
	if churned < suspectMin || len(rows)-churned < suspectMin {
		return nil
	}
	var found []Suspect
	x := make([]float64, len(rows))
	for k := range f.Columns {
		c := &f.Columns[k]
		if c.IsLevel() {
			otherRates(x, c.Codes, len(c.Levels), rows, y, w)
		} else {
			for i, r := range rows {
				if x[i] = c.Num[r]; x[i] != x[i] {
					x[i] = math.Inf(-1)
				}
			}
		}
		a := AUC(x, y, w)
		if !c.IsLevel() {
			a = max(a, 1-a) // a level is ranked by churn already
		}
		if a > suspectAUC {
			found = append(found, Suspect{c.Feature.Name, a, a > copyAUC})
		}
	}
	return found
}

// otherRates stores in x, for each row, the weighted churn rate of the other
// rows with the same level: (churned_l - wy + 10 m) / (n_l - w + 10), m being
// the mean over all rows.
func otherRates(x []float64, codes []int32, levels int, rows []int, y, w []float64) {
	const prior = 10
	churned, n := make([]float64, levels+1), make([]float64, levels+1) // a missing level comes first
	var allChurned, all float64
	for i, r := range rows {
		l := codes[r] + 1
		churned[l] += float64(w[i] * y[i])
		n[l] += w[i]
		allChurned += float64(w[i] * y[i])
		all += w[i]
	}
	mean := allChurned / all
	for i, r := range rows {
		l := codes[r] + 1
		x[i] = (churned[l] - float64(w[i]*y[i]) + float64(prior*mean)) / (n[l] - w[i] + prior)
	}
}
