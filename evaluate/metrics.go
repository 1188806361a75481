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

	AP       Number        `json:"average_precision"`
	Recall   Number        `json:"recall_at_capacity"`
	ICI      Number        `json:"ici"`
	E90      Number        `json:"e90"`
	Parts    Decomposition `json:"brier_parts"`
	Accuracy Accuracy      `json:"renewal_accuracy"`
	Value    *ValueMetrics `json:"by_value,omitempty"` // nil where no row has a value
}

// ValueMetrics are metrics in which a row counts with the money at stake: its
// weight times its value. Rows without a value above 0 are left out.
type ValueMetrics struct {
	Rows    int    `json:"rows"`
	Value   Number `json:"value"` // Σwv
	Rate    Number `json:"observed_rate"`
	MeanP   Number `json:"mean_p"`
	LogLoss Number `json:"log_loss"`
	Brier   Number `json:"brier"`
	AUC     Number `json:"auc"`
	OE      Number `json:"observed_to_expected"` // value lost over value expected to be lost
	// Recall is the share of the churned value among the rows with the highest p
	// that capacity allows; RecallByRisk the same with the rows ranked by p times
	// value.
	Recall       Number `json:"recall_at_capacity"`
	RecallByRisk Number `json:"recall_at_capacity_by_value_at_risk"`
}

// Measure returns all metrics of the probabilities p in [0, 1] against the
// outcomes y, 0 or 1, under the weights w > 0; w may be nil for 1 each. The
// slices are only read. Slices of different length panic. Recall is that of a
// capacity for a tenth.
func Measure(p, y, w []float64) Metrics { return MeasureValued(p, y, w, nil, defaultCapacity) }

// MeasureValued is Measure with the money at stake in each row, NaN where it is
// not known, and the capacity for Recall. A nil value means none is known.
func MeasureValued(p, y, w, value []float64, capacity float64) Metrics {
	order := []int(nil)
	if defined(p, y, w) {
		order = ascending(p)
	}
	m := measure(p, y, w, order, capacity)
	if value != nil {
		m.Value = measureValue(p, y, w, value, order, capacity)
	}
	return m
}

// measureValue measures the rows that have a value above 0, given all rows in
// ascending order of p; no order means that the metrics are not defined.
func measureValue(p, y, w, value []float64, order []int, capacity float64) *ValueMetrics {
	var rows []int // ascending in p
	for _, i := range order {
		if v := value[i]; v > 0 && !math.IsInf(v, 1) {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	q, churned, u, v, stake, risk := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n),
		make([]float64, n), make([]float64, n)
	for k, i := range rows {
		q[k], churned[k], u[k], v[k] = p[i], y[i], weight(w, i), value[i]
		stake[k], risk[k] = float64(u[k]*v[k]), float64(p[i]*value[i])
	}
	places := make([]int, n)
	for k := range places {
		places[k] = k
	}
	all := sumRows(q, churned, stake, places)
	return &ValueMetrics{Rows: n, Value: Number(all.w), Rate: Number(all.wy / all.w), MeanP: Number(all.wp / all.w),
		LogLoss: Number(LogLoss(q, churned, stake)), Brier: Number(Brier(q, churned, stake)),
		AUC: Number(auc(q, churned, stake, places)), OE: Number(OE(q, churned, stake)),
		Recall:       Number(captured(q, churned, u, v, places, capacity)),
		RecallByRisk: Number(captured(risk, churned, u, v, ascending(risk), capacity))}
}

// measure is Measure for rows already ordered by p; no order means that the
// metrics are not defined.
func measure(p, y, w []float64, order []int, capacity float64) Metrics {
	nan := Number(math.NaN())
	m := Metrics{
		Rows: len(p), Weight: nan, Rate: nan, MeanP: nan, LogLoss: nan, Brier: nan, AUC: nan, ECE: nan,
		Intercept: nan, Slope: nan, InTheLarge: nan, OE: nan, Lift: nan,
		AP: nan, Recall: nan, ICI: nan, E90: nan, Parts: Decomposition{nan, nan, nan}, Accuracy: Accuracy{nan, nan, nan},
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
	m.AP = Number(averagePrecision(p, y, w, order))
	m.Recall = Number(captured(p, y, w, nil, order, capacity))
	r, _ := runsOf(p, y, w, order)
	ici, e90 := newICI(r).of(r.y)
	m.ICI, m.E90 = Number(ici), Number(e90)
	m.Parts = decompose(p, y, w, order)
	m.Accuracy = MeasureAccuracy(p, y, w)
	return m
}
