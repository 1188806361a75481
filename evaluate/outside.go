// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// outsideShare is the share of values far beyond the trained range from which on
// something other than growth must be the reason; fewer than leastOutside
// values prove nothing.
const (
	outsideShare = 0.25
	leastOutside = 10
)

// recentSilences names the months without events that windows of 90 days and
// less can still see.
func recentSilences(o MonitorOptions) []string {
	last := o.AsOf.In(o.Location).AddDate(0, 0, -1)
	first := time.Date(last.Year(), last.Month()-2, 1, 0, 0, 0, 0, o.Location)
	var out []string
	for i := range o.Silences {
		if s := &o.Silences[i]; s.Month >= first.Format("2006-01") && s.Month <= last.Format("2006-01") {
			out = append(out, s.String())
		}
	}
	return out
}

// outside names the numbers of which many rows lie beyond the range that the
// model was trained on, by more than that range is wide: tenures and counts of all
// time grow past it, and days to due lie on either side of the leads. A model clips them there, so scores stay plausible;
// and where a whole column was delivered in another unit, the past moves with
// it and no comparison with the past shows it.
func outside(m *predict.Model, today *features.Frame) []string {
	var out []string
	for i := range m.Terms {
		t := &m.Terms[i]
		k := slices.IndexFunc(today.Columns, func(c features.Column) bool { return c.Feature.Name == t.Feature })
		if t.Kind != string(features.NumberKind) || k < 0 || !(t.Low < t.High) {
			continue
		}
		values, beyond, width := 0, 0, t.High-t.Low
		for _, v := range today.Columns[k].Num {
			switch {
			case v != v: // missing
			case v < t.Low-width, v > t.High+width:
				beyond++
				values++
			default:
				values++
			}
		}
		if values >= leastOutside && float64(beyond) > outsideShare*float64(values) {
			out = append(out, fmt.Sprintf("%s: %d of %d values lie far outside of the range %.4g to %.4g that the model was trained on: has its unit changed?",
				t.Feature, beyond, values, t.Low, t.High))
		}
	}
	return out
}
