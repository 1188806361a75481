// SPDX-License-Identifier: Apache-2.0

package evaluate

import "math"

// Metrics holds every figure of one candidate on one set of rows. Counts are
// of rows, the rest is weighted. A figure that the rows do not define, such as
// the AUC of one class, is NaN.
type Metrics struct {
	Rows       int    `json:"rows"`
	Churned    int    `json:"churned"`
	Weight     Number `json:"weight"` // Σw: renewals, where their snapshots share the weight 1
	Rate       Number `json:"observed_rate"`
	MeanP      Number `json:"mean_p"`
	LogLoss    Number `json:"log_loss"`
	Brier      Number `json:"brier"`
	AUC        Number `json:"auc"`
	ECE        Number `json:"ece"`
	Intercept  Number `json:"calibration_intercept"`
	Slope      Number `json:"calibration_slope"`
	InTheLarge Number `json:"calibration_in_the_large"`
	OE         Number `json:"observed_to_expected"`
	Lift       Number `json:"lift_top_decile"`
}

// Measure returns all metrics of the probabilities p in [0, 1] against the
// outcomes y, 0 or 1, under the weights w > 0; w may be nil for 1 each. The
// slices are only read. Slices of different length panic.
func Measure(p, y, w []float64) Metrics {
	order := []int(nil)
	if defined(p, y, w) {
		order = ascending(p)
	}
	return measure(p, y, w, order)
}

// measure is Measure for rows already ordered by p; no order means that the
// metrics are not defined.
func measure(p, y, w []float64, order []int) Metrics {
	nan := Number(math.NaN())
	m := Metrics{
		Rows: len(p), Weight: nan, Rate: nan, MeanP: nan, LogLoss: nan, Brier: nan, AUC: nan, ECE: nan,
		Intercept: nan, Slope: nan, InTheLarge: nan, OE: nan, Lift: nan,
	}
	if len(order) == 0 {
		return m
	}
	all := sumRows(p, y, w, order)
	m.Churned = all.churned
	m.Weight = Number(all.w)
	m.Rate = Number(all.wy / all.w)
	m.MeanP = Number(all.wp / all.w)
	m.LogLoss = Number(LogLoss(p, y, w))
	m.Brier = Number(Brier(p, y, w))
	m.AUC = Number(auc(p, y, w, order))
	m.ECE = Number(ece(equalMass(p, y, w, order)))
	a, b := Recalibration(p, y, w)
	m.Intercept, m.Slope = Number(a), Number(b)
	m.InTheLarge = Number(InTheLarge(p, y, w))
	m.OE = Number(OE(p, y, w))
	m.Lift = Number(lift(p, y, w, order))
	return m
}
