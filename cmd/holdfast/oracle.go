// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"

	"github.com/holdfast-churn/holdfast/data"
)

// An oracleLoss sets a backtest beside the true probabilities of the same
// rows: nothing that predicts from the tables can have a lower expected log
// loss than they.
type oracleLoss struct {
	Rows     int
	Holdfast float64 // mean log loss, natural logarithm
	BaseRate float64
	Oracle   float64
}

// Found is the share of what can be known that the model finds: its gain over
// the base rate as a share of the oracle's, 1 at best.
func (o *oracleLoss) Found() float64 { return (o.BaseRate - o.Holdfast) / (o.BaseRate - o.Oracle) }

// versusOracle compares the predictions of a backtest with the truth of a made
// shop, matched by customer and snapshot.
func versusOracle(predictions, truth *data.Table) oracleLoss {
	type row struct {
		customer string
		snapshot int64
	}
	trueP := make(map[row]float64, truth.Rows)
	customer, snapshot := truth.Column("customer_id"), truth.Column("snapshot")
	for i := range truth.Rows {
		trueP[row{customer.Text(i), snapshot.Ints[i]}] = truth.Column("p").Floats[i]
	}
	customer, snapshot = predictions.Column("account_id"), predictions.Column("snapshot")
	candidate, p, y := predictions.Column("candidate"), predictions.Column("p_churn"), predictions.Column("y")
	var o oracleLoss
	for i := range predictions.Rows {
		best, ok := trueP[row{customer.Text(i), snapshot.Ints[i]}]
		if !ok {
			continue
		}
		loss := logLossOf(p.Floats[i], y.Ints[i])
		switch candidate.Text(i) {
		case "holdfast":
			o.Rows++
			o.Holdfast += loss
			o.Oracle += logLossOf(best, y.Ints[i])
		case "base_rate":
			o.BaseRate += loss
		}
	}
	n := float64(o.Rows)
	o.Holdfast, o.BaseRate, o.Oracle = o.Holdfast/n, o.BaseRate/n, o.Oracle/n
	return o
}

// logLossOf returns -ln p of the outcome that came.
func logLossOf(p float64, y int64) float64 {
	if y == 1 {
		return -math.Log(p)
	}
	return -math.Log1p(-p)
}

// showOracle prints the comparison.
func (a *app) showOracle(predictions, truth *data.Table) {
	o := versusOracle(predictions, truth)
	a.printf("truth: on the same %d rows the true probabilities, which know each customer's own pace, have log loss %.4f: "+
		"holdfast's %.4f finds %.0f %% of what can be known\n", o.Rows, o.Oracle, o.Holdfast, 100*o.Found())
}
